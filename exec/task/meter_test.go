package task

import (
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
)

// The time of an operator is its own: what those behind it take is theirs, so
// that all of them together are no more than what has passed.
func TestOwnTime(t *testing.T) {
	watch := &clock{}
	meters := make([]*Meter, 5)
	for i := range meters {
		meters[i] = &Meter{}
	}
	work := func() {
		for begin := time.Now(); time.Since(begin) < 100*time.Microsecond; {
			continue
		}
	}
	begin := time.Now()
	var push func(at int) error
	push = func(at int) error {
		if at == len(meters) { // as what waits for another task
			begin := time.Now()
			work()
			watch.Spent += time.Since(begin)
			return nil
		}
		return watch.timed(meters[at], func() error {
			work()
			if err := push(at + 1); err != nil {
				return err
			}
			return push(at + 1) // an operator may yield twice
		})
	}
	if err := push(0); err != nil {
		t.Fatal(err)
	}
	passed := time.Since(begin)
	var all time.Duration
	for i, m := range meters {
		own := time.Duration(m.Nanos.Load())
		if least := time.Duration(1<<i) * 100 * time.Microsecond; own < least {
			t.Errorf("operator %d: %s, and worked %s", i, own, least)
		}
		all += own
	}
	waited := time.Duration(1<<len(meters)) * 100 * time.Microsecond
	if all+waited > passed {
		t.Errorf("operators take %s and waiting %s of %s", all, waited, passed)
	}
}

func TestSize(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	make := func(dt arrow.DataType, json string) *op.Batch {
		t.Helper()
		b := array.NewBuilder(mem, dt)
		defer b.Release()
		if err := b.UnmarshalJSON([]byte(json)); err != nil {
			t.Fatal(err)
		}
		a := b.NewArray()
		return &op.Batch{Cols: []arrow.Array{a}, Rows: a.Len()}
	}
	texts := arrow.BinaryTypes.StringView
	words := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	for _, tt := range []struct {
		batch *op.Batch
		sel   []int32
		want  int64
	}{
		{make(arrow.PrimitiveTypes.Int64, `[1, 2, null]`), nil, 24},
		{make(arrow.PrimitiveTypes.Int64, `[1, 2, null]`), []int32{1}, 8},
		{make(arrow.FixedWidthTypes.Boolean, `[true, false, true, true, true, true, true, true]`), nil, 1},
		{make(texts, `["a", null, "a text that is not held within its view"]`), nil, 40},
		{make(texts, `[]`), nil, 0},
		{make(words, `["abcd", "abcd", "abcd"]`), nil, 12}, // each row has the word
		{make(arrow.ListOf(arrow.PrimitiveTypes.Int64), `[[1, 2], [], null, [3]]`), nil, 24},
		{make(arrow.StructOf(arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, arrow.Field{Name: "y", Type: texts, Nullable: true}),
			`[{"x": 1, "y": "abc"}, {"x": 2, "y": "d"}]`), nil, 20},
	} {
		tt.batch.Sel = tt.sel
		if got := size(tt.batch); got != tt.want {
			t.Errorf("%v %v: %d bytes, want %d", tt.batch.Cols[0], tt.sel, got, tt.want)
		}
		tt.batch.Release()
	}
}
