package task

import (
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rainsql/rainsql/connect"
)

// Stats is what a query has done so far. It may be read while the query runs.
// Of a query that runs elsewhere Set tells it.
type Stats struct {
	Bytes, Rows     atomic.Int64 // read by scans
	Made            atomic.Int64 // rows that range() made
	Skipped, Nulled atomic.Int64 // rows touched by on_error
	Pruned          atomic.Int64 // row groups passed over by their statistics

	covered, total atomic.Int64 // bytes of splits
	endless        atomic.Bool  // a split has no known length

	mu      sync.Mutex
	written []Written
}

// Snapshot is what Stats say at one moment: plain data, which can travel. Those
// of the parts of a query add up to its own.
type Snapshot struct {
	Bytes, Rows     int64
	Made            int64
	Skipped, Nulled int64
	Pruned          int64
	Covered, Total  int64 // as Stats.Covered has them, but for Endless
	Endless         bool  // Total is not all there is to read: the length of something is not known
	Written         []Written
}

// Add is what two parts of a query have done together.
func (s Snapshot) Add(o Snapshot) Snapshot {
	return Snapshot{
		Bytes: s.Bytes + o.Bytes, Rows: s.Rows + o.Rows, Made: s.Made + o.Made,
		Skipped: s.Skipped + o.Skipped, Nulled: s.Nulled + o.Nulled, Pruned: s.Pruned + o.Pruned,
		Covered: s.Covered + o.Covered, Total: s.Total + o.Total, Endless: s.Endless || o.Endless,
		Written: addWritten(s.Written, o.Written...),
	}
}

// Snapshot tells what has been done at this moment.
func (s *Stats) Snapshot() Snapshot {
	return Snapshot{
		Bytes: s.Bytes.Load(), Rows: s.Rows.Load(), Made: s.Made.Load(),
		Skipped: s.Skipped.Load(), Nulled: s.Nulled.Load(), Pruned: s.Pruned.Load(),
		Covered: s.covered.Load(), Total: s.total.Load(), Endless: s.endless.Load(), Written: s.Written(),
	}
}

// Set makes the stats say what a snapshot does. Others may read them meanwhile.
func (s *Stats) Set(to Snapshot) {
	s.Bytes.Store(to.Bytes)
	s.Rows.Store(to.Rows)
	s.Made.Store(to.Made)
	s.Skipped.Store(to.Skipped)
	s.Nulled.Store(to.Nulled)
	s.Pruned.Store(to.Pruned)
	s.covered.Store(to.Covered)
	s.total.Store(to.Total)
	s.endless.Store(to.Endless)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = slices.Clone(to.Written)
}

// Written lists what sinks wrote, once the query has succeeded.
func (s *Stats) Written() []Written {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.written)
}

func (s *Stats) wrote(w Written) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = addWritten(s.written, w)
}

// addWritten adds what was written to a list, which has each file once.
func addWritten(list []Written, more ...Written) []Written {
	list = slices.Clone(list)
	for _, w := range more {
		if at := slices.IndexFunc(list, func(have Written) bool { return have.Path == w.Path }); at >= 0 {
			list[at].Rows += w.Rows
		} else {
			list = append(list, w)
		}
	}
	return list
}

// Covered is how many bytes of its files a query has read or passed over, and
// how many there are, -1 where that is not known: of Parquet with few of its
// columns asked for little is read, and all is covered.
func (s *Stats) Covered() (done, total int64) {
	if s.endless.Load() {
		return s.covered.Load(), -1
	}
	return s.covered.Load(), s.total.Load()
}

// expect adds the splits of a source to what there is to read.
func (s *Stats) expect(splits []connect.Split) {
	for _, sp := range splits {
		n, known := length(sp)
		s.total.Add(n)
		if !known {
			s.endless.Store(true)
		}
	}
}

// length is how many bytes of its file a split is, compressed ones if it is.
func length(sp connect.Split) (n int64, known bool) {
	if sp.Length < 0 {
		return sp.Packed, sp.Packed > 0
	}
	return sp.Length, true
}
