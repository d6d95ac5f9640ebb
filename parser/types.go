package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// typeName parses INT, DECIMAL(18, 3), LIST<INT>, STRUCT<a INT>, INT[].
func (c *cursor) typeName() *ast.TypeName {
	start := c.peek().Pos
	text := c.typeText()
	return &ast.TypeName{Span: c.span(start), Text: text}
}

func parseTypeName(l *lexer.PeekingLexer, to *ast.TypeName) error {
	c := &cursor{lex: l}
	if c.peek().Type != lex.Ident {
		return participle.NextMatch
	}
	*to = *c.typeName()
	return nil
}

func (c *cursor) typeText() string {
	c.types++
	defer func() { c.types-- }()
	if c.types > MaxNesting {
		c.tooDeep()
	}
	if c.peek().Type != lex.Ident {
		c.fail("expected a type, not %s", describe(*c.peek()))
	}
	text := strings.ToUpper(c.next().Value)
	switch {
	case c.isOp("(") && text != "STRUCT":
		c.next()
		args := []string{c.typeArg()}
		for c.acceptOp(",") {
			args = append(args, c.typeArg())
		}
		c.expectOp(")", "after the parameters of "+text)
		text += "(" + strings.Join(args, ",") + ")"
	case text == "LIST":
		c.expectOp("<", "after LIST")
		text += "<" + c.typeText() + ">"
		c.expectOp(">", "after the element type")
	case text == "STRUCT":
		c.expectOp("<", "after STRUCT")
		var fields []string
		for first := true; first || c.acceptOp(","); first = false {
			n := c.name(true, "a field name")
			field := n.Text
			if n.Quoted {
				field = `"` + strings.ReplaceAll(field, `"`, `""`) + `"`
			}
			c.acceptOp(":")
			fields = append(fields, fmt.Sprintf("%s %s", field, c.typeText()))
		}
		c.expectOp(">", "after the fields")
		text += "<" + strings.Join(fields, ", ") + ">"
	}
	for c.isOp("[") && c.peek2().Value == "]" {
		c.next()
		c.next()
		text += "[]"
	}
	return text
}

func (c *cursor) typeArg() string {
	t := *c.peek()
	if t.Type != lex.Number {
		c.fail("expected a number, not %s", describe(t))
	}
	c.next()
	return t.Value
}
