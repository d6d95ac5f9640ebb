package format

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// A doc says what may stand on one line and where it may break. A group is
// laid flat when it fits, or else all of its own breaks are taken.
type doc struct {
	kind   docKind
	text   string // of a text
	at     int    // of a break: where the token behind it begins in the source
	deeper bool   // of a break: comments before it are indented once more
	kids   []*doc
	breaks bool // it holds a break that must be taken
}

type docKind uint8

const (
	docText docKind = iota
	docLine         // a blank when flat
	docSoft         // nothing when flat
	docHard         // always a new line
	docEdge         // a docHard just inside a bracket: nothing when flat
	docCat
	docNest // four spaces deeper
	docGroup
)

const indentStep = 4

func text(s string) *doc    { return &doc{kind: docText, text: s} }
func lineBreak(at int) *doc { return &doc{kind: docLine, at: at} }
func softBreak(at int) *doc { return &doc{kind: docSoft, at: at} }
func hardBreak(at int) *doc { return &doc{kind: docHard, at: at, breaks: true} }

// edgeBreak is a hardBreak behind an opening bracket or before a closing one.
func edgeBreak(at int, closing bool) *doc {
	return &doc{kind: docEdge, at: at, breaks: true, deeper: closing}
}

func cat(kids ...*doc) *doc      { return parent(docCat, kids) }
func nest(kids ...*doc) *doc     { return parent(docNest, kids) }
func group(kids ...*doc) *doc    { return parent(docGroup, kids) }
func (d *doc) force(b bool) *doc { d.breaks = d.breaks || b; return d }

func parent(kind docKind, kids []*doc) *doc {
	return &doc{kind: kind, kids: kids, breaks: slices.ContainsFunc(kids, func(k *doc) bool { return k.breaks })}
}

// frame is a doc with the way it is to be laid out.
type frame struct {
	doc    *doc
	indent int
	flat   bool
}

// doc lays d out from where the printer stands.
func (p *printer) doc(d *doc) {
	stack := []frame{{doc: d, flat: p.flat}}
	for len(stack) > 0 {
		f := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch f.doc.kind {
		case docText:
			p.write(f.doc.text)
		case docLine, docSoft, docHard, docEdge:
			p.lineOrBlank(f)
		default:
			if f.doc.kind == docNest {
				f.indent += indentStep
			}
			if f.doc.kind == docGroup && !f.flat {
				f.flat = !f.doc.breaks && fits(Width-p.column, f.doc, stack)
			}
			for _, k := range slices.Backward(f.doc.kids) {
				stack = append(stack, frame{doc: k, indent: f.indent, flat: f.flat})
			}
		}
	}
}

func (p *printer) lineOrBlank(f frame) {
	switch kind := f.doc.kind; {
	case !f.flat && f.doc.deeper:
		p.newline(f.indent, f.indent+indentStep, f.doc.at, false)
	case !f.flat:
		p.newline(f.indent, f.indent, f.doc.at, false)
	case kind == docLine, kind == docHard:
		p.write(" ")
	}
}

// fits reports whether d, laid flat, and what follows it up to the next
// possible break need no more than room columns.
func fits(room int, d *doc, rest []frame) bool {
	stack := []frame{{doc: d, flat: true}}
	for next := len(rest); room >= 0; {
		if len(stack) == 0 {
			if next == 0 {
				return true
			}
			next--
			stack = append(stack, rest[next])
		}
		f := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		switch f.doc.kind {
		case docText:
			line, _, more := strings.Cut(f.doc.text, "\n")
			room -= utf8.RuneCountInString(line)
			if more {
				return room >= 0
			}
		case docLine, docSoft, docHard, docEdge:
			if !f.flat {
				return true
			}
			if f.doc.kind == docLine {
				room--
			}
		default:
			for _, k := range slices.Backward(f.doc.kids) {
				stack = append(stack, frame{doc: k, flat: f.flat})
			}
		}
	}
	return false
}
