package expr

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// outcomes is the set of three-way outcomes that satisfy op: bit 0 less, bit 1
// equal, bit 2 greater.
func (op compareOp) outcomes() uint {
	return [...]uint{opEq: 2, opNe: 5, opLt: 1, opLe: 3, opGt: 4, opGe: 6}[op]
}

// compareKernel makes the kernel of a comparison. Both operands have one
// logical type, except that DECIMALs may differ in scale.
func compareKernel(op compareOp) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewBools(c.mem, c.n)
		c.nullsOf(&b.Nulls)
		x, y := c.args[0], c.args[1]
		bits, set := b.Bits(), op.outcomes()
		switch x.arr.DataType().ID() {
		case arrow.INT8:
			compareInts(fixed[int8](x), fixed[int8](y), c.n, set, bits)
		case arrow.INT16:
			compareInts(fixed[int16](x), fixed[int16](y), c.n, set, bits)
		case arrow.INT32, arrow.DATE32:
			compareInts(fixed[int32](x), fixed[int32](y), c.n, set, bits)
		case arrow.INT64, arrow.TIMESTAMP:
			compareInts(fixed[int64](x), fixed[int64](y), c.n, set, bits)
		default:
			f, mx, my := vec.Comparer(x.arr, y.arr), x.mask(), y.mask()
			if (op == opEq || op == opNe) && vec.IsText(x.arr.DataType()) && vec.IsText(y.arr.DataType()) {
				f = textEquality(x, y)
			}
			for i := range c.n {
				bits[i>>3] |= byte(set>>uint(1+f(i&mx, i&my))&1) << (i & 7)
			}
		}
		return b.Finish(), nil
	}
}

func compareInts[T int8 | int16 | int32 | int64](x, y column[T], n int, set uint, bits []byte) {
	for i := range n {
		p, q := x.at(i), y.at(i)
		c := uint(1)
		if p > q {
			c = 2
		}
		if p < q {
			c = 0
		}
		bits[i>>3] |= byte(set>>c&1) << (i & 7)
	}
}

// textEquality tells equal (0) from different text, without an order.
func textEquality(x, y vector) func(i, j int) int {
	a, b := vec.Strings(x.arr), vec.Strings(y.arr)
	if y.konst {
		eq := a.EqualTo(b.At(0))
		return func(i, _ int) int {
			if eq.At(i) {
				return 0
			}
			return 1
		}
	}
	return func(i, j int) int {
		if bytes.Equal(a.At(i), b.At(j)) {
			return 0
		}
		return 1
	}
}

// distinctKernel is IS [NOT] DISTINCT FROM: NULL is a value like any other.
func distinctKernel(want bool) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewBools(c.mem, c.n)
		x, y := c.args[0], c.args[1]
		f, mx, my := vec.Comparer(x.arr, y.arr), x.mask(), y.mask()
		for i := range c.n {
			if (f(i&mx, i&my) != 0) == want {
				b.SetTrue(i)
			}
		}
		return b.Finish(), nil
	}
}

// nullKernel is IS [NOT] NULL.
func nullKernel(want bool) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewBools(c.mem, c.n)
		valid, mask := vec.ValidityOf(c.args[0].arr), c.args[0].mask()
		for i := range c.n {
			if valid.Null(i&mask) == want {
				b.SetTrue(i)
			}
		}
		return b.Finish(), nil
	}
}

func notKernel(c *call) (arrow.Array, error) {
	b := vec.NewBools(c.mem, c.n)
	c.nullsOf(&b.Nulls)
	x, mask := vec.BoolsOf(c.args[0].arr), c.args[0].mask()
	for i := range c.n {
		if !x.At(i & mask) {
			b.SetTrue(i)
		}
	}
	return b.Finish(), nil
}

// simplerConstant replaces a DECIMAL constant beside an INT by an INT that
// compares the same, so that x > 1.5 runs on integers: x > 1.
func simplerConstant(op compareOp, args []Expr) []Expr {
	if op >= opNull || len(args) != 2 {
		return args
	}
	at := 1
	if _, ok := args[0].(*Literal); ok {
		at, op = 0, flipped[op]
	}
	lit, ok := args[at].(*Literal)
	if !ok || lit.T.Kind != types.Decimal || !args[1-at].Type().IsInt() {
		return args
	}
	v, ok := lit.Value.(decimal128.Num)
	if !ok {
		return args
	}
	q, rest := v.Div(decimal128.GetScaleMultiplier(lit.T.Scale))
	switch {
	case rest.Sign() == 0:
	case op == opLt || op == opGe: // x < 1.5 is x < 2
		q = ceilDecimal(q, rest.Sign(), false)
	case op == opLe || op == opGt: // x <= 1.5 is x <= 1
		q = floorDecimal(q, rest.Sign(), false)
	default:
		return args // x = 1.5 holds for none; the exact comparison says so
	}
	if !isSmall(q) {
		return args
	}
	out := []Expr{args[0], args[1]}
	out[at] = &Literal{Value: int64(q.LowBits()), T: types.INT}
	return out
}
