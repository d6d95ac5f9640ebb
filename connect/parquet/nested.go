package parquet

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/parquet/internal/codec"
)

// readNested reads n rows of a LIST or STRUCT: first its leaves, then what they make up.
func (c stored) readNested(mem memory.Allocator, n int) (out arrow.Array, err error) {
	a := &assembler{mem: mem, chunks: map[*leaf]*chunk{}, arrays: map[*leaf]arrow.Array{}}
	defer func() {
		for _, arr := range a.arrays {
			arr.Release()
		}
	}()
	for _, ch := range c.chunks {
		arr, err := ch.leafArray(mem, n)
		if err != nil {
			if m, ok := errors.AsType[*misfit](err); ok {
				m.row = ch.rowOf(m.row)
			}
			return nil, err
		}
		a.chunks[ch.leaf], a.arrays[ch.leaf] = ch, arr
	}
	out, err = a.build(c.node, around{})
	if err == nil && out.Len() != n {
		out.Release()
		return nil, errShape
	}
	return out, err
}

func (c *chunk) leafArray(mem memory.Allocator, n int) (arrow.Array, error) {
	c.col.reserve(n)
	if err := c.deep(n, false); err != nil {
		return nil, err
	}
	arr := c.col.finish()
	if c.leaf.finish == nil {
		return arr, nil
	}
	return c.leaf.finish(mem, arr)
}

func codecError(c *chunk) error {
	if err := codec.Check(c.kind); err != nil {
		return &connect.Error{
			Column: c.leaf.elem.Name, Msg: err.Error(), Err: err,
			Hint: "write the file with snappy, zstd, gzip, brotli or lz4_raw",
		}
	}
	return nil
}
