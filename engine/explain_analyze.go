package engine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/planner/dag"
)

// analysis shows the stages with what each operator did. Numbers come first, so
// that they stand in line however long an operator's text is.
func analysis(g *dag.Graph, report *task.Report, sum Summary) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "-- run: %s, %s and %s read, %s out, peak memory %s",
		human.Duration(sum.Elapsed), human.Count(sum.RowsRead, "row"), human.Bytes(sum.BytesRead),
		human.Count(sum.RowsOut, "row"), human.Bytes(sum.PeakMemory))
	if sum.Spilled > 0 {
		fmt.Fprintf(&sb, ", spilled %s", human.Bytes(sum.Spilled))
	}
	sb.WriteByte('\n')
	if sum.GroupsPruned > 0 {
		fmt.Fprintf(&sb, "%s passed over by statistics\n", human.Count(sum.GroupsPruned, "row group"))
	}
	if report == nil { // who ran the graph has measured no operators
		return sb.String() + g.String()
	}
	all := measurements(report)
	fmt.Fprintf(&sb, "  %-15s  %*s  %*s  %*s  operator\n", "share of time", all.time, "time", all.rows, "rows", all.bytes, "bytes")
	line := func(m *task.Meter, text string) {
		spent := time.Duration(m.Nanos.Load())
		fmt.Fprintf(&sb, "  %s  %*s  %*s  %*s  %s\n", bar(spent, all.total),
			all.time, human.Duration(spent), all.rows, human.Thousands(m.Rows.Load()), all.bytes, human.Bytes(m.Bytes.Load()), text)
	}
	labels := dag.Label(g)
	for i, st := range g.Stages {
		sb.WriteString(st.Title() + "\n")
		for j, text := range labels.Edges[i] {
			line(report.Edges[i][j], text)
		}
		st.Walk(func(before string, op int) { line(report.Ops[i][op], before+labels.Ops[i][op]) })
		placed(&sb, report, i)
	}
	return sb.String()
}

// placed shows what each task of a stage did, and where, if that was on several servers.
func placed(sb *strings.Builder, report *task.Report, stage int) {
	rows := [][]string{{"task", "node", "rows in", "rows out", "read", "time", "waited"}}
	for _, t := range report.Tasks {
		if t.Stage == stage {
			rows = append(rows, []string{
				strconv.Itoa(t.Task), t.Node, human.Thousands(t.In), human.Thousands(t.Out), human.Bytes(t.Bytes), human.Duration(t.Spent), human.Duration(t.Waited),
			})
		}
	}
	if len(rows) == 1 {
		return
	}
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for i, text := range r {
			widths[i] = max(widths[i], utf8.RuneCountInString(text))
		}
	}
	for _, r := range rows {
		for i, text := range r {
			fmt.Fprintf(sb, "  %*s", widths[i], text)
		}
		sb.WriteByte('\n')
	}
}

// measured is what the columns of an analysis need to know of all operators.
type measured struct {
	total             time.Duration
	time, rows, bytes int // widths
}

func measurements(report *task.Report) measured {
	all := measured{time: len("time"), rows: len("rows"), bytes: len("bytes")}
	for _, stage := range slices.Concat(report.Ops, report.Edges) {
		for _, m := range stage {
			spent := time.Duration(m.Nanos.Load())
			all.total += spent
			all.time = max(all.time, len(human.Duration(spent)))
			all.rows = max(all.rows, len(human.Thousands(m.Rows.Load())))
			all.bytes = max(all.bytes, len(human.Bytes(m.Bytes.Load())))
		}
	}
	return all
}

// barWidth is how many characters a bar has.
const barWidth = 10

// bar draws a share as a bar and a percentage.
func bar(part, of time.Duration) string {
	share := 0.0
	if of > 0 {
		share = float64(part) / float64(of)
	}
	full := min(barWidth, int(share*barWidth+0.5))
	return fmt.Sprintf("%s%s %3.0f%%", strings.Repeat("█", full), strings.Repeat("░", barWidth-full), share*100)
}
