package analyze

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// statement binds one statement; nil where it has an error.
func (a *Analyzer) statement(body ast.Body) Statement {
	switch b := body.(type) {
	case *ast.Pipeline:
		if plan := a.query(b); plan != nil {
			return &Query{Plan: plan}
		}
	case *ast.Let:
		return a.define(b, false)
	case *ast.Explain:
		return a.explain(b)
	case *ast.Describe:
		if t := a.source(b.Source); t != nil && !t.scope.poison {
			return &Describe{Schema: t.scope.schema()}
		}
	case *ast.Show:
		return a.show(b)
	case *ast.Setting:
		return a.setting(b)
	case *ast.Summarize:
		if m := a.summarize(b); m != nil {
			return m
		}
	case *ast.CreateFunction:
		return a.createFunction(b)
	case *ast.CreateSource:
		a.later(b, "CREATE SOURCE")
	case *ast.CreateJob:
		a.errorf(b, "", "CREATE JOB needs a server, which is not supported yet")
	case *ast.Control:
		if strings.EqualFold(b.Action, "DROP") && strings.EqualFold(b.Object, "FUNCTION") {
			return a.dropFunction(b.Name)
		}
		a.later(b, strings.ToUpper(b.Action+" "+b.Object))
	}
	return nil
}

// define binds a LET where it stands, so that its errors come once, and gives it its name.
func (a *Analyzer) define(body ast.Body, broken bool) Statement {
	b, ok := body.(*ast.Let)
	if !ok || b == nil || b.Name == nil {
		return nil
	}
	before := len(a.diags.List)
	if !broken {
		if t := a.pipeline(b.Value); t.target != nil {
			a.errorf(b.Value, "leave it out, or write TEE INTO", "a LET that ends with INTO has no rows to read")
		}
	}
	a.env.lets[strings.ToLower(b.Name.Text)] = let{
		name: b.Name.Text, pipe: b.Value, src: a.src, env: maps.Clone(a.env.lets), macros: a.env.macros,
		broken: broken || len(a.diags.List) > before,
	}
	return &Let{Name: b.Name.Text}
}

// remember notes the files that a statement writes: those that its own verbs
// name, and those of the LETs and subqueries that it reads.
func (a *Analyzer) remember(body ast.Body, meaning Statement) {
	if q, ok := meaning.(*Query); ok {
		forTargets(q.Plan, func(t logical.Target) { a.written[cleanPath(t.Path)] = true })
	}
	pipe, ok := body.(*ast.Pipeline)
	if !ok {
		return
	}
	for _, v := range pipe.Verbs {
		switch v := v.(type) {
		case *ast.Into:
			a.written[cleanPath(a.pathText(v.Sink.Path))] = true
		case *ast.Tee:
			a.written[cleanPath(a.pathText(v.Sink.Path))] = true
		}
	}
}

// Targets lists the files that a plan writes.
func Targets(plan *logical.Sink) []logical.Target {
	var list []logical.Target
	forTargets(plan, func(t logical.Target) { list = append(list, t) })
	return list
}

// forTargets calls f for each file that a plan writes.
func forTargets(plan *logical.Sink, f func(logical.Target)) {
	if plan.Target != nil {
		f(*plan.Target)
	}
	tees := func(n logical.Node) {
		if t, ok := n.(*logical.Tee); ok {
			f(t.Target)
		}
	}
	logical.Walk(plan.Input, tees)
	for _, sh := range plan.Shared {
		logical.Walk(sh.Input, tees)
	}
}

// query binds a whole pipeline with its end.
func (a *Analyzer) query(p *ast.Pipeline) *logical.Sink {
	t := a.pipeline(p)
	if t == nil || t.scope.poison {
		return nil
	}
	a.nameNulls(t)
	sink := &logical.Sink{Input: t.node, Target: t.target, Shared: a.inOrder()}
	sink.Cols, sink.Names = t.scope.columns()
	if twice := writtenTwice(sink); twice != "" {
		a.errorf(p, "give one of them another name", "the query writes '%s' twice", twice)
		return nil
	}
	return sink
}

// writtenTwice returns a file that a plan writes more than once, or "".
func writtenTwice(plan *logical.Sink) (path string) {
	var seen []string
	forTargets(plan, func(t logical.Target) {
		clean := cleanPath(t.Path)
		if slices.ContainsFunc(seen, func(other string) bool { return within(clean, other) || within(other, clean) }) {
			path = t.Path
		}
		seen = append(seen, clean)
	})
	return path
}

// Overwritten lists the files, and the folders of files, that a plan reads and then replaces, as it names them.
func Overwritten(plan *logical.Sink) []string {
	var targets []string
	forTargets(plan, func(t logical.Target) {
		if mode, err := t.Options.WriteMode(); err == nil && mode == connect.Replace {
			targets = append(targets, t.Path)
		}
	})
	if len(targets) == 0 {
		return nil
	}
	var list []string
	scans := func(n logical.Node) {
		s, ok := n.(*logical.Scan)
		if !ok {
			return
		}
		for _, path := range targets {
			if within(cleanPath(s.Path), cleanPath(path)) && !slices.Contains(list, path) {
				list = append(list, path)
			}
		}
	}
	logical.Walk(plan.Input, scans)
	for _, sh := range plan.Shared {
		logical.Walk(sh.Input, scans)
	}
	return list
}

// nameNulls gives columns that are only NULL, of no type, the type STRING:
// what leaves a query has a type that files and callers know.
func (a *Analyzer) nameNulls(t *table) {
	var want []types.Type
	some := false
	for _, e := range t.scope.visible() {
		w := e.col.Type
		if w.Kind == types.Null {
			w, some = types.STRING, true
		}
		want = append(want, w)
	}
	if !some {
		return
	}
	var cols []logical.Column
	t.node, cols = a.castTo(t, want)
	visible := t.scope.visible()
	for i := range visible {
		visible[i].col = cols[i]
	}
	t.scope = &scope{entries: visible, source: t.scope.source}
}

func (a *Analyzer) explain(b *ast.Explain) Statement {
	e := &Explain{Analyze: b.Analyze, Format: "text"}
	if b.Options != nil {
		for _, o := range b.Options.List {
			v, _ := a.optionText(o)
			if !strings.EqualFold(o.Name.Text, "format") {
				a.errorf(o, "EXPLAIN takes format", "unknown option %q", o.Name.Text)
			} else if e.Format = strings.ToLower(v); !slices.Contains([]string{"text", "json", "dot"}, e.Format) {
				a.errorf(o, "use 'text', 'json' or 'dot'", "unknown format '%s'", v)
			}
		}
	}
	if e.Plan = a.query(b.Value); e.Plan == nil {
		return nil
	}
	return e
}

func (a *Analyzer) show(b *ast.Show) Statement {
	what := strings.ToUpper(b.What.Text)
	switch what {
	case "FUNCTIONS", "SETTINGS", "FILES":
		return &Show{What: what}
	case "NODES", "JOBS", "TASKS":
		a.later(b, "SHOW "+what)
		return nil
	}
	known := []string{"FILES", "NODES", "JOBS", "TASKS", "FUNCTIONS", "SETTINGS"}
	hint := "it shows " + strings.Join(known, ", ")
	if near := suggest.Nearest(what, known); near != "" {
		hint = fmt.Sprintf("did you mean %s?", near)
	}
	a.errorf(b.What, hint, "cannot SHOW %q", b.What.Text)
	return nil
}

func (a *Analyzer) setting(b *ast.Setting) Statement {
	v, ok := a.plainText(b.Value)
	if !ok {
		return nil
	}
	s := &Setting{Name: strings.ToLower(b.Name.Text), Value: v}
	if err := CheckSetting(s.Name, v); err != nil {
		a.errorf(b, "", "%s", err)
		return nil
	}
	return s
}
