package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
)

var newline = []byte{'\n'}

// chunks reads a split piece by piece. Each piece begins where a row does, but
// for the first, which may begin within one.
type chunks struct {
	src  *Source
	ctx  context.Context
	pool *pool

	split     connect.Split
	from, end int64          // the split
	pos       int64          // the next byte to look at
	mid       bool           // pos may lie within a row
	inQuote   bool           // and within quotes
	counts    connect.Counts // where the split's quotes and lines are published; nil: in the source's counters
	counted   bool           // they have been
	oriented  bool           // it is known what the split begins in
	announced bool
	want      int // bytes to read at least, where a row is long

	buf   *memory.Buffer // the chunk; nil when there is none
	data  []byte
	base  int64 // of data, in the file
	first int   // where its first row begins
	last  bool  // the file ends with it

	wantLines   bool
	linesAt     int64 // newlines have been counted up to here
	linesBefore int64
}

func newChunks(ctx context.Context, s *Source, split connect.Split, end int64, pool *pool, scan connect.Scan) chunks {
	from := split.Offset
	c := chunks{src: s, ctx: ctx, pool: pool, split: split, from: from, end: end, pos: from, mid: true, wantLines: s.wantLines(scan)}
	if from <= s.DataStart {
		c.pos, c.mid = s.DataStart, false
	}
	switch {
	case s.in.Size() < 0 || s.Probe:
	case scan.Counts != nil && s.Counts(scan):
		c.counts = scan.Counts
	default:
		c.announced = true
		c.eachCounter(func(k *Counter) { k.Announce(from, end) })
	}
	return c
}

// wantLines tells whether the lines of a scan's rows are counted as they are read.
func (s *Source) wantLines(scan connect.Scan) bool {
	return s.in.Size() < 0 || slices.ContainsFunc(scan.Columns, func(c connect.Column) bool { return c.Pseudo == connect.PseudoLine })
}

// eachCounter calls f with the counters that the scan needs.
func (c *chunks) eachCounter(f func(*Counter)) {
	if c.src.quotes != nil {
		f(c.src.quotes)
	}
	if c.wantLines {
		f(c.src.lines)
	}
}

// limit is where in the chunk the split ends: rows that begin from there on
// are another's.
func (c *chunks) limit() int { return int(min(c.end-c.base, math.MaxInt32)) }

// load reads the next chunk, or returns io.EOF after the last. Its buffer is
// c.buf, which drop or skipChunk releases.
func (c *chunks) load() (Chunk, error) {
	if err := c.ctx.Err(); err != nil {
		return Chunk{}, context.Cause(c.ctx)
	}
	if c.pos >= c.end {
		if err := c.publish(); err != nil {
			return Chunk{}, err
		}
		return Chunk{}, io.EOF
	}
	off := c.begins()
	if !c.adopt(off) {
		if err := c.read(off); err != nil {
			c.release()
			return Chunk{}, err
		}
	}
	if len(c.data) == 0 {
		c.release()
		c.end = c.pos
		return Chunk{}, io.EOF
	}
	if err := c.orient(); err != nil {
		c.release()
		return Chunk{}, err
	}
	return Chunk{Data: c.data, Mid: c.mid, InQuote: c.inQuote, Last: c.last}, nil
}

// begins is where the next chunk does.
func (c *chunks) begins() int64 {
	if c.mid && c.pos == c.from {
		return c.pos - 1 // whether a row begins at pos is told by the byte before it
	}
	return c.pos
}

// read fills the chunk from off on.
func (c *chunks) read(off int64) error {
	n := int64(max(ChunkBytes+lookahead, c.want))
	size := c.src.in.Size()
	if size >= 0 {
		n = min(n, max(c.end+lookahead-off, int64(c.want)), size-off)
	}
	c.buf = c.pool.buffer(int(n) + column.Padding)
	room := c.buf.Bytes()
	got, err := c.src.in.ReadAt(room[:n], off)
	switch {
	case errors.Is(err, io.EOF) && size < 0:
		c.last = true
	case errors.Is(err, io.EOF) && int64(got) < n:
		return &connect.Error{File: c.src.Display, Msg: "became shorter while it was read", Hint: "run the query again"}
	case err != nil && !errors.Is(err, io.EOF):
		return ReadError(err, c.src.Display)
	default:
		c.last = size >= 0 && off+n == size
	}
	clear(room[got : got+column.Padding])
	c.data = room[: got : got+column.Padding]
	c.base = off
	return nil
}

// orient publishes what the split holds and learns what the chunk begins in.
func (c *chunks) orient() error {
	if c.oriented {
		return nil
	}
	c.oriented = true
	if err := c.publish(); err != nil {
		return err
	}
	quotes, lines := c.mid && c.src.quotes != nil, c.wantLines
	c.linesAt = max(c.from, c.src.DataStart)
	var before connect.Tally
	var err error
	if c.counts != nil && c.from > c.src.DataStart { // what comes before the first row is little, and read already
		before, err = c.sumBefore()
	} else {
		if quotes {
			before.Quotes, err = c.src.quotes.Before(c.ctx, c.from)
		}
		if lines && err == nil {
			before.Lines, err = c.src.lines.Before(c.ctx, c.linesAt)
		}
	}
	if err != nil {
		return c.readError(err)
	}
	if quotes { // the chunk begins one byte before the split
		c.inQuote = before.Quotes&1 == 1 != (c.data[0] == byte(c.src.Quote))
	}
	c.linesBefore = before.Lines
	return nil
}

// publish counts the split, in the chunk if that holds it whole. It comes
// before any waiting: the counts of a split depend on no other.
func (c *chunks) publish() error {
	if c.counted {
		return nil
	}
	if c.counts != nil {
		t, err := c.tally()
		if err == nil {
			c.counted = true
			c.counts.Publish(c.split.Ordinal, t)
		}
		return c.readError(err) // and close withdraws the split
	}
	c.counted = true
	if !c.announced {
		return nil
	}
	var err error
	c.eachCounter(func(k *Counter) {
		var n int64
		if whole := c.whole(); whole != nil {
			n = int64(bytes.Count(whole, []byte{k.c}))
		} else if err == nil {
			n, err = Count(c.ctx, c.src.in, k.c, c.from, c.end)
		}
		if err == nil {
			k.Publish(c.from, c.end, n)
		}
	})
	return c.readError(err)
}

// whole is the bytes of the split if the chunk holds all of them, else nil.
func (c *chunks) whole() []byte {
	if c.buf == nil || c.base > c.from || c.base+int64(len(c.data)) < c.end {
		return nil
	}
	return c.data[c.from-c.base : c.end-c.base]
}

func (c *chunks) readError(err error) error {
	if err == nil || c.ctx.Err() != nil {
		return err
	}
	return ReadError(err, c.src.Display)
}

// begin notes where the chunk's first row begins.
func (c *chunks) begin(first int) { c.first, c.mid, c.inQuote = first, false, false }

// skipChunk passes over a chunk in which no row begins.
func (c *chunks) skipChunk(inQuote bool) {
	c.pos = c.base + int64(len(c.data))
	c.inQuote = inQuote
	if c.last {
		c.end = c.pos
	}
	if c.wantLines {
		c.advanceLines(c.pos)
	}
	c.release()
}

// drop is done with the chunk up to at, where the next row begins.
func (c *chunks) drop(at int) error {
	c.pos = c.base + int64(at)
	if c.wantLines {
		c.advanceLines(c.pos)
	}
	stuck := at == c.first && c.pos < c.end && !c.last
	if stuck && len(c.data) >= MaxRow {
		line := c.linesBefore + 1
		if !c.wantLines {
			line = c.src.Line(c.pos)
		}
		c.release()
		hint := "give its true format: (format = '…')"
		if c.src.Quote >= 0 {
			hint = "a quote may be left open; quote = '' turns quoting off"
		}
		return &connect.Error{File: c.src.Display, Line: line, Msg: fmt.Sprintf("row is longer than %d MB", MaxRow>>20), Hint: hint}
	}
	switch {
	case stuck:
		c.want = min(MaxRow, max(64<<10, 4*len(c.data)))
	case c.last && c.pos < c.end && c.src.in.Size() < 0:
		c.end = c.pos
	default:
		c.want = 0
	}
	if !c.src.Probe {
		c.src.in.Forget(c.pos)
	}
	c.release()
	return nil
}

// advanceLines counts newlines up to off, which lies in the chunk.
func (c *chunks) advanceLines(off int64) {
	if off > c.linesAt {
		c.linesBefore += int64(bytes.Count(c.data[c.linesAt-c.base:off-c.base], newline))
		c.linesAt = off
	}
}

func (c *chunks) release() {
	if c.buf != nil {
		c.buf.Release()
		c.buf, c.data = nil, nil
	}
}

func (c *chunks) close() {
	c.release()
	if c.counts != nil && !c.counted {
		c.counted = true
		c.counts.Withdraw(c.split.Ordinal)
	}
	if c.announced {
		c.announced = false
		c.eachCounter(func(k *Counter) { k.Withdraw(c.from, c.end) })
	}
}
