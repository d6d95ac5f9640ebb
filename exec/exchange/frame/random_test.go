package frame

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

func checked(t testing.TB) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

var scalars = []types.Type{
	types.NULL, types.BOOL, types.INT8, types.INT16, types.INT32, types.INT, types.FLOAT32, types.FLOAT,
	types.DecimalOf(38, 2), types.DecimalOf(9, 9), types.STRING, types.BYTES, types.DATE, types.TIMESTAMP, types.INTERVAL,
}

// randomType makes a type nested at most depth deep.
func randomType(r *rand.Rand, depth int) types.Type {
	switch k := r.IntN(len(scalars) + 4); {
	case k < len(scalars) || depth == 0:
		return scalars[k%len(scalars)]
	case k%2 == 0:
		return types.ListOf(randomType(r, depth-1))
	}
	fields := make([]types.Field, r.IntN(4))
	for i := range fields {
		fields[i] = types.Field{Name: fmt.Sprintf("f%d", i), Type: randomType(r, depth-1)}
	}
	return types.StructOf(fields...)
}

var words = []string{"", "a", "four", "fünf!", "exactly 12 b", "thirteen byte", "a text that is too long for a view to hold", "日本語のとても長いテキスト", "😀", "some 🌧 rain falls on the sea, and no one is there"}

// randomColumn makes a column of n rows in any layout, often a slice of a longer one.
func randomColumn(t testing.TB, r *rand.Rand, mem memory.Allocator, typ types.Type, n int) arrow.Array {
	t.Helper()
	before, after := r.IntN(2)*r.IntN(20), r.IntN(2)*r.IntN(20)
	a := randomWhole(t, r, mem, typ, before+n+after)
	defer a.Release()
	return array.NewSlice(a, int64(before), int64(before+n))
}

func randomWhole(t testing.TB, r *rand.Rand, mem memory.Allocator, typ types.Type, n int) arrow.Array {
	t.Helper()
	nulls := vec.NewNulls(mem, n)
	defer nulls.Release()
	for most, i := r.IntN(3), 0; i < n; i++ { // none, some or mostly NULL
		if r.IntN(4) < most {
			nulls.Set(i)
		}
	}
	dt := typ.Arrow()
	switch typ.Kind {
	case types.Null:
		return array.NewNull(n)
	case types.Bool:
		b := vec.NewBools(mem, n)
		b.Merge(nulls.Validity())
		for i := range n {
			if r.IntN(2) == 0 {
				b.SetTrue(i)
			}
		}
		return b.Finish()
	case types.String, types.Bytes:
		return randomText(t, r, mem, typ, n, &nulls)
	case types.List:
		offs := []int32{int32(r.IntN(3))}
		for range n {
			offs = append(offs, offs[len(offs)-1]+int32(r.IntN(4)))
		}
		elems := randomColumn(t, r, mem, *typ.Elem, int(offs[n])+r.IntN(3))
		defer elems.Release()
		return vec.NewList(mem, elems, offs, &nulls)
	case types.Struct:
		var fields []arrow.Array
		defer func() { vec.ReleaseAll(fields) }()
		st := dt.(*arrow.StructType)
		fs := st.Fields()
		for i, f := range typ.Fields {
			fields = append(fields, randomColumn(t, r, mem, f.Type, n))
			fs[i].Type = fields[i].DataType()
		}
		return vec.NewStruct(arrow.StructOf(fs...), n, fields, &nulls)
	}
	switch vec.Width(dt) {
	case 1:
		return fill(r, mem, dt, n, &nulls, func() int8 { return int8(r.Uint32()) })
	case 2:
		return fill(r, mem, dt, n, &nulls, func() int16 { return int16(r.Uint32()) })
	case 4:
		if typ.IsFloat() {
			return fill(r, mem, dt, n, &nulls, r.Float32)
		}
		return fill(r, mem, dt, n, &nulls, func() int32 { return int32(r.Uint32()) })
	case 8:
		if typ.IsFloat() {
			return fill(r, mem, dt, n, &nulls, r.NormFloat64)
		}
		return fill(r, mem, dt, n, &nulls, func() int64 { return int64(r.Uint64()) })
	}
	if typ.Kind == types.Decimal {
		return fill(r, mem, dt, n, &nulls, func() decimal128.Num { return decimal128.FromI64(int64(r.Uint64() >> r.IntN(64))) })
	}
	return fill(r, mem, dt, n, &nulls, func() arrow.MonthDayNanoInterval {
		return arrow.MonthDayNanoInterval{Months: r.Int32N(100), Days: r.Int32N(100), Nanoseconds: r.Int64N(1e15)}
	})
}

func fill[T vec.FixedWidth](_ *rand.Rand, mem memory.Allocator, dt arrow.DataType, n int, nulls *vec.Nulls, value func() T) arrow.Array {
	b := vec.NewFixed[T](mem, dt, n)
	b.Merge(nulls.Validity())
	for i := range b.Values {
		b.Values[i] = value()
	}
	return b.Finish()
}

// randomText makes views, plain text, or codes over either.
func randomText(t testing.TB, r *rand.Rand, mem memory.Allocator, typ types.Type, n int, nulls *vec.Nulls) arrow.Array {
	t.Helper()
	word := func() []byte {
		w := []byte(words[r.IntN(len(words))])
		if typ.Kind == types.Bytes && r.IntN(2) == 0 {
			w = append(w, 0xff, 0x80)
		}
		return w
	}
	views := func(n int, nulls *vec.Nulls) arrow.Array {
		b := vec.NewViewBuilder(mem, typ.Arrow(), n)
		for i := range n {
			if nulls != nil && nulls.Null(i) {
				b.AppendNull()
			} else {
				b.Append(word())
			}
		}
		return b.Finish()
	}
	plain := func(a arrow.Array) arrow.Array {
		if r.IntN(3) > 0 {
			return a
		}
		defer a.Release()
		p, err := vec.Plain(mem, a)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if r.IntN(2) == 0 {
		return plain(views(n, nulls))
	}
	values := plain(views(1+r.IntN(20), nil))
	defer values.Release()
	codes := make([]int32, n)
	for i := range codes {
		codes[i] = r.Int32N(int32(values.Len()))
		if nulls.Null(i) {
			codes[i] = -5
		}
	}
	return vec.NewDictionary(mem, codes, values, nulls)
}

func randomBatch(t testing.TB, r *rand.Rand, mem memory.Allocator, ts []types.Type, n int) *op.Batch {
	b := &op.Batch{Rows: n, Split: r.IntN(5) - 1}
	for _, typ := range ts {
		b.Cols = append(b.Cols, randomColumn(t, r, mem, typ, n))
	}
	return b
}

func randomTypes(r *rand.Rand) []types.Type {
	ts := make([]types.Type, r.IntN(6))
	for i := range ts {
		ts[i] = randomType(r, 3)
	}
	return ts
}
