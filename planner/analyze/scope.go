package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/planner/logical"
)

// entry is a name that an expression can use.
type entry struct {
	table  string // the qualifier that leads to it; empty when it has none any more
	name   string
	col    logical.Column
	hidden bool // a pseudo-column: found by name, left out of *
	poison bool // its definition was an error, already reported
}

// scope is the names visible at a point of a pipeline, in column order.
type scope struct {
	entries []entry
	source  string // what the columns come from, for messages
	other   string // what seems to separate the fields of a file that has been read as one column, or ""
	poison  bool   // the source itself was an error: any name may be meant
}

// find resolves a name, qualified if table is not empty: first exactly, then in
// any case. A pseudo-column gives way to a column of the same name. The error
// is a message and a hint.
func (s *scope) find(table, name string) (e entry, msg, hint string) {
	if s.poison {
		return entry{poison: true}, "", ""
	}
	for _, same := range []func(a, b string) bool{func(a, b string) bool { return a == b }, strings.EqualFold} {
		for _, hidden := range []bool{false, true} {
			found := s.matches(table, name, hidden, same)
			switch {
			case len(found) == 0:
				continue
			case len(found) > 1 && !sameColumn(found):
				return entry{}, fmt.Sprintf("column %q is ambiguous: %s", name, describeAll(found)), ambiguityHint(found)
			}
			return found[0], "", ""
		}
	}
	return entry{}, s.missing(table, name), s.nearest(table, name)
}

func (s *scope) matches(table, name string, hidden bool, same func(a, b string) bool) []entry {
	var found []entry
	for _, e := range s.entries {
		if e.hidden == hidden && same(e.name, name) && (table == "" || same(e.table, table)) {
			found = append(found, e)
		}
	}
	return found
}

func sameColumn(es []entry) bool {
	for _, e := range es {
		if e.col.ID != es[0].col.ID || e.poison {
			return false
		}
	}
	return true
}

func describeAll(es []entry) string {
	if sameTable(es) {
		return fmt.Sprintf("%s has it %d times", es[0].table, len(es))
	}
	list := make([]string, len(es))
	for i, e := range es {
		list[i] = fmt.Sprintf("%q", e.name)
		if e.table != "" {
			list[i] = e.table + "." + e.name
		}
	}
	return "there is " + strings.Join(list, " and ")
}

// sameTable reports columns of one name that no name of a table tells apart, as
// where a file is joined with itself.
func sameTable(es []entry) bool {
	return es[0].table != "" && !slices.ContainsFunc(es, func(e entry) bool { return e.table != es[0].table || e.name != es[0].name })
}

func ambiguityHint(es []entry) string {
	if sameTable(es) {
		return "name one of the sources with AS, as in JOIN … AS other, or RENAME a column"
	}
	if es[0].table != "" && es[0].table != es[1].table {
		return "say which: " + es[0].table + "." + es[0].name
	}
	if es[0].name != es[1].name {
		return "write it in exactly its case"
	}
	return "give them different names with RENAME or AS"
}

func (s *scope) missing(table, name string) string {
	if table != "" {
		return fmt.Sprintf("no column %q in %s", name, table)
	}
	if s.source != "" {
		return fmt.Sprintf("no column %q in %s", name, s.source)
	}
	return fmt.Sprintf("no column %q", name)
}

func (s *scope) nearest(table, name string) string {
	if s.other != "" && len(s.entries) > 0 && connect.OtherDelimiter(s.entries[0].name) == s.other {
		return fmt.Sprintf("did you mean to write (delimiter = '%s') behind the file's name? its one column is %q", s.other, s.entries[0].name)
	}
	var names []string
	for _, e := range s.entries {
		if table == "" || strings.EqualFold(e.table, table) {
			names = append(names, e.name)
		}
	}
	if near := suggest.Nearest(name, names); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	const most = 12
	visible := s.visible()
	list := make([]string, 0, most)
	for _, e := range visible {
		if len(list) == most {
			list = append(list, "…")
			break
		}
		list = append(list, e.name)
	}
	if len(list) == 0 {
		return "there are no columns here"
	}
	return "there are: " + strings.Join(list, ", ")
}

// hasTable reports whether some column is reached through the qualifier.
func (s *scope) hasTable(table string) bool {
	for _, e := range s.entries {
		if strings.EqualFold(e.table, table) {
			return true
		}
	}
	return s.poison
}

// visible is what * stands for.
func (s *scope) visible() []entry {
	out := make([]entry, 0, len(s.entries))
	for _, e := range s.entries {
		if !e.hidden {
			out = append(out, e)
		}
	}
	return out
}

// columns are the visible columns and their names.
func (s *scope) columns() (cols []logical.Column, names []string) {
	for _, e := range s.visible() {
		cols = append(cols, e.col)
		names = append(names, e.name)
	}
	return cols, names
}

func (s *scope) schema() types.Schema {
	cols, names := s.columns()
	out := make(types.Schema, len(cols))
	for i, c := range cols {
		out[i] = types.Field{Name: names[i], Type: c.Type}
	}
	return out
}

// with returns a copy that can be changed.
func (s *scope) with() *scope {
	c := *s
	c.entries = append([]entry(nil), s.entries...)
	return &c
}
