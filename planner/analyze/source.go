package analyze

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// table is a pipeline bound so far.
type table struct {
	node   logical.Node
	scope  *scope
	target *logical.Target // set by INTO
	sorted bool            // a SORT holds
}

func poisoned() *table {
	return &table{node: &logical.Values{Rows: 0}, scope: &scope{poison: true}}
}

// maxNodes bounds what LETs used many times can grow to.
const maxNodes = 20_000

func (a *Analyzer) source(s *ast.Source) *table {
	if s == nil {
		return poisoned()
	}
	if a.nodes++; a.nodes > maxNodes {
		a.errorf(s, "a LET that uses another several times multiplies it", "the query reads more than %d sources", maxNodes)
		return poisoned()
	}
	var t *table
	switch {
	case s.Path != nil:
		t = a.file(s)
	case s.Sub != nil:
		t = a.pipeline(s.Sub)
		if t.target != nil {
			a.errorf(s.Sub, "leave it out, or write TEE INTO", "a pipeline that ends with INTO has no rows to read")
		}
	case s.Call != nil:
		t = a.tableFunction(s)
	case s.Name == nil: // the parser could make nothing of it, and has said so
		return poisoned()
	default:
		t = a.named(s)
	}
	if s.Follow {
		a.later(s, "FOLLOW")
	}
	a.eventTime(s.Event, t)
	if s.Alias != nil {
		t = t.alias(s.Alias.Text)
	}
	return t
}

// alias names the table so far: every column is reached through the name only.
func (t *table) alias(name string) *table {
	out := *t
	out.scope = t.scope.with()
	for i := range out.scope.entries {
		out.scope.entries[i].table = name
	}
	return &out
}

// eventTime checks EVENT TIME. Over bounded input nothing is late, so it changes nothing.
func (a *Analyzer) eventTime(ev *ast.EventTime, t *table) {
	if ev == nil {
		return
	}
	e, msg, hint := t.scope.find("", ev.Column.Text)
	switch {
	case msg != "":
		a.errorf(ev.Column, hint, "%s", msg)
	case !e.poison && e.col.Type.Kind != types.Timestamp:
		a.errorf(ev.Column, "give the column that type with (columns = ("+e.name+" TIMESTAMP))", "EVENT TIME needs a TIMESTAMP, and %q is %s", e.name, e.col.Type)
	}
	for _, d := range []ast.Expr{ev.Watermark, ev.Idle} {
		if d == nil {
			continue
		}
		if text, ok := a.plainText(d); ok {
			if _, err := ParseDuration(text); err != nil {
				a.errorf(d, "", "%s", err)
			}
		}
	}
}

// file binds a source that is a path.
func (a *Analyzer) file(s *ast.Source) *table {
	p, ok := a.path(s.Path)
	if !ok {
		return poisoned()
	}
	before := len(a.diags.List)
	o := a.options(s.Options, forSource)
	if len(a.diags.List) > before {
		return poisoned()
	}
	if a.isWritten(p) || connect.HasPattern(p) && len(a.written) > 0 {
		a.defers = true
		return poisoned()
	}
	found, err := a.catalog.Table(a.ctx, p, o)
	if err != nil {
		a.fileError(s.Path, err)
		return poisoned()
	}
	scan := &logical.Scan{Path: p, Options: found.Options, Size: found.Size, Schema: found.Schema}
	sc := &scope{source: path.Base(p), other: found.OtherDelimiter()}
	stem, _, _ := strings.Cut(path.Base(p), ".")
	add := func(f types.Field, from connect.Column, hidden bool) {
		col := a.newColumn(f.Name, f.Type)
		scan.Out = append(scan.Out, logical.ScanColumn{Column: col, From: from})
		sc.entries = append(sc.entries, entry{table: stem, name: f.Name, col: col, hidden: hidden})
	}
	for i, f := range found.Schema {
		add(f, connect.Column{Index: i}, false)
	}
	for _, f := range connect.Pseudos() {
		add(f, connect.Column{Index: -1, Pseudo: connect.Pseudo(f.Name)}, true)
	}
	return &table{node: scan, scope: sc}
}

func (a *Analyzer) fileError(n ast.Node, err error) {
	var ce *connect.Error
	if errors.As(err, &ce) {
		bare := *ce
		bare.Hint = ""
		a.errorf(n, ce.Hint, "%s", bare.Error())
		return
	}
	a.errorf(n, "", "%s", err)
}

// cleanPath is how two spellings of one file are recognised within a script.
func cleanPath(p string) string {
	if !connect.IsLocal(p) {
		return p // names of the store have one spelling
	}
	p = strings.TrimPrefix(p, "file://")
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	if real, err := filepath.EvalSymlinks(p); err == nil {
		return real
	}
	if folder, err := filepath.EvalSymlinks(filepath.Dir(p)); err == nil {
		return filepath.Join(folder, filepath.Base(p))
	}
	return p
}

// named binds a source that is a name: a LET.
func (a *Analyzer) named(s *ast.Source) *table {
	if s.Options != nil {
		a.errorf(s.Options, "give them where the LET reads its file", "options belong to a path, not to a name")
	}
	l, ok := a.env.lets[strings.ToLower(s.Name.Text)]
	if !ok {
		if s.Schema != nil {
			if strings.EqualFold(s.Schema.Text, "system") {
				a.later(s, "a system table")
			} else {
				a.errorf(s.Name, fileHint(s.Name.Text), "no source %q", s.Name.Text)
			}
			return poisoned()
		}
		a.errorf(s.Name, a.nameHint(s.Name), "no source %q", s.Name.Text)
		return poisoned()
	}
	if l.broken {
		return poisoned()
	}
	return a.letTable(l)
}

func (a *Analyzer) nameHint(n *ast.Name) string {
	var names []string
	for _, l := range a.env.lets {
		names = append(names, l.name)
	}
	if near := suggest.Nearest(n.Text, names); near != "" {
		return fmt.Sprintf("did you mean %s?", near)
	}
	if n.Quoted {
		return fileHint(n.Text)
	}
	return fmt.Sprintf("a file is written in single quotes: './%s.csv'; a name comes from LET %s = (FROM …);", n.Text, n.Text)
}

// fileHint tells how to write a path that stands in the place of a name.
func fileHint(p string) string {
	if !connect.IsLocal(p) && !strings.Contains(p, "://") {
		p = "./" + p
	}
	return fmt.Sprintf("a file is written in single quotes: '%s'", p)
}

// tableFunction binds range(a, b [, step]).
func (a *Analyzer) tableFunction(s *ast.Source) *table {
	if s.Schema != nil {
		return a.named(s)
	}
	name := strings.ToLower(s.Name.Text)
	if name != "range" {
		if name == "nexmark" {
			a.later(s.Name, "nexmark()")
			return poisoned()
		}
		a.errorf(s.Name, "there is range(from, to [, step])", "no table function %q", s.Name.Text)
		return poisoned()
	}
	args := []int64{0, 0, 1}
	given := s.Call.List
	if len(given) < 1 || len(given) > 3 {
		a.errorf(s.Call, "write range(from, to), the end excluded", "range takes 1 to 3 numbers, not %d", len(given))
		return poisoned()
	}
	for i, arg := range given {
		at := i
		if len(given) == 1 {
			at = 1
		}
		n, ok := a.wholeNumber(arg.Value, "an argument of range")
		if !ok {
			return poisoned()
		}
		args[at] = n
	}
	if args[2] == 0 {
		a.errorf(given[2], "", "the step of range cannot be 0")
		return poisoned()
	}
	col := a.newColumn("value", types.INT)
	return &table{
		node:  &logical.Range{From: args[0], To: args[1], Step: args[2], Out: []logical.Column{col}},
		scope: &scope{source: "range", entries: []entry{{table: "range", name: "value", col: col}}},
	}
}
