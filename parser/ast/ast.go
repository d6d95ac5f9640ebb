// Package ast is the shape of RQL text: what was written, where, and nothing of
// what it means. Grammar tags on the verbs and statements are read by the
// parser (participle); expressions carry none, they are parsed by precedence.
//
// Every node knows its extent: Pos is its first byte, EndPos the byte where the
// next token begins (blanks and comments in between belong to it).
package ast

import "github.com/alecthomas/participle/v2/lexer"

// Node is anything with an extent in the text.
type Node interface {
	Extent() (start, end lexer.Position)
}

// Span is the extent of a node; participle fills it in.
type Span struct {
	Pos    lexer.Position
	EndPos lexer.Position
}

// Extent implements Node.
func (s Span) Extent() (start, end lexer.Position) { return s.Pos, s.EndPos }

// Script is a parsed text.
type Script struct {
	Statements []*Statement
	Comments   []Comment // in order; the formatter puts them back
}

// Comment is a comment with its marks, without the line feed that ends it.
type Comment struct {
	Text  string
	Start int  // byte offset
	Line  int  // of its first byte, from 1
	Own   bool // nothing else stands before it on its line
}

// Statement is one statement of a script.
type Statement struct {
	Span
	Body   Body // nil when nothing of it could be read
	Broken bool // it holds a syntax error, already reported; Body is what could be read
}

// Body is what a statement says: *Pipeline or one of the statements of this package.
type Body interface{ body() }

// Name is an identifier as it is meant: quotes removed, case kept.
type Name struct {
	Span
	Text   string
	Quoted bool
}

// Pipeline is a source and the verbs applied to it, top to bottom. A pipeline
// over one empty row has no From; it begins with TRANSFORM.
type Pipeline struct {
	Span
	From  *Source
	Verbs []Verb
}

// Verb is one step of a pipeline.
type Verb interface {
	Node
	verb()
}

func (*Pipeline) body() {}
