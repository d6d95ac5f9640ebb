package format

import "github.com/rainsql/rainsql/parser/ast"

func (b *builder) expr(e ast.Expr) *doc {
	switch e := e.(type) {
	case *ast.Ref:
		return text(name(&e.Name))
	case *ast.Field:
		return cat(b.expr(e.X), text("."+fieldName(&e.Name)))
	case *ast.Index:
		return cat(b.expr(e.X), text("["), b.expr(e.I), text("]"))
	case *ast.NumberLit:
		return text(e.Text)
	case *ast.UnitLit:
		return text(e.Text)
	case *ast.StringLit:
		return text(quoteString(e.Value))
	case *ast.BoolLit:
		if e.Value {
			return text("TRUE")
		}
		return text("FALSE")
	case *ast.NullLit:
		return text("NULL")
	case *ast.TypedLit:
		return text(e.Type + " " + quoteString(e.Value))
	case *ast.IntervalLit:
		if e.Unit == "" {
			return text("INTERVAL " + quoteString(e.Value))
		}
		return text("INTERVAL " + quoteString(e.Value) + " " + e.Unit)
	case *ast.Param:
		return text("$" + e.Name)
	case *ast.Paren:
		return cat(text("("), b.chain(e.X), text(")"))
	case *ast.Unary:
		return b.unary(e)
	case *ast.Binary:
		return b.chain(e)
	case *ast.Is:
		return cat(b.expr(e.X), text(" IS "+not(e.Not)+e.What))
	case *ast.Between:
		return cat(b.expr(e.X), text(" "+not(e.Not)+"BETWEEN "), b.expr(e.Lo), text(" AND "), b.expr(e.Hi))
	case *ast.In:
		head := cat(b.expr(e.X), text(" "+not(e.Not)+"IN "))
		if e.Sub != nil {
			return cat(head, b.nested(e.Sub))
		}
		return cat(head, b.exprList("(", e.List, ")"))
	case *ast.Exists:
		return cat(text("EXISTS "), b.nested(e.Sub))
	case *ast.Subquery:
		return b.nested(e.Sub)
	case *ast.Call:
		return b.call(e)
	case *ast.Cast:
		return b.cast(e)
	case *ast.Extract:
		part := e.Part
		if !plain(part) {
			part = quoteString(part)
		}
		return cat(text("extract("+part+" FROM "), b.expr(e.X), text(")"))
	case *ast.AtTimeZone:
		return cat(b.expr(e.X), text(" AT TIME ZONE "), b.expr(e.Zone))
	case *ast.Case:
		return b.caseExpr(e)
	case *ast.ListLit:
		return b.exprList("[", e.Items, "]")
	case *ast.StructLit:
		return b.structLit(e)
	}
	return text("")
}

// chain is x op y op z with a possible break before every AND, or OR, of its
// outermost level. It walks down the left side, which may be very deep.
func (b *builder) chain(e ast.Expr) *doc {
	var spine []*ast.Binary
	x := e
	for {
		n, ok := x.(*ast.Binary)
		if !ok || len(spine) > 0 && logical(n.Op) != logical(e.(*ast.Binary).Op) {
			break
		}
		spine = append(spine, n)
		x = n.X
	}
	if len(spine) == 0 {
		return b.expr(x)
	}
	kids := []*doc{b.expr(x)}
	for i := len(spine) - 1; i >= 0; i-- {
		n := spine[i]
		gap := text(" ")
		if logical(n.Op) != "" {
			gap = lineBreak(n.OpAt.Pos.Offset)
		}
		kids = append(kids, gap, text(n.Op+" "), b.expr(n.Y))
	}
	d := group(nest(kids...))
	if logical(spine[0].Op) != "" {
		d.force(b.commented(exprStart(e), spine[0].OpAt.Pos.Offset, true))
	}
	return d
}

// logical is AND or OR, and "" for every other operator.
func logical(op string) string {
	if op == "AND" || op == "OR" {
		return op
	}
	return ""
}

func (b *builder) unary(e *ast.Unary) *doc {
	op := e.Op
	if op == "NOT" {
		op = "NOT "
	} else if _, again := e.X.(*ast.Unary); again {
		op += " " // two in a row would begin a comment
	}
	return cat(text(op), b.expr(e.X))
}

func (b *builder) call(e *ast.Call) *doc {
	if e.Star {
		return cat(text(callName(e.Name)+"(*)"), b.callTail(e))
	}
	args := b.exprs(e.Args)
	at := exprStarts(e.Args)
	if e.Distinct {
		args[0], at[0] = cat(text("DISTINCT "), args[0]), b.toks.before(at[0])
	}
	end := e.Name.EndPos.Offset + 1
	if n := len(e.Args); n > 0 {
		_, pos := e.Args[n-1].Extent()
		end = pos.Offset
	}
	if n := len(e.OrderBy); n > 0 {
		keys := joined(b.sortKeys(e.OrderBy))
		args[len(args)-1] = cat(args[len(args)-1], text(" ORDER BY "), keys)
		end = e.OrderBy[n-1].EndPos.Offset
	}
	return cat(text(callName(e.Name)), b.bracketed("(", args, at, b.toks.at(end), ")"), b.callTail(e))
}

// callTail is what follows the arguments: FILTER and OVER.
func (b *builder) callTail(e *ast.Call) *doc {
	var kids []*doc
	if e.Filter != nil {
		kids = append(kids, text(" FILTER (WHERE "), b.chain(e.Filter), text(")"))
	}
	if o := e.Over; o != nil {
		kids = append(kids, text(" OVER "), b.over(o))
	}
	return cat(kids...)
}

func (b *builder) over(o *ast.Over) *doc {
	var list []*doc
	var at []int
	if len(o.Partition) > 0 {
		list = append(list, cat(text("PARTITION BY "), joined(b.exprs(o.Partition))))
		at = append(at, b.toks.before(b.toks.before(exprStart(o.Partition[0]))))
	}
	if len(o.OrderBy) > 0 {
		list = append(list, cat(text("ORDER BY "), joined(b.sortKeys(o.OrderBy))))
		at = append(at, b.toks.before(b.toks.before(o.OrderBy[0].Pos.Offset)))
	}
	if f := o.Frame; f != nil {
		clause := cat(text(f.Unit+" "), b.bound(f.Start))
		if f.End != nil {
			clause = cat(text(f.Unit+" BETWEEN "), b.bound(f.Start), text(" AND "), b.bound(f.End))
		}
		list = append(list, clause)
		at = append(at, f.Pos.Offset)
	}
	if len(list) == 0 {
		return text("()")
	}
	kids := []*doc{text("(")}
	for i, d := range list {
		gap := softBreak(at[i])
		if i > 0 {
			gap = lineBreak(at[i])
		}
		kids = append(kids, nest(gap, d))
	}
	end := o.EndPos.Offset - 1
	return group(append(kids, softBreak(end), text(")"))...).force(b.commented(o.Pos.Offset, end, true))
}

func (b *builder) bound(f *ast.Bound) *doc {
	if f.Offset == nil {
		return text(f.Kind)
	}
	return cat(b.expr(f.Offset), text(" "+f.Kind))
}

func (b *builder) cast(e *ast.Cast) *doc {
	switch {
	case e.Short:
		return cat(b.expr(e.X), text("::"+e.Type.Text))
	case e.Try:
		return cat(text("TRY_CAST("), b.expr(e.X), text(" AS "+e.Type.Text+")"))
	}
	return cat(text("CAST("), b.expr(e.X), text(" AS "+e.Type.Text+")"))
}

func (b *builder) caseExpr(e *ast.Case) *doc {
	kids := []*doc{text("CASE")}
	if e.Operand != nil {
		kids = append(kids, text(" "), b.expr(e.Operand))
	}
	for _, w := range e.Whens {
		at := b.toks.before(exprStart(w.If))
		kids = append(kids, nest(lineBreak(at), text("WHEN "), b.expr(w.If), text(" THEN "), b.expr(w.Then)))
	}
	if e.Else != nil {
		kids = append(kids, nest(lineBreak(b.toks.before(exprStart(e.Else))), text("ELSE "), b.expr(e.Else)))
	}
	end := b.toks.before(e.EndPos.Offset)
	return group(append(kids, lineBreak(end), text("END"))...).force(b.commented(e.Pos.Offset, end, true))
}

func (b *builder) structLit(e *ast.StructLit) *doc {
	list := make([]*doc, len(e.Values))
	at := make([]int, len(e.Values))
	for i, v := range e.Values {
		list[i] = cat(text(structName(&e.Names[i])+": "), b.expr(v))
		at[i] = e.Names[i].Pos.Offset
	}
	return b.bracketed("{", list, at, b.toks.before(e.EndPos.Offset), "}")
}

func not(n bool) string {
	if n {
		return "NOT "
	}
	return ""
}
