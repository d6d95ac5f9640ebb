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

// texts builds a column of views.
func textsOf(mem memory.Allocator, vals ...string) arrow.Array {
	b := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, len(vals))
	for _, v := range vals {
		b.AppendString(v)
	}
	return b.Finish()
}

// wordList is n texts that no other prefix has.
func wordList(mem memory.Allocator, prefix string, n int) arrow.Array {
	vals := make([]string, n)
	for i := range vals {
		vals[i] = fmt.Sprintf("%s, word number %d", prefix, i)
	}
	return textsOf(mem, vals...)
}

// coded is a batch of a column of n rows over values.
func coded(mem memory.Allocator, values arrow.Array, n int) *op.Batch {
	codes := make([]int32, n)
	for i := range codes {
		codes[i] = int32(i % values.Len())
	}
	return &op.Batch{Rows: n, Cols: []arrow.Array{vec.NewDictionary(mem, codes, values, nil)}}
}

func dictionaryOf(b *op.Batch) arrow.Array {
	if d, ok := b.Cols[0].(*array.Dictionary); ok {
		return d.Dictionary()
	}
	return nil
}

// TestDictionaryOnce sends many batches over one dictionary, which travels with the first.
func TestDictionaryOnce(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	values := wordList(mem, "once", 100)
	defer values.Release()
	var first *op.Batch
	for i := range 10 {
		b := coded(mem, values, 200)
		want := b.Retain()
		m, size := l.pass(t, Message{Kind: Batch, Batch: b})
		same(t, m.Batch, want)
		want.Release()
		switch {
		case i == 0:
			first = m.Batch
			defer first.Release()
			continue
		case size > 1000:
			t.Errorf("batch %d of 200 codes has %d bytes", i, size)
		case !vec.SameValues(dictionaryOf(first), dictionaryOf(m.Batch)):
			t.Error("the dictionary is not known to be the same")
		}
		m.Batch.Release()
	}
}

// TestDictionaryWorth sends few rows at a time of a large dictionary: as text,
// until they are as many as its values.
func TestDictionaryWorth(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	values := wordList(mem, "worth", 1000)
	defer values.Release()
	total := 0
	for i := range 20 {
		b := coded(mem, values, 100)
		want := b.Retain()
		m, size := l.pass(t, Message{Kind: Batch, Batch: b})
		same(t, m.Batch, want)
		want.Release()
		if codes := dictionaryOf(m.Batch) != nil; codes != (i >= 9) {
			t.Errorf("batch %d comes as codes: %v", i, codes)
		}
		if i != 9 && size > 10_000 {
			t.Errorf("batch %d has %d bytes", i, size)
		}
		total += size
		m.Batch.Release()
	}
	if whole := int(vec.Bytes(values)); total > 3*whole {
		t.Errorf("%d bytes for a dictionary of %d", total, whole)
	}
}

// TestForgetting goes through more dictionaries than are remembered, and comes back.
func TestForgetting(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	var all []arrow.Array
	defer func() { vec.ReleaseAll(all) }()
	for i := range maxDictionaries + 10 {
		all = append(all, wordList(mem, fmt.Sprint("list ", i), 50))
	}
	send := func(i int) (size int) {
		b := coded(mem, all[i], 60)
		want := b.Retain()
		m, size := l.pass(t, Message{Kind: Batch, Batch: b})
		same(t, m.Batch, want)
		m.Batch.Release()
		want.Release()
		return size
	}
	for round := range 3 {
		for i := range all {
			if size := send(i); size < 1000 {
				t.Errorf("round %d: dictionary %d came in %d bytes, though it was forgotten", round, i, size)
			}
			if size := send(i); size > 500 {
				t.Errorf("round %d: dictionary %d travels again, in %d bytes", round, i, size)
			}
		}
	}
	if n := len(l.e.told.all); n != maxDictionaries {
		t.Errorf("the encoder remembers %d", n)
	}
	heard := 0
	for _, s := range l.d.heard.slots {
		if s.values != nil {
			heard++
		}
	}
	if heard != maxDictionaries || l.d.heard.mass > l.e.told.mass || l.d.heard.mass <= 0 {
		t.Errorf("the decoder remembers %d of %d bytes, the encoder %d bytes", heard, l.d.heard.mass, l.e.told.mass)
	}
}

// TestHeavyDictionaries keeps the bytes of what is remembered within bounds.
func TestHeavyDictionaries(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	for i := range 10 {
		values := textsOf(mem, strings.Repeat("x", 10<<20), fmt.Sprint(i))
		b := coded(mem, values, 3)
		values.Release()
		m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
		if dictionaryOf(m.Batch) == nil {
			t.Errorf("batch %d comes as views", i)
		}
		m.Batch.Release()
		if l.e.told.mass > maxDictionaryMass || l.d.heard.mass > maxDictionaryMass || len(l.e.told.all) > 6 {
			t.Fatalf("%d and %d bytes are remembered", l.e.told.mass, l.d.heard.mass)
		}
	}
}

// TestCrowdedFrame has more dictionaries in one batch than are remembered.
func TestCrowdedFrame(t *testing.T) {
	mem := checked(t)
	ts := make([]types.Type, maxDictionaries+5)
	for i := range ts {
		ts[i] = types.STRING
	}
	l := newLink(t, mem, ts...)
	for round := range 3 {
		b := &op.Batch{Rows: 9}
		for i := range ts {
			values := wordList(mem, fmt.Sprint(round, i), 3)
			b.Cols = append(b.Cols, coded(mem, values, 9).Cols...)
			values.Release()
		}
		want := b.Retain()
		m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
		same(t, m.Batch, want)
		m.Batch.Release()
		want.Release()
	}
}

// TestNullInDictionary has NULL among the values, as other readers of Arrow may make it.
func TestNullInDictionary(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	vb := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, 2)
	vb.AppendNull()
	vb.AppendString("there")
	values := vb.Finish()
	b := coded(mem, values, 2)
	values.Release()
	m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
	defer m.Batch.Release()
	if got := valuesOf(m.Batch.Cols[0]); got[0] != nil || got[1] != "there" {
		t.Errorf("comes as %v", got)
	}
}

// TestNarrowCodes has codes of a byte each.
func TestNarrowCodes(t *testing.T) {
	mem := checked(t)
	l := newLink(t, mem, types.STRING)
	values := textsOf(mem, "no", "yes")
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int8, ValueType: arrow.BinaryTypes.StringView}
	codes := memory.NewBufferBytes([]byte{1, 0, 1})
	data := array.NewDataWithDictionary(dt, 3, []*memory.Buffer{nil, codes}, 0, 0, values.Data().(*array.Data))
	b := &op.Batch{Rows: 3, Cols: []arrow.Array{array.NewDictionaryData(data)}}
	data.Release()
	values.Release()
	m, _ := l.pass(t, Message{Kind: Batch, Batch: b})
	defer m.Batch.Release()
	if got := fmt.Sprint(valuesOf(m.Batch.Cols[0])); got != "[yes no yes]" || dictionaryOf(m.Batch) == nil {
		t.Errorf("comes as %v", got)
	}
}
