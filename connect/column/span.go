// Package column makes Arrow columns of text that a format has already parted
// into fields. It knows types, not formats: a CSV field, a JSON token and a
// line all come as a Span of the chunk they were read into.
package column

import "sync"

// Kind says how the text of a Span stands for its value.
type Kind uint32

// The kinds of span. Plain comes first: its bits are zero.
const (
	Plain   Kind = 0       // the bytes are the value
	Quoted  Kind = 1 << 30 // so they are, and they stood in quotes: empty is not NULL
	Escaped Kind = 2 << 30 // in quotes, with escapes that the format undoes
	Null    Kind = 3 << 30 // no value

	kindMask = Null
)

// MaxChunk is how many bytes a Span can address.
const MaxChunk = 1 << 30

// Span is a field: where in a chunk it begins and ends, and of what kind it is.
type Span struct{ start, end uint32 }

// Of returns the span of data[start:end].
func Of(start, end int, kind Kind) Span {
	return Span{uint32(start), uint32(end) | uint32(kind)}
}

// Missing is the span of a NULL.
var Missing = Span{0, uint32(Null)}

// Kind returns how to take the bytes.
func (s Span) Kind() Kind { return Kind(s.end) & kindMask }

// Bytes returns the field as it stands in data, the quotes left out.
func (s Span) Bytes(data []byte) []byte { return data[s.start : s.end&^uint32(kindMask)] }

// Spans is a block of rows as a format located them: fields column by column.
type Spans struct {
	Rows    int
	Starts  []uint32 // where in the chunk each row begins
	Cols    [][]Span // for each column asked for, one span a row
	Skipped int64    // rows left out because of their shape, in all blocks so far
	Nulled  int64    // rows padded because of their shape, in all blocks so far

	all *[]Span // what Cols lie in
}

// BlockRows is how many rows a block of Spans holds: few enough that the spans
// of some twenty columns stay in the cache between locating and converting.
const BlockRows = 512

// spanPad staggers the columns' spans, lest their strides, a power of two,
// compete for the same lines of the cache.
const spanPad = 24

// spansPool keeps the larger part of Spans for the next reader.
var spansPool = sync.Pool{New: func() any { return new([]Span) }}

// NewSpans returns room for a block of so many columns.
func NewSpans(cols int) *Spans {
	s := &Spans{Starts: make([]uint32, BlockRows), Cols: make([][]Span, cols)}
	s.all = spansPool.Get().(*[]Span)
	if need := cols * (BlockRows + spanPad); len(*s.all) < need {
		*s.all = make([]Span, need)
	}
	for i := range s.Cols {
		s.Cols[i] = (*s.all)[i*(BlockRows+spanPad):][:BlockRows]
	}
	return s
}

// Recycle gives the room to the next NewSpans; the spans are of no use then.
func (s *Spans) Recycle() {
	spansPool.Put(s.all)
	s.all, s.Cols = nil, nil
}

// drop removes the marked rows from the block.
func (s *Spans) drop(bad []bool) {
	keep := 0
	for i := range s.Rows {
		if bad[i] {
			continue
		}
		s.Starts[keep] = s.Starts[i]
		for _, col := range s.Cols {
			col[keep] = col[i]
		}
		keep++
	}
	s.Rows = keep
}
