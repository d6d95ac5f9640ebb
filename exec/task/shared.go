package task

import (
	"context"
	"sync"

	"github.com/rainsql/rainsql/connect"
)

// Shared hands out the splits of a scan to the tasks of several processes, and
// adds up what their readers publish. It implements Splits and connect.Counts.
// It is safe for concurrent use.
type Shared struct {
	inOrder

	counting sync.Mutex
	splits   []shared
	changed  chan struct{} // closed when a count is there, or given up, or a split taken
}

// shared is what is known of a split.
type shared struct {
	first  int           // of its file
	taken  bool          // whoever has it is about to count it
	done   bool          // it has been counted
	summed bool          // before is known
	tally  connect.Tally // of the split
	before connect.Tally // of those of its file before it
}

// NewShared hands out splits in their order.
func NewShared(splits []connect.Split) *Shared {
	s := &Shared{inOrder: inOrder{ended: make([]bool, len(splits))}, splits: make([]shared, len(splits)), changed: make(chan struct{})}
	for i, split := range splits {
		s.splits[i].first, s.splits[i].summed = split.First, split.First == i
	}
	return s
}

// Take implements Splits.
func (s *Shared) Take(ctx context.Context, most int) ([]int, error) {
	list, err := s.inOrder.Take(ctx, most)
	s.Taken(list...)
	return list, err
}

// Taken says that somebody has splits who is about to count them. Take says it, too: this is for who hands them out in another order.
func (s *Shared) Taken(splits ...int) {
	s.counting.Lock()
	defer s.counting.Unlock()
	for _, at := range splits {
		s.splits[at].taken = true
	}
	s.wake()
}

// Publish implements connect.Counts.
func (s *Shared) Publish(split int, t connect.Tally) {
	s.counting.Lock()
	defer s.counting.Unlock()
	if split < 0 || split >= len(s.splits) || s.splits[split].done {
		return
	}
	s.splits[split].tally, s.splits[split].done = t, true
	for i := split; i+1 < len(s.splits); i++ {
		one, next := &s.splits[i], &s.splits[i+1]
		if !one.done || !one.summed || next.summed {
			break
		}
		next.before, next.summed = one.before.Add(one.tally), true
	}
	s.wake()
}

// Withdraw implements connect.Counts.
func (s *Shared) Withdraw(split int) {
	s.counting.Lock()
	defer s.counting.Unlock()
	if split >= 0 && split < len(s.splits) {
		s.splits[split].taken = false
		s.wake()
	}
}

// wake is called with the lock held.
func (s *Shared) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// Before implements connect.Counts.
func (s *Shared) Before(ctx context.Context, split int) (t connect.Tally, upto int, err error) {
	for {
		t, upto, changed := s.before(split)
		if changed == nil {
			return t, upto, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return connect.Tally{}, 0, context.Cause(ctx)
		}
	}
}

// before is Before as it stands, or what to wait for.
func (s *Shared) before(split int) (t connect.Tally, upto int, changed <-chan struct{}) {
	s.counting.Lock()
	defer s.counting.Unlock()
	at := min(max(split, 0), len(s.splits)-1)
	for !s.splits[at].summed { // the first of a file is
		at--
	}
	if at < split && s.splits[at].taken && !s.splits[at].done {
		changed = s.changed
	}
	return s.splits[at].before, at, changed
}
