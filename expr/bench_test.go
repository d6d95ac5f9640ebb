package expr

import (
	"fmt"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

const benchRows = 8192

var benchCols = types.Schema{
	{Name: "i", Type: types.INT}, {Name: "f", Type: types.FLOAT}, {Name: "s", Type: types.STRING},
	{Name: "k", Type: types.STRING}, {Name: "n", Type: types.INT32},
}

// benchInput is random-looking numbers, texts of some 20 bytes, and a dictionary of 16.
func benchInput(b *testing.B, mem memory.Allocator) Input {
	ints, floats := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, benchRows), vec.NewFixed[float64](mem, arrow.PrimitiveTypes.Float64, benchRows)
	narrow := vec.NewFixed[int32](mem, arrow.PrimitiveTypes.Int32, benchRows)
	texts, dict := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, benchRows), vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, 16)
	codes := make([]int32, benchRows)
	for i := range benchRows {
		h := vec.HashInt(int64(i))
		ints.Values[i], floats.Values[i], narrow.Values[i] = int64(h%1000), float64(h%1000)/8, int32(h%1000)
		codes[i] = int32(h % 16)
		texts.AppendString(fmt.Sprintf("Punched Telespar %d", h%100))
	}
	for i := range 16 {
		dict.AppendString(fmt.Sprintf("category %d", i))
	}
	return Input{Rows: benchRows, Cols: []arrow.Array{ints.Finish(), floats.Finish(), texts.Finish(), vec.NewDictionary(mem, codes, dict.Finish(), nil), narrow.Finish()}}
}

func BenchmarkFilter(b *testing.B) {
	for _, src := range []string{
		"i > 500", "n > 500", "f > 60", "s = 'Punched Telespar 7'", "k = 'category 7'", "s like '%par 7%'",
		"s like 'Punched%7'", "s ~ 'r 7'", "i > 500 and f < 60", "i + 1 > 500", "i in (1, 2, 3)", "i between 100 and 200",
	} {
		b.Run(src, func(b *testing.B) {
			mem := memory.NewGoAllocator()
			in := benchInput(b, mem)
			ev, err := NewEvaluator(parse(b, src, benchCols...), mem, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer ev.Close()
			dst := make([]int32, 0, benchRows)
			b.SetBytes(benchRows) // MB/s reads as million rows a second
			for b.Loop() {
				if dst, err = ev.Filter(in, nil, dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEval(b *testing.B) {
	for _, src := range []string{"i + n", "i * 3", "f * 0.92", "i / 7", "s || '!'", "upper(k)", "lower(s)", "hash(i)", "case when i > 500 then i else n end", "n::INT", "i::STRING", "substr(s, 3, 5)"} {
		b.Run(src, func(b *testing.B) {
			mem := memory.NewGoAllocator()
			in := benchInput(b, mem)
			ev, err := NewEvaluator(parse(b, src, benchCols...), mem, nil)
			if err != nil {
				b.Fatal(err)
			}
			defer ev.Close()
			b.SetBytes(benchRows)
			for b.Loop() {
				a, err := ev.Eval(in, nil)
				if err != nil {
					b.Fatal(err)
				}
				a.Release()
			}
		})
	}
}

func BenchmarkAggregate(b *testing.B) {
	for _, src := range []string{"count(*)", "sum(i)", "sum(f)", "avg(i)", "min(i)", "max(s)", "stddev(f)", "count(DISTINCT i)", "approx_count_distinct(i)"} {
		b.Run(src, func(b *testing.B) {
			mem := memory.NewGoAllocator()
			in := benchInput(b, mem)
			c := parseAgg(b, src, benchCols...)
			acc := newAcc(b, c, mem, 1000)
			defer acc.Release()
			groups := make([]uint32, benchRows)
			for i := range groups {
				groups[i] = uint32(vec.HashInt(int64(i)) >> 20 % 1000)
			}
			var args []arrow.Array
			for _, a := range c.Args {
				args = append(args, in.Cols[a.(*Column).ID])
			}
			b.SetBytes(benchRows)
			for b.Loop() {
				if err := acc.Update(groups, args); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
