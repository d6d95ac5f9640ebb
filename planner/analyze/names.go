package analyze

import (
	"maps"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// Name is a column that an expression can use, for completion.
type Name struct {
	Table  string // the qualifier that leads to it, or empty
	Name   string
	Type   types.Type // NULL where it is not known
	Hidden bool       // a pseudo-column, or one that * leaves out
	Twice  bool       // the bare name would be ambiguous
}

// Names returns the columns that an expression at the end of the last pipeline
// can use, in their order. The pipelines before it are those around it, the
// outermost first, whose columns come after its own. Verbs with errors count as
// if they were not there, as far as a pipeline can be bound at all.
func (a *Analyzer) Names(pipes []*ast.Pipeline) []Name {
	a.begin()
	var names []Name
	for _, p := range pipes {
		s := a.soFar(p)
		own := make([]Name, 0, len(s.entries))
		ids, twice := map[string]int{}, map[string]bool{}
		for _, e := range s.entries {
			if id, ok := ids[e.name]; ok && id != e.col.ID && !e.hidden {
				twice[e.name] = true
			}
			if !e.hidden {
				ids[e.name] = e.col.ID
			}
		}
		for _, e := range s.entries {
			n := Name{Table: e.table, Name: e.name, Type: e.col.Type, Hidden: e.hidden, Twice: twice[e.name] && !e.hidden}
			if e.poison {
				n.Type = types.NULL
			}
			own = append(own, n)
		}
		names = append(own, names...)
		a.outer = append(a.outer, &frame{scope: s})
	}
	a.outer = nil
	return names
}

// soFar binds as much of a pipeline as can be bound: a verb behind which nothing
// would be known is passed over.
func (a *Analyzer) soFar(p *ast.Pipeline) *scope {
	t := &table{node: &logical.Values{Rows: 1}, scope: &scope{}}
	if p.From != nil {
		t = a.source(p.From)
	}
	if t.scope.poison {
		return &scope{}
	}
	for _, v := range p.Verbs {
		if a.ctx.Err() != nil {
			break
		}
		next := *t
		next.scope = t.scope.with()
		if a.verb(&next, v); !next.scope.poison {
			t = &next
		}
	}
	return t.scope
}

// Clone returns a copy in which names can be defined without changing e.
func (e *Env) Clone() Env {
	return Env{lets: maps.Clone(e.lets), macros: maps.Clone(e.macros), paramIDs: e.paramIDs}
}

// Lets lists the names that LET has defined, in order.
func (e *Env) Lets() []string {
	names := make([]string, 0, len(e.lets))
	for _, l := range e.lets {
		names = append(names, l.name)
	}
	slices.Sort(names)
	return names
}

// Functions lists the functions that CREATE FUNCTION has defined, in order of
// their names, each as f(x TYPE, …).
func (e *Env) Functions() []string {
	list := make([]string, 0, len(e.macros))
	for _, m := range e.macros {
		list = append(list, m.signature())
	}
	slices.Sort(list)
	return list
}

// Usage is a function that is no entry of the function table.
type Usage struct{ Name, Usage string }

// WindowFunctions lists the functions that need OVER, in order of their names.
func WindowFunctions() []Usage {
	var list []Usage
	for name, f := range windowOnly {
		list = append(list, Usage{name, f.usage})
	}
	return sorted(list)
}

// EventWindows lists tumble and its like, which stand in BY.
func EventWindows() []Usage {
	var list []Usage
	for name, usage := range eventWindows {
		list = append(list, Usage{name, usage})
	}
	return sorted(list)
}

func sorted(list []Usage) []Usage {
	slices.SortFunc(list, func(a, b Usage) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// SourceOptions lists the options that a source takes.
func SourceOptions() []string { return slices.Clone(optionNames[forSource]) }

// SinkOptions lists the options that INTO takes.
func SinkOptions() []string { return slices.Clone(optionNames[forSink]) }

// ProgramOptions lists the options of an external program.
func ProgramOptions() []string { return slices.Clone(optionNames[forProgram]) }
