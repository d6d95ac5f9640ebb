package gen

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// size bounds a value as Expr.Max says.
func size(v any) float64 {
	switch v := v.(type) {
	case bool:
		return 1
	case int64:
		return math.Abs(float64(v))
	case float64:
		if math.IsNaN(v) {
			return math.Inf(1)
		}
		return math.Abs(v)
	case val.Dec:
		f, _ := new(big.Float).SetInt(v.Unscaled).Float64()
		return math.Abs(f) / math.Pow10(v.Scale)
	case string:
		return float64(len(v))
	case val.Bytes:
		return float64(len(v))
	case val.Date:
		return math.Abs(float64(v))
	case val.Time:
		return math.Abs(float64(v)) / 1e6
	case val.Span:
		return math.Abs(float64(v.Months))*2678400 + math.Abs(float64(v.Days))*86400 + math.Abs(float64(v.Micros))/1e6
	case []any:
		m := 0.0
		for _, x := range v {
			m = max(m, size(x))
		}
		return m
	case val.Row:
		m := 0.0
		for _, x := range v.Values {
			m = max(m, size(x))
		}
		return m
	}
	return 0
}

// tame reports a float of which sums over a few thousand are exact, in any order.
func tame(f float64) bool { return math.Abs(f) <= 1e5 && f*8 == math.Trunc(f*8) }

// tameValue reports a value, or list, of which every FLOAT is tame.
func tameValue(v any) bool {
	switch v := v.(type) {
	case float64:
		return tame(v)
	case []any:
		return !slices.ContainsFunc(v, func(x any) bool { return !tameValue(x) })
	}
	return true
}

var (
	words = []string{"", "a", "b", "A", "ab", "abc", "rain", "rainsql", "Köln", "ß", "ÄÖÜ", "日本語", "🙂", "e\u0301", " x ", "a,b,c",
		"a\"b", "it's", "%", "_", "a_b", "100%", "1", "-7", "2.5", "1e3", "true", "NaN", "2026-01-31", "10:00", "x\ty", "line\nbreak", "null", "\\", "a\\b"}
	extremeInts   = []int64{0, 1, -1, math.MaxInt64, math.MinInt64, math.MaxInt64 - 1, math.MinInt64 + 1, 1 << 53, 1<<53 + 1, math.MaxInt32, math.MinInt32, 9999999999}
	extremeFloats = []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, -math.MaxFloat64,
		math.SmallestNonzeroFloat64, 0.1, 0.5, -0.5, 1.5, 2.5, 1e15, 1e16, 1e17, 123456789.125, 1e-7, 9007199254740993, 9.223372036854775e18, 1e300}
	extremeDays = []val.Date{0, -1, 1, 11016, -719162, 2932896, 19782, 20484, -25567} // 2000-02-29, 0001-01-01, 9999-12-31
)

func (g *Gen) text() string {
	switch {
	case g.chance(0.7):
		return pick(g, words)
	case g.chance(0.1):
		return strings.Repeat(pick(g, []string{"long ", "ä", "xyz", "0123456789abcdef"}), 1+g.n(60))
	}
	var sb strings.Builder
	for range g.n(15) {
		sb.WriteRune(pick(g, []rune("abcxyzABC019 .-_,äß日🙂")))
	}
	return sb.String()
}

// profiles of columns.
const (
	few     = iota // a handful of small values
	wide           // values of ordinary size
	extreme        // anything that the type holds
)

// value makes a value of a type that is not NULL.
func (g *Gen) value(t types.Type, profile int) any {
	switch t.Kind {
	case types.Bool:
		return g.chance(0.5)
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return g.intValue(t, profile)
	case types.Float64, types.Float32:
		f := 0.0
		switch profile {
		case few:
			f = float64(g.n(5)) / 2
		case wide:
			f = float64(g.n(16000)-8000) / 8
		default:
			f = pick(g, extremeFloats)
			if g.chance(0.2) {
				f = g.rng.NormFloat64() * math.Pow10(g.n(12)-6)
			}
		}
		if t.Kind == types.Float32 {
			f = float64(float32(f))
		}
		return f
	case types.Decimal:
		digits := t.Precision
		switch profile {
		case few:
			return val.Dec{Unscaled: big.NewInt(int64(min(g.n(5), 9)) * int64(math.Pow10(min(t.Scale, max(0, t.Precision-1), 15)))), Scale: t.Scale}
		case wide:
			digits = min(digits, 6)
		}
		limit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(1+g.n(digits))), nil)
		u := new(big.Int).Mod(new(big.Int).Lsh(big.NewInt(int64(g.rng.Uint64()>>1)), uint(g.n(64))), limit)
		if g.chance(0.1) {
			u = new(big.Int).Sub(limit, big.NewInt(1))
		}
		if g.chance(0.4) {
			u.Neg(u)
		}
		return val.Dec{Unscaled: u, Scale: t.Scale}
	case types.String:
		if profile == few {
			return pick(g, []string{"a", "b", "ab", "", "Köln"})
		}
		return g.text()
	case types.Bytes:
		if profile == few {
			return val.Bytes(pick(g, []string{"a", "b", "\x00", ""}))
		}
		b := make([]byte, g.n(10))
		for i := range b {
			b[i] = pick(g, []byte("a\x00\xff\\'\"z\x80\n"))
		}
		return val.Bytes(b)
	case types.Date:
		switch profile {
		case few:
			return val.Date(20480 + g.n(5))
		case wide:
			return val.Date(10957 + g.n(14000))
		}
		return pick(g, extremeDays)
	case types.Timestamp:
		const day = 86_400_000_000
		switch profile {
		case few:
			return val.Time(20480*day + int64(g.n(6))*3_600_000_000)
		case wide:
			return val.Time(int64(10957+g.n(14000))*day + g.rng.Int64N(day))
		}
		return val.Time(int64(pick(g, extremeDays))*day + pick(g, []int64{0, 1, day - 1, day / 2, 1_500_000}))
	case types.Interval:
		switch profile {
		case few:
			return pick(g, []val.Span{{}, {Months: 1}, {Days: 1}, {Days: 20}, {Micros: 3_600_000_000}})
		case wide: // of one sign: DuckDB compares mixed ones against its documentation
			sign := int64(1 - 2*g.n(2))
			return val.Span{Months: int32(sign) * int32(g.n(25)), Days: int32(sign) * int32(g.n(30)), Micros: sign * g.rng.Int64N(86_400_000) * 1000}
		}
		return pick(g, []val.Span{{Months: 1200}, {Days: -1}, {Micros: -1000}, {Micros: 1000}, {Months: 1}, {Days: 29}, {Months: 1200, Days: 29}})
	case types.List:
		out := make([]any, g.n(4))
		for i := range out {
			if g.chance(0.85) {
				out[i] = g.value(*t.Elem, profile)
			}
		}
		return out
	case types.Struct:
		r := val.Row{}
		for _, f := range t.Fields {
			r.Names = append(r.Names, f.Name)
			var v any
			if g.chance(0.85) {
				v = g.value(f.Type, profile)
			}
			r.Values = append(r.Values, v)
		}
		return r
	}
	return nil
}

func (g *Gen) intValue(t types.Type, profile int) int64 {
	bits := map[types.Kind]uint{types.Int8: 7, types.Int16: 15, types.Int32: 31, types.Int64: 63}[t.Kind]
	switch profile {
	case few:
		return int64(g.n(5))
	case wide:
		return int64(g.n(200) - 100)
	}
	v := pick(g, extremeInts)
	if g.chance(0.2) {
		v = int64(g.rng.Uint64())
	}
	if bits < 63 {
		if v == math.MaxInt64 {
			return 1<<bits - 1
		}
		return max(-1<<bits, min(1<<bits-1, v>>(63-bits)))
	}
	return v
}

// columnType is a type for a column of a table.
func (g *Gen) columnType(lists bool) types.Type {
	list := []types.Type{types.BOOL, types.INT, types.INT, types.INT8, types.INT16, types.INT32, types.FLOAT, types.FLOAT, types.FLOAT32,
		types.DecimalOf(4, 1), types.DecimalOf(9, 2), types.DecimalOf(18, 3), types.DecimalOf(38, 10), types.STRING, types.STRING, types.STRING, types.BYTES,
		types.DATE, types.DATE, types.TIMESTAMP, types.TIMESTAMP, types.INTERVAL}
	if g.chance(0.25) { // those that are rare elsewhere
		list = []types.Type{types.INT8, types.INT16, types.FLOAT32, types.BYTES, types.INTERVAL, types.INT32}
	}
	if lists && g.chance(0.2) {
		if g.chance(0.5) {
			return types.ListOf(pick(g, []types.Type{types.INT, types.STRING, types.FLOAT, types.DATE, types.DecimalOf(9, 2)}))
		}
		return types.StructOf(types.Field{Name: "a", Type: types.INT}, types.Field{Name: "b", Type: types.STRING})
	}
	return pick(g, list)
}

// Tables makes a few tables. world makes their names differ from those of others.
func (g *Gen) Tables(world int) []*Table {
	var out []*Table
	for i := range 4 {
		t := &Table{Name: fmt.Sprintf("w%d_t%d", world, i)}
		t.File = pick(g, []string{"parquet", "parquet", "parquet", "csv", "jsonl", "arrow", "csv"})
		if i == 0 {
			t.File = "parquet"
		}
		rows := pick(g, []int{0, 1, 7, 20, 20, 20, 40, 60})
		if i == 0 {
			rows = 40
		}
		if i == 3 && g.chance(0.4) { // enough for several tasks
			rows = pick(g, []int{300, 300, 300, 2500})
			t.File = pick(g, []string{"parquet", "csv", "csv", "jsonl"})
		}
		g.fillTable(t, rows)
		out = append(out, t)
	}
	return out
}

func (g *Gen) fillTable(t *Table, rows int) {
	id := &Col{Name: "id", T: types.INT, Max: float64(rows)}
	k := &Col{Name: "k", T: types.INT, Null: true}
	t.Cols = []*Col{id, k}
	for i := range 4 + g.n(5) {
		t.Cols = append(t.Cols, &Col{Name: fmt.Sprintf("%c%d", 'a'+i, g.n(3)), T: g.columnType(nested(t))})
	}
	order := g.rng.Perm(rows)
	t.Rows = make([][]any, rows)
	for i := range t.Rows {
		t.Rows[i] = make([]any, len(t.Cols))
		t.Rows[i][0] = int64(order[i])
	}
	for j, c := range t.Cols[1:] {
		g.fillColumn(t, j+1, c)
	}
	t.Path = fmt.Sprintf("'./%s.%s'", t.Name, t.File)
	if t.File == "csv" || t.File == "jsonl" {
		t.Path += columnsOption(t.Cols)
	}
}

// columnsOption gives a text file the types of its columns.
func columnsOption(cols []*Col) string {
	parts := make([]string, len(cols))
	for i, c := range cols {
		parts[i] = c.Name + " " + c.T.String()
	}
	return " (columns = (" + strings.Join(parts, ", ") + "))"
}

func (g *Gen) fillColumn(t *Table, j int, c *Col) {
	profile := pick(g, []int{few, few, wide, wide, extreme})
	if c.Name == "k" {
		profile = few
	}
	nulls := pick(g, []float64{0, 0, 0.1, 0.5})
	if c.Name != "k" && g.chance(0.04) {
		nulls = 1
	}
	c.Null, c.Tame = nulls > 0, true
	for i := range t.Rows {
		var v any
		if !g.chance(nulls) {
			v = g.value(c.T, profile)
			if f, ok := v.(float64); ok && t.File == "jsonl" && (math.IsNaN(f) || math.IsInf(f, 0)) {
				v = 0.25 // JSON has no word for it
			}
			if s, ok := v.(val.Span); ok && nested(t) { // Parquet has no negative ones
				// and DuckDB's dictionary takes a month for 30 days
				v = val.Span{Months: max(s.Months, -s.Months), Days: max(s.Days, -s.Days) % 30, Micros: max(s.Micros, -s.Micros) % 86_400_000_000}
			}
		}
		t.Rows[i][j] = v
	}
	Measure(t, j)
}

// Measure notes of a column what its values are.
func Measure(t *Table, j int) {
	c := t.Cols[j]
	c.Max, c.Null, c.Tame = 0, false, true
	for _, r := range t.Rows {
		if r[j] == nil {
			c.Null = true
			continue
		}
		c.Max = max(c.Max, size(r[j]))
		c.Tame = c.Tame && tameValue(r[j])
	}
}

// nested reports whether the table's file comes by way of Parquet.
func nested(t *Table) bool { return t.File == "parquet" || t.File == "arrow" }
