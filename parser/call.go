package parser

import (
	"strings"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// call parses what follows a function's name: arguments, and the clauses of
// aggregates and windows.
func (c *cursor) call(name ast.Name) ast.Expr {
	f := &ast.Call{Name: name}
	open := c.peek().Pos
	c.expectOp("(", "after "+name.Text)
	switch {
	case c.isOp("*"):
		c.next()
		f.Star = true
	case c.isOp(")"):
	default:
		if startsPipeline(*c.peek()) {
			c.refuseSQL(name.Text)
		}
		f.Distinct = c.acceptWord("DISTINCT")
		f.Args = c.list("in the arguments of " + name.Text)
		if c.acceptWord("ORDER") {
			c.expectWord("BY", "after ORDER")
			f.OrderBy = c.sortKeys()
		}
	}
	c.refuseSQL(name.Text)
	c.expectClose(")", "to end the arguments of "+name.Text, open)
	if c.isWord("FILTER") && c.filterFollows() {
		c.next()
		c.next()
		c.next()
		f.Filter = c.operand(precOr, "after FILTER (WHERE")
		c.expectOp(")", "to end FILTER (WHERE …")
	}
	if c.acceptWord("OVER") {
		f.Over = c.over()
	}
	f.Span = c.span(name.Pos)
	return f
}

// refuseSQL ends the parse at a clause of SQL where only a bracket could close.
func (c *cursor) refuseSQL(function string) {
	if d := sqlArgument(*c.peek(), function); d != nil {
		panic(bailout{d})
	}
}

// filterFollows tells FILTER (WHERE …) of an aggregate from the verb FILTER (…).
func (c *cursor) filterFollows() bool {
	at := c.lex.MakeCheckpoint()
	defer c.lex.LoadCheckpoint(at)
	c.lex.Next()
	if t := c.lex.Next(); t.Value != "(" {
		return false
	}
	return lex.WordOf(*c.lex.Peek()) == "WHERE"
}

func (c *cursor) sortKeys() []*ast.SortKey {
	var keys []*ast.SortKey
	for first := true; first || c.acceptOp(","); first = false {
		start := c.peek().Pos
		k := &ast.SortKey{Expr: c.operand(precOr, "to order by")}
		for _, dir := range []string{"ASC", "DESC"} {
			if c.acceptWord(dir) {
				k.Dir = dir
			}
		}
		if c.acceptWord("NULLS") {
			switch {
			case c.acceptWord("FIRST"):
				k.Nulls = "FIRST"
			case c.acceptWord("LAST"):
				k.Nulls = "LAST"
			default:
				c.fail("expected FIRST or LAST after NULLS, not %s", describe(*c.peek()))
			}
		}
		k.Span = c.span(start)
		keys = append(keys, k)
	}
	return keys
}

func (c *cursor) over() *ast.Over {
	o := &ast.Over{}
	start := c.peek().Pos
	if t := *c.peek(); t.Type == lex.Ident || t.Type == lex.Quoted {
		panic(bailout{notRQL{"windows with names", "write OVER (PARTITION BY … ORDER BY …)"}.at(t.Pos, after(t))})
	}
	c.expectOp("(", "after OVER")
	if c.acceptWord("PARTITION") {
		c.expectWord("BY", "after PARTITION")
		o.Partition = c.list("in PARTITION BY")
	}
	if c.acceptWord("ORDER") {
		c.expectWord("BY", "after ORDER")
		o.OrderBy = c.sortKeys()
	}
	if c.isWord("ROWS") || c.isWord("RANGE") || c.isWord("GROUPS") {
		o.Frame = c.frame()
	}
	c.expectClose(")", "to end OVER", start)
	o.Span = c.span(start)
	return o
}

func (c *cursor) frame() *ast.Frame {
	t := c.next()
	f := &ast.Frame{Unit: strings.ToUpper(t.Value)}
	start := t.Pos
	if c.acceptWord("BETWEEN") {
		f.Start = c.bound()
		c.expectWord("AND", "between the bounds of the frame")
		f.End = c.bound()
	} else {
		f.Start = c.bound()
	}
	f.Span = c.span(start)
	return f
}

func (c *cursor) bound() *ast.Bound {
	start := c.peek().Pos
	b := &ast.Bound{}
	switch {
	case c.acceptWord("UNBOUNDED"):
		b.Kind = "UNBOUNDED " + c.direction()
	case c.isWord("CURRENT") && strings.EqualFold(c.peek2().Value, "ROW"):
		c.next()
		c.next()
		b.Kind = "CURRENT ROW"
	default:
		b.Offset = c.operand(precConcat, "as the bound of the frame")
		b.Kind = c.direction()
	}
	b.Span = c.span(start)
	return b
}

func (c *cursor) direction() string {
	for _, d := range []string{"PRECEDING", "FOLLOWING"} {
		if c.acceptWord(d) {
			return d
		}
	}
	c.fail("expected PRECEDING or FOLLOWING, not %s", describe(*c.peek()))
	return ""
}
