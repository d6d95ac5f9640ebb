package frame

import (
	"fmt"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// chunk is the text of 1000 rows in one buffer, as a scan of a file holds it.
func chunk(mem memory.Allocator) arrow.Array {
	vals := make([]string, 1000)
	for i := range vals {
		vals[i] = fmt.Sprintf("row %d of a chunk of a file: %s", i, strings.Repeat("=", 60))
	}
	a := textsOf(mem, vals...)
	defer a.Release()
	one, err := vec.Compact(mem, a)
	if err != nil {
		panic(err)
	}
	return one
}

// TestSparseViews takes rows of a chunk: little travels besides what they need.
func TestSparseViews(t *testing.T) {
	mem := checked(t)
	all := chunk(mem)
	defer all.Release()
	for name, rows := range map[string][]int32{
		"first": {0}, "last": {999}, "apart": {3, 500, 900}, "together": {500, 501, 502, 503, 504, 505},
		"with NULL": {-1, 700, -1}, "again": {5, 5, 5, 5, 900, 900, 5}, "none": {}, "only NULL": {-1, -1},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLink(t, mem, types.STRING)
			a, err := vec.Take(mem, all, rows)
			if err != nil {
				t.Fatal(err)
			}
			b := &op.Batch{Rows: len(rows), Cols: []arrow.Array{a}}
			want := b.Retain()
			defer want.Release()
			m, size := l.pass(t, Message{Kind: Batch, Batch: b})
			defer m.Batch.Release()
			same(t, m.Batch, want)
			apart := map[int32]bool{}
			for _, r := range rows {
				apart[r] = r >= 0
			}
			if most := 100 + smallPiece + len(rows)*16 + len(apart)*2*110; size > most {
				t.Errorf("%d bytes for %d rows", size, len(rows))
			}
		})
	}
}

// TestSharedChunk has several columns of views into one buffer: it travels once,
// from where it is, and so do the views.
func TestSharedChunk(t *testing.T) {
	mem := checked(t)
	all := chunk(mem)
	defer all.Release()
	b := &op.Batch{Rows: 500}
	for c := range int32(2) {
		rows := make([]int32, 500)
		for i := range rows {
			rows[i] = int32(i)*2 + c
		}
		a, err := vec.Take(mem, all, rows)
		if err != nil {
			t.Fatal(err)
		}
		b.Cols = append(b.Cols, a)
	}
	l := newLink(t, mem, types.STRING, types.STRING)
	before := mem.CurrentAlloc()
	f, err := l.e.Encode(Message{Kind: Batch, Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	if made := mem.CurrentAlloc() - before; made != 0 {
		t.Errorf("encoding allocated %d bytes", made)
	}
	if most := int(vec.Bytes(all)) + 200; f.Len() > most {
		t.Errorf("%d bytes for a chunk of %d", f.Len(), most)
	}
	f.Release()
	want := b.Retain()
	defer want.Release()
	m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
	same(t, m.Batch, want)
	m.Batch.Release()
}

// TestManyBuffers joins more chunks than a frame may refer to.
func TestManyBuffers(t *testing.T) {
	mem := checked(t)
	var parts []arrow.Array
	for i := range maxTexts + 100 {
		parts = append(parts, textsOf(mem, fmt.Sprintf("a part with a buffer of its own: %d", i)))
	}
	a, err := vec.Concat(mem, parts)
	vec.ReleaseAll(parts)
	if err != nil {
		t.Fatal(err)
	}
	l := newLink(t, mem, types.STRING)
	b := &op.Batch{Rows: a.Len(), Cols: []arrow.Array{a}}
	want := b.Retain()
	defer want.Release()
	m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
	defer m.Batch.Release()
	same(t, m.Batch, want)
}

// TestCutNulls: a column of text that is NULL all over may have no text at all, which is no fault.
func TestCutNulls(t *testing.T) {
	headers := memory.NewBufferBytes(make([]byte, 16*20))
	nulls := memory.NewBufferBytes(make([]byte, 8))
	data := array.NewData(arrow.BinaryTypes.StringView, 20, []*memory.Buffer{nulls, headers, nil}, nil, 20, 0)
	b := &op.Batch{Cols: []arrow.Array{array.MakeFromData(data)}, Rows: 20, Split: -1}
	rows := 0
	for part := range Cut(b, 100) {
		rows += part.Rows
	}
	if rows != 20 {
		t.Errorf("%d rows of 20", rows)
	}
}
