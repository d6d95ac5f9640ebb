package parser

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// cursor reads tokens for the parts of the grammar written by hand:
// expressions, pipelines, types. It shares participle's token stream.
type cursor struct {
	lex   *lexer.PeekingLexer
	end   lexer.Position // just behind the last token taken
	depth int            // of recursion into expressions and pipelines
	types int            // of recursion into types
}

// bailout carries a syntax error out of the grammar to parseBody. Participle
// would otherwise take an error inside an optional group for its absence.
type bailout struct{ diag *Diagnostic }

func (c *cursor) peek() *lexer.Token { return c.lex.Peek() }

func (c *cursor) next() *lexer.Token {
	t := c.lex.Next()
	c.end = after(*t)
	return t
}

// after is the position just behind a token.
func after(t lexer.Token) lexer.Position {
	p := t.Pos
	p.Offset += len(t.Value)
	if i := strings.LastIndexByte(t.Value, '\n'); i >= 0 { // only texts in quotes have more lines
		p.Line += strings.Count(t.Value, "\n")
		p.Column = 1 + utf8.RuneCountInString(t.Value[i+1:])
		return p
	}
	p.Column += utf8.RuneCountInString(t.Value)
	return p
}

// peek2 is the token after the next.
func (c *cursor) peek2() lexer.Token {
	at := c.lex.MakeCheckpoint()
	c.lex.Next()
	t := *c.lex.Peek()
	c.lex.LoadCheckpoint(at)
	return t
}

func (c *cursor) isOp(op string) bool {
	t := c.peek()
	return t.Type == lex.Op && t.Value == op
}

func (c *cursor) isWord(word string) bool {
	t := c.peek()
	if t.Type == lex.Ident {
		return strings.EqualFold(t.Value, word)
	}
	return lex.WordOf(*t) == word
}

func (c *cursor) acceptOp(op string) bool {
	if c.isOp(op) {
		c.next()
		return true
	}
	return false
}

func (c *cursor) acceptWord(word string) bool {
	if c.isWord(word) {
		c.next()
		return true
	}
	return false
}

func (c *cursor) expectOp(op, where string) {
	if !c.acceptOp(op) {
		c.fail("expected %s %s, not %s", quoteToken(op), where, describe(*c.peek()))
	}
}

// expectClose is expectOp for the bracket that closes the one at open.
func (c *cursor) expectClose(op, where string, open lexer.Position) {
	if !c.acceptOp(op) {
		t := *c.peek()
		panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("expected %s %s, not %s", quoteToken(op), where, describe(t)),
			fmt.Sprintf("it was opened at %d:%d", open.Line, open.Column))})
	}
}

func (c *cursor) expectWord(word, where string) {
	if !c.acceptWord(word) {
		c.fail("expected %s %s, not %s", word, where, describe(*c.peek()))
	}
}

// fail ends the parse of this verb with an error at the next token.
func (c *cursor) fail(format string, args ...any) {
	t := *c.peek()
	panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf(format, args...), "")})
}

func (c *cursor) span(start lexer.Position) ast.Span { return ast.Span{Pos: start, EndPos: c.end} }

// maxDepth bounds recursion. A nesting level of the text takes several: one for
// each level of precedence it passes through. The text itself is bounded by
// tooDeep, across the verbs of nested pipelines; this is the second line of defence.
const maxDepth = 10 * MaxNesting

func (c *cursor) enter() {
	c.depth++
	if c.depth > maxDepth {
		c.tooDeep()
	}
}

func (c *cursor) tooDeep() {
	t := *c.peek()
	panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("nested deeper than %d", MaxNesting), nestingHint)})
}

const nestingHint = "name parts of it with LET"

func (c *cursor) leave() { c.depth-- }

// name takes an identifier. Behind a dot any word will do.
func (c *cursor) name(afterDot bool, what string) ast.Name {
	t := *c.peek()
	switch {
	case t.Type == lex.Ident, afterDot && lex.WordOf(t) != "":
		c.next()
		return ast.Name{Span: c.span(t.Pos), Text: t.Value}
	case t.Type == lex.Quoted:
		c.next()
		return ast.Name{Span: c.span(t.Pos), Text: lex.Unquote(t.Value), Quoted: true}
	}
	if w := lex.WordOf(t); w != "" {
		panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("%s is a reserved word, not %s", w, what),
			fmt.Sprintf(`to use it as a name write "%s"`, t.Value))})
	}
	c.fail("expected %s, not %s", what, describe(t))
	return ast.Name{}
}

// describe names a token in a message.
func describe(t lexer.Token) string {
	switch {
	case t.EOF():
		return "the end of the statement"
	case t.Type == lex.String:
		return "the string " + clip(t.Value)
	case lex.WordOf(t) != "":
		return lex.WordOf(t)
	}
	return quoteToken(t.Value)
}

func quoteToken(s string) string { return `"` + clip(s) + `"` }

// clip keeps messages short and on one line.
func clip(s string) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > 40 {
		return string(r[:37]) + "…"
	}
	return s
}
