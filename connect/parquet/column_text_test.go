package parquet

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// A block of levels may hold no value of the column, as where all lists are
// empty; the layout of the batch is chosen by what comes then.
func TestEmptyReadFirst(t *testing.T) {
	mem := checked(t)
	col := texts(types.BYTES, 2).column(mem)
	defer col.release()
	buf := memory.NewResizableBuffer(mem)
	defer buf.Release()
	buf.Resize(4 + encoding.Padding)
	copy(buf.Bytes(), "abcd")
	if err := col.dictionary(&page{enc: meta.Plain, data: buf.Bytes()[:4], buf: buf, values: 2}); err != nil {
		t.Fatal(err)
	}
	codes := append([]byte{1, 12, 1}, make([]byte, encoding.Padding)...)[:3] // six times code 1
	if err := col.page(&page{enc: meta.RLEDictionary, data: codes, values: 6}); err != nil {
		t.Fatal(err)
	}
	col.reserve(1)
	for _, n := range []int{0, 6} {
		if err := col.read(n, nil, n); err != nil {
			t.Fatal(err)
		}
	}
	a := col.finish()
	defer a.Release()
	if _, coded := a.(*array.Dictionary); !coded || a.Len() != 6 {
		t.Errorf("%d rows of %s", a.Len(), a.DataType())
	}
}
