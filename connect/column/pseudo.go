package column

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Ints returns an INT column of rows values, none NULL. The caller owns it.
func Ints(alloc memory.Allocator, ordinal, rows int, value func(row int) int64) arrow.Array {
	v := newVector[int64](alloc, ordinal)
	v.Reserve(max(rows, 1))
	for i := range rows {
		v.vals[i] = value(i)
	}
	return v.finish(arrow.PrimitiveTypes.Int64, rows)
}

// Repeat returns a STRING column that holds s in every row. The caller owns it.
func Repeat(alloc memory.Allocator, ordinal, rows int, s string) arrow.Array {
	v := newVector[view](alloc, ordinal)
	v.Reserve(max(rows, 1))
	buf := memory.NewResizableBuffer(alloc)
	defer buf.Release()
	buf.Resize(len(s) + Padding)
	copy(buf.Bytes(), s)
	clear(buf.Bytes()[len(s):])
	one := viewOf(buf.Bytes(), 0, len(s), 0, 0)
	for i := range rows {
		v.vals[i] = one
	}
	return v.finish(arrow.BinaryTypes.StringView, rows, buf)
}
