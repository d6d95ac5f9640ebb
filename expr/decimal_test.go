package expr

import (
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/types"
)

// randomDecimal is a DECIMAL literal, often at the edges of its type.
func randomDecimal(r *rand.Rand) (*Literal, *big.Int) {
	p := []int{1, 2, 5, 9, 18, 19, 30, 37, 38}[r.IntN(9)]
	s := []int{0, 1, p / 2, p}[r.IntN(4)]
	s = min(s, p)
	v := new(big.Int).Sub(power10(p), big.NewInt(1))
	switch r.IntN(6) {
	case 0: // all nines
	case 1:
		v.SetInt64(0)
	case 2:
		v.SetInt64(1)
	default:
		digits := power10(1 + r.IntN(p))
		n := new(big.Int).SetUint64(r.Uint64())
		n.Mul(n, new(big.Int).SetUint64(r.Uint64()))
		v.Mod(n, digits)
	}
	if r.IntN(2) == 0 {
		v.Neg(v)
	}
	return &Literal{Value: decimal128.FromBigInt(v), T: types.DecimalOf(p, s)}, v
}

func power10(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }

// point writes v with scale digits after the point.
func point(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		s = strings.Repeat("0", max(0, scale+1-len(s))) + s
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// halfAway divides by a power of ten, rounding half away from zero.
func halfAway(v, by *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(v, by, new(big.Int))
	if r.Abs(r).Lsh(r, 1).Cmp(by) >= 0 {
		q.Add(q, big.NewInt(int64(v.Sign())))
	}
	return q
}

// TestDecimalsExactly holds that DECIMALs give the digits that math/big gives,
// in the types that the language reference says, or an error: never others.
func TestDecimalsExactly(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 5))
	errors, results := 0, 0
	for range 20_000 {
		x, xv := randomDecimal(r)
		y, yv := randomDecimal(r)
		xs, ys := x.T.Scale, y.T.Scale
		scale := max(xs, ys)
		up := func(v *big.Int, from int) *big.Int { return new(big.Int).Mul(v, power10(scale-from)) }
		whole := max(x.T.Precision-xs, y.T.Precision-ys)
		var e Expr
		var err error
		var want *big.Int // nil: an error
		var typ types.Type
		op := []string{"+", "-", "*", "%", "cast", "round", "<", "="}[r.IntN(8)]
		switch op {
		case "+":
			want, typ = new(big.Int).Add(up(xv, xs), up(yv, ys)), types.DecimalOf(min(38, whole+scale+1), scale)
		case "-":
			want, typ = new(big.Int).Sub(up(xv, xs), up(yv, ys)), types.DecimalOf(min(38, whole+scale+1), scale)
		case "*":
			want, typ = new(big.Int).Mul(xv, yv), types.DecimalOf(min(38, x.T.Precision+y.T.Precision), min(38, xs+ys))
		case "%":
			typ = types.DecimalOf(min(38, whole+scale), scale)
			if yv.Sign() != 0 {
				want = new(big.Int).Rem(up(xv, xs), up(yv, ys))
			}
		case "cast":
			typ = y.T
			if ys >= xs {
				want = new(big.Int).Mul(xv, power10(ys-xs))
			} else {
				want = halfAway(xv, power10(xs-ys))
			}
			e, err = NewCast(x, y.T, false)
		case "round":
			n := r.IntN(xs + 1)
			want = halfAway(xv, power10(xs-n))
			e, err = NewCall("round", x, Constant(n))
			if err == nil {
				typ = e.Type()
			}
			if typ.Scale != n {
				t.Fatalf("round(%s, %d) is %s", x.T, n, typ)
			}
		case "<", "=":
			if e, err = NewCall(op, x, y); err != nil {
				t.Fatal(err)
			}
			c := up(xv, xs).Cmp(up(yv, ys))
			truth := map[bool]string{true: "true", false: "false"}[op == "<" && c < 0 || op == "=" && c == 0]
			if got, err := show(t, checked(t), e, Input{Rows: 1}, nil); err != nil || got[0] != truth {
				t.Fatalf("%s: %v, %v, want %s", String(e), got, err, truth)
			}
			continue
		}
		if e == nil && err == nil {
			e, err = NewCall(op, x, y)
		}
		if err != nil {
			if op != "*" || xs+ys <= 38 {
				t.Fatalf("%s %s %s: %v", x.T, op, y.T, err)
			}
			continue
		}
		if !e.Type().Equal(typ) {
			t.Fatalf("%s is %s, want %s", String(e), e.Type(), typ)
		}
		got, err := show(t, checked(t), e, Input{Rows: 1}, nil)
		if want == nil || new(big.Int).Abs(want).Cmp(power10(typ.Precision)) >= 0 {
			if errors++; err == nil {
				t.Fatalf("%s is %s, want an error", String(e), got)
			}
			continue
		}
		if results++; err != nil || got[0] != point(want, typ.Scale) {
			t.Fatalf("%s is %v, %v, want %s", String(e), got, err, point(want, typ.Scale))
		}
	}
	if errors < 1000 || results < 10_000 {
		t.Errorf("the test has grown weak: %d errors, %d results", errors, results)
	}
}

// TestDecimalEdges has results of DuckDB 2.0.
func TestDecimalEdges(t *testing.T) {
	nines := strings.Repeat("9", 38) + "::DECIMAL(38,0)"
	nines = "'" + strings.Repeat("9", 38) + "'" + nines[38:]
	checkConstants(t, []struct{ src, want string }{
		{nines + " + 1", "ERROR: does not fit DECIMAL(38,0): CAST"},
		{nines + " * 2", "ERROR: does not fit DECIMAL(38,0): CAST"},
		{"-" + nines + " - 1", "ERROR: does not fit DECIMAL(38,0): CAST"},
		{nines + " + '-1'::DECIMAL(1,0)", strings.Repeat("9", 37) + "8"},
		{"ceil(" + nines + ")", strings.Repeat("9", 38)},
		{nines + "::FLOAT", "1e+38"},
		{nines + " = 0.1::DECIMAL(38,38)", "false"},
		{nines + " % 0.0", "ERROR: division by zero"},
		{nines + " % '0'::DECIMAL(38,38)", "ERROR: division by zero"},
		{"list_sum([" + nines + ", 1])", "ERROR: does not fit DECIMAL(38,0)"},
		{"list_sum([1.5, 2.25, NULL])", "3.75"},
		{"list_avg([1.1, 1.2])", "1.15"},
		{"1::DECIMAL(38,38)", "ERROR: 1 does not fit DECIMAL(38,38)"},
		{"99.95::DECIMAL(3,1)", "ERROR: 99.95 does not fit DECIMAL(3,1)"},
		{"9.99::DECIMAL(2,1)", "ERROR: 9.99 does not fit"},
		{"round(99.95, 1)", "100.0"},
		{"round(-0.5)", "-1"},
		{"round(99.99, -1)", "100"},
		{"12.5::INT", "13"},
		{"-12.5::INT", "-13"},
		{"typeof(1.5::DECIMAL(10,2) + list_extract([9223372036854775807], 1))", "DECIMAL(22,2)"},
		{"1.5 / 0", "inf"},
	})
}
