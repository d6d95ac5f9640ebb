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
)

type optionUse int

const (
	forSource optionUse = iota
	forSink
	forProgram
)

var optionNames = map[optionUse][]string{
	forSource: {"format", "header", "delimiter", "quote", "null", "columns", "on_error"},
	forSink:   {"format", "header", "delimiter", "quote", "null", "mode"},

	forProgram: {"columns", "format", "header", "delimiter", "quote", "null", "on_error", "timeout"},
}

// options reads the options of a source or a sink.
func (a *Analyzer) options(o *ast.Options, use optionUse) connect.Options {
	var out connect.Options
	if o == nil {
		return out
	}
	seen := map[string]bool{}
	for _, opt := range o.List {
		name := strings.ToLower(opt.Name.Text)
		if seen[name] {
			a.errorf(opt, "", "option %q is given twice", name)
			continue
		}
		seen[name] = true
		a.option(&out, opt, name, use)
	}
	return out
}

func (a *Analyzer) option(out *connect.Options, opt *ast.Option, name string, use optionUse) {
	known := optionNames[use]
	if !contains(known, name) {
		hint := "there are " + strings.Join(known, ", ")
		if near := suggest.Nearest(name, known); near != "" {
			hint = fmt.Sprintf("did you mean %q?", near)
		}
		a.errorf(opt.Name, hint, "unknown option %q", opt.Name.Text)
		return
	}
	if name == "columns" {
		a.columnsOption(out, opt)
		return
	}
	text, ok := a.optionText(opt)
	if !ok {
		return
	}
	switch name {
	case "format":
		out.Format = strings.ToLower(text)
	case "header":
		b := strings.EqualFold(text, "true")
		if !b && !strings.EqualFold(text, "false") {
			a.errorf(opt, "write true or false", "header = %s", text)
		}
		out.Header = &b
	case "delimiter":
		out.Delimiter = &text
	case "quote":
		out.Quote = &text
	case "null":
		out.Null = &text
	case "on_error":
		out.OnError = strings.ToLower(text)
		if _, err := out.ErrorPolicy(); err != nil {
			a.errorf(opt, "", "%s", err)
		}
	case "mode":
		out.Mode = strings.ToLower(text)
		if _, err := out.WriteMode(); err != nil {
			a.errorf(opt, "", "%s", err)
		}
	}
}

func (a *Analyzer) columnsOption(out *connect.Options, opt *ast.Option) {
	if opt.Columns == nil {
		a.errorf(opt, "write columns = (name TYPE, …)", "columns takes a list of names and types")
		return
	}
	for _, c := range opt.Columns {
		t, ok := a.typeName(c.Type)
		if !ok {
			continue
		}
		if _, dup, _ := out.Columns.Index(c.Name.Text); dup {
			a.errorf(c.Name, "", "column %q is given twice", c.Name.Text)
			continue
		}
		out.Columns = append(out.Columns, types.Field{Name: c.Name.Text, Type: t})
	}
}

func (a *Analyzer) typeName(t *ast.TypeName) (types.Type, bool) {
	got, err := types.Parse(t.Text)
	if err != nil {
		hint := ""
		if near := suggest.Nearest(t.Text, types.Names()); near != "" {
			hint = fmt.Sprintf("did you mean %s?", near)
		}
		msg := fmt.Sprintf("no type %s", t.Text)
		if strings.ContainsAny(t.Text, "(<[") {
			msg = err.Error()
		}
		a.errorf(t, hint, "%s", msg)
		return types.Type{}, false
	}
	return got, true
}

// optionText is the value of an option as text: a string, a number, a word.
func (a *Analyzer) optionText(o *ast.Option) (string, bool) {
	if o.Value == nil {
		a.errorf(o, "", "option %q takes one value", o.Name.Text)
		return "", false
	}
	return a.plainText(o.Value)
}

// plainText reads a value that stands for itself: in options, settings, durations.
func (a *Analyzer) plainText(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.StringLit:
		return e.Value, true
	case *ast.NumberLit:
		return strings.ReplaceAll(e.Text, "_", ""), true
	case *ast.UnitLit:
		return e.Text, true
	case *ast.BoolLit:
		return fmt.Sprint(e.Value), true
	case *ast.Ref:
		return e.Name.Text, true
	case *ast.IntervalLit:
		return e.Value + " " + e.Unit, true
	case *ast.Param:
		return a.param(e)
	case *ast.Unary:
		if n, ok := e.X.(*ast.NumberLit); ok && e.Op == "-" {
			return "-" + n.Text, true
		}
	}
	a.errorf(e, "write a literal", "a value is needed here, not an expression")
	return "", false
}

func (a *Analyzer) param(p *ast.Param) (string, bool) {
	v, ok := a.params[p.Name]
	if !ok {
		hint := fmt.Sprintf("pass --param %s=VALUE, or \\set $%s VALUE at the prompt", p.Name, p.Name)
		if near := suggest.Nearest(p.Name, slices.Sorted(maps.Keys(a.params))); near != "" {
			hint = fmt.Sprintf("$%s has one: did you mean that? Else %s", near, hint)
		}
		a.errorf(p, hint, "no value for parameter $%s", p.Name)
	}
	return v, ok
}

// path is the text of a path.
func (a *Analyzer) path(t *ast.Text) (string, bool) {
	v, ok := a.plainText(t.Value)
	if ok && strings.TrimSpace(v) == "" {
		a.errorf(t, "", "an empty path")
		return "", false
	}
	return v, ok
}

// pathText is path without reports.
func (a *Analyzer) pathText(t *ast.Text) string {
	switch e := t.Value.(type) {
	case *ast.StringLit:
		return e.Value
	case *ast.Param:
		return a.params[e.Name]
	}
	return ""
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}
