package jsonl

import (
	"bytes"
	"unicode/utf8"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/scan"
)

// walker finds objects and the values of the wanted keys.
type walker struct {
	policy connect.OnError
	slots  map[string]int // by key: its place among the wanted columns
	width  int            // how many those are
	// Objects of a file tend to have the same keys in the same order: what
	// came last in a place is compared first, without a look into the map.
	expect []expected

	data []byte
	last bool
	high bool
	pos  int

	// of the line at hand
	base  int
	nth   int
	spans []column.Span
	note  func(key, value token)
}

type expected struct {
	key  []byte
	slot int // -1: not wanted
}

func newWalker(policy connect.OnError, names []string) *walker {
	w := &walker{policy: policy, slots: make(map[string]int, len(names)), width: len(names), spans: make([]column.Span, len(names))}
	for i, n := range names {
		w.slots[n] = i
	}
	w.note = w.noteField
	return w
}

// Begin starts on a chunk.
func (w *walker) Begin(c scan.Chunk) scan.Begun {
	w.data, w.last, w.high, w.pos = c.Data, c.Last, lines.High(c.Data), 0
	b := scan.Begun{High: w.high}
	if c.Mid {
		b.Start = bytes.IndexByte(c.Data, '\n') + 1
		w.pos = b.Start
		if b.Start == 0 {
			b.Start = -1
		}
	}
	return b
}

// At is where the next row begins.
func (w *walker) At() int { return w.pos }

// Close has nothing to give back.
func (w *walker) Close() {}

// Rows locates the wanted values of up to max objects.
func (w *walker) Rows(out *column.Spans, max, limit int) (more bool, err error) {
	out.Rows = 0
	for out.Rows < max {
		found, more, err := w.next(out, limit)
		if !more || err != nil {
			return false, err
		}
		if !found {
			continue
		}
		out.Starts[out.Rows] = uint32(w.base)
		for i, s := range w.spans {
			out.Cols[i][out.Rows] = s
		}
		out.Rows++
	}
	return true, nil
}

// Count passes over all objects before limit.
func (w *walker) Count(out *column.Spans, limit int) (rows int, err error) {
	for {
		found, more, err := w.next(out, limit)
		if !more || err != nil {
			return rows, err
		}
		if found {
			rows++
		}
	}
}

// next reads one line. found is false if it gives no row: it is blank, or left
// out because it is not JSON.
func (w *walker) next(out *column.Spans, limit int) (found, more bool, err error) {
	if w.pos >= limit || w.pos >= len(w.data) {
		return false, false, nil
	}
	end, next := len(w.data), len(w.data)
	if n := bytes.IndexByte(w.data[w.pos:], '\n'); n >= 0 {
		end, next = w.pos+n, w.pos+n+1
	} else if !w.last {
		return false, false, nil
	}
	line := w.data[w.pos:end]
	if skipSpace(line, 0) == len(line) {
		w.pos = next
		return false, true, nil
	}
	w.base, w.nth = w.pos, 0
	for i := range w.spans {
		w.spans[i] = column.Missing
	}
	fault := scanLine(line, w.note)
	if fault == nil && w.high && !utf8.Valid(line) {
		fault = &syntaxError{0, "the line is not UTF-8"}
	}
	if fault == nil {
		w.pos = next
		return true, true, nil
	}
	switch w.policy {
	case connect.Fail:
		return false, false, &scan.Fault{At: w.pos, Err: connect.Error{
			Msg: fault.Error(), Hint: "on_error = 'skip' leaves such lines out",
		}}
	case connect.SkipRows:
		out.Skipped++
		w.pos = next
		return false, true, nil
	}
	out.Nulled++
	for i := range w.spans {
		w.spans[i] = column.Missing
	}
	w.pos = next
	return true, true, nil
}

// noteField keeps the value of a key if it is wanted; the last of equal keys wins.
func (w *walker) noteField(key, value token) {
	line := w.data[w.base:]
	raw := line[key.start+1 : key.end-1]
	var slot int
	if w.nth < len(w.expect) && bytes.Equal(w.expect[w.nth].key, raw) {
		slot = w.expect[w.nth].slot
	} else {
		slot = w.lookup(raw, key.escaped)
	}
	w.nth++
	if slot < 0 {
		return
	}
	start, end := w.base+value.start, w.base+value.end
	switch {
	case value.kind == 'n':
		w.spans[slot] = column.Missing
	case value.kind != '"':
		w.spans[slot] = column.Of(start, end, column.Plain)
	case value.escaped:
		w.spans[slot] = column.Of(start+1, end-1, column.Escaped)
	default:
		w.spans[slot] = column.Of(start+1, end-1, column.Quoted)
	}
}

// mostExpected bounds what is remembered of objects with very many keys.
const mostExpected = 4096

func (w *walker) lookup(raw []byte, escaped bool) int {
	name := raw
	if escaped {
		name = unescape(nil, raw)
	}
	slot, ok := w.slots[string(name)]
	if !ok {
		slot = -1
	}
	if w.nth == len(w.expect) && w.nth < mostExpected {
		w.expect = append(w.expect, expected{})
	}
	if w.nth < len(w.expect) {
		e := &w.expect[w.nth]
		e.key, e.slot = append(e.key[:0], raw...), slot
	}
	return slot
}
