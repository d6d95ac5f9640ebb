package frame

import (
	"iter"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// Cut gives the rows of a batch, which has no selection, in batches of about size bytes at most, or of one row. Nothing is copied, and what
// is given is borrowed until the next.
func Cut(b *op.Batch, size int) iter.Seq[*op.Batch] {
	return func(yield func(*op.Batch) bool) { cut(b, size, yield) }
}

func cut(b *op.Batch, size int, yield func(*op.Batch) bool) bool {
	n := 0
	for _, c := range b.Cols {
		n += weight(c.Data(), c.Data().Offset(), b.Rows)
	}
	if n <= size+size/4 || b.Rows <= 1 {
		return yield(b)
	}
	parts := min((n+size-1)/size, b.Rows)
	for i := range parts {
		from, to := b.Rows*i/parts, b.Rows*(i+1)/parts
		part := &op.Batch{Rows: to - from, Split: b.Split, Cols: make([]arrow.Array, len(b.Cols))}
		for k, c := range b.Cols {
			part.Cols[k] = array.NewSlice(c, int64(from), int64(to))
		}
		more := cut(part, size, yield) // again, since rows are not of one length
		part.Release()
		if !more {
			return false
		}
	}
	return true
}

// weight estimates how many bytes of a frame n rows of an array take, from a position in its buffers. It may count a text twice that
// several columns have, and does not count dictionaries.
func weight(d arrow.ArrayData, from, n int) int {
	if n == 0 {
		return 0
	}
	size := n / 8
	switch dt := d.DataType(); dt.ID() {
	case arrow.NULL:
		return 0
	case arrow.DICTIONARY:
		return size + 4*n
	case arrow.BOOL:
		return size + n/8
	case arrow.STRING, arrow.BINARY:
		offs := recast.Slice[int32](d.Buffers()[1].Bytes())[from : from+n+1]
		return size + recast.ViewSize*n + int(offs[n]-offs[0])
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		return size + recast.ViewSize*n + textOf(d, from, n)
	case arrow.LIST:
		offs := recast.Slice[int32](d.Buffers()[1].Bytes())[from : from+n+1]
		child := d.Children()[0]
		return size + 4*n + weight(child, child.Offset()+int(offs[0]), int(offs[n]-offs[0]))
	case arrow.STRUCT:
		for _, child := range d.Children() {
			size += weight(child, child.Offset()+from, n)
		}
		return size
	default:
		return size + vec.Width(dt)*n
	}
}

// textOf is how many bytes views refer to.
func textOf(d arrow.ArrayData, from, n int) int {
	most := 0
	for _, b := range d.Buffers()[2:] {
		if b != nil { // as of columns that are NULL all over
			most += b.Len()
		}
	}
	if most <= n { // as good as nothing
		return most
	}
	need := 0
	var before head16
	for _, h := range recast.Slice[head16](d.Buffers()[1].Bytes())[from : from+n] {
		if size := int(h.size()); size > recast.InlineMax && h != before {
			need += size
			before = h
		}
	}
	return need
}
