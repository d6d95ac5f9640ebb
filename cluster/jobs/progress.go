package jobs

import (
	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/exec/task"
)

// ProgressOf is what a query has done, as the wire has it.
func ProgressOf(s task.Snapshot) *api.Progress {
	m := &api.Progress{
		Bytes: s.Bytes, Rows: s.Rows, Made: s.Made, Skipped: s.Skipped, Nulled: s.Nulled, Pruned: s.Pruned, Covered: s.Covered, Total: s.Total, Endless: s.Endless,
	}
	for _, w := range s.Written {
		m.Written = append(m.Written, &api.Written{Path: w.Path, Rows: w.Rows})
	}
	return m
}

// SnapshotOf reads it off the wire.
func SnapshotOf(m *api.Progress) task.Snapshot {
	s := task.Snapshot{
		Bytes: m.GetBytes(), Rows: m.GetRows(), Made: m.GetMade(), Skipped: m.GetSkipped(), Nulled: m.GetNulled(), Pruned: m.GetPruned(),
		Covered: m.GetCovered(), Total: m.GetTotal(), Endless: m.GetEndless(),
	}
	for _, w := range m.GetWritten() {
		s.Written = append(s.Written, task.Written{Path: w.GetPath(), Rows: w.GetRows()})
	}
	return s
}

// sum is what parts have done together. The most that they held at some moment is no more than the sum of the most of each.
func sum(parts []*api.Progress) *api.Progress {
	var all task.Snapshot
	var held, peak, spilled int64
	for _, m := range parts {
		all = all.Add(SnapshotOf(m))
		held, peak, spilled = held+m.GetMemory(), peak+m.GetPeak(), spilled+m.GetSpilled()
	}
	m := ProgressOf(all)
	m.Memory, m.Peak, m.Spilled = held, peak, spilled
	return m
}
