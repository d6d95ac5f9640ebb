package task

import (
	"context"
	"sync"
	"time"

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
	hurry    bool          // nobody is waited for any more to take a split
}

// shared is what is known of a split.
type shared struct {
	first  int           // of its file
	taken  bool          // whoever has it is about to count it
	left   bool          // or would have been
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
func (s *Shared) Take(ctx context.Context, most int) (Taken, error) {
	got, err := s.inOrder.Take(ctx, most)
	s.Taken(got.Splits...)
	return got, err
}

// Taken says that somebody has splits who is about to count them. Take says it, too: this is for who hands them out in another order.
func (s *Shared) Taken(splits ...int) {
	s.counting.Lock()
	defer s.counting.Unlock()
	for _, at := range splits {
		s.splits[at].taken, s.splits[at].left = true, false
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
		s.splits[split].taken, s.splits[split].left = false, true
		s.wake()
	}
}

// wake is called with the lock held.
func (s *Shared) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

// patience is how long somebody is waited for to take a split that others have passed by.
const patience = 3 * time.Second

// Before implements connect.Counts.
func (s *Shared) Before(ctx context.Context, split int) (connect.Tally, int, error) {
	var late <-chan time.Time
	for last := -1; ; {
		t, upto, changed, free := s.before(split)
		switch {
		case changed == nil:
			return t, upto, nil
		case !free:
			late = nil
		case late == nil || upto != last:
			late = time.After(patience)
		}
		last = upto
		select {
		case <-changed:
		case <-late:
			s.counting.Lock()
			s.hurry = true
			s.counting.Unlock()
		case <-ctx.Done():
			return connect.Tally{}, 0, context.Cause(ctx)
		}
	}
}

// before is Before as it stands, or what to wait for; free tells that nobody has taken what that is about.
func (s *Shared) before(split int) (t connect.Tally, upto int, changed <-chan struct{}, free bool) {
	s.counting.Lock()
	defer s.counting.Unlock()
	at := min(max(split, 0), len(s.splits)-1)
	for !s.splits[at].summed { // the first of a file is
		at--
	}
	one := &s.splits[at]
	if at < split && !one.done && (one.taken || !one.left && !s.hurry) {
		changed = s.changed
	}
	return one.before, at, changed, !one.taken
}
