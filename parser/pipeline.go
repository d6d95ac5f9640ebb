package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// startsPipeline reports whether a token begins a pipeline.
func startsPipeline(t lexer.Token) bool {
	w := lex.WordOf(t)
	return w == "FROM" || w == "TRANSFORM" || w == "SELECT"
}

// pipeline parses a nested pipeline; its first error is the statement's.
func (c *cursor) pipeline() *ast.Pipeline {
	c.enter()
	defer c.leave()
	p := &statementParser{}
	pipe := &ast.Pipeline{}
	if !p.pipeline(c, pipe) {
		panic(bailout{p.diags[0]})
	}
	return pipe
}

// pipeline parses FROM and the verbs. After an error it goes on at the next
// verb that begins a line or follows a pipe. It reports whether all was well.
func (p *statementParser) pipeline(c *cursor, pipe *ast.Pipeline) bool {
	before := len(p.diags)
	pipe.Pos = c.peek().Pos
	bare := !c.isWord("FROM")
	if !bare {
		c.next()
		p.run(c, "FROM", func() (err error) { pipe.From, err = parseSource(c); return err })
	}
	for first := bare; !endOfPipeline(c); first = false {
		p.verb(c, pipe, first)
	}
	c.end = lastEnd(pipe, c.end)
	pipe.EndPos = c.end
	return len(p.diags) == before
}

func parseSource(c *cursor) (*ast.Source, error) {
	t := *c.peek()
	if t.Type == lex.Op && t.Value != "(" || t.EOF() || t.Type == lex.Number || t.Type == lex.Unit || lex.WordOf(t) != "" {
		panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("expected %s after FROM, not %s", aSource, describe(t)), sourceHint(t))})
	}
	s, err := sourceRule(c.lex)
	settleSource(s)
	if err == nil && c.isOp(",") {
		t := *c.peek()
		panic(bailout{diagAt(t.Pos, after(t), "FROM reads one source", "to combine two write JOIN or UNION")})
	}
	return s, err
}

// lastEnd is where the last verb ends, as participle saw it.
func lastEnd(pipe *ast.Pipeline, end lexer.Position) lexer.Position {
	if n := len(pipe.Verbs); n > 0 {
		_, end = pipe.Verbs[n-1].Extent()
	} else if pipe.From != nil {
		_, end = pipe.From.Extent()
	}
	return end
}

func endOfPipeline(c *cursor) bool { return c.peek().EOF() || c.isOp(")") }

// run parses one piece and, if it fails, skips to where the next verb begins.
func (p *statementParser) run(c *cursor, word string, f func() error) bool {
	d := guard(word, f)
	if d == nil {
		return true
	}
	p.diags = append(p.diags, d)
	skip(c, d.Start.Offset)
	return false
}

// skip moves to the next verb at the start of a line or behind a pipe, from
// offset on and outside the parentheses opened on the way. Where the lexer
// stands after an error is only known to be no further than offset.
func skip(c *cursor, offset int) {
	depth := 0
	line := c.peek().Pos.Line
	piped := false
	for moved := false; !c.peek().EOF(); moved = true {
		t := *c.peek()
		fresh := t.Pos.Line != line
		if moved && t.Pos.Offset >= offset && depth <= 0 && (fresh || piped) && (verbs[lex.WordOf(t)] != nil || isPipe(t)) {
			return
		}
		switch {
		case t.Type != lex.Op:
		case t.Value == "(":
			depth++
		case t.Value == ")":
			depth--
			if depth < 0 {
				depth = 0
			}
		}
		piped = isPipe(t)
		line = t.Pos.Line
		c.next()
	}
}

func isPipe(t lexer.Token) bool { return t.Type == lex.Op && (t.Value == "|>" || t.Value == "|") }

// verb parses one verb into pipe.
func (p *statementParser) verb(c *cursor, pipe *ast.Pipeline, first bool) {
	piped := !first && isPipe(*c.peek())
	if piped {
		c.next()
	}
	t := *c.peek()
	word := lex.WordOf(t)
	parse := verbs[word]
	if parse == nil {
		p.run(c, word, func() error { panic(bailout{unknownVerb(t, c.peek2(), "FROM", piped)}) })
		return
	}
	if (word == "TRANSFORM" || word == "SELECT") && lex.WordOf(c.peek2()) == "USING" {
		parse = execRule
	}
	if d := c.sqlPrefix(word); d != nil {
		p.run(c, word, func() error { panic(bailout{d}) })
		return
	}
	if n := len(pipe.Verbs); n > 0 {
		if _, ended := pipe.Verbs[n-1].(*ast.Into); ended {
			p.run(c, word, func() error {
				panic(bailout{diagAt(t.Pos, after(t), word+" after INTO, which ends a pipeline", "write TEE INTO to go on, or ; to begin another statement")})
			})
			return
		}
	}
	p.run(c, word, func() error {
		v, err := parse(c.lex)
		if err != nil {
			return err
		}
		pipe.Verbs = append(pipe.Verbs, v)
		if agg, ok := v.(*ast.Aggregate); ok {
			if d := sqlKeys(agg); d != nil {
				panic(bailout{d})
			}
		}
		return misplaced(c, v, word, first)
	})
}

// misplaced recognises SQL order and other things that follow a whole verb but begin no other.
func misplaced(c *cursor, v ast.Verb, word string, first bool) error {
	t := *c.peek()
	if c.peek().EOF() || c.isOp(")") || isPipe(t) || verbs[lex.WordOf(t)] != nil {
		return nil
	}
	start, _ := v.Extent()
	if _, ok := v.(*ast.Transform); ok && lex.WordOf(t) == "FROM" {
		source := c.sourceAhead()
		d := diagAt(start, after(t), "a pipeline begins with FROM", fmt.Sprintf("write FROM %s %s …", source, word))
		if items := v.(*ast.Transform).Items; len(items) == 1 && items[0].Star != nil && items[0].Star.Except == nil && items[0].Star.Replace == nil {
			d.Hint = fmt.Sprintf("write FROM %s; %s * is not needed", source, word)
		}
		if !first {
			d = diagAt(t.Pos, after(t), "FROM stands only at the beginning of a pipeline", "to combine two sources write JOIN or UNION")
		}
		panic(bailout{d})
	}
	if _, ok := v.(*ast.Aggregate); ok && strings.EqualFold(t.Value, "SETS") && c.peek2().Value == "(" {
		panic(bailout{groupings("GROUPING SETS").at(t.Pos, after(t))})
	}
	if d := sqlVerb(t, c.peek2(), false); d != nil {
		panic(bailout{d})
	}
	if t.Type == lex.Ident && t.Pos.Line == c.end.Line {
		if s := suggest.Nearest(strings.ToUpper(t.Value), Verbs()); s == "" {
			panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("unexpected %s in %s", describe(t), word), strayHintAt(t, word))})
		}
	}
	panic(bailout{unknownVerb(t, c.peek2(), word, false)})
}

// strayHintAt is strayHint, but for an order where none can stand.
func strayHintAt(t lexer.Token, verb string) string {
	switch strings.ToUpper(t.Value) {
	case "ASC", "DESC", "NULLS":
		if verb == "AGGREGATE" || verb == "GROUP" {
			return "write SORT after the AGGREGATE"
		}
	}
	return strayHint(verb)
}

// strayHint is what to do about a word left over at the end of a verb.
func strayHint(verb string) string {
	switch verb {
	case "FILTER", "WHERE":
		return "join conditions with AND or OR"
	case "SORT", "ORDER":
		return "a comma stands between keys; DESC and NULLS FIRST follow one"
	case "LIMIT":
		return "to leave out rows before them write LIMIT n OFFSET m"
	case "DISTINCT":
		return "write SELECT DISTINCT items, or DISTINCT ON (keys)"
	case "SET", "DROP", "RENAME":
		return "a comma stands between columns"
	case "TRANSFORM", "SELECT", "EXTEND", "AGGREGATE", "GROUP":
		return "an alias is written with AS, and a comma stands between items"
	case "FROM", "JOIN", "LEFT", "RIGHT", "FULL", "CROSS", "INNER", "SEMI", "ANTI", "UNNEST":
		return "an alias is written with AS"
	}
	return ""
}

// unknownVerb is the error of something that follows a whole verb and begins no other.
func unknownVerb(t, ahead lexer.Token, verb string, piped bool) *Diagnostic {
	if d := sqlVerb(t, ahead, piped); d != nil {
		return d
	}
	if t.Type != lex.Ident {
		msg := fmt.Sprintf("expected a verb, not %s", describe(t))
		hint := ""
		switch {
		case t.Value == "," && (verb == "FILTER" || verb == "WHERE"):
			hint = strayHint(verb)
		case t.Value == "||":
			hint = "a pipe is | or |>"
		case lex.WordOf(t) == "NOT":
			hint = "behind a value it stands only in NOT IN, NOT LIKE, NOT ILIKE, NOT BETWEEN and IS NOT"
		case isPipe(t):
			hint = "one pipe, then a verb"
		case verb == "LIMIT":
			hint = strayHint(verb)
		case lex.WordOf(t) == "ON":
			hint = "it belongs to JOIN s ON condition, or to DISTINCT ON (keys)"
		case lex.WordOf(t) == "USING":
			hint = "it belongs to JOIN s USING (columns)"
		case lex.WordOf(t) == "EMIT":
			hint = "it follows AGGREGATE … BY …: EMIT ON CLOSE, EMIT ON CHANGE or EMIT EVERY 1s"
		case t.Value == "(":
			hint = "options are written (name = value, …)"
		case lex.WordOf(t) == "FROM":
			hint = "end the statement before it with ;"
		}
		return diagAt(t.Pos, after(t), msg, hint)
	}
	hint := ""
	words := append(Verbs(), "ORDER", "GROUP")
	if s := suggest.Nearest(strings.ToUpper(t.Value), words); s != "" {
		hint = fmt.Sprintf("did you mean %s?", s)
	} else if !piped && (ahead.Type != lex.Op || isPipe(ahead)) {
		hint = strayHint(verb)
	}
	return diagAt(t.Pos, after(t), fmt.Sprintf("unknown verb %q", t.Value), hint)
}
