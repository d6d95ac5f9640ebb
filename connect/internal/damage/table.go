// Package damage helps the tests of binary formats: tables with every type to
// write, and files that are broken in every way.
package damage

import (
	"bytes"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Every is a schema with each type, also nested.
func Every() types.Schema {
	s := types.Schema{}
	add := func(name string, t types.Type) { s = append(s, types.Field{Name: name, Type: t}) }
	add("b", types.BOOL)
	add("i8", types.INT8)
	add("i16", types.INT16)
	add("i32", types.INT32)
	add("i", types.INT)
	add("f32", types.FLOAT32)
	add("f", types.FLOAT)
	add("d9", types.DecimalOf(9, 2))
	add("d18", types.DecimalOf(18, 0))
	add("d38", types.DecimalOf(38, 20))
	add("s", types.STRING)
	add("raw", types.BYTES)
	add("day", types.DATE)
	add("ts", types.TIMESTAMP)
	add("iv", types.INTERVAL)
	add("l", types.ListOf(types.INT))
	add("ls", types.ListOf(types.STRING))
	st := types.StructOf(types.Field{Name: "x", Type: types.FLOAT}, types.Field{Name: "y z", Type: types.ListOf(types.STRING)})
	add("st", st)
	add("deep", types.ListOf(types.ListOf(types.StructOf(types.Field{Name: "in", Type: st}, types.Field{Name: "iv", Type: types.INTERVAL}))))
	return s
}

// Table makes rows of random values, extremes and NULLs among them. The arrays
// come from mem, and the test releases them.
func Table(t testing.TB, mem memory.Allocator, seed uint64, schema types.Schema, rows int) []arrow.Array {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 1))
	cols := make([]arrow.Array, len(schema))
	for i, f := range schema {
		parts := make([]arrow.Array, 0, rows)
		for range rows {
			parts = append(parts, literal(t, mem, value(r, f.Type), f.Type))
		}
		if rows == 0 {
			parts = append(parts, literalRows(t, mem, nil, f.Type, 0))
		}
		c, err := vec.Concat(mem, parts)
		if err != nil {
			t.Fatal(err)
		}
		vec.ReleaseAll(parts)
		cols[i] = c
	}
	t.Cleanup(func() { vec.ReleaseAll(cols) })
	return cols
}

func literal(t testing.TB, mem memory.Allocator, v any, typ types.Type) arrow.Array {
	return literalRows(t, mem, v, typ, 1)
}

func literalRows(t testing.TB, mem memory.Allocator, v any, typ types.Type, n int) arrow.Array {
	t.Helper()
	a, err := vec.FromLiteral(mem, v, typ, n)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func pick[T any](r *rand.Rand, vals ...T) T { return vals[r.IntN(len(vals))] }

// value returns a random value in the form of an expression's literals.
func value(r *rand.Rand, t types.Type) any {
	if r.IntN(6) == 0 {
		return nil
	}
	switch t.Kind {
	case types.Bool:
		return r.IntN(2) == 0
	case types.Int8:
		return pick[int64](r, math.MinInt8, math.MaxInt8, 0, int64(r.IntN(100)))
	case types.Int16:
		return pick[int64](r, math.MinInt16, math.MaxInt16, 0, int64(r.IntN(1000)))
	case types.Int32:
		return pick[int64](r, math.MinInt32, math.MaxInt32, 0, int64(r.IntN(100000)))
	case types.Int64:
		return pick[int64](r, math.MinInt64, math.MaxInt64, 0, r.Int64())
	case types.Float32:
		return pick(r, math.NaN(), math.Inf(-1), math.Copysign(0, -1), 0, math.MaxFloat32, float64(float32(r.NormFloat64())))
	case types.Float64:
		return pick(r, math.NaN(), math.Inf(1), math.Copysign(0, -1), 0, math.SmallestNonzeroFloat64, r.NormFloat64())
	case types.Decimal:
		most := decimal128.GetMaxValue(int32(t.Precision))
		return pick(r, most, most.Negate(), decimal128.FromI64(0), decimal128.FromI64(-1), decimal128.FromI64(int64(r.IntN(1e6))))
	case types.String:
		return pick(r, "", "a", "zwölf Zeich", "🚀 goes well beyond twelve bytes", strings.Repeat("long ", r.IntN(60)), string(rune('a'+r.IntN(26))))
	case types.Bytes:
		return pick(r, []byte{}, []byte{0, 0xff}, bytes.Repeat([]byte{0xfe}, r.IntN(40)))
	case types.Date:
		return arrow.Date32(r.IntN(100000) - 50000)
	case types.Timestamp:
		return arrow.Timestamp(r.Int64N(1<<52) - 1<<51)
	case types.Interval:
		return arrow.MonthDayNanoInterval{Months: int32(r.IntN(20)), Days: int32(r.IntN(40)), Nanoseconds: r.Int64N(1<<31) * 1_000_000}
	case types.List:
		out := make([]any, pick(r, 0, 0, 1, 2, 5))
		for i := range out {
			out[i] = value(r, *t.Elem)
		}
		return out
	case types.Struct:
		out := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			out[i] = value(r, f.Type)
		}
		return out
	}
	return nil
}

// Text returns the rows of columns as text.
func Text(cols []arrow.Array) [][]string {
	rows := make([][]string, cols[0].Len())
	for i := range rows {
		rows[i] = conntest.Row(cols, i)
	}
	return rows
}

// Out is a place in memory. It implements write.Out.
type Out struct {
	bytes.Buffer
	Committed, Aborted bool
}

// Commit notes that it was called.
func (o *Out) Commit() error {
	o.Committed = true
	return nil
}

// Abort notes that it was called.
func (o *Out) Abort() error {
	o.Aborted = true
	return nil
}
