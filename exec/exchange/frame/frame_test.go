package frame

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// link is both ends of a stream.
type link struct {
	mem memory.Allocator
	e   *Encoder
	d   *Decoder
}

func newLink(t testing.TB, mem memory.Allocator, ts ...types.Type) *link {
	t.Helper()
	e, err := NewEncoder(mem, ts)
	if err != nil {
		t.Fatal(err)
	}
	d, err := NewDecoder(mem, ts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		e.Release()
		d.Release()
	})
	return &link{mem: mem, e: e, d: d}
}

// received encodes a message and returns its bytes as they arrive.
func (l *link) received(t testing.TB, m Message) *Frame {
	t.Helper()
	f, err := l.e.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	return f.Copy(l.mem)
}

// pass sends a message, releasing its batch, and returns what comes out and how many bytes travelled.
func (l *link) pass(t testing.TB, m Message) (Message, int) {
	t.Helper()
	f := l.received(t, m)
	if m.Batch != nil {
		m.Batch.Release()
	}
	defer f.Release()
	out, err := l.d.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return out, f.Len()
}

// valuesOf reads a column in the form of literals.
func valuesOf(a arrow.Array) []any {
	out := make([]any, a.Len())
	for i := range out {
		out[i] = vec.ValueAt(a, i)
	}
	return out
}

// same compares batches value by value.
func same(t testing.TB, got, want *op.Batch) {
	t.Helper()
	if got.Rows != want.Rows || got.Split != want.Split || len(got.Cols) != len(want.Cols) {
		t.Fatalf("a batch of %d rows of split %d, %d columns; want %d of %d, %d", got.Rows, got.Split, len(got.Cols), want.Rows, want.Split, len(want.Cols))
	}
	for c := range want.Cols {
		if g, w := valuesOf(got.Cols[c]), valuesOf(want.Cols[c]); !reflect.DeepEqual(g, w) {
			t.Fatalf("column %d is\n%v\nwant\n%v", c+1, g, w)
		}
		for i := range want.Rows {
			if !vec.Equal(got.Cols[c], i, want.Cols[c], i) {
				t.Fatalf("column %d: row %d is not what was sent", c+1, i)
			}
		}
	}
}

// TestRandom sends batches of every type and layout, sliced and nested.
func TestRandom(t *testing.T) {
	for seed := range uint64(400) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			mem := checked(t)
			r := rand.New(rand.NewPCG(seed, 1))
			ts := randomTypes(r)
			l := newLink(t, mem, ts...)
			for range 4 {
				b := randomBatch(t, r, mem, ts, r.IntN(3)*r.IntN(40))
				want := b.Retain()
				m, _ := l.pass(t, Message{Consumer: 3, Producer: 9, Kind: Batch, Split: b.Split, Batch: b})
				if m.Consumer != 3 || m.Producer != 9 || m.Kind != Batch {
					t.Errorf("comes as %+v", m)
				}
				same(t, m.Batch, want)
				for i, c := range m.Batch.Cols {
					if !l.d.cols[i].holds(c.DataType()) {
						t.Errorf("column %d of %s comes as %s", i+1, ts[i], c.DataType())
					}
				}
				m.Batch.Release()
				want.Release()
			}
		})
	}
}

// TestEveryScalar makes sure that no type depends on chance.
func TestEveryScalar(t *testing.T) {
	mem := checked(t)
	r := rand.New(rand.NewPCG(7, 7))
	for _, typ := range scalars {
		for _, typ := range []types.Type{typ, types.ListOf(typ), types.StructOf(types.Field{Name: "x", Type: typ}), types.ListOf(types.ListOf(typ))} {
			for range 10 {
				l := newLink(t, mem, typ)
				b := randomBatch(t, r, mem, []types.Type{typ}, 1+r.IntN(70))
				want := b.Retain()
				m, _ := l.pass(t, Message{Kind: Batch, Split: b.Split, Batch: b})
				same(t, m.Batch, want)
				m.Batch.Release()
				want.Release()
			}
		}
	}
}

func TestSigns(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.INT)
	for _, m := range []Message{
		{Consumer: 1, Producer: 2, Kind: EndSplit, Split: 77},
		{Consumer: 0, Producer: 64, Kind: Close, Split: -1},
		{Kind: Error, Split: -1, Text: "a file ended 🌧"},
		{Kind: Error, Split: -1},
		{Consumer: 3, Producer: 4, Kind: Credit, Split: 1},
		{Consumer: 3, Producer: 4, Kind: Credit, Split: MaxCredit},
		{Consumer: 5, Producer: 6, Kind: Enough, Split: -1},
	} {
		if got, _ := l.pass(t, m); !reflect.DeepEqual(got, m) {
			t.Errorf("%+v comes as %+v", m, got)
		}
	}
	for _, n := range []int{-1, 0, MaxCredit + 1} {
		if _, err := newLink(t, l.mem).e.Encode(Message{Kind: Credit, Split: n}); err == nil || err.Error() != fmt.Sprintf("frame: %d is no credit", n) {
			t.Errorf("err = %v", err)
		}
	}
	long, _ := l.pass(t, Message{Kind: Error, Text: strings.Repeat("日本語!", 3000)})
	if want := strings.Repeat("日本語!", 3000)[:len(long.Text)]; long.Text != want || len(long.Text) < MaxText-3 {
		t.Errorf("a long error comes as %d bytes", len(long.Text))
	}
	if bad, _ := l.pass(t, Message{Kind: Error, Text: "bad \xff text"}); bad.Text != "bad \uFFFD text" {
		t.Errorf("an error that is no text comes as %q", bad.Text)
	}
}

func TestNoColumns(t *testing.T) {
	l := newLink(t, checked(t))
	m, _ := l.pass(t, Message{Kind: Batch, Split: 4, Batch: &op.Batch{Rows: 1000, Split: 4}})
	if m.Batch.Rows != 1000 || m.Batch.Split != 4 || len(m.Batch.Cols) != 0 {
		t.Errorf("comes as %+v", m.Batch)
	}
}

// TestNullsOfAnyType sends the array of the type of NULL where another is planned.
func TestNullsOfAnyType(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.INT, types.STRING, types.ListOf(types.STRING))
	m, _ := l.pass(t, Message{Kind: Batch, Batch: &op.Batch{Rows: 3, Cols: []arrow.Array{array.NewNull(3), array.NewNull(3), array.NewNull(3)}}})
	defer m.Batch.Release()
	for i, c := range m.Batch.Cols {
		if id := c.DataType().ID(); id != l.d.cols[i].dt.ID() || c.NullN() != 3 {
			t.Errorf("comes as %s with %d NULLs", id, c.NullN())
		}
	}
}

func TestRefused(t *testing.T) {
	mem := checked(t)
	ints := func(n int) arrow.Array {
		a, err := vec.FromLiteral(mem, int64(1), types.INT, n)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	for want, b := range map[string]*op.Batch{
		"frame: a batch with a selection must be compacted before it is sent":  {Rows: 2, Sel: []int32{1}, Cols: []arrow.Array{ints(2)}},
		"frame: a batch of 2 columns where 1 are planned":                      {Rows: 2, Cols: []arrow.Array{ints(2), ints(2)}},
		"frame: column 1 (INT): 3 rows in a batch of 2":                        {Rows: 2, Cols: []arrow.Array{ints(3)}},
		"frame: a batch of 4194305 rows is too large to be sent":               {Rows: MaxRows + 1},
		"frame: there is no batch":                                             nil,
		"frame: column 1 (INT): it comes as Arrow list<item: int64, nullable>": {Rows: 0, Cols: []arrow.Array{array.MakeArrayOfNull(mem, arrow.ListOf(arrow.PrimitiveTypes.Int64), 0)}},
	} {
		e, err := NewEncoder(mem, []types.Type{types.INT})
		if err != nil {
			t.Fatal(err)
		}
		if b != nil && b.Rows > MaxRows {
			b.Cols = []arrow.Array{array.NewNull(b.Rows)}
		}
		for range 2 { // an encoder that has failed goes on failing
			if _, err = e.Encode(Message{Kind: Batch, Batch: b}); err == nil || err.Error() != want {
				t.Errorf("err = %v, want %s", err, want)
			}
		}
		e.Release()
		if b != nil {
			b.Release()
		}
	}
	deep := types.INT
	for range maxDepth + 1 {
		deep = types.ListOf(deep)
	}
	if _, err := NewDecoder(mem, []types.Type{deep}); err == nil || !strings.Contains(err.Error(), "nested more than 64 deep") {
		t.Errorf("err = %v", err)
	}
}

// TestTooLarge refuses what no frame holds, before anything is copied.
func TestTooLarge(t *testing.T) {
	mem := checked(t)
	typ := types.DecimalOf(38, 0)
	buf := memory.NewBufferBytes(make([]byte, MaxRows*16)) // never touched
	data := array.NewData(typ.Arrow(), MaxRows, []*memory.Buffer{nil, buf}, nil, 0, 0)
	defer data.Release()
	b := &op.Batch{Rows: MaxRows}
	var ts []types.Type
	for range 4 {
		ts, b.Cols = append(ts, typ), append(b.Cols, array.MakeFromData(data))
	}
	defer b.Release()
	if _, err := newLink(t, mem, ts...).e.Encode(Message{Kind: Batch, Batch: b}); err == nil || !strings.HasSuffix(err.Error(), "bytes is too large to be sent") {
		t.Errorf("err = %v", err)
	}
}
