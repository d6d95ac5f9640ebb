package logical

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/internal/tree"
)

// String prints a plan as a tree, a node before its inputs, then the
// tables that it shares. It is what EXPLAIN shows and what tests compare.
func String(n Node) string {
	var sb strings.Builder
	write(&sb, "", n)
	if s, ok := n.(*Sink); ok {
		for _, sh := range s.Shared {
			fmt.Fprintf(&sb, "shared %s\n", sharedName(sh.Name, sh.ID))
			write(&sb, "  ", sh.Input)
		}
	}
	return sb.String()
}

func sharedName(name string, id int) string { return fmt.Sprintf("#%d (%s)", id, name) }

func write(sb *strings.Builder, margin string, n Node) {
	tree.Walk(n, Node.Inputs, func(before string, n Node) { sb.WriteString(margin + before + Line(n) + "\n") })
}

// Line describes one node without its inputs.
func Line(n Node) string {
	switch n := n.(type) {
	case *Scan:
		s := fmt.Sprintf("scan '%s' (%s) [%s]", n.Path, n.Options.Format, names(n.Columns()))
		if n.Filter != nil {
			s += " where " + expr.String(n.Filter)
		}
		return s
	case *Range:
		return fmt.Sprintf("range %d to %d step %d [%s]", n.From, n.To, n.Step, names(n.Out))
	case *Values:
		return fmt.Sprintf("values: rows=%d", n.Rows)
	case *Empty:
		return fmt.Sprintf("empty [%s]", names(n.Out))
	case *Filter:
		return "filter " + expr.String(n.Cond)
	case *Project:
		return "project " + itemList(n.Items)
	case *Aggregate:
		s := "aggregate"
		if n.Partial {
			s += " in two steps"
		}
		var aggs []string
		for _, a := range n.Aggs {
			aggs = append(aggs, named(expr.AggString(a.Call), a.Name))
		}
		if len(aggs) > 0 {
			s += " " + strings.Join(aggs, ", ")
		}
		if len(n.Keys) > 0 {
			s += " by " + itemList(n.Keys)
		}
		return s
	case *Distinct:
		if n.Ordered {
			return "distinct: the first of each " + names(n.On)
		}
		return "distinct " + names(n.On)
	case *Sort:
		return "sort " + keyList(n.Keys)
	case *TopK:
		return fmt.Sprintf("top %d%s by %s", n.Count, offset(n.Offset), keyList(n.Keys))
	case *Limit:
		if n.Count < 0 {
			return fmt.Sprintf("limit none%s", offset(n.Offset))
		}
		return fmt.Sprintf("limit %d%s", n.Count, offset(n.Offset))
	case *SetOp:
		return string(n.Kind) + " [" + names(n.Out) + "]"
	case *Join:
		return joinLine(n)
	case *Window:
		return windowLine(n)
	case *Exec:
		return fmt.Sprintf("exec '%s' %q (%s) [%s] -> [%s]", n.Program.Path, n.Program.Args, n.Program.Options.Format, strings.Join(n.Program.In.Names(), ", "), names(n.Out))
	case *Unnest:
		return "unnest " + named(expr.String(n.List), n.Element.Name)
	case *SharedScan:
		return fmt.Sprintf("read shared %s [%s]", sharedName(n.Name, n.ID), names(n.Columns()))
	case *Tee:
		return fmt.Sprintf("tee into '%s' (%s) [%s]", n.Target.Path, n.Target.Options.Format, strings.Join(n.Names, ", "))
	case *Sink:
		if n.Target == nil {
			return "result [" + strings.Join(n.Names, ", ") + "]"
		}
		return fmt.Sprintf("into '%s' (%s) [%s]", n.Target.Path, n.Target.Options.Format, strings.Join(n.Names, ", "))
	}
	return fmt.Sprintf("%T", n)
}

func offset(n int64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf(" offset %d", n)
}

func names(cols []Column) string {
	list := make([]string, len(cols))
	for i, c := range cols {
		list[i] = c.Name
	}
	return strings.Join(list, ", ")
}

func itemList(items []Item) string {
	list := make([]string, len(items))
	for i, it := range items {
		list[i] = named(expr.String(it.Expr), it.Name)
	}
	return strings.Join(list, ", ")
}

func named(text, name string) string {
	if text == name {
		return text
	}
	return text + " AS " + name
}

func keyList(keys []SortKey) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = k.Column.Name
		if k.Desc {
			list[i] += " DESC"
		}
		if k.NullsFirst {
			list[i] += " NULLS FIRST"
		}
	}
	return strings.Join(list, ", ")
}

func joinLine(n *Join) string {
	s := string(n.Kind) + " join"
	for i, k := range n.Keys {
		op := " = "
		if k.NullSafe {
			op = " IS NOT DISTINCT FROM "
		}
		s += map[bool]string{true: " on ", false: ", "}[i == 0] + expr.String(k.Left) + op + expr.String(k.Right)
	}
	if n.Residual != nil {
		s += " where " + expr.String(n.Residual)
	}
	return s
}
