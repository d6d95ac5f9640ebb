package parquet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// numbers is a column of INT from from to to-1.
func numbers(t *testing.T, from, to int) arrow.Array {
	t.Helper()
	b := vec.NewFixed[int64](checked(t), arrow.PrimitiveTypes.Int64, to-from)
	for i := range b.Values {
		b.Values[i] = int64(from + i)
	}
	a := b.Finish()
	t.Cleanup(a.Release)
	return a
}

// Row groups without rows, wherever they say that they lie; pages without
// values; pages of kinds that are not known; pages with and without a
// dictionary in one chunk: all that the format allows.
func TestOddPages(t *testing.T) {
	var out damage.Out
	sink, err := NewSink(&out, types.Schema{{Name: "i", Type: types.INT}}, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sink.(*Sink)
	l := s.leaves[0]
	extra := func(p meta.Page, body string) {
		page := l.pack(p, []byte(body))
		l.pages, l.packed = append(l.pages, page), l.packed+len(page)
	}
	empty := func() {
		s.groups = append(s.groups, meta.WrittenGroup{Chunks: []meta.Chunk{{Physical: meta.Int64, DataPage: -1, Path: []string{"i"}}}})
	}
	var want []string
	put := func(from, to int) {
		if err := sink.Write([]arrow.Array{numbers(t, from, to)}, to-from); err != nil {
			t.Fatal(err)
		}
		if err := l.endPage(); err != nil {
			t.Fatal(err)
		}
		for i := from; i < to; i++ {
			want = append(want, fmt.Sprint(i))
		}
	}
	empty()
	for range 2 {
		put(0, 100)
		extra(meta.Page{Type: meta.DataPage, Encoding: meta.Plain}, "\x00\x00\x00\x00")
		extra(meta.Page{Type: meta.IndexPage, Values: 5}, "an index")
		extra(meta.Page{Type: 9, Values: 7}, "something new")
		put(100, 150)
		l.dict.closed = true
		l.retire() // from here on without the dictionary
		put(150, 170)
		extra(meta.Page{Type: meta.DataPage, Encoding: meta.RLEDictionary}, "")
		put(170, 171)
		if err := s.endGroup(); err != nil {
			t.Fatal(err)
		}
		empty()
	}
	if err := sink.Commit(); err != nil {
		t.Fatal(err)
	}
	src := open(t, out.Bytes(), connect.Options{})
	for _, batch := range []int{0, 1, 30} {
		got, err := conntest.Read(src, 0, checked(t), conntest.Columns(src), batch)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Rows) != len(want) {
			t.Fatalf("%d rows, want %d", len(got.Rows), len(want))
		}
		for i, row := range got.Rows {
			if row[0] != want[i] {
				t.Fatalf("row %d: %s, want %s", i, row[0], want[i])
			}
		}
	}
}

// shrinking is a file that loses its end after it was opened.
type shrinking struct {
	conntest.File
	left *int
}

func (f shrinking) ReadAt(p []byte, off int64) (int, error) {
	return conntest.File{Data: f.Data[:*f.left]}.ReadAt(p, off)
}

// A file that becomes shorter while it is read is an error that says so; what
// was given out stays as it is, and no memory is lost.
func TestShrinkingFile(t *testing.T) {
	mem := checked(t)
	cols := damage.Table(t, mem, 3, damage.Every(), 300)
	data := writeTable(t, damage.Every(), cols, 300, 100)
	r := rand.New(rand.NewPCG(4, 4))
	for range 100 {
		left := len(data)
		src, err := Open(t.Context(), shrinking{conntest.File{Data: bytes.Clone(data)}, &left}, "f", connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		left = r.IntN(len(data) * 3 / 4)
		_, err = conntest.Read(src, 0, mem, conntest.Columns(src), 7)
		if err == nil || !strings.Contains(err.Error(), "read failed: unexpected EOF") {
			t.Fatalf("%d of %d bytes are left: %v", left, len(data), err)
		}
	}
}
