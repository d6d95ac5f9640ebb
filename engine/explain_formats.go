package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/planner/dag"
)

// runJSON is what a run did, as EXPLAIN (format = 'json') tells it. Times are in
// microseconds, those of operators summed over their tasks.
type runJSON struct {
	Elapsed    int64      `json:"elapsed_us"`
	RowsRead   int64      `json:"rows_read"`
	BytesRead  int64      `json:"bytes_read"`
	RowsOut    int64      `json:"rows_out"`
	PeakMemory int64      `json:"peak_memory"`
	Spilled    int64      `json:"spilled"`
	Pruned     int64      `json:"row_groups_pruned"`
	Operators  [][]opJSON `json:"operators"` // by stage, then as in its ops
	Edges      [][]opJSON `json:"edges"`     // by stage, then as in its outputs
	Tasks      []taskJSON `json:"tasks,omitempty"`
}

// taskJSON is what a task did on one of several servers.
type taskJSON struct {
	Stage   int    `json:"stage"`
	Task    int    `json:"task"`
	Node    string `json:"node"`
	RowsIn  int64  `json:"rows_in"`
	RowsOut int64  `json:"rows_out"`
	Bytes   int64  `json:"bytes"`
	Time    int64  `json:"time_us"`
	Waited  int64  `json:"waited_us"`
}

func tasksJSON(report *task.Report) []taskJSON {
	var out []taskJSON
	for _, t := range report.Tasks {
		out = append(out, taskJSON{
			Stage: t.Stage, Task: t.Task, Node: t.Node, RowsIn: t.In, RowsOut: t.Out, Bytes: t.Bytes, Time: t.Spent.Microseconds(), Waited: t.Waited.Microseconds(),
		})
	}
	return out
}

type opJSON struct {
	RowsIn int64 `json:"rows_in,omitempty"`
	Rows   int64 `json:"rows"`
	Bytes  int64 `json:"bytes"`
	Time   int64 `json:"time_us"`
}

// planJSON is the wire form of a graph for people and programs, and what a run
// did, if there was one: report is nil if not.
func planJSON(g *dag.Graph, report *task.Report, sum Summary) (string, error) {
	b, err := dag.Encode(g)
	if err != nil {
		return "", err
	}
	var plan struct {
		Version int             `json:"version"`
		Stages  json.RawMessage `json:"stages"`
		Schema  json.RawMessage `json:"schema"`
		Run     *runJSON        `json:"run,omitempty"`
	}
	if err := json.Unmarshal(b, &plan); err != nil {
		return "", err
	}
	if report != nil {
		plan.Run = &runJSON{
			Elapsed: sum.Elapsed.Microseconds(), RowsRead: sum.RowsRead, BytesRead: sum.BytesRead, RowsOut: sum.RowsOut,
			PeakMemory: sum.PeakMemory, Spilled: sum.Spilled, Pruned: sum.GroupsPruned, Operators: metersJSON(report.Ops), Edges: metersJSON(report.Edges), Tasks: tasksJSON(report),
		}
	}
	out, err := json.MarshalIndent(plan, "", "  ")
	return string(out) + "\n", err
}

func metersJSON(report [][]*task.Meter) [][]opJSON {
	out := make([][]opJSON, len(report))
	for i, stage := range report {
		out[i] = []opJSON{}
		for _, m := range stage {
			out[i] = append(out[i], opJSON{
				RowsIn: m.Read.Load(), Rows: m.Rows.Load(), Bytes: m.Bytes.Load(),
				Time: time.Duration(m.Nanos.Load()).Microseconds(),
			})
		}
	}
	return out
}

// dot draws a graph for Graphviz, with rows and times if it has been run: report
// is nil if not.
func dot(g *dag.Graph, report *task.Report) string {
	var sb strings.Builder
	sb.WriteString("digraph plan {\n  rankdir=BT;\n  node [shape=box];\n")
	for _, st := range g.Stages {
		fmt.Fprintf(&sb, "  subgraph cluster_%d {\n    label=\"stage %d, tasks: %d\";\n", st.ID, st.ID, st.Tasks)
		for j, o := range st.Ops {
			label := dag.Describe(o.Spec)
			if report != nil {
				label += "\n" + measuredText(report.Ops[st.ID][j])
			}
			fmt.Fprintf(&sb, "    s%d_%d [label=%q];\n", st.ID, j, label)
			for _, in := range o.Inputs {
				fmt.Fprintf(&sb, "    s%d_%d -> s%d_%d;\n", st.ID, in, st.ID, j)
			}
		}
		sb.WriteString("  }\n")
	}
	for _, st := range g.Stages {
		for k, e := range st.Outputs {
			label := string(e.Kind)
			if report != nil {
				label += "\n" + measuredText(report.Edges[st.ID][k])
			}
			for j, o := range g.Stages[e.To].Ops {
				if r, ok := o.Spec.(*dag.Receive); ok && r.Edge == e.ID {
					fmt.Fprintf(&sb, "  s%d_%d -> s%d_%d [label=%q];\n", st.ID, len(st.Ops)-1, e.To, j, label)
				}
			}
		}
	}
	sb.WriteString("}\n")
	return sb.String()
}

func measuredText(m *task.Meter) string {
	return human.Count(m.Rows.Load(), "row") + ", " + human.Bytes(m.Bytes.Load()) + ", " + human.Duration(time.Duration(m.Nanos.Load()))
}
