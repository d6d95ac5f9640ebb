package engine

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/planner/logical"
)

// explain shows a query at each hop: as bound, as optimised, as stages. With
// ANALYZE it runs the query, writing nothing but what INTO and TEE write, and
// counts what passed each operator.
func (s *Session) explain(ctx context.Context, f *files, m *analyze.Explain, h Handler) error {
	bound := logical.String(m.Plan)
	var rules []string
	plan, g, err := s.plan(m.Plan, func(rule string, _ *logical.Sink) { rules = append(rules, rule) })
	if err != nil {
		return err
	}
	var report task.Report
	var sum Summary
	if m.Analyze {
		if sum, report, err = s.execute(ctx, f, g, nil, h, true); err != nil {
			return err
		}
	}
	switch m.Format {
	case "json":
		b, err := dag.Encode(g)
		if err != nil {
			return err
		}
		var out bytes.Buffer
		if err := json.Indent(&out, b, "", "  "); err != nil {
			return err
		}
		return h.Text(out.String() + "\n")
	case "dot":
		return h.Text(dot(g))
	}
	var sb strings.Builder
	sb.WriteString("-- logical plan\n" + bound)
	sb.WriteString("\n-- optimised plan")
	if len(rules) > 0 {
		sb.WriteString(" (" + strings.Join(rules, ", ") + ")")
	}
	sb.WriteString("\n" + logical.String(plan))
	sb.WriteString("\n-- stages\n" + g.String())
	if m.Analyze {
		sb.WriteString(analysis(g, report, sum))
	}
	return h.Text(sb.String())
}

// analysis tells what passed each operator. The time of an operator holds that of those it feeds.
func analysis(g *dag.Graph, report task.Report, sum Summary) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "\n-- run: %s, %s read, %s out\n", sum.Elapsed.Round(10*time.Microsecond), human.Count(sum.RowsRead, "row"), human.Count(sum.RowsOut, "row"))
	if sum.GroupsPruned > 0 {
		fmt.Fprintf(&sb, "%s passed over by statistics\n", human.Count(sum.GroupsPruned, "row group"))
	}
	for i, st := range g.Stages {
		fmt.Fprintf(&sb, "stage %d\n", i)
		for j, o := range st.Ops {
			m := report[i][j]
			fmt.Fprintf(&sb, "  %-10s %14s rows in %9d batches %12s\n", dag.Name(o.Spec), human.Thousands(m.Rows.Load()), m.Batches.Load(),
				time.Duration(m.Nanos.Load()).Round(time.Microsecond))
		}
	}
	return sb.String()
}

// dot draws a graph for Graphviz.
func dot(g *dag.Graph) string {
	var sb strings.Builder
	sb.WriteString("digraph plan {\n  rankdir=BT;\n  node [shape=box];\n")
	for _, st := range g.Stages {
		fmt.Fprintf(&sb, "  subgraph cluster_%d {\n    label=\"stage %d, tasks: %d\";\n", st.ID, st.ID, st.Tasks)
		for j, o := range st.Ops {
			fmt.Fprintf(&sb, "    s%d_%d [label=%q];\n", st.ID, j, dag.Describe(o.Spec))
			for _, in := range o.Inputs {
				fmt.Fprintf(&sb, "    s%d_%d -> s%d_%d;\n", st.ID, in, st.ID, j)
			}
		}
		sb.WriteString("  }\n")
	}
	for _, st := range g.Stages {
		for _, e := range st.Outputs {
			for j, o := range g.Stages[e.To].Ops {
				if r, ok := o.Spec.(*dag.Receive); ok && r.Edge == e.ID {
					fmt.Fprintf(&sb, "  s%d_%d -> s%d_%d [label=%q];\n", st.ID, len(st.Ops)-1, e.To, j, string(e.Kind))
				}
			}
		}
	}
	sb.WriteString("}\n")
	return sb.String()
}

// ExplainScript explains every query of a script; its other statements run.
func (s *Session) ExplainScript(ctx context.Context, file, src string, analyze bool, format string, h Handler) error {
	return s.Run(ctx, file, src, &explaining{Handler: h, analyze: analyze, format: format})
}

// explaining is a handler whose session explains queries instead of running them.
type explaining struct {
	Handler
	analyze bool
	format  string
}
