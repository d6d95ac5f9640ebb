package both

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/rainsql/rainsql/difftest/gen"
	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/planner/optimize"
)

// World is a few tables and the queries over them. It works in the current
// folder, where their files are.
type World struct {
	duck     *Duck
	cluster  *Cluster // on which queries are run, too, if not nil
	seed     uint64
	number   int
	features map[string]bool
	without  map[string]bool
	tables   []*gen.Table
	trace    io.Writer // every SQL before it runs, if not nil
	spare    int       // tables made while shrinking
}

// NewWorld makes the tables of a world, and their files; those of a cluster too, if there is one.
func NewWorld(duck *Duck, cluster *Cluster, seed uint64, number int, features, without map[string]bool) (*World, error) {
	w := &World{duck: duck, cluster: cluster, seed: seed, number: number, features: features, without: without}
	g := gen.New(seed, uint64(number)<<32, features)
	w.tables = g.Tables(number)
	for _, t := range w.tables {
		if err := w.load(t); err != nil {
			return nil, fmt.Errorf("world %d, table %s: %w", number, t.Name, err)
		}
	}
	return w, nil
}

func (w *World) load(t *gen.Table) error {
	if err := w.duck.Load(t, true); err != nil {
		return err
	}
	if t.File == "arrow" { // DuckDB writes none
		from := fmt.Sprintf("FROM './%s.source.parquet' INTO './%s.arrow'", t.Name, t.Name)
		if err := Rain(Setup{Parallelism: 1}, from).Err; err != nil {
			return err
		}
	}
	if w.cluster != nil {
		return w.cluster.put(t.Name + "." + t.File)
	}
	return nil
}

// Close removes tables and files.
func (w *World) Close() error {
	var errs []error
	for _, t := range w.tables {
		errs = append(errs, w.drop(t))
	}
	return errors.Join(errs...)
}

func (w *World) drop(t *gen.Table) error {
	err := os.Remove(t.Name + "." + t.File)
	if t.File == "arrow" {
		err = errors.Join(err, os.Remove(t.Name+".source.parquet"))
	}
	if w.cluster != nil {
		err = errors.Join(err, w.cluster.remove(t.Name+"."+t.File))
	}
	return errors.Join(err, w.duck.Drop(t))
}

// Query makes query n of the world.
func (w *World) Query(n int) *gen.Query {
	g := gen.New(w.seed, uint64(w.number)<<32|uint64(n+1), w.features)
	g.Use(w.tables)
	g.Without(w.without)
	return g.Query()
}

// Setups are the ways to run a query. The first is the plainest.
func Setups() []Setup {
	out := []Setup{{Parallelism: 1}, {Parallelism: 4}, {Parallelism: 1, SplitBytes: 64}, {Parallelism: 4, SplitBytes: 64}}
	for _, r := range optimize.Rules() {
		out = append(out, Setup{Parallelism: 2, Off: r.Name})
	}
	return out
}

// Outcome is what became of a query.
type Outcome struct {
	Diff  *Difference
	Setup Setup
	Skip  bool   // neither engine runs it
	Later string // rainsql's "not supported yet"
	Known *Known
	Rows  int
	Error bool // both fail
}

// Check runs a query in DuckDB, and in rainsql in each of the ways.
func (w *World) Check(q *gen.Query, setups []Setup) Outcome {
	shape := q.Main.Shape()
	if w.trace != nil {
		fmt.Fprintf(w.trace, "%s\n\n", q.SQL())
	}
	duck := w.duck.Query(q.SQL(), shape.Order != gen.NoOrder)
	src := q.RQL()
	for _, s := range setups {
		rain := Rain(s, src)
		if rain.Err != nil && strings.Contains(rain.Err.Error(), "not supported") {
			return Outcome{Later: rain.Err.Error()}
		}
		d, skip := Compare(shape, rain, duck)
		if skip {
			return Outcome{Skip: true, Diff: &Difference{"skipped", rain.Err.Error() + "\n" + duck.Err.Error()}}
		}
		if d != nil {
			return Outcome{Diff: d, Setup: s, Known: known(q, d, rain, duck)}
		}
	}
	return Outcome{Rows: len(duck.Rows), Error: duck.Err != nil}
}

// Shrink makes a query that differs small, in tables too. budget is how many
// queries it may run.
func (w *World) Shrink(q *gen.Query, first Outcome, budget int) (*gen.Query, *Difference) {
	diff := first.Diff
	setups := []Setup{first.Setup}
	same := func(c *gen.Query) bool {
		budget--
		o := w.Check(c, setups)
		if o.Diff == nil || o.Skip || o.Known != nil || o.Diff.class() != diff.class() {
			return false
		}
		diff = o.Diff
		return true
	}
	if first.Setup != Setups()[0] {
		setups = Setups()[:1]
		if !same(q) {
			setups = []Setup{first.Setup}
		}
	}
	for changed := true; changed && budget > 0; {
		changed = false
		for c := range gen.Smaller(q) {
			if budget <= 0 {
				break
			}
			if same(c) {
				q, changed = c, true
				break
			}
		}
		if !changed {
			q, changed = w.shrinkTables(q, same, &budget)
		}
	}
	return q, diff
}

// shrinkTables leaves out rows and columns.
func (w *World) shrinkTables(q *gen.Query, same func(*gen.Query) bool, budget *int) (*gen.Query, bool) {
	changed := false
	try := func(c *gen.Query, t *gen.Table) bool {
		if err := w.load(t); err != nil {
			return false
		}
		w.tables = append(w.tables, t)
		return same(c)
	}
	name := func() string {
		w.spare++
		return fmt.Sprintf("w%d_s%d", w.number, w.spare)
	}
	for _, t := range q.Tables() {
		for size := (len(t.Rows) + 1) / 2; size >= 1 && *budget > 0; size /= 2 {
			for at := 0; at < len(t.Rows) && *budget > 0; {
				rest := append(append([][]any{}, t.Rows[:at]...), t.Rows[min(len(t.Rows), at+size):]...)
				n := t.Without(name(), rest)
				c := q.Copy()
				c.Replace(t, n)
				if try(c, n) {
					q, t, changed = c, n, true
					continue
				}
				at += size
			}
		}
		if c, n := q.NarrowTo(t, name()); c != nil && *budget > 0 && try(c, n) {
			q, t, changed = c, n, true
		}
		if t.File != "parquet" && *budget > 0 {
			n := *t
			n.File = "parquet"
			m := n.Without(name(), t.Rows)
			c := q.Copy()
			c.Replace(t, m)
			if try(c, m) {
				q, changed = c, true
			}
		}
	}
	return q, changed
}

// Report describes a difference so that it can be pasted.
func (w *World) Report(q *gen.Query, d *Difference, setup Setup, id string) string {
	var sb strings.Builder
	shape := q.Main.Shape()
	fmt.Fprintf(&sb, "difference (%s) of query %s, %s\n%s\n", d.Kind, id, setup, d.Detail)
	for _, t := range q.Tables() {
		fmt.Fprintf(&sb, "\n%s;\n", CreateSQL(t))
		if len(t.Rows) > 0 {
			fmt.Fprintf(&sb, "%s;\n", InsertSQL(t, 0, min(len(t.Rows), 40)))
		}
		fmt.Fprintf(&sb, "COPY (SELECT * EXCLUDE (rn) FROM %s ORDER BY rn) TO '%s.%s';\n", t.Name, t.Name, t.File)
	}
	fmt.Fprintf(&sb, "\nRQL:\n%s\n\nSQL:\n%s\n", q.RQL(), q.SQL())
	print := func(name string, a Answer) {
		fmt.Fprintf(&sb, "\n%s:\n", name)
		if a.Err != nil {
			fmt.Fprintln(&sb, a.Err)
			return
		}
		for i, r := range a.Rows {
			if i == 12 {
				fmt.Fprintf(&sb, "… %d rows\n", len(a.Rows))
				break
			}
			fmt.Fprintln(&sb, val.ShowRow(r))
		}
	}
	print("rainsql", Rain(setup, q.RQL()))
	print("DuckDB", w.duck.Query(q.SQL(), shape.Order != gen.NoOrder))
	return sb.String()
}
