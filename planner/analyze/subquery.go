package analyze

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// A subquery in an expression is a join of the table at hand with the
// subquery's, of a kind that keeps the number of rows: the expression then reads
// a column of it. See docs/joins.md.

// inner is a subquery bound.
type inner struct {
	table *table
	used  []logical.Column // of the table around it
}

// pipeline binds a subquery, which may use the columns of the table around it.
func (b *binder) pipeline(p *ast.Pipeline, what string) (inner, bool) {
	if b.table == nil {
		b.a.errorf(p, "compute it with EXTEND before", "%s cannot stand in %s", what, b.where)
		return inner{}, false
	}
	f := &frame{scope: b.scope}
	b.a.outer = append(b.a.outer, f)
	t := b.a.pipeline(p)
	b.a.outer = b.a.outer[:len(b.a.outer)-1]
	if t.target != nil {
		b.a.errorf(p, "leave it out", "a subquery that ends with INTO has no rows to read")
		return inner{}, false
	}
	if t.scope.poison {
		return inner{}, false
	}
	if b.group != nil {
		for _, c := range f.used {
			if !b.group.passes(c) {
				b.a.errorf(p, "add it to BY", "%s uses %q, which is neither a key nor inside an aggregate", what, c.Name)
				return inner{}, false
			}
		}
	}
	return inner{table: t, used: f.used}, true
}

// passes reports that a column is a key of the grouping as it is.
func (g *grouping) passes(c logical.Column) bool {
	for _, k := range g.keys {
		if k.item.Passes() && k.item.ID == c.ID {
			return true
		}
	}
	return false
}

// one is the single column that a subquery gives.
func (b *binder) one(p *ast.Pipeline, t *table, what string) (logical.Column, bool) {
	visible := t.scope.visible()
	if len(visible) != 1 {
		b.a.errorf(p, "TRANSFORM chooses one", "%s needs one column, and this gives %d", what, len(visible))
		return logical.Column{}, false
	}
	return visible[0].col, !visible[0].poison
}

// join puts a subquery beside the table at hand: of an AGGREGATE, once it is computed.
func (b *binder) join(at ast.Node, in inner, j *logical.Join) bool {
	apply := func(t *table) bool { return b.a.attach(at, t, in, j) }
	if b.group != nil && !b.inAggregate {
		b.group.after = append(b.group.after, apply)
		return true
	}
	return apply(b.table)
}

// attach completes a join whose right side is the subquery.
func (a *Analyzer) attach(at ast.Node, t *table, in inner, j *logical.Join) bool {
	j.Left, j.Right, j.Ordered = t.node, in.table.node, true
	if len(in.used) > 0 {
		d := a.dependent(t, in.used)
		j.Left = t.node
		right, cols, refused := d.push(j.Right)
		if refused != "" {
			a.errorf(at, "compute it with a JOIN instead", "%s in a subquery that uses columns of the table around it is not supported", refused)
			return false
		}
		j.Right = right
		for _, c := range in.used {
			j.Keys = append(j.Keys, logical.JoinKey{Left: c.Ref(), Right: cols[c.ID].Ref(), NullSafe: true})
		}
	}
	t.node = j
	return true
}

// subquery binds a pipeline that is a value: its only row's only column, or NULL of no row.
func (b *binder) subquery(e *ast.Subquery) expr.Expr {
	in, ok := b.pipeline(e.Sub, "a subquery")
	if !ok {
		return nil
	}
	col, ok := b.one(e.Sub, in.table, "a subquery that is a value")
	if !ok || !b.join(e, in, &logical.Join{Kind: logical.SingleJoin}) {
		return nil
	}
	return col.Ref()
}

// exists binds EXISTS (pipeline). How many rows there are beyond one does not matter.
func (b *binder) exists(e *ast.Exists) expr.Expr {
	in, ok := b.pipeline(e.Sub, "EXISTS")
	if !ok {
		return nil
	}
	if l, ok := in.table.node.(*logical.Limit); ok && l.Count > 0 && l.Offset == 0 {
		in.table.node = l.Input
	}
	j := &logical.Join{Kind: logical.MarkJoin, Mark: logical.NewMark(b.a.newID())}
	if !b.join(e, in, j) {
		return nil
	}
	return j.Mark.Ref()
}

// inPipeline binds x [NOT] IN (pipeline).
func (b *binder) inPipeline(e *ast.In) expr.Expr {
	x := b.bind(e.X)
	in, ok := b.pipeline(e.Sub, "IN (pipeline)")
	if !ok || x == nil {
		return nil
	}
	col, ok := b.one(e.Sub, in.table, "IN (pipeline)")
	if !ok {
		return nil
	}
	common, ok := types.Common(x.Type(), col.Type)
	if !ok {
		b.a.errorf(e, "CAST one of them", "%s cannot be compared with %s of the pipeline", x.Type(), col.Type)
		return nil
	}
	j := &logical.Join{Kind: logical.MarkJoin, Mark: logical.NewMark(b.a.newID()), In: true}
	j.Keys = []logical.JoinKey{{Left: castTo1(x, common), Right: castTo1(col.Ref(), common)}}
	if !b.join(e, in, j) {
		return nil
	}
	return b.negate(j.Mark.Ref(), e.Not)
}

// castTo1 gives an expression a type that it is known to convert to.
func castTo1(x expr.Expr, t types.Type) expr.Expr {
	if x.Type().Equal(t) {
		return x
	}
	cast, err := expr.NewCast(x, t, false)
	if err != nil {
		return x
	}
	return cast
}
