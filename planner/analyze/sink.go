package analyze

import (
	"path"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

func (a *Analyzer) tee(t *table, v *ast.Tee) {
	target, ok := a.sink(t, v.Sink, "TEE INTO")
	if !ok {
		return
	}
	tee := &logical.Tee{Input: t.node, Target: target}
	tee.Cols, tee.Names = t.scope.columns()
	t.node = tee
}

func (a *Analyzer) into(t *table, v *ast.Into) {
	if target, ok := a.sink(t, v.Sink, "INTO"); ok {
		t.target = &target
	}
}

func (a *Analyzer) sink(t *table, s *ast.Sink, where string) (logical.Target, bool) {
	p, ok := a.path(s.Path)
	if !ok {
		return logical.Target{}, false
	}
	before := len(a.diags.List)
	o := a.options(s.Options, forSink)
	if len(a.diags.List) > before {
		return logical.Target{}, false
	}
	var columns types.Schema
	if !t.scope.poison {
		columns = t.scope.schema()
	}
	o, err := a.catalog.Target(p, o, columns)
	if err != nil {
		a.fileError(s.Path, err)
		return logical.Target{}, false
	}
	if keyed(o.Format) {
		seen := map[string]bool{}
		for _, f := range columns {
			if seen[f.Name] {
				a.errorf(s, "give them different names with RENAME or AS",
					"%s '%s': %s needs distinct names, and two columns are called %q", where, path.Base(p), o.Format, f.Name)
				return logical.Target{}, false
			}
			seen[f.Name] = true
		}
	}
	return logical.Target{Path: p, Options: o}, true
}

// keyed reports a format that finds columns by name.
func keyed(format string) bool {
	switch format {
	case "json", "jsonl", "parquet", "arrow":
		return true
	}
	return false
}
