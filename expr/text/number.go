// Package text is the written form of values: how each type is parsed from
// bytes and printed again. CSV and JSON, literals, CAST and the printing of
// results all go through it, so that a value reads the same everywhere.
//
// Parsers take the bytes exactly as they stand (no spaces around), allocate
// nothing, and report failure as ok = false: what to say about it depends on
// where the text came from. All functions are safe for concurrent use.
package text

import (
	"math"
	"strconv"
	"unsafe"
)

// ParseInt reads an optional sign and decimal digits. Anything else, or a
// value beyond 64 bits, is not ok.
func ParseInt(b []byte) (v int64, ok bool) {
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	if len(b) == 0 {
		return 0, false
	}
	if len(b) > 18 {
		return parseLongInt(b, neg)
	}
	var n uint64
	for _, c := range b {
		d := c - '0'
		if d > 9 {
			return 0, false
		}
		n = n*10 + uint64(d)
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

// parseLongInt reads digits that might overflow.
func parseLongInt(b []byte, neg bool) (int64, bool) {
	limit := uint64(math.MaxInt64)
	if neg {
		limit++
	}
	var n uint64
	for _, c := range b {
		d := uint64(c - '0')
		if c < '0' || d > 9 || n > limit/10 {
			return 0, false
		}
		n = n*10 + d
		if n > limit {
			return 0, false
		}
	}
	if neg {
		return -int64(n), true
	}
	return int64(n), true
}

// pow10 are the powers of ten that a float64 holds exactly.
var pow10 = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// ParseFloat reads a decimal number, with a point and an exponent or without,
// or inf, infinity or nan in any case with an optional sign. The result is the
// nearest FLOAT; beyond its range is not ok.
func ParseFloat(b []byte) (float64, bool) {
	// Clinger's fast path: up to 15 digits are exact in a float64, and so are
	// the powers of ten to 22; one multiplication or division then rounds once.
	i, n := 0, len(b)
	neg := false
	if n > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		i = 1
	}
	start := i
	var m uint64
	for i < n && b[i]-'0' <= 9 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	digits := i - start
	frac := 0
	if i < n && b[i] == '.' {
		i++
		point := i
		for i < n && b[i]-'0' <= 9 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		frac = i - point
		digits += frac
	}
	if digits == 0 {
		return parseNonFinite(b[start:], neg)
	}
	if i != n || digits > 19 || m >= 1<<53 || frac > 22 {
		return parseSlowFloat(b, i)
	}
	f := float64(m) / pow10[frac]
	if neg {
		f = -f
	}
	return f, true
}

// parseSlowFloat reads what the fast path leaves: long numbers and exponents.
// b is known to be a plain number up to i.
func parseSlowFloat(b []byte, i int) (float64, bool) {
	if i < len(b) {
		if b[i]|0x20 != 'e' {
			return 0, false
		}
		i++
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		if i == len(b) {
			return 0, false
		}
		for _, c := range b[i:] {
			if c-'0' > 9 {
				return 0, false
			}
		}
	}
	f, err := strconv.ParseFloat(unsafe.String(&b[0], len(b)), 64)
	return f, err == nil
}

func parseNonFinite(b []byte, neg bool) (float64, bool) {
	switch {
	case equalFold(b, "inf"), equalFold(b, "infinity"):
		if neg {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	case equalFold(b, "nan"):
		return math.NaN(), true
	}
	return 0, false
}

// equalFold reports whether b is the lower-case ASCII word in any case.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}

// ParseBool reads true or false in any case: what files are inferred by.
func ParseBool(b []byte) (v, ok bool) {
	switch {
	case equalFold(b, "true"):
		return true, true
	case equalFold(b, "false"):
		return false, true
	}
	return false, false
}

// ParseBoolLoose also reads t, f, yes, no, y, n, 1 and 0: what CAST accepts.
func ParseBoolLoose(b []byte) (v, ok bool) {
	switch len(b) {
	case 1:
		switch b[0] {
		case 't', 'T', 'y', 'Y', '1':
			return true, true
		case 'f', 'F', 'n', 'N', '0':
			return false, true
		}
		return false, false
	case 2:
		return false, equalFold(b, "no")
	case 3:
		ok = equalFold(b, "yes")
		return ok, ok
	}
	return ParseBool(b)
}

// AppendInt prints v in decimal.
func AppendInt(dst []byte, v int64) []byte { return strconv.AppendInt(dst, v, 10) }

// AppendBool prints true or false.
func AppendBool(dst []byte, v bool) []byte { return strconv.AppendBool(dst, v) }

// AppendFloat prints v in the shortest form that reads back the same: 1.0,
// 0.1, 1e+20, inf, -inf, nan. Exponents appear from 1e16 up and below 1e-4.
func AppendFloat(dst []byte, v float64) []byte { return appendFloat(dst, v, 64) }

// AppendFloat32 is AppendFloat with the digits that a FLOAT32 needs.
func AppendFloat32(dst []byte, v float32) []byte { return appendFloat(dst, float64(v), 32) }

func appendFloat(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, "nan"...)
	case math.IsInf(v, 1):
		return append(dst, "inf"...)
	case math.IsInf(v, -1):
		return append(dst, "-inf"...)
	}
	// The magnitude is judged after rounding to the shortest digits, which for
	// a FLOAT32 can lift a value over the threshold; 1e16 itself is exact.
	if abs := math.Abs(v); abs != 0 && (abs < 1e-4 || abs >= 1e16) {
		return strconv.AppendFloat(dst, v, 'e', -1, bits)
	}
	start := len(dst)
	dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
	for _, c := range dst[start:] {
		if c == '.' {
			return dst
		}
	}
	return append(dst, '.', '0')
}
