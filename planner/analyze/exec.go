package analyze

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// exec binds TRANSFORM USING EXEC 'program' ARGS (…) (options). Without the
// option columns the program gives rows of the columns that it gets.
func (a *Analyzer) exec(t *table, v *ast.Exec) {
	before := len(a.diags.List)
	p := connect.Program{Args: []string{}}
	path, ok := a.path(v.Program)
	if ok {
		p.Path = path
		a.program(v.Program, path)
	}
	for _, arg := range v.Args {
		if name, ok := arg.(*ast.Ref); ok {
			a.errorf(arg, "text is written in single quotes: '"+name.Name.Text+"'", "an argument of a program is a literal, not a column")
		} else if text, ok := a.plainText(arg); ok {
			p.Args = append(p.Args, text)
		}
	}
	p.Timeout = a.timeout(v.Options)
	p.Options = a.options(without(v.Options, "timeout"), forProgram)
	switch p.Options.Format = strings.ToLower(p.Options.Format); p.Options.Format {
	case "":
		p.Options.Format = "jsonl"
	case "jsonl", "csv", "tsv":
	default:
		a.errorf(v.Options, "use 'jsonl', 'csv' or 'tsv'", "a program does not read %s", p.Options.Format)
	}
	if t.scope.poison || len(a.diags.List) > before {
		t.scope = &scope{poison: true}
		return
	}
	a.nameNulls(t)
	p.In = t.scope.schema()
	if p.Out = p.Options.Columns; len(p.Out) == 0 {
		p.Out = p.In
	}
	p.Options.Columns = nil
	for _, f := range append(slices.Clone(p.In), p.Out...) {
		if f.Type.IsNested() && p.Options.Format != "jsonl" {
			a.errorf(v, "use format = 'jsonl'", "column %q is %s, which %s cannot hold", f.Name, f.Type, p.Options.Format)
			t.scope = &scope{poison: true}
			return
		}
	}
	name := twice(p.Out) // what it writes is found by name
	if name == "" && p.Options.Format == "jsonl" {
		name = twice(p.In)
	}
	if name != "" {
		a.errorf(v, "give them different names with RENAME or AS", "a program needs distinct names, and two columns are called %q", name)
		t.scope = &scope{poison: true}
		return
	}
	n := &logical.Exec{Input: t.node, Program: p}
	n.Cols, _ = t.scope.columns()
	out := &scope{}
	for _, f := range p.Out {
		col := a.newColumn(f.Name, f.Type)
		n.Out = append(n.Out, col)
		out.entries = append(out.entries, entry{name: f.Name, col: col})
	}
	t.node, t.scope = n, out
}

// program asks whether a program can be run.
func (a *Analyzer) program(at ast.Node, path string) {
	err := a.catalog.Program(path)
	var pe *connect.ProgramError
	switch {
	case errors.As(err, &pe):
		bare := *pe
		bare.Hint = ""
		a.errorf(at, pe.Hint, "%s", bare.Error())
	case err != nil:
		a.errorf(at, "", "%s", err)
	}
}

func twice(s types.Schema) string {
	seen := map[string]bool{}
	for _, f := range s {
		if seen[f.Name] {
			return f.Name
		}
		seen[f.Name] = true
	}
	return ""
}

// timeout reads the option of that name.
func (a *Analyzer) timeout(o *ast.Options) time.Duration {
	if o == nil {
		return 0
	}
	for _, opt := range o.List {
		if !strings.EqualFold(opt.Name.Text, "timeout") {
			continue
		}
		text, ok := a.optionText(opt)
		if !ok {
			return 0
		}
		d, err := ParseDuration(text)
		if err != nil || d <= 0 {
			a.errorf(opt, "write it as 30s or 5m", "timeout = %s is no duration", text)
			return 0
		}
		return d
	}
	return 0
}

// without leaves an option out.
func without(o *ast.Options, name string) *ast.Options {
	if o == nil {
		return nil
	}
	c := *o
	c.List = nil
	for _, opt := range o.List {
		if !strings.EqualFold(opt.Name.Text, name) {
			c.List = append(c.List, opt)
		}
	}
	return &c
}
