package ast

import "github.com/alecthomas/participle/v2/lexer"

// Productions are the parts of the grammar that package parser writes by hand.
// It sets them once, before anything is parsed.
var Productions struct {
	Expr     func(*lexer.PeekingLexer) (Expr, error)
	Pipeline func(*lexer.PeekingLexer, *Pipeline) error
	TypeName func(*lexer.PeekingLexer, *TypeName) error
	Name     func(*lexer.PeekingLexer, *Name) error
	Text     func(*lexer.PeekingLexer, *Text) error
}

// Parse implements participle.Parseable.
func (p *Pipeline) Parse(l *lexer.PeekingLexer) error { return Productions.Pipeline(l, p) }

// Parse implements participle.Parseable.
func (t *TypeName) Parse(l *lexer.PeekingLexer) error { return Productions.TypeName(l, t) }

// Parse implements participle.Parseable.
func (n *Name) Parse(l *lexer.PeekingLexer) error { return Productions.Name(l, n) }

// Parse implements participle.Parseable.
func (t *Text) Parse(l *lexer.PeekingLexer) error { return Productions.Text(l, t) }
