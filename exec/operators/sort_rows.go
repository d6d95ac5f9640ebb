package operators

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// rowBuffer keeps batches that a sort needs together. Rows are copied in, so
// that they hold nothing of the files they came from.
type rowBuffer struct {
	mem    memory.Allocator
	chunks [][]arrow.Array
	rows   int
	bytes  int64
}

// add copies the rows of b that count.
func (r *rowBuffer) add(b *op.Batch) error {
	rows := b.Sel
	if rows == nil {
		rows = upTo(b.Rows)
	}
	return r.addRows(b, rows)
}

func (r *rowBuffer) addRows(b *op.Batch, rows []int32) error {
	if r.rows+len(rows) > math.MaxInt32 {
		return fmt.Errorf("more than %d rows to sort in one task", math.MaxInt32)
	}
	chunk := make([]arrow.Array, 0, len(b.Cols))
	for _, c := range b.Cols {
		a, err := takeCopy(r.mem, c, rows)
		if err != nil {
			vec.ReleaseAll(chunk)
			return err
		}
		chunk = append(chunk, a)
		r.bytes += vec.Bytes(a)
	}
	r.chunks = append(r.chunks, chunk)
	r.rows += len(rows)
	return nil
}

// merge joins everything into one chunk, a column at a time, and returns it.
// It stays the buffer's; nil if there are no rows.
func (r *rowBuffer) merge() ([]arrow.Array, error) {
	if len(r.chunks) == 0 {
		return nil, nil
	}
	for c := 0; len(r.chunks) > 1 && c < len(r.chunks[0]); c++ {
		parts := make([]arrow.Array, len(r.chunks))
		for i, chunk := range r.chunks {
			parts[i] = chunk[c]
		}
		col, err := vec.Concat(r.mem, parts)
		if err != nil {
			return nil, err
		}
		for i, chunk := range r.chunks {
			chunk[c].Release()
			chunk[c] = col
			if i > 0 {
				col.Retain()
			}
		}
	}
	for _, chunk := range r.chunks[1:] {
		vec.ReleaseAll(chunk)
	}
	r.chunks = r.chunks[:1]
	r.bytes = 0
	for _, a := range r.chunks[0] {
		r.bytes += vec.Bytes(a)
	}
	return r.chunks[0], nil
}

// replace puts the given rows of the merged chunk in place of everything.
func (r *rowBuffer) replace(rows []int32) error {
	b := &op.Batch{Cols: r.chunks[0], Rows: r.rows}
	next := rowBuffer{mem: r.mem}
	if err := next.addRows(b, rows); err != nil {
		return err
	}
	r.release()
	*r = next
	return nil
}

func (r *rowBuffer) release() {
	for _, c := range r.chunks {
		vec.ReleaseAll(c)
	}
	r.chunks, r.rows, r.bytes = nil, 0, 0
}

func upTo(n int) []int32 {
	out := make([]int32, n)
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// keyColumns picks the columns of sort keys and how each is ordered.
func keyColumns(cols []arrow.Array, keys []dag.SortKey) ([]arrow.Array, []vec.Order) {
	out := make([]arrow.Array, len(keys))
	orders := make([]vec.Order, len(keys))
	for i, k := range keys {
		out[i] = cols[k.Column]
		orders[i] = vec.Order{Desc: k.Desc, NullsFirst: k.NullsFirst}
	}
	return out, orders
}

// ranked is a row with the beginning of its first key, which decides most comparisons.
type ranked struct {
	prefix uint64
	row    int32
}

// sorted returns the rows of cols in order of keys; rows that compare as equal
// stay in their order.
func sorted(cols []arrow.Array, n int, keys []dag.SortKey) []int32 {
	rows := upTo(n)
	newSorter(cols, keys).sort(rows)
	return rows
}

// sorter orders rows of columns by keys.
type sorter struct {
	prefix  func(row int32) uint64 // a smaller one sorts before, equal ones decide nothing
	compare func(i, j int) int
	rank    []ranked
}

func newSorter(cols []arrow.Array, keys []dag.SortKey) *sorter {
	keyCols, orders := keyColumns(cols, keys)
	return &sorter{prefix: prefixer(keyCols[0], orders[0]), compare: vec.NewComparator(keyCols, keyCols, orders)}
}

// sort orders rows, which are ascending, in place and stably.
func (s *sorter) sort(rows []int32) {
	s.rank = grow(s.rank, len(rows))
	for i, r := range rows {
		s.rank[i] = ranked{prefix: s.prefix(r), row: r}
	}
	slices.SortFunc(s.rank, func(a, b ranked) int {
		if a.prefix != b.prefix {
			return cmp.Compare(a.prefix, b.prefix)
		}
		if c := s.compare(int(a.row), int(b.row)); c != 0 {
			return c
		}
		return cmp.Compare(a.row, b.row)
	})
	for i, r := range s.rank {
		rows[i] = r.row
	}
}

// prefixer gives a row the beginning of its key in the order o.
func prefixer(a arrow.Array, o vec.Order) func(row int32) uint64 {
	value := prefixOf(a)
	null := vec.ValidityOf(a)
	ofNull := uint64(math.MaxUint64)
	if o.NullsFirst {
		ofNull = 0
	}
	flip := uint64(0)
	if o.Desc {
		flip = math.MaxUint64
	}
	return func(row int32) uint64 {
		switch {
		case null.Null(int(row)):
			return ofNull
		case value == nil:
			return math.MaxUint64 / 2
		}
		return value(int(row)) ^ flip
	}
}

// prefixOf maps values to integers in the same order, as far as 64 bits go; nil
// where the type has no such form.
func prefixOf(a arrow.Array) func(int) uint64 {
	switch a.DataType().ID() {
	case arrow.INT64, arrow.TIMESTAMP:
		v := vec.Values[int64](a)
		return func(i int) uint64 { return uint64(v[i]) ^ 1<<63 }
	case arrow.INT32, arrow.DATE32:
		v := vec.Values[int32](a)
		return func(i int) uint64 { return uint64(int64(v[i])) ^ 1<<63 }
	case arrow.FLOAT64:
		v := vec.Values[float64](a)
		return func(i int) uint64 { return floatPrefix(v[i]) }
	case arrow.STRING_VIEW, arrow.STRING:
		r := vec.Strings(a)
		return func(i int) uint64 {
			var b [8]byte
			copy(b[:], r.At(i))
			return binary.BigEndian.Uint64(b[:])
		}
	}
	return nil
}

// floatPrefix orders floats as they compare: -0.0 with 0.0, NaN above all.
func floatPrefix(f float64) uint64 {
	bits := floatBits(f)
	if f != f {
		return math.MaxUint64 - 1
	}
	if bits>>63 == 1 {
		return ^bits
	}
	return bits | 1<<63
}

// batchRows is how many rows operators put in a batch that they make.
const batchRows = 8192

// emit pushes rows of cols, in the given order, batch by batch.
func emit(ctx context.Context, mem memory.Allocator, cols []arrow.Array, rows []int32, out op.Output) error {
	for from := 0; from < len(rows); from += batchRows {
		part := rows[from:min(from+batchRows, len(rows))]
		src := &op.Batch{Cols: cols, Split: -1}
		b, err := src.Take(mem, part)
		if err != nil {
			return err
		}
		flow, err := out.Push(ctx, b)
		b.Release()
		if err != nil || flow == op.Enough {
			return err
		}
	}
	return nil
}
