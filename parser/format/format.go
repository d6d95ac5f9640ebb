// Package format writes RQL in its canonical form: one verb a line, canonical
// verbs, reserved words in upper case. The form says what the text said: parsing
// it gives the same ast, and formatting it again changes nothing. Comments are
// all kept.
package format

import (
	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
)

// Width is the column past which lists are broken, one item a line.
const Width = 100

// Source returns the canonical text of a script, ending in a line feed (or
// empty, for a script with nothing in it). file names it in errors. A script
// with syntax errors is not formatted: the error is the parser's
// *parser.Diagnostics. It may be called concurrently.
func Source(file, src string) (string, error) {
	script, err := parser.Parse(file, src)
	if err != nil {
		return "", err
	}
	b := &builder{toks: indexTokens(src), comments: script.Comments}
	p := &printer{src: src, toks: b.toks, comments: script.Comments}
	for i, st := range script.Statements {
		p.start(st.Pos.Offset, i > 0)
		p.doc(b.statement(st))
	}
	p.finish()
	return string(p.out), nil
}

// Expr returns the canonical text of an expression on one line, as far as
// its strings and subqueries allow, without comments. It is the name of an item that has no AS:
// the same before and after formatting.
func Expr(e ast.Expr) string {
	p := &printer{flat: true}
	p.doc((&builder{}).expr(e))
	return string(p.out)
}
