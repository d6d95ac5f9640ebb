package scan

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"slices"
	"sync"
)

// Counter knows how often a byte occurs in a file before an offset. Readers of
// splits publish what they count, so that a file read in splits is counted
// once; what no one has announced it counts itself. Safe for concurrent use.
type Counter struct {
	in io.ReaderAt
	c  byte

	mu      sync.Mutex
	known   []known            // ascending; the first is the beginning of the file
	pending map[int64]*segment // by where they end
}

// known is how often the byte occurs before an offset.
type known struct{ off, count int64 }

// segment is a range of the file that some reader counts or has counted.
type segment struct {
	from  int64
	count int64
	owner int           // readers that have announced it and not withdrawn
	done  chan struct{} // closed when counted, or given up by all of them
	ready bool
}

// NewCounter returns a counter of the byte c in the file.
func NewCounter(in io.ReaderAt, c byte) *Counter {
	return &Counter{in: in, c: c, known: []known{{}}, pending: map[int64]*segment{}}
}

// Announce says that the range will be published, or withdrawn.
func (k *Counter) Announce(from, to int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.pending[to]
	if s == nil {
		s = &segment{from: from, done: make(chan struct{})}
		k.pending[to] = s
	}
	if s.from == from {
		s.owner++
	}
}

// Publish tells how often the byte occurs in the range.
func (k *Counter) Publish(from, to, count int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if i, ok := k.find(from); ok {
		k.learn(to, k.known[i].count+count)
	}
	if s := k.pending[to]; s != nil && s.from == from && !s.ready {
		s.count, s.ready = count, true
		close(s.done)
	}
}

// Withdraw takes an announcement back; it must follow every Announce, also
// after Publish. Whoever waited for a range that no one counts, counts it.
func (k *Counter) Withdraw(from, to int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.pending[to]
	if s == nil || s.from != from {
		return
	}
	if s.owner--; s.owner == 0 && !s.ready {
		delete(k.pending, to)
		close(s.done)
	}
}

// Before returns how often the byte occurs before off. It waits for ranges
// that are announced, and reads those that are not.
func (k *Counter) Before(ctx context.Context, off int64) (int64, error) {
	for {
		st := k.resolve(off)
		switch {
		case st.ok:
			return st.count, nil
		case st.wait != nil:
			select {
			case <-st.wait:
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			}
		default:
			n, err := Count(ctx, k.in, k.c, st.from.off, st.to)
			if err != nil {
				return 0, err
			}
			if st.to == off {
				k.remember(off, st.from.off, st.from.count+n)
				return st.from.count + n, nil
			}
			k.mu.Lock()
			k.learn(st.to, st.from.count+n)
			k.mu.Unlock()
		}
	}
}

// worthKeeping is how far apart places must be to be remembered that no range
// ends at: rows that errors point to come in any number.
const worthKeeping = 64 << 10

func (k *Counter) remember(off, from, count int64) {
	if off-from < worthKeeping {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.learn(off, count)
}

// status is what is known of a place: its count, or whom to wait for, or what
// range to read first.
type status struct {
	ok    bool
	count int64
	wait  <-chan struct{}
	from  known
	to    int64
}

// resolve walks back from off over counted ranges to a known place.
func (k *Counter) resolve(off int64) status {
	k.mu.Lock()
	defer k.mu.Unlock()
	sum, at := int64(0), off
	for {
		i, ok := k.find(at)
		if ok {
			if at != off {
				k.learn(off, k.known[i].count+sum)
			}
			return status{ok: true, count: k.known[i].count + sum}
		}
		s := k.pending[at]
		switch {
		case s == nil:
			return status{from: k.known[i-1], to: at}
		case !s.ready:
			return status{wait: s.done}
		}
		sum += s.count
		at = s.from
	}
}

// find returns the place of off among the known ones, or where it would be.
func (k *Counter) find(off int64) (int, bool) {
	if last := len(k.known) - 1; off > k.known[last].off {
		return last + 1, false
	}
	return slices.BinarySearchFunc(k.known, off, func(p known, off int64) int { return cmp.Compare(p.off, off) })
}

func (k *Counter) learn(off, count int64) {
	if i, ok := k.find(off); !ok {
		k.known = slices.Insert(k.known, i, known{off, count})
	}
}

// Count reads a range and counts the byte c in it.
func Count(ctx context.Context, in io.ReaderAt, c byte, from, to int64) (int64, error) {
	n := int64(0)
	err := pieces(ctx, in, from, to, func(part []byte) { n += int64(bytes.Count(part, []byte{c})) })
	return n, err
}

// pieces reads a range piece by piece.
func pieces(ctx context.Context, in io.ReaderAt, from, to int64, f func([]byte)) error {
	buf := make([]byte, min(256<<10, max(to-from, 0)))
	for from < to {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		part := buf[:min(int64(len(buf)), to-from)]
		got, err := in.ReadAt(part, from)
		f(part[:got])
		from += int64(got)
		if got < len(part) {
			return err
		}
	}
	return nil
}
