package text

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// uint128 is a magnitude; 38 digits fit in it with room for one step more.
type uint128 struct{ hi, lo uint64 }

// mulAdd returns u*10+d, or false where that leaves 128 bits.
func (u uint128) mulAdd(d uint64) (uint128, bool) {
	h, l := bits.Mul64(u.lo, 10)
	over, hi := bits.Mul64(u.hi, 10)
	hi, c := bits.Add64(hi, h, 0)
	l, c2 := bits.Add64(l, d, 0)
	hi, c3 := bits.Add64(hi, 0, c2)
	return uint128{hi, l}, over == 0 && c == 0 && c3 == 0
}

// divMod10 returns u/10 and the remainder.
func (u uint128) divMod10() (uint128, uint64) {
	hi, r := u.hi/10, u.hi%10
	lo, rem := bits.Div64(r, u.lo, 10)
	return uint128{hi, lo}, rem
}

// less reports u < v.
func (u uint128) less(v uint128) bool { return u.hi < v.hi || u.hi == v.hi && u.lo < v.lo }

// tens holds the powers of ten up to 38.
var tens = func() (t [39]uint128) {
	t[0] = uint128{0, 1}
	for i := 1; i < len(t); i++ {
		t[i], _ = t[i-1].mulAdd(0)
	}
	return t
}()

// ParseDecimal reads a decimal number, with an exponent or without, as
// DECIMAL(precision, scale): the integer value times ten to the scale. Digits
// past the scale round half away from zero; what needs more than precision
// digits is not ok.
func ParseDecimal(b []byte, precision, scale int) (decimal128.Num, bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	mantissa, exp, ok := cutExponent(b)
	if !ok {
		return decimal128.Num{}, false
	}
	// place is the power of ten of the next digit, after shifting by scale.
	whole := len(mantissa)
	for i, c := range mantissa {
		if c == '.' {
			whole = i
			break
		}
	}
	place := whole - 1 + exp + scale
	var u uint128
	roundUp, digits, points := false, 0, 0
	for _, c := range mantissa {
		if c == '.' {
			points++
			continue
		}
		d := uint64(c - '0')
		if c < '0' || d > 9 {
			return decimal128.Num{}, false
		}
		digits++
		switch {
		case place >= 0:
			if u, ok = u.mulAdd(d); !ok {
				return decimal128.Num{}, false
			}
		case place == -1:
			roundUp = d >= 5
		}
		place--
	}
	if digits == 0 || points > 1 {
		return decimal128.Num{}, false
	}
	for ; place >= 0 && (u.hi != 0 || u.lo != 0); place-- {
		if u, ok = u.mulAdd(0); !ok {
			return decimal128.Num{}, false
		}
	}
	if roundUp {
		var c uint64
		u.lo, c = bits.Add64(u.lo, 1, 0)
		u.hi += c
	}
	if precision < 0 || precision >= len(tens) || !u.less(tens[precision]) {
		return decimal128.Num{}, false
	}
	n := decimal128.New(int64(u.hi), u.lo)
	if neg {
		n = n.Negate()
	}
	return n, true
}

// maxExponent bounds exponents, so that their sum cannot overflow; beyond it
// every digit is either lost or too large.
const maxExponent = 1 << 20

// cutExponent parts a number at its e or E.
func cutExponent(b []byte) (mantissa []byte, exp int, ok bool) {
	for i, c := range b {
		if c|0x20 != 'e' {
			continue
		}
		v, ok := ParseInt(b[i+1:])
		return b[:i], int(max(-maxExponent, min(v, maxExponent))), ok
	}
	return b, 0, true
}

// AppendDecimal prints n, whose last scale digits are the fraction, with all
// of them: 1.50 for DECIMAL(_, 2).
func AppendDecimal(dst []byte, n decimal128.Num, scale int) []byte {
	if n.Sign() < 0 {
		dst = append(dst, '-')
		n = n.Negate()
	}
	u := uint128{uint64(n.HighBits()), n.LowBits()}
	var digits [40]byte
	i := len(digits)
	for u.hi != 0 || u.lo != 0 || i > len(digits)-1-scale {
		var d uint64
		u, d = u.divMod10()
		i--
		digits[i] = byte('0' + d)
	}
	point := len(digits) - scale
	dst = append(dst, digits[i:point]...)
	if scale > 0 {
		dst = append(append(dst, '.'), digits[point:]...)
	}
	return dst
}
