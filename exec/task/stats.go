package task

import (
	"sync/atomic"

	"github.com/rainsql/rainsql/connect"
)

// Stats is what a query has done so far. It may be read while the query runs.
type Stats struct {
	Bytes, Rows     atomic.Int64 // read by scans
	Made            atomic.Int64 // rows that range() made
	Skipped, Nulled atomic.Int64 // rows touched by on_error
	Pruned          atomic.Int64 // row groups passed over by their statistics
	Written         []Written    // by sinks, once the query has succeeded

	covered, total atomic.Int64 // bytes of splits
	endless        atomic.Bool  // a split has no known length
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
