package frame

import (
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// TestCut cuts random batches: the rows are the same, and none of the pieces is much too long.
func TestCut(t *testing.T) {
	for seed := range uint64(200) {
		mem := checked(t)
		r := rand.New(rand.NewPCG(seed, 17))
		ts := append(randomTypes(r), types.STRING)
		b := randomBatch(t, r, mem, ts, r.IntN(3)*r.IntN(300))
		got := make([][]any, len(ts))
		rows, most := 0, 1+r.IntN(2000)
		for p := range Cut(b, most) {
			if p.Split != b.Split || p.Rows == 0 && b.Rows > 0 {
				t.Errorf("a piece of %d rows of split %d", p.Rows, p.Split)
			}
			size := 0
			for i, c := range p.Cols {
				if c.Len() != p.Rows {
					t.Fatalf("a column of %d rows in a piece of %d", c.Len(), p.Rows)
				}
				got[i] = append(got[i], valuesOf(c)...)
				size += weight(c.Data(), c.Data().Offset(), p.Rows)
			}
			if size > most+most/4 && p.Rows > 1 {
				t.Errorf("%d rows of %d bytes where %d are to be the most", p.Rows, size, most)
			}
			rows += p.Rows
		}
		for i, c := range b.Cols {
			if want := valuesOf(c); rows != b.Rows || len(want) > 0 && !reflect.DeepEqual(got[i], want) {
				t.Fatalf("seed %d: column %d is\n%v\nwant\n%v", seed, i+1, got[i], want)
			}
		}
		b.Release()
	}
}

// TestCutSizes compares the estimate to what frames have, and counts the pieces.
func TestCutSizes(t *testing.T) {
	mem := checked(t)
	ints := vec.NewFixed[int64](mem, types.INT.Arrow(), 100_000)
	var texts []string
	for i := range 40_000 {
		texts = append(texts, strings.Repeat("x", i%200))
	}
	for _, c := range []struct {
		typ   types.Type
		array arrow.Array
	}{{types.INT, ints.Finish()}, {types.STRING, textsOf(mem, texts...)}} {
		l := newLink(t, mem, c.typ)
		b := &op.Batch{Rows: c.array.Len(), Cols: []arrow.Array{c.array}}
		whole, err := l.e.Encode(Message{Kind: Batch, Batch: b})
		if err != nil {
			t.Fatal(err)
		}
		const aim = 100 << 10
		pieces, parts := 0, whole.Len()/aim
		whole.Release()
		for p := range Cut(b, aim) {
			f, err := l.e.Encode(Message{Kind: Batch, Batch: p})
			if err != nil {
				t.Fatal(err)
			}
			if f.Len() > 2*aim { // of texts at most half is not needed
				t.Errorf("%s: a frame of %d bytes", c.typ, f.Len())
			}
			f.Release()
			pieces++
		}
		if pieces < parts || pieces > 2*parts {
			t.Errorf("%s: %d pieces, not about %d", c.typ, pieces, parts)
		}
		b.Release()
	}
	few := &op.Batch{Rows: 3, Cols: []arrow.Array{textsOf(mem, strings.Repeat("a", 5000), "b", strings.Repeat("c", 5000))}}
	defer few.Release()
	n := 0
	for p := range Cut(few, 100) {
		if n++; p.Rows != 1 {
			t.Errorf("%d rows", p.Rows)
		}
	}
	for range Cut(few, 100) { // and one who has enough
		n++
		break
	}
	if n != 4 {
		t.Errorf("%d pieces", n)
	}
}
