package analyze

import (
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// maxLetDepth bounds LETs within LETs.
const maxLetDepth = 200

// pipeline binds a pipeline verb by verb. It never returns nil: where a source
// is faulty the rest is checked as far as that makes sense.
func (a *Analyzer) pipeline(p *ast.Pipeline) *table {
	if a.inLet > maxLetDepth {
		return poisoned()
	}
	t := &table{node: &logical.Values{Rows: 1}, scope: &scope{}}
	if p.From != nil {
		t = a.source(p.From)
	}
	for _, v := range p.Verbs {
		next := *t
		next.scope = t.scope.with()
		a.verb(&next, v)
		t = &next
	}
	return t
}

// verb is the one place where the verbs of the ast become nodes of the plan.
func (a *Analyzer) verb(t *table, v ast.Verb) {
	switch v := v.(type) {
	case *ast.Filter:
		a.filter(t, v)
	case *ast.Transform:
		a.transform(t, v)
	case *ast.Extend:
		a.extend(t, v)
	case *ast.Set:
		a.set(t, v)
	case *ast.Drop:
		a.drop(t, v)
	case *ast.Rename:
		a.rename(t, v)
	case *ast.Aggregate:
		a.aggregate(t, v)
	case *ast.Distinct:
		a.distinct(t, v)
	case *ast.Sort:
		a.sort(t, v)
	case *ast.Limit:
		a.limit(t, v)
	case *ast.SetOp:
		a.setOp(t, v)
	case *ast.As:
		*t = *t.alias(v.Name.Text)
	case *ast.Tee:
		a.tee(t, v)
	case *ast.Into:
		a.into(t, v)
	case *ast.Join:
		a.join(t, v)
	case *ast.Unnest:
		a.unnest(t, v)
	case *ast.Exec:
		a.exec(t, v)
	default:
		a.errorf(v, "", "unknown verb %T", v)
	}
}

func (a *Analyzer) filter(t *table, v *ast.Filter) {
	cond := a.condition(t, v.Cond, "FILTER")
	if cond != nil {
		t.node = &logical.Filter{Input: t.node, Cond: cond}
	}
}

// condition binds an expression that must be BOOL.
func (a *Analyzer) condition(t *table, e ast.Expr, where string) expr.Expr {
	cond := a.bind(t, e, where)
	if cond == nil {
		return nil
	}
	switch cond.Type().Kind {
	case types.Bool:
		return cond
	case types.Null:
		return expr.Null(types.BOOL)
	}
	a.errorf(e, "compare it with something", "%s needs a condition, and this is %s", where, cond.Type())
	return nil
}

func (a *Analyzer) transform(t *table, v *ast.Transform) {
	before := len(a.diags.List)
	entries, items := a.items(t, v.Items, "TRANSFORM")
	if len(entries) == 0 && !t.scope.poison && len(a.diags.List) == before {
		a.errorf(v, "", "TRANSFORM leaves no column")
	}
	t.node = project(t.node, items)
	t.scope = &scope{entries: entries, poison: t.scope.poison && hasStar(v.Items)}
	if v.Distinct {
		a.distinct(t, &ast.Distinct{Span: v.Span})
	}
}

func (a *Analyzer) extend(t *table, v *ast.Extend) {
	for _, it := range v.Items {
		if it.Star != nil {
			a.errorf(it, "", "EXTEND keeps every column as it is")
			return
		}
	}
	entries, items := a.items(t, v.Items, "EXTEND")
	t.node = keeping(t.node, items)
	t.scope.entries = append(t.scope.entries, entries...)
}

func (a *Analyzer) set(t *table, v *ast.Set) {
	var items []logical.Item
	before := t.scope.with()
	for _, as := range v.List {
		x := (&binder{a: a, table: t, scope: before, where: "SET"}).bind(as.Expr)
		i, ok := a.position(before, as.Name, "EXTEND adds a new column")
		if !ok {
			continue
		}
		if x == nil {
			t.scope.entries[i].poison = true
			continue
		}
		e, item, _ := a.computed(before.entries[i].name, x)
		e.table = before.entries[i].table
		t.scope.entries[i] = e
		items = append(items, item)
	}
	t.node = keeping(t.node, items)
}

func (a *Analyzer) drop(t *table, v *ast.Drop) {
	before := t.scope.with()
	gone := map[int]bool{}
	for _, n := range v.Names {
		if i, ok := a.position(before, n, ""); ok {
			gone[i] = true
		}
	}
	t.scope.entries = nil
	for i, e := range before.entries {
		if !gone[i] {
			t.scope.entries = append(t.scope.entries, e)
		}
	}
	if len(t.scope.visible()) == 0 && !t.scope.poison {
		a.errorf(v, "", "DROP leaves no column")
	}
}

func (a *Analyzer) rename(t *table, v *ast.Rename) {
	before := t.scope.with()
	for _, r := range v.List {
		if i, ok := a.position(before, r.From, ""); ok {
			t.scope.entries[i].name = r.To.Text
		}
	}
}

func (a *Analyzer) distinct(t *table, v *ast.Distinct) {
	if len(v.On) == 0 {
		cols, _ := t.scope.columns()
		t.node = &logical.Distinct{Input: t.node, On: unique(cols)}
		t.scope.entries = t.scope.visible()
		return
	}
	keys := a.keyColumns(t, v.On, "DISTINCT ON")
	t.node = &logical.Distinct{Input: t.node, On: unique(keys), Ordered: true}
}

func (a *Analyzer) sort(t *table, v *ast.Sort) {
	var keys []logical.SortKey
	for _, k := range v.Keys {
		if n, ok := k.Expr.(*ast.NumberLit); ok {
			a.errorf(k, "name the column", "SORT %s orders by a constant", n.Text)
			continue
		}
		cols := a.keyColumns(t, []ast.Expr{k.Expr}, "SORT")
		if len(cols) == 0 {
			continue
		}
		keys = append(keys, logical.SortKey{Column: cols[0], Desc: strings.EqualFold(k.Dir, "DESC"), NullsFirst: strings.EqualFold(k.Nulls, "FIRST")})
	}
	t.node = &logical.Sort{Input: t.node, Keys: keys}
	t.sorted = true
}

func (a *Analyzer) limit(t *table, v *ast.Limit) {
	n, ok := a.wholeNumber(v.Count, "LIMIT")
	var off int64
	if v.Offset != nil {
		var ok2 bool
		off, ok2 = a.wholeNumber(v.Offset, "OFFSET")
		ok = ok && ok2
	}
	if !ok {
		return
	}
	if n < 0 {
		a.errorf(v.Count, "", "LIMIT cannot be negative")
		return
	}
	if off < 0 {
		a.errorf(v.Offset, "", "OFFSET cannot be negative")
		return
	}
	t.node = &logical.Limit{Input: t.node, Count: n, Offset: off}
}
