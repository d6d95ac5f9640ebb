package scan

import (
	"bytes"
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
)

// ahead is chunks of splits that have been counted and not opened yet. Safe for concurrent use.
type ahead struct {
	mu     sync.Mutex
	chunks map[int]counted // by the split's position
	closed bool
}

// counted is a chunk that holds a split whole, as read has it.
type counted struct {
	buf  *memory.Buffer
	data []byte
	base int64
	last bool
}

func (a *ahead) put(split int, c counted) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed || a.chunks[split].buf != nil {
		c.buf.Release()
		return
	}
	if a.chunks == nil {
		a.chunks = map[int]counted{}
	}
	a.chunks[split] = c
}

func (a *ahead) take(split int) (counted, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	c, ok := a.chunks[split]
	delete(a.chunks, split)
	return c, ok
}

func (a *ahead) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	for _, c := range a.chunks {
		c.buf.Release()
	}
	a.chunks = nil
}

// Counts implements connect.Counting.
func (s *Source) Counts(scan connect.Scan) bool {
	return s.in.Size() >= 0 && !s.Whole && (s.quotes != nil || s.wantLines(scan))
}

// Count implements connect.Counting.
func (s *Source) Count(ctx context.Context, split connect.Split, scan connect.Scan, keep bool) {
	end, ok := s.end(split)
	if !ok || scan.Counts == nil || !s.Counts(scan) {
		return // Open tells what is wrong
	}
	c := newChunks(ctx, s, split, end, s.pools.of(scan.Alloc), scan)
	defer c.close()
	if keep && end-split.Offset <= ChunkBytes && c.pos < c.end && c.read(c.begins()) != nil {
		return
	}
	if c.publish() == nil && c.whole() != nil {
		s.ahead.put(split.Ordinal, counted{c.buf, c.data, c.base, c.last})
		c.buf = nil
	}
}

// adopt makes the chunk from off on of what was counted before, if it was.
func (c *chunks) adopt(off int64) bool {
	if c.counts == nil || c.oriented {
		return false
	}
	got, ok := c.src.ahead.take(c.split.Ordinal)
	if !ok {
		return false
	}
	c.buf, c.data, c.base, c.last, c.counted = got.buf, got.data, got.base, got.last, true
	if c.base != off { // it was not for this split
		c.release()
		return false
	}
	return true
}

// tally counts what others must know of the split.
func (c *chunks) tally() (connect.Tally, error) {
	if whole := c.whole(); whole != nil {
		return c.tallyOf(whole), nil
	}
	return c.tallyAt(c.from, c.end)
}

// tallyAt is tally of a range that is read for it.
func (c *chunks) tallyAt(from, to int64) (t connect.Tally, err error) {
	err = pieces(c.ctx, c.src.in, from, to, func(part []byte) { t = t.Add(c.tallyOf(part)) })
	return t, err
}

func (c *chunks) tallyOf(data []byte) (t connect.Tally) {
	if c.src.quotes != nil {
		t.Quotes = int64(bytes.Count(data, []byte{byte(c.src.Quote)}))
	}
	if c.wantLines {
		t.Lines = int64(bytes.Count(data, newline))
	}
	return t
}

// sumBefore is what the splits before this one hold. What nobody else counts is counted here.
func (c *chunks) sumBefore() (connect.Tally, error) {
	for {
		t, upto, err := c.counts.Before(c.ctx, c.split.Ordinal)
		if err != nil || upto >= c.split.Ordinal {
			return t, err
		}
		each := c.split.Offset / int64(c.split.Ordinal-c.split.First) // all but the last of a file are of one size
		from := each * int64(upto-c.split.First)
		if t, err = c.tallyAt(from, from+each); err != nil {
			return t, err
		}
		c.counts.Publish(upto, t)
	}
}
