package format

import (
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/rainsql/rainsql/parser/ast"
)

// printer writes lines and puts the comments back. Every line break knows where
// the token behind it stands in the source, and so which comments belong before it.
type printer struct {
	src      string
	toks     *tokens
	comments []ast.Comment // not yet written
	flat     bool          // everything on one line
	out      []byte
	column   int
	begin    int // in out: the first byte of the current line
	indent   int // of comments above the current line
}

func (p *printer) write(s string) {
	p.out = append(p.out, s...)
	if i := strings.LastIndexByte(s, '\n'); i >= 0 {
		p.column, s = 0, s[i+1:]
	}
	p.column += utf8.RuneCountInString(s)
}

// newline ends the current line and begins one whose first token begins at `at`
// in the source. Comments that stand before that token go to the end of
// the line that ends, or, if they had lines of their own, above the new one.
func (p *printer) newline(indent, commentIndent, at int, blank bool) {
	own := p.endLine(at)
	p.ownLines(own, commentIndent, at, blank)
	if len(own) == 0 && blank {
		p.out = append(p.out, '\n')
	}
	p.begin, p.indent = len(p.out), commentIndent
	p.column = 0
	p.write(strings.Repeat(" ", indent))
}

// endLine ends the current line with the comments that are due there, and
// returns those that go above the next.
func (p *printer) endLine(at int) []ast.Comment {
	n := 0
	for n < len(p.comments) && p.comments[n].Start < at {
		n++
	}
	due, last := p.comments[:n], p.toks.lastEnd(at)
	p.comments = p.comments[n:]
	if len(p.out) == 0 {
		return due
	}
	k := 0
	for k < len(due) && (due[k].Start < last || !due[k].Own) {
		k++
	}
	p.trail(due[:k])
	p.out = append(p.out, '\n')
	return due[k:]
}

// trail puts comments at the end of the current line. A -- comment ends its
// line, so of several the last is put there, and the others above the line.
func (p *printer) trail(list []ast.Comment) {
	var above, behind []byte
	final := ""
	for _, c := range list {
		switch {
		case !strings.HasPrefix(c.Text, "--"):
			behind = append(behind, " "+trimmed(c)...)
			continue
		case final != "":
			above = append(above, strings.Repeat(" ", p.indent)+final+"\n"...)
		}
		final = trimmed(c)
	}
	if final != "" {
		behind = append(behind, " "+final...)
	}
	p.out = append(slices.Insert(p.out, p.begin, above...), behind...)
}

// ownLines writes comments on lines of their own. Between them, and before
// what follows, a blank line of the source is kept.
func (p *printer) ownLines(list []ast.Comment, indent, at int, blank bool) {
	for i, c := range list {
		if blank {
			p.out = append(p.out, '\n')
		}
		p.out = append(p.out, strings.Repeat(" ", indent)+trimmed(c)+"\n"...)
		next := at
		if i+1 < len(list) {
			next = list[i+1].Start
		}
		blank = blankLine(p.src[c.Start+len(c.Text) : next])
	}
	if len(list) > 0 && blank && at < len(p.src) {
		p.out = append(p.out, '\n')
	}
}

// start begins a statement.
func (p *printer) start(at int, blank bool) {
	p.newline(0, 0, at, blank)
}

// finish ends the text with the comments that are left.
func (p *printer) finish() {
	written := len(p.out) > 0
	own := p.endLine(len(p.src))
	p.ownLines(own, 0, len(p.src), written)
}

func trimmed(c ast.Comment) string { return strings.TrimRight(c.Text, " \t\r\f\v") }
