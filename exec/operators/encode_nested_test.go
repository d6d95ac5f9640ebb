package operators

import (
	"bytes"
	"math"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// TestNestedKeys checks that values of lists and structs are one key exactly
// where they compare as equal.
func TestNestedKeys(t *testing.T) {
	pair := func(a, b types.Type) types.Type {
		return types.StructOf(types.Field{Name: "a", Type: a}, types.Field{Name: "b", Type: b})
	}
	month := arrow.MonthDayNanoInterval{Months: 1}
	days := arrow.MonthDayNanoInterval{Days: 30}
	hours := arrow.MonthDayNanoInterval{Days: 29, Nanoseconds: 24 * 3600e9}
	tests := []struct {
		name   string
		t      types.Type
		values []any
		keys   []int // equal numbers are one key
	}{
		{"zeros and NaN", types.ListOf(types.FLOAT), []any{[]any{0.0}, []any{math.Copysign(0, -1)}, []any{math.NaN()}, []any{math.Float64frombits(0x7ff8000000000099)}, []any{nil}, []any{}, nil}, []int{0, 0, 1, 1, 2, 3, 4}},
		{"intervals", types.ListOf(types.INTERVAL), []any{[]any{month}, []any{days}, []any{hours}, []any{arrow.MonthDayNanoInterval{}}}, []int{0, 0, 0, 1}},
		{"text", types.ListOf(types.STRING), []any{[]any{"\xff"}, []any{"\xfe"}, []any{"\uFFFD"}, []any{"null"}, []any{nil}, []any{"NaN"}, []any{`","`}, []any{"", ""}, []any{"a", "b"}, []any{"ab"}, []any{"ab", ""}}, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10}},
		{"bytes", types.ListOf(types.BYTES), []any{[]any{[]byte{0}}, []any{[]byte(`\x00`)}, []any{[]byte{0, 0}}, []any{[]byte{0}, []byte{0}}}, []int{0, 1, 2, 3}},
		{"structs", pair(types.STRING, types.INT), []any{[]any{"1", int64(1)}, []any{nil, int64(1)}, []any{"1", nil}, []any{nil, nil}, nil, []any{"1", int64(1)}}, []int{0, 1, 2, 3, 4, 0}},
		{"lists of lists", types.ListOf(types.ListOf(types.INT)), []any{[]any{[]any{}, []any{int64(1)}}, []any{[]any{int64(1)}, []any{}}, []any{nil, []any{int64(1)}}, []any{}, []any{[]any{}}}, []int{0, 1, 2, 3, 4}},
		{"decimals", types.ListOf(types.DecimalOf(9, 2)), []any{[]any{decimal128.FromI64(150)}, []any{decimal128.FromI64(150)}, []any{decimal128.FromI64(-150)}}, []int{0, 0, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer mem.AssertSize(t, 0)
			var parts []arrow.Array
			defer func() { vec.ReleaseAll(parts) }()
			for _, v := range tt.values {
				a, err := vec.FromLiteral(mem, v, tt.t, 1)
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, a)
			}
			all, err := vec.Concat(mem, parts)
			if err != nil {
				t.Fatal(err)
			}
			defer all.Release()
			var e encoder
			e.encode([]arrow.Array{all}, all.Len())
			for i := range tt.values {
				for j := range i {
					want := tt.keys[i] == tt.keys[j]
					if got := bytes.Equal(e.row(i), e.row(j)); got != want {
						t.Errorf("%v and %v: one key %v, want %v", tt.values[i], tt.values[j], got, want)
					}
					if equal := vec.Equal(all, i, all, j); equal != want {
						t.Errorf("%v and %v: equal %v, want %v", tt.values[i], tt.values[j], equal, want)
					}
				}
			}
		})
	}
}
