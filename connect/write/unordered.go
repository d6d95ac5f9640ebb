package write

import (
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
)

// unordered is a file whose rows have no order: each task has a piece of its
// own. What is too little for one goes into a piece of all.
type unordered struct {
	*made
	place int64 // of that piece

	mu   sync.Mutex
	left int    // tasks that go on
	rest []byte // of the others
}

func newUnordered(m *made, tasks []int) *unordered {
	return &unordered{made: m, place: int64(slices.Min(tasks)), left: len(tasks)}
}

// end takes what a task has not written, and writes it with that of the others once they all have ended.
func (u *unordered) end(text []byte) (err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.rest = append(u.rest, text...)
	if u.left--; u.left > 0 {
		return nil
	}
	out := u.First
	if out == nil {
		if len(u.rest) == 0 {
			return nil
		}
		if out, err = u.begin(u.place); err != nil {
			return err
		}
	}
	if _, err := out.Write(u.rest); err != nil {
		return err
	}
	u.rest = nil
	return out.End()
}

// Task implements connect.Shared.
func (u *unordered) Task(task int) (connect.Share, error) {
	r, err := u.rows()
	if err != nil {
		return nil, err
	}
	t := &unorderedTask{rows: r, u: u, task: task}
	if task == 0 {
		t.out = u.First
	}
	return t, nil
}

// Commit implements connect.Shared.
func (u *unordered) Commit() error { return u.commit() }

// unorderedTask is the share of a task.
type unorderedTask struct {
	rows
	u    *unordered
	task int
	out  Piece // nil: there was too little for one
}

// Write implements connect.Share.
func (t *unorderedTask) Write(cols []arrow.Array, n, _ int) error { return t.add(cols, n, t.flush) }

func (t *unorderedTask) flush() (err error) {
	if t.out == nil {
		if t.out, err = t.u.begin(int64(t.task)); err != nil {
			return err
		}
	}
	_, err = t.out.Write(t.buf)
	t.buf = t.buf[:0]
	return err
}

// EndSplit implements connect.Share.
func (*unorderedTask) EndSplit(int) error { return nil }

// End implements connect.Share.
func (t *unorderedTask) End() error {
	rest := t.buf
	if t.buf = nil; t.out != nil && t.out != t.u.First { // which takes what others have left
		if _, err := t.out.Write(rest); err != nil {
			return err
		}
		rest = nil
		if err := t.out.End(); err != nil {
			return err
		}
	}
	return t.u.end(rest)
}
