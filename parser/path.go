package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// aFile is what is said of a path without quotes, and pathHint what to do.
const aFile = "the name of a file stands in single quotes"

func pathHint(path string) string { return "write " + quotePath(path) }

// quotePath writes a path as RQL has it. A bare name is taken for a file of this
// folder: who writes no quotes has the shell in mind, not the file store.
func quotePath(path string) string {
	if !strings.HasPrefix(path, ".") && !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "~/") && !strings.Contains(path, "://") {
		path = "./" + path
	}
	return "'" + path + "'"
}

// barePath finds a path without quotes that token i of toks is part of: a run of
// tokens that touch and hold a dot, a slash or the like. from is where it begins.
func barePath(toks []lexer.Token, i int) (path string, from, to lexer.Token, ok bool) {
	if i >= len(toks) || !pathToken(toks[i]) {
		return "", from, to, false
	}
	first, last := i, i
	for first > 0 && pathToken(toks[first-1]) && after(toks[first-1]) == toks[first].Pos {
		first--
	}
	for last+1 < len(toks) && pathToken(toks[last+1]) && after(toks[last]) == toks[last+1].Pos {
		last++
	}
	var sb strings.Builder
	for _, t := range toks[first : last+1] {
		sb.WriteString(t.Value)
	}
	path = sb.String()
	return path, toks[first], toks[last], strings.ContainsAny(path, "./~") && strings.Trim(path, "./~-*+%:") != ""
}

// pathToken reports what a path without quotes is cut into.
func pathToken(t lexer.Token) bool {
	switch t.Type {
	case lex.Ident, lex.Number, lex.Unit:
		return true
	case lex.Op:
		return strings.Contains(". / // ~ - : * + %", t.Value)
	}
	return lex.WordOf(t) != ""
}

// wantsPath reports the words that a path follows.
func wantsPath(t lexer.Token) bool {
	switch lex.WordOf(t) {
	case "FROM", "JOIN", "INTO":
		return true
	}
	return t.Type == lex.Ident && (strings.EqualFold(t.Value, "DESCRIBE") || strings.EqualFold(t.Value, "SUMMARIZE") || strings.EqualFold(t.Value, "DESC"))
}

// bareFile is the error about a path without quotes in place of d, which is about
// token i of toks, or nil.
func bareFile(d *Diagnostic, toks []lexer.Token, i int) *Diagnostic {
	path, from, to, ok := barePath(toks, i)
	if !ok {
		return nil
	}
	for k := i; k > 0; k-- {
		if toks[k].Pos == from.Pos {
			if !wantsPath(toks[k-1]) {
				break
			}
			return diagAt(from.Pos, after(to), aFile, pathHint(path))
		}
	}
	return nil
}

// pathAhead is how the path without quotes that begins at the next token would be
// written, or "".
func (c *cursor) pathAhead() string {
	at := c.lex.MakeCheckpoint()
	defer c.lex.LoadCheckpoint(at)
	var toks []lexer.Token
	for t := *c.lex.Next(); !t.EOF() && (len(toks) == 0 || after(toks[len(toks)-1]) == t.Pos); t = *c.lex.Next() {
		toks = append(toks, t)
	}
	if path, _, _, ok := barePath(toks, 0); ok {
		return quotePath(path)
	}
	return ""
}

// sourceAhead is how the source behind the FROM at hand would be written.
func (c *cursor) sourceAhead() string {
	at := c.lex.MakeCheckpoint()
	defer c.lex.LoadCheckpoint(at)
	c.lex.Next()
	if path := c.pathAhead(); path != "" {
		return path
	}
	if c.isOp("(") {
		return "(…)"
	}
	return clip(c.peek().Value)
}
