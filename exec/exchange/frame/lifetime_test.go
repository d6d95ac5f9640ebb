package frame

import (
	"bytes"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// TestLifetimes releases a batch before its frame is sent, a received frame
// before its batch, and both ends before what they made.
func TestLifetimes(t *testing.T) {
	mem := checked(t)
	e, err := NewEncoder(mem, []types.Type{types.INT, types.STRING})
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(mem, []types.Type{types.INT, types.STRING})
	if err != nil {
		t.Fatal(err)
	}
	ints := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, 1000)
	for i := range ints.Values {
		ints.Values[i] = int64(i)
	}
	values := wordList(mem, "life", 10)
	b := &op.Batch{Rows: 1000, Cols: append([]arrow.Array{ints.Finish()}, coded(mem, values, 1000).Cols...)}
	values.Release()
	f, err := e.Encode(Message{Kind: Batch, Batch: b})
	b.Release()
	e.Release()
	if err != nil {
		t.Fatal(err)
	}
	var sent bytes.Buffer
	if n, err := f.WriteTo(&sent); err != nil || int(n) != f.Len() || sent.Len() != f.Len() {
		t.Errorf("%d of %d bytes are written: %v", n, f.Len(), err)
	}
	g := f.Copy(mem)
	f.Release()
	m, err := d.Decode(g)
	if err != nil {
		t.Fatal(err)
	}
	g.Release()
	d.Release()
	part := array.NewSlice(m.Batch.Cols[0], 998, 1000)
	text := valuesOf(m.Batch.Cols[1])[999]
	m.Batch.Release()
	if got := vec.Values[int64](part)[1]; got != 999 || text != "life, word number 9" {
		t.Errorf("the last row is %d, %v", got, text)
	}
	part.Release()
}
