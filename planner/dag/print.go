package dag

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/tree"
)

// String prints the graph stage by stage, each as its operators from the last
// to the first, as EXPLAIN shows it and tests compare it.
func (g *Graph) String() string {
	var sb strings.Builder
	for _, st := range g.Stages {
		sb.WriteString(st.Title() + "\n")
		for _, e := range st.Outputs {
			sb.WriteString("  " + e.Describe() + "\n")
		}
		st.Walk(func(before string, op int) { sb.WriteString("  " + before + Describe(st.Ops[op].Spec) + "\n") })
	}
	return sb.String()
}

// Title names a stage, and how many tasks run it.
func (st *Stage) Title() string {
	return fmt.Sprintf("stage %d: %s", st.ID, human.Count(int64(st.Tasks), "task"))
}

// Walk visits the operators of a stage as a tree, from the last to the first,
// with what stands before each on its line.
func (st *Stage) Walk(visit func(before string, op int)) {
	tree.Walk(len(st.Ops)-1, func(op int) []int { return st.Ops[op].Inputs }, visit)
}

// Describe is an edge on one line: how rows move, and where to.
func (e Edge) Describe() string { return e.describe(nil) }

func (e Edge) describe(names []string) string {
	s := "=> " + string(e.Kind)
	switch e.Kind {
	case Hash:
		s += " on " + positions(e.Keys, names)
	case Merge:
		s += " by " + sortText(e.Sort, names)
	}
	if e.Spool {
		s += ", spooled,"
	}
	return fmt.Sprintf("%s to stage %d", s, e.To)
}

func positions(cols []int, names []string) string {
	list := make([]string, len(cols))
	for i, c := range cols {
		list[i] = column(names, c)
	}
	return strings.Join(list, ", ")
}

func sortText(keys []SortKey, names []string) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = column(names, k.Column)
		if k.Desc {
			list[i] += " DESC"
		}
		if k.NullsFirst {
			list[i] += " NULLS FIRST"
		}
	}
	return strings.Join(list, ", ")
}

// Describe is an operator on one line, with columns as positions in its input.
func Describe(s Spec) string { return describe(s, nil) }

// describe is Describe with the names of the columns of each input, as far as
// they are known.
func describe(s Spec, in [][]string) string {
	var names, second []string
	if len(in) > 0 {
		names = in[0]
	}
	if len(in) > 1 {
		second = in[1]
	}
	switch s := s.(type) {
	case *Scan:
		text := fmt.Sprintf("scan '%s' (%s) [%s]", s.Path, s.Options.Format, strings.Join(s.Names, ", "))
		if s.Filter != nil {
			text += " where " + expr.String(s.Filter.Expr)
		}
		return text
	case *Range:
		return fmt.Sprintf("range %d to %d step %d", s.From, s.To, s.Step)
	case *Values:
		return fmt.Sprintf("values: rows=%d", s.Rows)
	case *Receive:
		return fmt.Sprintf("receive edge %d", s.Edge)
	case *Filter:
		return "filter " + expr.String(s.Cond.Expr)
	case *Project:
		list := make([]string, len(s.Exprs))
		for i, e := range s.Exprs {
			list[i] = expr.String(e.Expr)
			if list[i] != s.Names[i] {
				list[i] += " AS " + s.Names[i]
			}
		}
		return "project " + strings.Join(list, ", ")
	case *Aggregate:
		return describeAggregate(s)
	case *Distinct:
		return "distinct: the first of each " + positions(s.Keys, names)
	case *Position:
		return "position"
	case *Sort:
		return "sort " + sortText(s.Keys, names)
	case *TopK:
		return fmt.Sprintf("top %d by %s", s.Count, sortText(s.Keys, names))
	case *Limit:
		text := fmt.Sprintf("limit %d", s.Count)
		if s.Count < 0 {
			text = "limit none"
		}
		if s.Offset > 0 {
			text += fmt.Sprintf(" offset %d", s.Offset)
		}
		return text
	case *Union:
		if s.InOrder {
			return "union in order"
		}
		return "union"
	case *SetOp:
		return setName(s)
	case *Join:
		return describeJoin(s, names, second)
	case *Window:
		return describeWindow(s, names)
	case *Exec:
		return fmt.Sprintf("exec '%s' %q (%s) [%s] -> [%s]", s.Path, s.Args, s.Options.Format, strings.Join(s.In.Names(), ", "), strings.Join(s.Out.Names(), ", "))
	case *Unnest:
		return "unnest " + expr.String(s.List.Expr) + " AS " + s.Name
	case *Sink:
		text := fmt.Sprintf("into '%s' (%s) [%s]", s.Path, s.Options.Format, strings.Join(s.Schema.Names(), ", "))
		if s.Sharing != "" {
			text += " " + string(s.Sharing)
		}
		return text
	case *Result:
		return "result " + positions(s.Columns, names)
	}
	return Name(s)
}

func setName(s *SetOp) string {
	text := "intersect"
	if s.Except {
		text = "except"
	}
	if s.All {
		text += " all"
	}
	return text
}

func describeAggregate(s *Aggregate) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "aggregate (%s)", s.Mode)
	for i, a := range s.Aggs {
		if i > 0 {
			sb.WriteByte(',')
		}
		text, name := expr.AggString(a.AggCall), s.Names[len(s.Keys)+i]
		sb.WriteString(" " + text)
		if text != name {
			sb.WriteString(" AS " + name)
		}
	}
	for i, k := range s.Keys {
		sb.WriteString(map[bool]string{true: " by ", false: ", "}[i == 0])
		sb.WriteString(expr.String(k.Expr))
		if expr.String(k.Expr) != s.Names[i] {
			sb.WriteString(" AS " + s.Names[i])
		}
	}
	return sb.String()
}
