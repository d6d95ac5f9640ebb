package gen

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
)

// Table is a table with its rows, as a file and in DuckDB.
type Table struct {
	Name string // in DuckDB
	Path string // as RQL names the file, with options: './t0.parquet'
	File string // the format
	Cols []*Col // prototypes: a FROM has columns of its own
	Rows [][]any
	Key  int // position of the column that is never the same in two rows
}

// fromTable reads a table.
type fromTable struct {
	table *Table
	cols  []*Col
	alias string
}

// instance gives columns new identities.
func (g *Gen) instance(protos []*Col, qual string) []*Col {
	out := make([]*Col, len(protos))
	for i, p := range protos {
		c := *p
		c.ID, c.Qual = g.nextID(), qual
		out[i] = &c
	}
	return out
}

func (f *fromTable) Shape() Shape {
	return Shape{Cols: f.cols, Order: TotalOrder, Key: []int{f.cols[f.table.Key].ID}, Rows: float64(len(f.table.Rows))}
}

func (f *fromTable) RQL(*scope) string { return "FROM " + f.table.Path + as(f.alias) }

func as(alias string) string {
	if alias == "" {
		return ""
	}
	return " AS " + alias
}

func (f *fromTable) SQL(*scope) string {
	parts := make([]string, len(f.cols))
	for i, c := range f.cols {
		parts[i] = val.Name(f.table.Cols[i].Name) + " AS " + c.sql()
	}
	return "SELECT " + strings.Join(parts, ", ") + ", rn AS o FROM " + f.table.Name
}

func (f *fromTable) Copy() Source { return f }

// Table returns the table read.
func (f *fromTable) Table() *Table { return f.table }

// fromRange is the table function range.
type fromRange struct {
	from, to, step int64
	col            *Col
}

func (f *fromRange) Shape() Shape {
	return Shape{Cols: []*Col{f.col}, Order: TotalOrder, Key: []int{f.col.ID}, Rows: float64(max(0, (f.to-f.from)/f.step+1))}
}

func (f *fromRange) RQL(*scope) string {
	return fmt.Sprintf("FROM range(%d, %d, %d)", f.from, f.to, f.step)
}

func (f *fromRange) SQL(*scope) string {
	dir := ""
	if f.step < 0 {
		dir = " DESC"
	}
	return fmt.Sprintf("SELECT range AS %s, row_number() OVER (ORDER BY range%s) AS o FROM range(%d, %d, %d)", f.col.sql(), dir, f.from, f.to, f.step)
}

func (f *fromRange) Copy() Source { return f }

// fromOne is one row without columns: what TRANSFORM stands over at the
// beginning of a pipeline.
type fromOne struct{ transform *Transform }

func (f *fromOne) Shape() Shape {
	s := f.transform.Apply(Shape{Order: TotalOrder, Rows: 1})
	s.Order = TotalOrder
	return s
}

func (f *fromOne) RQL(outer *scope) string { return f.transform.RQL(&scope{Shape{}, outer}) }

func (f *fromOne) SQL(outer *scope) string {
	return f.transform.SQL("(SELECT 1 AS o)", &scope{Shape{Order: TotalOrder}, outer})
}

func (f *fromOne) Copy() Source { return &fromOne{f.transform.Copy().(*Transform)} }

// fromLet reads a LET.
type fromLet struct {
	let   *Let
	was   []*Col // the columns of the LET when this was made
	cols  []*Col
	alias string
}

// match pairs the columns now in the LET with those of this reading.
func (f *fromLet) match() (Shape, []string) {
	in := f.let.Body.Shape()
	out := Shape{Order: in.Order, Rows: in.Rows}
	var items []string
	ids := map[int]int{}
	for _, c := range in.Cols {
		for i, w := range f.was {
			if w.ID == c.ID {
				n := *f.cols[i]
				n.Name = c.Name
				out.Cols = append(out.Cols, &n)
				items = append(items, c.sql()+" AS "+n.sql())
				ids[c.ID] = n.ID
			}
		}
	}
	for _, k := range in.Key {
		if _, ok := ids[k]; !ok {
			out.Key = nil
			break
		}
		out.Key = append(out.Key, ids[k])
	}
	return out, items
}

func (f *fromLet) Shape() Shape {
	s, _ := f.match()
	return s
}

func (f *fromLet) RQL(*scope) string { return "FROM " + f.let.Name + as(f.alias) }

func (f *fromLet) SQL(*scope) string {
	s, items := f.match()
	if s.Order != NoOrder {
		items = append(items, "o")
	}
	return "SELECT " + strings.Join(items, ", ") + " FROM " + f.let.Name
}

func (f *fromLet) Copy() Source { c := *f; return &c }

// fromRel is a pipeline in parentheses.
type fromRel struct {
	rel   *Rel
	alias string
}

func (f *fromRel) Shape() Shape {
	s := f.rel.Shape()
	if f.alias == "" {
		return s
	}
	s.Cols = requalify(s.Cols, f.alias)
	return s
}

func requalify(cols []*Col, qual string) []*Col {
	out := make([]*Col, len(cols))
	for i, c := range cols {
		n := *c
		n.Qual = qual
		out[i] = &n
	}
	return out
}

func (f *fromRel) RQL(outer *scope) string {
	return "FROM (" + f.rel.rql(outer, " ") + ")" + as(f.alias)
}
func (f *fromRel) SQL(outer *scope) string { return f.rel.sqlIn(outer) }
func (f *fromRel) Copy() Source            { return &fromRel{f.rel.Copy(), f.alias} }

// rels lists the pipelines within the pipeline, itself first.
func (r *Rel) rels() []*Rel {
	out := []*Rel{r}
	if f, ok := r.Src.(*fromRel); ok {
		out = append(out, f.rel.rels()...)
	}
	if f, ok := r.Src.(*fromOne); ok {
		for _, e := range f.transform.Uses() {
			(*e).walk(func(x *Expr) {
				if x.Sub != nil {
					out = append(out, x.Sub.rels()...)
				}
			})
		}
	}
	for _, s := range r.Steps {
		if h, ok := s.(interface{ Inner() *Rel }); ok {
			out = append(out, h.Inner().rels()...)
		}
		for _, e := range s.Uses() {
			(*e).walk(func(x *Expr) {
				if x.Sub != nil {
					out = append(out, x.Sub.rels()...)
				}
			})
		}
	}
	return out
}

// relink makes copies of pipelines read the copies of LETs.
func (r *Rel) relink(renamed map[*Let]*Let) {
	for _, x := range r.rels() {
		if f, ok := x.Src.(*fromLet); ok && renamed[f.let] != nil {
			f.let = renamed[f.let]
		}
	}
}

// Tables lists the tables that the query reads, each once.
func (q *Query) Tables() []*Table {
	var out []*Table
	seen := map[*Table]bool{}
	for _, r := range q.Rels() {
		if f, ok := r.Src.(*fromTable); ok && !seen[f.table] {
			seen[f.table] = true
			out = append(out, f.table)
		}
	}
	return out
}

// Rels lists all pipelines of the query.
func (q *Query) Rels() []*Rel {
	var out []*Rel
	for _, l := range q.Lets {
		out = append(out, l.Body.rels()...)
	}
	return append(out, q.Main.rels()...)
}

// Replace makes the query read another table in place of one with the same columns.
func (q *Query) Replace(old, with *Table) {
	for _, r := range q.Rels() {
		if f, ok := r.Src.(*fromTable); ok && f.table == old {
			n := *f
			n.table = with
			r.Src = &n
		}
	}
}
