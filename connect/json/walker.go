package json

import (
	"bytes"
	"unicode/utf8"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/scan"
)

// walker finds objects and the values of the wanted keys.
type walker struct {
	framed
	policy connect.OnError
	slots  map[string]int // by key: its place among the wanted columns
	width  int            // how many those are
	// Objects of a file tend to have the same keys in the same order: what
	// came last in a place is compared first, without a look into the map.
	expect []expected

	// of the row at hand
	base  int
	nth   int
	spans []column.Span
	note  func(key, value token)
}

type expected struct {
	key  []byte
	slot int // -1: not wanted
}

func newWalker(frames framer, policy connect.OnError, names []string) *walker {
	w := &walker{framed: framed{frames: frames}, policy: policy, slots: make(map[string]int, len(names)), width: len(names), spans: make([]column.Span, len(names))}
	for i, n := range names {
		w.slots[n] = i
	}
	w.note = w.noteField
	return w
}

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

// next reads one row. found is false if there is none: a line is blank, or what
// it holds is left out because it is not JSON.
func (w *walker) next(out *column.Spans, limit int) (found, more bool, err error) {
	row, more, err := w.frame(limit)
	if !more || len(row) == 0 {
		return false, more, err
	}
	w.base, w.nth = w.from, 0
	for i := range w.spans {
		w.spans[i] = column.Missing
	}
	fault := scanRow(row, w.note)
	if fault == nil && w.high && !utf8.Valid(row) {
		fault = &syntaxError{0, "the text is not UTF-8"}
	}
	if fault == nil {
		return true, true, nil
	}
	switch w.policy {
	case connect.Fail:
		w.pos = w.from
		return false, false, &scan.Fault{At: w.from, Err: connect.Error{
			Msg: fault.Error(), Hint: "on_error = 'skip' leaves such rows out",
		}}
	case connect.SkipRows:
		out.Skipped++
		return false, true, nil
	}
	out.Nulled++
	for i := range w.spans {
		w.spans[i] = column.Missing
	}
	return true, true, nil
}

// noteField keeps the value of a key if it is wanted; the last of equal keys wins.
func (w *walker) noteField(key, value token) {
	row := w.data[w.base:]
	raw := row[key.start+1 : key.end-1]
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
