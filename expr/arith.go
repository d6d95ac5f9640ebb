package expr

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

var (
	errZeroDivision = errors.New("division by zero: guard it, as in CASE WHEN x <> 0 THEN … END, or use /, which gives inf")
	errOverflow     = errors.New("the result does not fit INT (64 bits): CAST an operand to FLOAT or DECIMAL")
)

// nullsOf marks in b every row where an operand is NULL. A constant NULL never
// gets as far as a kernel.
func (c *call) nullsOf(b *vec.Nulls) {
	for _, a := range c.args {
		if !a.konst {
			b.Merge(vec.ValidityOf(a.arr))
		}
	}
}

// intKernel makes a kernel of an operation on INTs. fast computes all rows,
// NULL ones too, and reports whether one of them may have overflowed; only then
// does exact look at the rows that are not NULL.
func intKernel(sign string, fast func(z []int64, x, y *column[int64]) bool, exact func(x, y int64) (int64, bool)) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewFixed[int64](c.mem, c.t.Arrow(), c.n)
		x, y := fixed[int64](c.args[0]), fixed[int64](c.args[1])
		c.nullsOf(&b.Nulls)
		if !fast(b.Values, &x, &y) {
			return b.Finish(), nil
		}
		for i := range c.n {
			if b.Null(i) {
				continue
			}
			v, ok := exact(x.at(i), y.at(i))
			if !ok {
				b.Release()
				return nil, &RowError{Row: i, Err: fmt.Errorf("%d %s %d: %w", x.at(i), sign, y.at(i), errOverflow)}
			}
			b.Values[i] = v
		}
		return b.Finish(), nil
	}
}

// The loops below have a form for two columns (or two constants, of one row)
// and one for a column with a constant: without the masking of indexes they run
// at the speed of memory.

func addFast(z []int64, x, y *column[int64]) bool {
	var over int64
	if x.mask == y.mask {
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			p, q := xv[i], yv[i]
			s := p + q
			z[i] = s
			over |= (p ^ s) & (q ^ s)
		}
		return over < 0
	}
	v, k := against(x, y)
	for i, p := range v[:len(z)] {
		s := p + k
		z[i] = s
		over |= (p ^ s) & (k ^ s)
	}
	return over < 0
}

// against takes a column and a constant apart, whichever side they are on.
func against[T vec.FixedWidth](x, y *column[T]) (v []T, k T) {
	if x.mask == 0 {
		x, y = y, x
	}
	if len(x.v) == 0 {
		return nil, k
	}
	return x.v, y.v[0]
}

func addInts(x, y int64) (int64, bool) {
	s := x + y
	return s, (x^s)&(y^s) >= 0
}

func subFast(z []int64, x, y *column[int64]) bool {
	var over int64
	switch {
	case x.mask == y.mask:
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			p, q := xv[i], yv[i]
			s := p - q
			z[i] = s
			over |= (p ^ q) & (p ^ s)
		}
	case y.mask == 0:
		v, q := against(x, y)
		for i, p := range v[:len(z)] {
			s := p - q
			z[i] = s
			over |= (p ^ q) & (p ^ s)
		}
	default:
		v, p := against(x, y)
		for i, q := range v[:len(z)] {
			s := p - q
			z[i] = s
			over |= (p ^ q) & (p ^ s)
		}
	}
	return over < 0
}

func subInts(x, y int64) (int64, bool) {
	s := x - y
	return s, (x^y)&(x^s) >= 0
}

// mulFast suspects every factor that needs more than 32 bits.
func mulFast(z []int64, x, y *column[int64]) bool {
	const half = 1 << 31
	var wide uint64
	if x.mask == y.mask {
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			p, q := xv[i], yv[i]
			z[i] = p * q
			wide |= (uint64(p) + half) | (uint64(q) + half)
		}
		return wide>>32 != 0
	}
	v, k := against(x, y)
	wide = uint64(k) + half
	for i, p := range v[:len(z)] {
		z[i] = p * k
		wide |= uint64(p) + half
	}
	return wide>>32 != 0
}

func mulInts(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(absInt(x), absInt(y))
	if (x < 0) == (y < 0) {
		return int64(lo), hi == 0 && lo <= math.MaxInt64
	}
	return -int64(lo), hi == 0 && lo <= 1<<63
}

// absInt is the magnitude, right for the smallest INT too.
func absInt(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func divInts(x, y int64) (int64, error) {
	switch {
	case y == 0:
		return 0, errZeroDivision
	case x == math.MinInt64 && y == -1:
		return 0, fmt.Errorf("%d // -1: %w", x, errOverflow)
	}
	return x / y, nil
}

func modInts(x, y int64) (int64, error) {
	switch y {
	case 0:
		return 0, errZeroDivision
	case -1:
		return 0, nil
	}
	return x % y, nil
}

func divFloats(x, y float64) (float64, error) {
	if y == 0 {
		return 0, errZeroDivision
	}
	return math.Trunc(x / y), nil
}

func modFloats(x, y float64) (float64, error) {
	if y == 0 {
		return 0, errZeroDivision
	}
	return math.Mod(x, y), nil
}

func negInt(x int64) (int64, error) {
	if x == math.MinInt64 {
		return 0, fmt.Errorf("-(%d): %w", x, errOverflow)
	}
	return -x, nil
}

// floatKernel makes a kernel of an operation on FLOATs, which never fails.
func floatKernel(loop func(z []float64, x, y *column[float64])) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewFixed[float64](c.mem, c.t.Arrow(), c.n)
		x, y := fixed[float64](c.args[0]), fixed[float64](c.args[1])
		c.nullsOf(&b.Nulls)
		loop(b.Values, &x, &y)
		return b.Finish(), nil
	}
}

func addFloats(z []float64, x, y *column[float64]) {
	if x.mask == y.mask {
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			z[i] = xv[i] + yv[i]
		}
		return
	}
	v, k := against(x, y)
	for i, p := range v[:len(z)] {
		z[i] = p + k
	}
}

func mulFloats(z []float64, x, y *column[float64]) {
	if x.mask == y.mask {
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			z[i] = xv[i] * yv[i]
		}
		return
	}
	v, k := against(x, y)
	for i, p := range v[:len(z)] {
		z[i] = p * k
	}
}

func subFloats(z []float64, x, y *column[float64]) {
	v, k := against(x, y)
	switch {
	case x.mask == y.mask:
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			z[i] = xv[i] - yv[i]
		}
	case y.mask == 0:
		for i, p := range v[:len(z)] {
			z[i] = p - k
		}
	default:
		for i, p := range v[:len(z)] {
			z[i] = k - p
		}
	}
}

func quoFloats(z []float64, x, y *column[float64]) {
	v, k := against(x, y)
	switch {
	case x.mask == y.mask:
		xv, yv := x.v[:len(z)], y.v[:len(z)]
		for i := range z {
			z[i] = xv[i] / yv[i]
		}
	case y.mask == 0:
		for i, p := range v[:len(z)] {
			z[i] = p / k
		}
	default:
		for i, p := range v[:len(z)] {
			z[i] = k / p
		}
	}
}
