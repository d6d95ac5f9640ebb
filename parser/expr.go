package parser

import (
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// parseExpr is the grammar's production for an expression: precedence climbing.
// From loosest to tightest: OR, AND, NOT, comparisons (which do not chain),
// ||, + -, * / // %, unary + -, AT TIME ZONE, then :: [] and dots.
func parseExpr(l *lexer.PeekingLexer) (ast.Expr, error) {
	c := &cursor{lex: l}
	if !startsExpr(*c.peek()) {
		return nil, participle.NextMatch
	}
	return c.expr(precOr), nil
}

const (
	precOr = iota
	precAnd
	precNot
	precCompare
	precConcat
	precAdd
	precMul
	precUnary
	precZone
)

var binaryPrec = map[string]int{
	"=": precCompare, "==": precCompare, "<>": precCompare, "!=": precCompare, "<": precCompare, "<=": precCompare,
	">": precCompare, ">=": precCompare, "~": precCompare, "!~": precCompare,
	"||": precConcat, "+": precAdd, "-": precAdd, "*": precMul, "/": precMul, "//": precMul, "%": precMul,
}

// startsExpr reports whether a token can begin an expression.
func startsExpr(t lexer.Token) bool {
	switch t.Type {
	case lex.Ident, lex.Quoted, lex.String, lex.Number, lex.Unit, lex.Param:
		return true
	case lex.Op:
		return t.Value == "(" || t.Value == "[" || t.Value == "{" || t.Value == "-" || t.Value == "+"
	}
	switch lex.WordOf(t) {
	case "NOT", "CASE", "EXISTS", "CAST", "NULL", "TRUE", "FALSE", "LEFT", "RIGHT":
		return true
	}
	return false
}

// operand parses an expression that must be there.
func (c *cursor) operand(min int, where string) ast.Expr {
	if !startsExpr(*c.peek()) {
		c.fail("expected an expression %s, not %s", where, describe(*c.peek()))
	}
	return c.expr(min)
}

func (c *cursor) expr(min int) ast.Expr {
	c.enter()
	defer c.leave()
	start := c.peek().Pos
	var x ast.Expr
	if c.isWord("NOT") && min <= precNot {
		c.next()
		x = &ast.Unary{Op: "NOT", X: c.operand(precNot, "after NOT")}
		x.(*ast.Unary).Span = c.span(start)
	} else {
		x = c.unary()
	}
	compared := false
	for chain := 0; ; chain++ {
		t := *c.peek()
		if t.Type == lex.Op {
			prec, ok := binaryPrec[t.Value]
			if !ok || prec < min {
				return x
			}
			c.once(&compared, prec, t)
			c.chained(chain, MaxNesting)
			c.next()
			x = c.binary(start, x, normalOp(t.Value), t, prec+1)
			continue
		}
		switch word := lex.WordOf(t); {
		case word == "OR" && min <= precOr, word == "AND" && min <= precAnd:
			prec := precOr
			if word == "AND" {
				prec = precAnd
			}
			c.chained(chain, maxConditions)
			c.next()
			x = c.binary(start, x, word, t, prec+1)
			compared = false
		case isComparisonWord(word) && min <= precCompare:
			if word == "NOT" && !c.negatable() {
				return x
			}
			c.once(&compared, precCompare, t)
			x = c.comparison(start, x)
		default:
			return x
		}
	}
}

// maxConditions is how many AND or OR may stand in a row. Conditions that
// programs write are long, so these may go further than other operators.
const maxConditions = 100 * MaxNesting

// chained bounds a op b op c …, a tree as deep as it is long.
func (c *cursor) chained(n, limit int) {
	if n > limit {
		c.fail("more than %d operators in a row", limit)
	}
}

// once refuses a < b < c, which reads as something it is not.
func (c *cursor) once(compared *bool, prec int, t lexer.Token) {
	if prec != precCompare {
		return
	}
	if *compared {
		panic(bailout{diagAt(t.Pos, after(t), "comparisons do not chain", "join them with AND, or use parentheses")})
	}
	*compared = true
}

func normalOp(op string) string {
	switch op {
	case "!=":
		return "<>"
	case "==":
		return "="
	}
	return op
}

func (c *cursor) binary(start lexer.Position, x ast.Expr, op string, t lexer.Token, prec int) ast.Expr {
	y := c.operand(prec, "after "+op)
	return &ast.Binary{Span: c.span(start), Op: op, OpAt: ast.Span{Pos: t.Pos, EndPos: after(t)}, X: x, Y: y}
}

func isComparisonWord(w string) bool {
	switch w {
	case "IS", "IN", "LIKE", "ILIKE", "BETWEEN", "NOT":
		return true
	}
	return false
}

// negatable reports whether NOT here belongs to NOT IN, NOT LIKE and the like.
func (c *cursor) negatable() bool {
	w := lex.WordOf(c.peek2())
	return w != "IS" && w != "NOT" && isComparisonWord(w)
}

// comparison parses the comparisons that are words: IS, IN, LIKE, BETWEEN.
func (c *cursor) comparison(start lexer.Position, x ast.Expr) ast.Expr {
	not := c.acceptWord("NOT")
	t := *c.next()
	word := lex.WordOf(t)
	opAt := ast.Span{Pos: t.Pos, EndPos: c.end}
	switch word {
	case "IS":
		not = c.acceptWord("NOT")
		if c.acceptWord("DISTINCT") {
			c.expectWord("FROM", "after IS DISTINCT")
			op := "IS DISTINCT FROM"
			if not {
				op = "IS NOT DISTINCT FROM"
			}
			y := c.operand(precConcat, "after "+op)
			return &ast.Binary{Span: c.span(start), Op: op, OpAt: opAt, X: x, Y: y}
		}
		for _, what := range []string{"NULL", "TRUE", "FALSE"} {
			if c.acceptWord(what) {
				return &ast.Is{Span: c.span(start), X: x, What: what, Not: not}
			}
		}
		c.fail("expected NULL, TRUE, FALSE or DISTINCT FROM after IS, not %s", describe(*c.peek()))
	case "BETWEEN":
		lo := c.operand(precConcat, "after BETWEEN")
		c.expectWord("AND", "after the lower bound of BETWEEN")
		hi := c.operand(precConcat, "after AND")
		return &ast.Between{Span: c.span(start), X: x, Lo: lo, Hi: hi, Not: not}
	case "IN":
		in := &ast.In{X: x, Not: not}
		open := c.peek().Pos
		if t := *c.peek(); lex.WordOf(t) == "UNNEST" {
			panic(bailout{notRQL{"IN UNNEST", "write list_contains(list, x)"}.at(t.Pos, after(t))})
		}
		c.expectOp("(", "after IN")
		if startsPipeline(*c.peek()) {
			in.Sub = c.pipeline()
		} else {
			in.List = c.list("in the list of IN")
		}
		c.expectClose(")", "to end the list of IN", open)
		in.Span = c.span(start)
		return in
	}
	if t := *c.peek(); t.Type == lex.Ident && c.peek2().Value == "(" {
		switch up := strings.ToUpper(t.Value); up {
		case "ANY", "ALL", "SOME":
			panic(bailout{notRQL{word + " " + up, "join comparisons with OR or AND, or write x ~ 'a|b'"}.at(t.Pos, after(t))})
		}
	}
	op := word
	if not {
		op = "NOT " + word
	}
	y := c.operand(precConcat, "after "+word)
	return &ast.Binary{Span: c.span(start), Op: op, OpAt: opAt, X: x, Y: y}
}

func (c *cursor) list(where string) []ast.Expr {
	list := []ast.Expr{c.operand(precOr, where)}
	for c.acceptOp(",") {
		list = append(list, c.operand(precOr, where))
	}
	return list
}

func (c *cursor) unary() ast.Expr {
	t := *c.peek()
	if t.Type == lex.Op && (t.Value == "-" || t.Value == "+") {
		c.enter()
		defer c.leave()
		c.next()
		u := &ast.Unary{Op: t.Value, X: c.unaryOperand(t.Value)}
		u.Span = c.span(t.Pos)
		return u
	}
	start := t.Pos
	x := c.postfix(start, c.primary())
	for n := 0; c.isWord("AT") && strings.EqualFold(c.peek2().Value, "TIME"); n++ {
		if n > MaxNesting {
			c.tooDeep()
		}
		c.next()
		c.next()
		c.expectWord("ZONE", "after AT TIME")
		z := c.postfix(c.peek().Pos, c.primary())
		x = &ast.AtTimeZone{Span: c.span(start), X: x, Zone: z}
	}
	return x
}

func (c *cursor) unaryOperand(op string) ast.Expr {
	if !startsExpr(*c.peek()) || c.isWord("NOT") {
		c.fail("expected an expression after %q, not %s", op, describe(*c.peek()))
	}
	return c.unary()
}

// postfix parses what follows a value: .name, [i], ::TYPE.
func (c *cursor) postfix(start lexer.Position, x ast.Expr) ast.Expr {
	for n := 0; ; n++ {
		if n > MaxNesting {
			c.tooDeep()
		}
		switch {
		case c.isOp("."):
			if _, ok := x.(*ast.NumberLit); ok {
				c.fail("a number does not end in a point here")
			}
			c.next()
			name := c.name(true, "a name after the dot")
			x = &ast.Field{Span: c.span(start), X: x, Name: name}
		case c.isOp("["):
			open := c.next().Pos
			if t := *c.peek(); c.peek2().Value == "(" {
				switch up := strings.ToUpper(t.Value); up {
				case "OFFSET", "SAFE_OFFSET", "ORDINAL", "SAFE_ORDINAL":
					panic(bailout{notRQL{up + " of an element", "write l[n]: elements are counted from 1, and one that is not there is NULL"}.at(t.Pos, after(t))})
				}
			}
			i := c.operand(precOr, "between [ and ]")
			c.expectClose("]", "after the index", open)
			x = &ast.Index{Span: c.span(start), X: x, I: i}
		case c.acceptOp("::"):
			typ := c.typeName()
			x = &ast.Cast{Span: c.span(start), X: x, Type: typ, Short: true}
		default:
			return x
		}
	}
}
