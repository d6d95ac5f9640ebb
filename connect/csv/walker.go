package csv

import (
	"bytes"
	"fmt"
	"math"
	"math/bits"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/scan"
)

// walker finds rows and fields over the masks of a chunk.
type walker struct {
	dialect
	width int   // fields a row must have
	cols  []int // those to locate, ascending
	// special is the first byte of fields that are not plain, 256 if there are none.
	special int
	m       *masks
	data    []byte
	last    bool
	pos     int         // where the next row begins
	bad     int         // the place of fault; beyond every byte if there is none
	fault   *scan.Fault // a quote that is out of place
}

func newWalker(d dialect, width int, cols []int) *walker {
	w := &walker{dialect: d, width: width, cols: cols, special: 256, m: maskPool.Get().(*masks)}
	if d.quoting {
		w.special = int(d.quote)
	}
	return w
}

// Close gives the masks back.
func (w *walker) Close() {
	if w.m != nil {
		maskPool.Put(w.m)
		w.m, w.data = nil, nil
	}
}

// At is where the next row begins.
func (w *walker) At() int { return w.pos }

// Begin classifies the chunk.
func (w *walker) Begin(c scan.Chunk) scan.Begun {
	w.data, w.last = c.Data, c.Last
	w.fault, w.bad = nil, math.MaxInt
	n := len(c.Data)
	blocks := n/blockBytes + 1 // one byte more, for the newline that a last line may lack
	w.m.resize(blocks)
	quote := w.quote
	if !w.quoting {
		quote = '\n' // any byte: the mask is not looked at
	}
	sum := classify(c.Data[:blocks*blockBytes], w.sep, quote, w.m)
	r := resolver{walker: w, start: 0}
	if c.Mid {
		r.start = -1
	}
	switch {
	case w.quoting && (sum.quote != 0 || c.InQuote):
		r.inQuote = c.InQuote
		r.run()
	case c.Mid:
		r.firstNewline()
	}
	if c.Last && n > 0 && !r.inQuote && c.Data[n-1] != '\n' {
		w.m.nl[n/blockBytes] |= 1 << (n % blockBytes)
	}
	w.pos = max(r.start, 0)
	return scan.Begun{Start: r.start, High: sum.high != 0, InQuote: r.inQuote}
}

// findEnd returns where the row that begins at p ends, its newline, and how
// many separators it has; ok is false if the chunk does not hold its end.
func (w *walker) findEnd(p int) (end, seps int, ok bool) {
	b := p / blockBytes
	from := ^uint64(0) << (p % blockBytes)
	sep, nl := w.m.sep[b]&from, w.m.nl[b]&from
	for nl == 0 {
		seps += bits.OnesCount64(sep)
		b++
		if b >= len(w.m.nl) {
			return 0, 0, false
		}
		sep, nl = w.m.sep[b], w.m.nl[b]
	}
	k := bits.TrailingZeros64(nl)
	return b*blockBytes + k, seps + bits.OnesCount64(sep&(1<<k-1)), true
}

// Rows locates the wanted fields of up to max rows.
func (w *walker) Rows(out *column.Spans, max, limit int) (more bool, err error) {
	out.Rows = 0
	p := w.pos
	for out.Rows < max {
		if p >= limit || p >= len(w.data) {
			w.pos = p
			return false, nil
		}
		end, seps, ok := w.findEnd(p)
		if !ok || end > w.bad {
			w.pos = p
			return false, w.unfinished()
		}
		if seps != w.width-1 {
			keep, err := w.misshapen(out, p, end, seps)
			if err != nil {
				w.pos = p
				return false, err
			}
			if keep {
				w.pad(out, p, end)
			}
		} else {
			w.locate(out, p, end)
		}
		p = end + 1
	}
	w.pos = p
	return true, nil
}

// unfinished returns the fault that lies in the row at hand, if any.
func (w *walker) unfinished() error {
	if w.fault != nil {
		return w.fault
	}
	return nil
}

// Count passes over all rows before limit.
func (w *walker) Count(out *column.Spans, limit int) (rows int, err error) {
	p := w.pos
	for p < limit && p < len(w.data) {
		end, seps, ok := w.findEnd(p)
		if !ok || end > w.bad {
			err = w.unfinished()
			break
		}
		keep := true
		if seps != w.width-1 {
			if keep, err = w.misshapen(out, p, end, seps); err != nil {
				break
			}
		}
		if keep {
			rows++
		}
		p = end + 1
	}
	w.pos = p
	return rows, err
}

// misshapen deals with a row that has the wrong number of fields: keep says
// that it is to be padded or cut, otherwise it is left out.
func (w *walker) misshapen(out *column.Spans, p, end, seps int) (keep bool, err error) {
	if end == p || end == p+1 && w.data[p] == '\r' {
		return false, nil // a blank line
	}
	switch w.policy {
	case connect.SkipRows:
		out.Skipped++
		return false, nil
	case connect.Nullify:
		out.Nulled++
		return true, nil
	}
	hint := "on_error = 'skip' leaves such rows out, on_error = 'null' fills them up"
	if w.quoting && bytes.IndexByte(w.data[p:end], w.quote) >= 0 {
		hint += ", quote = '' turns quoting off"
	}
	if w.width == 1 && w.other != "" {
		hint = fmt.Sprintf("if %s separates the fields, write (delimiter = '%[1]s') behind the file's name", w.other)
	}
	return false, &scan.Fault{At: p, Err: connect.Error{
		Msg: fmt.Sprintf("row has %s, expected %d", plural(seps+1, "field"), w.width), Hint: hint,
	}}
}

func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// locate notes the wanted fields of the row from p to its newline at end,
// which has as many as it should.
func (w *walker) locate(out *column.Spans, p, end int) {
	row := out.Rows
	out.Starts[row] = uint32(p)
	out.Rows++
	b := p / blockBytes
	seps, data := w.m.sep, w.data
	sep := seps[b] & (^uint64(0) << (p % blockBytes))
	start, passed := p, 0
	for k, col := range w.cols {
		if skip := col - passed; skip > 0 {
			for n := bits.OnesCount64(sep); n < skip; n = bits.OnesCount64(sep) {
				skip -= n
				b++
				sep = seps[b]
			}
			for ; skip > 1; skip-- {
				sep &= sep - 1
			}
			start = b*blockBytes + bits.TrailingZeros64(sep) + 1
			sep &= sep - 1
		}
		if col == w.width-1 {
			stop := end
			if stop > start && data[stop-1] == '\r' {
				stop--
			}
			out.Cols[k][row] = w.field(start, stop)
			return
		}
		for sep == 0 {
			b++
			sep = seps[b]
		}
		stop := b*blockBytes + bits.TrailingZeros64(sep)
		sep &= sep - 1
		// The common case of field, in place: a call for each costs a tenth of the scan.
		if start < stop && int(data[start]) != w.special && w.null == nil {
			out.Cols[k][row] = column.Of(start, stop, column.Plain)
		} else {
			out.Cols[k][row] = w.field(start, stop)
		}
		start, passed = stop+1, col+1
	}
}

// field makes the span of data[start:end].
func (w *walker) field(start, end int) column.Span {
	if start == end {
		return column.Missing
	}
	if w.quoting && w.data[start] == w.quote && end-start >= 2 {
		kind := column.Quoted
		if bytes.IndexByte(w.data[start+1:end-1], w.quote) >= 0 {
			kind = column.Escaped
		}
		return column.Of(start+1, end-1, kind)
	}
	if w.null != nil && bytes.Equal(w.data[start:end], w.null) {
		return column.Missing
	}
	return column.Of(start, end, column.Plain)
}

// pad locates fields of a row with too few or too many: what is missing is
// NULL, what is too much is passed over.
func (w *walker) pad(out *column.Spans, p, end int) {
	row := out.Rows
	out.Starts[row] = uint32(p)
	out.Rows++
	if end > p && w.data[end-1] == '\r' {
		end--
	}
	k := 0
	for col := 0; k < len(w.cols); col++ {
		stop := w.nextSep(p, end)
		if col == w.cols[k] {
			out.Cols[k][row] = w.field(p, stop)
			k++
		}
		if stop == end {
			break
		}
		p = stop + 1
	}
	for ; k < len(w.cols); k++ {
		out.Cols[k][row] = column.Missing
	}
}

// nextSep returns the first separator from p on, or end.
func (w *walker) nextSep(p, end int) int {
	b := p / blockBytes
	sep := w.m.sep[b] & (^uint64(0) << (p % blockBytes))
	for sep == 0 {
		b++
		if b*blockBytes >= end {
			return end
		}
		sep = w.m.sep[b]
	}
	return min(end, b*blockBytes+bits.TrailingZeros64(sep))
}
