package parser

import (
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// primary parses a value that stands by itself.
func (c *cursor) primary() ast.Expr {
	t := *c.peek()
	switch t.Type {
	case lex.Number:
		c.next()
		return &ast.NumberLit{Span: c.span(t.Pos), Text: t.Value}
	case lex.Unit:
		c.next()
		return &ast.UnitLit{Span: c.span(t.Pos), Text: t.Value}
	case lex.String:
		c.next()
		return &ast.StringLit{Span: c.span(t.Pos), Value: lex.Unquote(t.Value)}
	case lex.Param:
		c.next()
		return &ast.Param{Span: c.span(t.Pos), Name: t.Value[1:]}
	case lex.Ident, lex.Quoted:
		return c.word(t)
	case lex.Op:
		switch t.Value {
		case "(":
			return c.paren()
		case "[":
			return c.listLit()
		case "{":
			return c.structLit()
		}
	}
	switch lex.WordOf(t) {
	case "NULL":
		c.next()
		return &ast.NullLit{Span: c.span(t.Pos)}
	case "TRUE", "FALSE":
		c.next()
		return &ast.BoolLit{Span: c.span(t.Pos), Value: lex.WordOf(t) == "TRUE"}
	case "CASE":
		return c.caseExpr()
	case "CAST":
		return c.cast(false)
	case "EXISTS":
		c.next()
		c.expectOp("(", "after EXISTS")
		if !startsPipeline(*c.peek()) {
			c.fail("expected a pipeline after EXISTS (, not %s", describe(*c.peek()))
		}
		sub := c.pipeline()
		c.expectOp(")", "to end EXISTS")
		return &ast.Exists{Span: c.span(t.Pos), Sub: sub}
	case "LEFT", "RIGHT":
		if c.peek2().Value == "(" {
			c.next()
			return c.call(ast.Name{Span: c.span(t.Pos), Text: t.Value})
		}
	}
	if w := lex.WordOf(t); w != "" {
		panic(bailout{diagAt(t.Pos, after(t), fmt.Sprintf("expected an expression, not %s", w),
			fmt.Sprintf(`to use it as a name write "%s"`, t.Value))})
	}
	c.fail("expected an expression, not %s", describe(t))
	return nil
}

// word parses what begins with an identifier: a typed literal, a call, a name.
func (c *cursor) word(t lexer.Token) ast.Expr {
	ahead := c.peek2()
	if t.Type == lex.Ident {
		if d := sqlValue(t, ahead); d != nil {
			panic(bailout{d})
		}
		switch up := strings.ToUpper(t.Value); {
		case ahead.Type == lex.String && up == "INTERVAL":
			return c.interval(t)
		case ahead.Type == lex.String && (up == "DATE" || up == "TIMESTAMP"):
			c.next()
			s := c.next()
			return &ast.TypedLit{Span: c.span(t.Pos), Type: up, Value: lex.Unquote(s.Value)}
		case ahead.Value == "(" && up == "TRY_CAST":
			return c.cast(true)
		case ahead.Value == "(" && up == "EXTRACT":
			if x := c.extract(); x != nil {
				return x
			}
		}
	}
	name := c.name(false, "a name")
	if c.isOp("(") {
		return c.call(name)
	}
	return &ast.Ref{Span: name.Span, Name: name}
}

func (c *cursor) interval(t lexer.Token) ast.Expr {
	c.next()
	s := c.next()
	iv := &ast.IntervalLit{Value: lex.Unquote(s.Value)}
	if u := c.peek(); u.Type == lex.Ident && isUnit(u.Value) {
		iv.Unit = strings.ToUpper(u.Value)
		c.next()
	}
	iv.Span = c.span(t.Pos)
	return iv
}

func isUnit(w string) bool {
	switch strings.TrimSuffix(strings.ToUpper(w), "S") {
	case "YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND":
		return true
	}
	return false
}

// extract parses extract(part FROM x); extract(a, b) is an ordinary call, for which it returns nil.
func (c *cursor) extract() ast.Expr {
	at := c.lex.MakeCheckpoint()
	start := c.next().Pos
	c.next()
	part := *c.peek()
	if part.Type != lex.Ident && part.Type != lex.String || lex.WordOf(c.peek2()) != "FROM" {
		c.lex.LoadCheckpoint(at)
		return nil
	}
	c.next()
	c.next()
	text := part.Value
	if part.Type == lex.String {
		text = lex.Unquote(text)
	}
	x := c.operand(precOr, "after FROM")
	c.expectOp(")", "to end extract(")
	return &ast.Extract{Span: c.span(start), Part: strings.ToLower(text), X: x}
}

// paren parses (x) and (pipeline).
func (c *cursor) paren() ast.Expr {
	start := c.next().Pos
	if startsPipeline(*c.peek()) {
		sub := c.pipeline()
		c.expectClose(")", "to end the subquery", start)
		return &ast.Subquery{Span: c.span(start), Sub: sub}
	}
	x := c.operand(precOr, "after (")
	if c.isOp(",") {
		c.fail("a list in parentheses stands only after IN")
	}
	c.expectClose(")", "to close the parenthesis", start)
	return &ast.Paren{Span: c.span(start), X: x}
}

func (c *cursor) listLit() ast.Expr {
	l := &ast.ListLit{}
	start := c.next().Pos
	if !c.isOp("]") {
		l.Items = c.list("in the list")
	}
	c.expectClose("]", "to end the list", start)
	l.Span = c.span(start)
	return l
}

func (c *cursor) structLit() ast.Expr {
	s := &ast.StructLit{}
	start := c.next().Pos
	for first := true; !c.isOp("}") && (first || c.acceptOp(",")); first = false {
		if t := *c.peek(); t.Type == lex.String {
			c.next()
			s.Names = append(s.Names, ast.Name{Span: c.span(t.Pos), Text: lex.Unquote(t.Value), Quoted: true})
		} else {
			s.Names = append(s.Names, c.name(true, "a field name"))
		}
		c.expectOp(":", "after the field name")
		s.Values = append(s.Values, c.operand(precOr, "after :"))
	}
	c.expectClose("}", "to end the struct", start)
	s.Span = c.span(start)
	return s
}

func (c *cursor) cast(try bool) ast.Expr {
	t := *c.next()
	word := strings.ToUpper(t.Value)
	c.expectOp("(", "after "+word)
	x := c.operand(precOr, "after "+word+"(")
	c.expectWord("AS", "and a type in "+word)
	typ := c.typeName()
	c.refuseSQL(word)
	c.expectOp(")", "to end "+word)
	return &ast.Cast{Span: c.span(t.Pos), X: x, Type: typ, Try: try}
}

func (c *cursor) caseExpr() ast.Expr {
	e := &ast.Case{}
	start := c.next().Pos
	if !c.isWord("WHEN") {
		e.Operand = c.operand(precOr, "or WHEN after CASE")
	}
	for c.acceptWord("WHEN") {
		w := ast.CaseWhen{If: c.operand(precOr, "after WHEN")}
		c.expectWord("THEN", "after the condition of WHEN")
		w.Then = c.operand(precOr, "after THEN")
		e.Whens = append(e.Whens, w)
	}
	if len(e.Whens) == 0 {
		c.expectWord("WHEN", "in CASE")
	}
	if c.acceptWord("ELSE") {
		e.Else = c.operand(precOr, "after ELSE")
	}
	c.expectWord("END", "to close CASE")
	e.Span = c.span(start)
	return e
}
