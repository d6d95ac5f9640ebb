package column

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// Text is a chunk of a file while its rows are being converted.
type Text struct {
	Buffer *memory.Buffer // owns Data; columns of strings retain it
	Data   []byte         // followed by at least Padding readable bytes in its buffer
	High   bool           // Data has bytes beyond ASCII, so strings must be checked for UTF-8
	Line   func(at int) int64
	// RawBytes leaves BYTES as they stand; otherwise \xNN in them is a byte.
	RawBytes bool
	scratch  []byte
	side     side
	// Unescape appends to dst what an Escaped span stands for.
	Unescape func(dst, src []byte) []byte
}

// Padding is how many bytes past the end of a chunk must be readable.
const Padding = 64

// value returns the text of a span that is not Null; it is valid until the next call.
func (t *Text) value(s Span) []byte {
	if s.Kind() == Escaped {
		t.scratch = t.Unescape(t.scratch[:0], s.Bytes(t.Data))
		return t.scratch
	}
	return s.Bytes(t.Data)
}

// Converter makes one column. Rows are added block by block; at is the row
// that spans[0] becomes.
type Converter interface {
	// Reserve makes room for rows in all.
	Reserve(rows int)
	// Convert adds rows and returns the index of the first span that does not
	// fit the column's type, from which it may be called again, or -1.
	Convert(t *Text, spans []Span, at int) int
	// Rewind forgets the rows from at on.
	Rewind(at int)
	// Finish returns the column, of so many rows, and starts afresh. The caller owns it.
	Finish(t *Text, rows int) arrow.Array
	// Release frees what Finish has not given away.
	Release()
}

// Set makes the columns of a batch. It is used by one goroutine at a time.
type Set struct {
	fields types.Schema
	cols   []Converter
	policy connect.OnError
	rows   int
	room   int
	bad    []bool // rows of the block in which a value did not fit

	Skipped int64 // rows left out because a value did not fit
	Nulled  int64 // rows in which a value that did not fit became NULL
}

// NewSet returns a set of columns of the given types. custom makes converters
// for types that have none here (LIST, STRUCT); it may be nil.
func NewSet(alloc memory.Allocator, fields types.Schema, policy connect.OnError, custom func(types.Type) Converter) *Set {
	s := &Set{fields: fields, policy: policy, cols: make([]Converter, len(fields))}
	for i, f := range fields {
		if f.Type.IsNested() && custom != nil {
			s.cols[i] = custom(f.Type)
			continue
		}
		s.cols[i] = newConverter(alloc, f.Type, i)
	}
	if policy != connect.Fail {
		s.bad = make([]bool, BlockRows)
	}
	return s
}

// Rows is how many rows the batch has so far.
func (s *Set) Rows() int { return s.rows }

// Reserve makes room for rows in all, as many as are expected.
func (s *Set) Reserve(rows int) {
	if rows <= s.room {
		return
	}
	s.room = rows
	for _, c := range s.cols {
		c.Reserve(rows)
	}
}

// Append adds a block. A value that does not fit is dealt with by the policy;
// rows may be dropped from spans. On an error the set can only be released.
func (s *Set) Append(t *Text, spans *Spans) error {
	if need := s.rows + spans.Rows; need > s.room {
		s.Reserve(max(need, 2*s.room))
	}
	anyBad := false
	for i, c := range s.cols {
		col := spans.Cols[i][:spans.Rows]
		for from := 0; ; {
			n := c.Convert(t, col[from:], s.rows+from)
			if n < 0 {
				break
			}
			from += n
			if s.policy == connect.Fail {
				return misfit(t, s.fields[i], col[from], int(spans.Starts[from]))
			}
			if !anyBad {
				clear(s.bad)
				anyBad = true
			}
			s.bad[from] = true
			col[from] = Missing
		}
	}
	switch {
	case !anyBad:
	case s.policy == connect.Nullify:
		s.Nulled += marked(s.bad)
	default:
		s.Skipped += marked(s.bad)
		spans.drop(s.bad)
		for i, c := range s.cols {
			c.Rewind(s.rows)
			c.Convert(t, spans.Cols[i][:spans.Rows], s.rows)
		}
	}
	s.rows += spans.Rows
	return nil
}

func marked(bad []bool) (n int64) {
	for _, b := range bad {
		if b {
			n++
		}
	}
	return n
}

// Finish returns the columns, which the caller owns, and starts a new batch.
func (s *Set) Finish(t *Text) []arrow.Array {
	out := make([]arrow.Array, len(s.cols))
	for i, c := range s.cols {
		out[i] = c.Finish(t, s.rows)
	}
	t.side.release()
	s.rows, s.room = 0, 0
	return out
}

// Release frees an unfinished batch.
func (s *Set) Release(t *Text) {
	for _, c := range s.cols {
		c.Release()
	}
	t.side.release()
	s.rows, s.room = 0, 0
}

// misfit is the error for a value that its column cannot hold.
func misfit(t *Text, f types.Field, s Span, start int) error {
	v := t.value(s)
	e := &connect.Error{Column: f.Name}
	if t.Line != nil {
		e.Line = t.Line(start)
	}
	if f.Type.Kind == types.String && !utf8.Valid(v) {
		e.Msg = "text is not valid UTF-8: " + excerpt(v)
		e.Hint = "columns = (" + quoteName(f.Name) + " BYTES) would read it as it is"
		return e
	}
	e.Msg = "value " + excerpt(v) + " is not " + f.Type.String()
	if s.Kind() == Plain && text.IsNullWord(v) { // without quotes: in JSON it would not have got here
		e.Hint = "null = " + quoteText(v) + " would read it as NULL, columns = (" + quoteName(f.Name) + " STRING) as text"
		return e
	}
	e.Hint = "columns = (" + quoteName(f.Name) + " STRING) would read it as text, on_error = 'null' or 'skip' would pass over it"
	return e
}

// excerpt quotes a value for a message, cut where it is long.
func excerpt(v []byte) string {
	const most = 60
	tail := ""
	if len(v) > most {
		n := most
		for n > most-utf8.UTFMax && !utf8.RuneStart(v[n]) {
			n--
		}
		v, tail = v[:n], "…"
	}
	return quoteText(v) + tail
}
