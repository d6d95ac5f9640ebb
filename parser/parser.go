// Package parser turns RQL text into an ast, or into errors that point at the
// words at fault. Statements and verbs are participle grammars (the tags of
// package ast); expressions are parsed by precedence. It knows nothing of
// tables, types or files.
package parser

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// MaxNesting is how deep parentheses, pipelines and operators may nest.
const MaxNesting = 1000

// Parse reads a script. All syntax errors come together, as *Diagnostics: after
// an error reading goes on at the next verb or statement. The script holds
// every statement, those with errors marked Broken; it is never nil.
func Parse(file, src string) (*ast.Script, error) {
	diags := &Diagnostics{Source: src}
	script := &ast.Script{}
	if !utf8.ValidString(src) || strings.IndexByte(src, 0) >= 0 {
		n := notText(src)
		pos := lexer.Position{Filename: file, Offset: n, Line: 1 + strings.Count(src[:n], "\n")}
		pos.Column = 1 + utf8.RuneCountInString(src[strings.LastIndexByte(src[:n], '\n')+1:n])
		diags.List = append(diags.List, diagAt(pos, pos, "bytes that are not text", "a script is UTF-8 text; is this the right file?"))
		return script, diags
	}
	toks, lexErrs := lex.Tokens(file, src)
	script.Comments = comments(toks)
	if d := tooDeep(toks); d != nil {
		diags.List = append(textErrors(lexErrs), d)
		return script, diags
	}
	for _, part := range split(toks) {
		p := &statementParser{}
		if st := p.parse(part); st != nil {
			st.Broken = st.Broken || holdsAny(part, lexErrs)
			script.Statements = append(script.Statements, st)
		}
		if p.moot >= 0 {
			end := part[len(part)-1].Pos.Offset
			lexErrs = slices.DeleteFunc(lexErrs, func(e *lex.Error) bool { return e.Start.Offset >= p.moot && e.Start.Offset <= end })
		}
		diags.List = append(diags.List, besides(p.diags, lexErrs)...)
	}
	diags.List = append(textErrors(lexErrs), diags.List...)
	return script, diags.Err()
}

func textErrors(errs []*lex.Error) []*Diagnostic {
	var list []*Diagnostic
	for _, e := range errs {
		list = append(list, diagAt(e.Start, e.End, e.Msg, e.Hint))
	}
	return list
}

func notText(src string) int {
	for i, r := range src {
		if r == 0 {
			return i
		}
		if r == utf8.RuneError {
			if _, w := utf8.DecodeRuneInString(src[i:]); w == 1 {
				return i
			}
		}
	}
	return 0
}

// holdsAny reports whether a text error lies within the statement.
func holdsAny(part []lexer.Token, errs []*lex.Error) bool {
	from, to := part[0].Pos.Offset, part[len(part)-1].Pos.Offset
	for _, e := range errs {
		if e.Start.Offset <= to && e.End.Offset >= from {
			return true
		}
	}
	return false
}

// besides drops syntax errors on a line that already has a text error, which is their cause.
func besides(list []*Diagnostic, errs []*lex.Error) []*Diagnostic {
	return slices.DeleteFunc(list, func(d *Diagnostic) bool {
		return slices.ContainsFunc(errs, func(e *lex.Error) bool {
			return e.Start.Line == d.Start.Line || e.End.Line == d.Start.Line
		})
	})
}

func comments(toks []lexer.Token) []ast.Comment {
	var list []ast.Comment
	lastLine := 0
	for _, t := range toks {
		if t.Type == lex.Comment {
			list = append(list, ast.Comment{Text: t.Value, Start: t.Pos.Offset, Line: t.Pos.Line, Own: t.Pos.Line != lastLine})
		}
		lastLine = t.Pos.Line + strings.Count(t.Value, "\n")
	}
	return list
}

// split cuts the tokens into statements at every ";". Each part ends with an
// EOF token where its ";" (or the end of the text) stands.
func split(toks []lexer.Token) [][]lexer.Token {
	var parts [][]lexer.Token
	from := 0
	flush := func(to int) {
		for _, t := range toks[from:to] {
			if t.Type != lex.Comment {
				part := append(make([]lexer.Token, 0, to-from+1), toks[from:to]...)
				parts = append(parts, append(part, lexer.EOFToken(toks[to].Pos)))
				break
			}
		}
		from = to + 1
	}
	for i, t := range toks {
		if t.EOF() || t.Type == lex.Op && t.Value == ";" {
			flush(i)
		}
	}
	return parts
}
