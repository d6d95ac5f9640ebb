package analyze

import (
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

var joinKinds = map[string]logical.JoinKind{
	"": logical.InnerJoin, "INNER": logical.InnerJoin, "CROSS": logical.InnerJoin, "LEFT": logical.LeftJoin,
	"RIGHT": logical.RightJoin, "FULL": logical.FullJoin, "SEMI": logical.SemiJoin, "ANTI": logical.AntiJoin,
}

// join binds [INNER, LEFT, …] JOIN source ON e, or USING (k).
func (a *Analyzer) join(t *table, v *ast.Join) {
	kind := strings.ToUpper(v.Kind)
	right := a.source(v.Source)
	t.sorted = false
	if v.Within != nil {
		a.errorf(v.Within, "leave it out: rows of bounded tables join whenever they are", "WITHIN bounds a join of two streams")
	}
	switch conditional := v.On != nil || len(v.Using) > 0; {
	case kind == "CROSS" && conditional:
		a.errorf(v, "write JOIN … ON", "CROSS JOIN takes no condition")
	case kind != "CROSS" && !conditional:
		a.errorf(v, "CROSS JOIN pairs each row with each", "%s needs ON or USING", strings.TrimSpace(kind+" JOIN"))
	}
	if t.scope.poison || right.scope.poison {
		t.scope = &scope{poison: true}
		return
	}
	j := &logical.Join{Kind: joinKinds[kind], Left: t.node, Right: right.node}
	var merged []logical.Item
	both := &scope{entries: append(slices.Clone(t.scope.entries), right.scope.entries...), source: t.scope.source}
	switch {
	case len(v.Using) > 0:
		both, merged = a.using(t, right, j, v.Using)
	case v.On != nil:
		if b := (&binder{a: a, scope: both, where: "ON"}); !b.on(j, v.On) {
			t.scope = &scope{poison: true}
			return
		}
	}
	t.node = keeping(j, merged)
	if j.Kind.Pairs() || both.poison {
		t.scope = both
	}
}

// on takes a condition apart: equalities between the sides become keys, what
// remains is checked of each pair. An equality that can fail stays behind a
// condition before it, as that may be what keeps it from failing.
func (b *binder) on(j *logical.Join, e ast.Expr) bool {
	cond := b.condition(e, "ON")
	if cond == nil {
		return false
	}
	var rest []expr.Expr
	for _, c := range logical.Conjuncts(cond) {
		key, ok := logical.KeyOf(c, j.Left, j.Right)
		if !ok || len(rest)+len(j.Keys) > 0 && expr.CanFail(c) {
			rest = append(rest, c)
			continue
		}
		j.Keys = append(j.Keys, key)
	}
	switch len(rest) {
	case 0:
	case 1:
		j.Residual = rest[0]
	default:
		j.Residual = &expr.Logic{Args: rest}
	}
	return true
}

// using binds USING (k, …): each key once, first; the two it stands for can
// still be reached through their tables. merged are keys that both sides together make.
func (a *Analyzer) using(t, right *table, j *logical.Join, names []*ast.Name) (out *scope, merged []logical.Item) {
	out = &scope{}
	lefts, rights := slices.Clone(t.scope.entries), slices.Clone(right.scope.entries)
	ok := true
	for _, n := range names {
		l, lok := a.usingKey(t.scope, n, "left")
		r, rok := a.usingKey(right.scope, n, "right")
		if !lok || !rok {
			ok = false
			continue
		}
		common, comparable := types.Common(l.col.Type, r.col.Type)
		if !comparable {
			a.errorf(n, "CAST one of them", "%q is %s on the left and %s on the right", n.Text, l.col.Type, r.col.Type)
			ok = false
			continue
		}
		_, li, _ := a.computed(l.name, castTo1(l.col.Ref(), common))
		_, ri, _ := a.computed(l.name, castTo1(r.col.Ref(), common))
		j.Left, j.Right = keeping(j.Left, []logical.Item{li}), keeping(j.Right, []logical.Item{ri})
		j.Keys = append(j.Keys, logical.JoinKey{Left: li.Ref(), Right: ri.Ref()})
		key := li.Column
		switch j.Kind {
		case logical.RightJoin:
			key = ri.Column
		case logical.FullJoin:
			both, err := expr.NewCall("coalesce", li.Ref(), ri.Ref())
			if err != nil {
				a.errorf(n, "", "%s", err)
				ok = false
				continue
			}
			_, item, _ := a.computed(l.name, both)
			merged, key = append(merged, item), item.Column
		}
		hide(lefts, l)
		hide(rights, r)
		out.entries = append(out.entries, entry{name: l.name, col: key})
	}
	if !ok {
		return &scope{poison: true}, nil
	}
	out.entries = append(append(out.entries, lefts...), rights...)
	return out, merged
}

// hide leaves a name out of *, but not other names of the same column.
func hide(entries []entry, e entry) {
	for i, have := range entries {
		if have.table == e.table && have.name == e.name && have.col.ID == e.col.ID && !have.hidden {
			entries[i].hidden = true
			return
		}
	}
}

func (a *Analyzer) usingKey(s *scope, n *ast.Name, side string) (entry, bool) {
	e, msg, hint := s.find("", n.Text)
	if msg != "" {
		a.errorf(n, hint, "%s, the table on the %s", msg, side)
		return entry{}, false
	}
	return e, !e.poison
}
