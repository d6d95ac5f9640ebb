package link

import (
	"sync/atomic"
	"time"
)

// Stats counts what passed an end of a link. It may be read while the link is in use, and shared by several.
type Stats struct {
	Frames atomic.Int64 // sent by an Out, received by Serve: batches, ends of splits and of producers
	Bytes  atomic.Int64 // of those
	Waited atomic.Int64 // nanoseconds that the producers of an Out waited for credit, all together
}

func (s *Stats) frame(bytes int) {
	if s != nil {
		s.Frames.Add(1)
		s.Bytes.Add(int64(bytes))
	}
}

func (s *Stats) waits() func() {
	if s == nil {
		return func() {}
	}
	begin := time.Now()
	return func() { s.Waited.Add(int64(time.Since(begin))) }
}
