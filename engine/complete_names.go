package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/parser/format"
	"github.com/rainsql/rainsql/planner/analyze"
)

// quoted writes a name as it must stand in a text; quotes that were begun stay.
func (c *completer) quoted(name string) string {
	if c.want.Quote == '`' {
		return "`" + strings.ReplaceAll(name, "`", "``") + "`"
	}
	if c.want.Quote == '"' {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	if len(c.want.Qualifier) > 0 && format.IsPlain(name) { // behind a dot any word is a name
		return name
	}
	return format.Name(name)
}

// columns offers the columns of the pipeline so far, then the tables they are of.
func (c *completer) columns() {
	if !c.wants(complete.Columns) {
		return
	}
	if q := c.want.Qualifier; len(q) > 0 {
		c.qualified(q)
		return
	}
	for _, n := range c.names {
		if c.wants(complete.Common) && !n.Twice {
			continue
		}
		pseudo := n.Hidden && strings.HasPrefix(n.Name, "_")
		if !c.typed(n.Name) || n.Hidden && !(pseudo && strings.HasPrefix(c.want.Typed, "_")) {
			continue
		}
		text := c.quoted(n.Name)
		if n.Twice && n.Table != "" && c.wants(complete.Tables) {
			text = format.Name(n.Table) + "." + text
		}
		c.add(Item{Text: text, Kind: "column", Detail: typeName(n.Type)})
	}
	if !c.wants(complete.Tables) {
		return
	}
	for _, n := range c.names {
		if n.Table != "" && c.typed(n.Table) && !connect.HasPattern(n.Table) { // a pattern names no table
			c.add(Item{Text: c.quoted(n.Table) + c.unless("."), Kind: "table", Open: true})
		}
	}
}

// qualified offers what stands behind a dot: the columns of a table, or the
// fields of a STRUCT.
func (c *completer) qualified(q []string) {
	for _, n := range c.names {
		ofTable := n.Table != "" && strings.EqualFold(n.Table, q[0])
		switch {
		case ofTable && len(q) == 1 && (!n.Hidden || !strings.HasPrefix(n.Name, "_")):
			c.field(n.Name, n.Type)
		case ofTable && len(q) > 1 && strings.EqualFold(n.Name, q[1]):
			c.fields(n.Type, q[2:])
		}
	}
	for _, n := range c.names {
		if strings.EqualFold(n.Name, q[0]) {
			c.fields(n.Type, q[1:])
		}
	}
}

// fields offers those of a STRUCT that a path leads to.
func (c *completer) fields(t types.Type, path []string) {
	for _, name := range path {
		i := slices.IndexFunc(t.Fields, func(f types.Field) bool { return strings.EqualFold(f.Name, name) })
		switch {
		case name == complete.Element && t.Kind == types.List:
			t = *t.Elem
		case t.Kind == types.Struct && i >= 0:
			t = t.Fields[i].Type
		default:
			return
		}
	}
	if t.Kind == types.Struct {
		for _, f := range t.Fields {
			c.field(f.Name, f.Type)
		}
	}
}

func (c *completer) field(name string, t types.Type) {
	if c.typed(name) {
		c.add(Item{Text: c.quoted(name), Kind: "column", Detail: typeName(t)})
	}
}

// typeName is the type of a column, or nothing where it is not known.
func typeName(t types.Type) string {
	if t.Kind == types.Null {
		return ""
	}
	return t.String()
}

// unless returns what belongs behind a name unless it stands there already.
func (c *completer) unless(next string) string {
	if strings.HasPrefix(c.text[c.want.To:], next) {
		return ""
	}
	return next
}

// arguments offers the parameters of the function that is being created.
func (c *completer) arguments() {
	if !c.wants(complete.Columns) || len(c.want.Pipelines) > 0 {
		return
	}
	for _, name := range c.want.Arguments {
		if c.typed(name) {
			c.add(Item{Text: c.quoted(name), Kind: "parameter"})
		}
	}
}

// sources offers the names that FROM reads.
func (c *completer) sources() {
	if !c.wants(complete.Sources) {
		return
	}
	for _, name := range c.env.Lets() {
		if c.typed(name) {
			c.add(Item{Text: c.quoted(name), Kind: "table", Detail: "LET"})
		}
	}
}

// tableFunctions offers the functions that FROM reads.
func (c *completer) tableFunctions() {
	if c.wants(complete.Sources) && c.want.Quote == 0 && c.typed("range") {
		c.add(Item{Text: "range" + c.unless("("), Kind: "function", Detail: "range(from, to [, step])", Open: true})
	}
}

// functions offers the functions that fit, in order of their names; where groups
// are computed, aggregates first.
func (c *completer) functions() {
	var first, then []Item
	for _, f := range expr.Functions() {
		kind := complete.Scalars
		if f.Aggregate {
			kind = complete.Aggregates
		}
		name := c.functionName(f)
		if !c.wants(kind) || f.Category == "operator" || name == "" {
			continue
		}
		i := c.function(name, signature(name, f.Signatures), takesNone(f.Signatures))
		if f.Aggregate && !c.wants(complete.Windows) {
			first = append(first, i)
		} else {
			then = append(then, i)
		}
	}
	others := func(kind complete.Kind, list []analyze.Usage) {
		for _, f := range list {
			if c.wants(kind) && c.typed(f.Name) {
				then = append(then, c.function(f.Name, f.Usage, strings.HasSuffix(f.Usage, "()")))
			}
		}
	}
	others(complete.Windows, analyze.WindowFunctions())
	others(complete.EventWindows, analyze.EventWindows())
	for _, usage := range c.env.Functions() {
		name, _, _ := strings.Cut(usage, "(")
		if !c.wants(complete.Macros) || !c.typed(name) {
			continue
		}
		if !c.wants(complete.Scalars) { // DROP FUNCTION takes its name only
			c.add(Item{Text: format.Name(name), Kind: "function", Detail: usage})
			continue
		}
		then = append(then, c.function(format.Name(name), usage, strings.HasSuffix(usage, "()")))
	}
	slices.SortStableFunc(then, func(a, b Item) int { return strings.Compare(a.Text, b.Text) })
	c.items = append(append(c.items, first...), then...)
}

// functionName is the name of a function that what is typed begins: its own, or
// another that means the same.
func (c *completer) functionName(f expr.Function) string {
	for _, name := range append([]string{f.Name}, f.Aliases...) {
		if c.typed(name) && format.IsPlain(name) {
			return name
		}
	}
	return ""
}

func (c *completer) function(name, usage string, none bool) Item {
	i := Item{Text: name + c.unless("("), Kind: "function", Detail: usage, Open: true}
	if none && strings.HasSuffix(i.Text, "(") {
		i.Text, i.Open = i.Text+")", false
	}
	return i
}

// signature writes "STRING, INT -> STRING" as left(STRING, INT) -> STRING.
func signature(name string, all []string) string {
	if len(all) == 0 {
		return name + "()"
	}
	args, result, _ := strings.Cut(all[0], "->")
	text := fmt.Sprintf("%s(%s) -> %s", name, strings.TrimSpace(args), strings.TrimSpace(result))
	if len(all) > 1 {
		text += ", …"
	}
	return text
}

// takesNone reports whether no signature has an argument.
func takesNone(all []string) bool {
	return !slices.ContainsFunc(all, func(sig string) bool {
		args, _, _ := strings.Cut(sig, "->")
		return strings.TrimSpace(args) != ""
	})
}
