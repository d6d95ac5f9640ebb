package expr

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// printKernel makes text of any type, in the form that results are shown in.
func printKernel(from types.Type) kernel {
	if from.Kind == types.Timestamp {
		return printWith(stampIn, text.AppendTimestampSpace)
	}
	return func(c *call) (arrow.Array, error) {
		a, mask := c.args[0].arr, c.args[0].mask()
		var buf []byte
		return rows(c, bytesOut(c), func(i int) ([]byte, error) {
			buf = text.AppendValue(buf[:0], a, i&mask)
			return buf, nil
		})
	}
}

func printWith[T any](read in[T], f func([]byte, T) []byte) kernel {
	return func(c *call) (arrow.Array, error) {
		x := read(c.args[0])
		var buf []byte
		return rows(c, bytesOut(c), func(i int) ([]byte, error) {
			buf = f(buf[:0], x(i))
			return buf, nil
		})
	}
}

// parsed makes the kernel of a conversion from text; blanks around it do not matter.
func parsed[T any](to types.Type, r out[T], try bool, parse func([]byte) (T, bool)) kernel {
	return convert(bytesIn, r, try, func(s []byte) (T, error) {
		v, ok := parse(bytes.Trim(s, " \t\r\n"))
		if !ok {
			return v, unreadable(s, to)
		}
		return v, nil
	})
}

// parseKernel reads text as another type, or is nil.
func parseKernel(to types.Type, try bool) kernel {
	switch to.Kind {
	case types.Bool:
		return parsed(to, boolOut, try, text.ParseBoolLoose)
	case types.Int8:
		return parsed(to, fixedOut[int8], try, grouped(parseNarrow[int8]))
	case types.Int16:
		return parsed(to, fixedOut[int16], try, grouped(parseNarrow[int16]))
	case types.Int32:
		return parsed(to, fixedOut[int32], try, grouped(parseNarrow[int32]))
	case types.Int64:
		return parsed(to, intOut, try, grouped(parseInt))
	case types.Float32:
		return parsed(to, fixedOut[float32], try, grouped(func(s []byte) (float32, bool) {
			v, ok := text.ParseFloat(s)
			return float32(v), ok
		}))
	case types.Float64:
		return parsed(to, floatOut, try, grouped(text.ParseFloat))
	case types.Decimal:
		return parsed(to, fixedOut[decimal128.Num], try, grouped(func(s []byte) (decimal128.Num, bool) {
			return text.ParseDecimal(s, to.Precision, to.Scale)
		}))
	case types.Date:
		return parsed(to, dateOut, try, parseDate)
	case types.Timestamp:
		return parsed(to, stampOut, try, text.ParseTimestampOrDate)
	case types.Interval:
		return parsed(to, intervalOut, try, text.ParseInterval)
	case types.Bytes:
		return convert(bytesIn, bytesOut, try, unescape)
	}
	return nil
}

// grouped makes parse read digits in groups, 1_000, as number literals have
// them; a _ stands between two digits.
func grouped[T any](parse func([]byte) (T, bool)) func([]byte) (T, bool) {
	return func(s []byte) (T, bool) {
		v, ok := parse(s)
		if ok || bytes.IndexByte(s, '_') < 0 {
			return v, ok
		}
		digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
		bare := make([]byte, 0, len(s))
		for i, b := range s {
			if b != '_' {
				bare = append(bare, b)
			} else if !digit(i-1) || !digit(i+1) {
				return v, false
			}
		}
		return parse(bare)
	}
}

// parseInt also reads 0xff and 0b11, and rounds a number with a fraction or an
// exponent, as DuckDB does.
func parseInt(s []byte) (int64, bool) {
	if v, ok := text.ParseInt(s); ok {
		return v, true
	}
	if len(s) > 2 && s[0] == '0' && s[2] != '-' && s[2] != '+' {
		base := map[byte]int{'x': 16, 'b': 2}[s[1]|' ']
		if base > 0 {
			v, err := strconv.ParseInt(string(s[2:]), base, 64)
			return v, err == nil
		}
	}
	d, ok := text.ParseDecimal(s, types.MaxPrecision, 0)
	return int64(d.LowBits()), ok && isSmall(d)
}

func parseNarrow[T int8 | int16 | int32](s []byte) (T, bool) {
	v, ok := parseInt(s)
	return T(v), ok && int64(T(v)) == v
}

// parseDate also takes a timestamp, whose day it is.
func parseDate(s []byte) (arrow.Date32, bool) {
	if d, ok := text.ParseLongDate(s); ok {
		return d, true
	}
	t, ok := text.ParseTimestampOrDate(s)
	return timestampToDate(t), ok
}

// unescape reads BYTES as they are printed: \xNN is a byte, all else stands for itself.
func unescape(s []byte) ([]byte, error) {
	if bytes.IndexByte(s, '\\') < 0 {
		return s, nil
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			out = append(out, s[i])
			continue
		}
		if i+3 >= len(s) || s[i+1] != 'x' {
			return nil, fmt.Errorf(`a \ in BYTES is written \x5C, and any byte as \x and two hexadecimal digits`)
		}
		hi, ok1 := unhex(s[i+2])
		lo, ok2 := unhex(s[i+3])
		if !ok1 || !ok2 {
			return nil, fmt.Errorf(`\x%s in BYTES is not two hexadecimal digits`, s[i+2:i+4])
		}
		out = append(out, hi<<4|lo)
		i += 3
	}
	return out, nil
}

func unhex(b byte) (byte, bool) {
	switch {
	case b >= '0' && b <= '9':
		return b - '0', true
	case b >= 'a' && b <= 'f':
		return b - 'a' + 10, true
	case b >= 'A' && b <= 'F':
		return b - 'A' + 10, true
	}
	return 0, false
}

// textOf reads any operand as text.
func textOf(v vector) func(i int) string {
	if vec.IsText(v.arr.DataType()) && v.arr.DataType().ID() != arrow.BINARY_VIEW {
		return textIn(v)
	}
	mask := v.mask()
	if v.arr.DataType().ID() == arrow.TIMESTAMP {
		x := fixed[arrow.Timestamp](v)
		return func(i int) string { return string(text.AppendTimestampSpace(nil, x.at(i))) }
	}
	return func(i int) string { return string(text.AppendValue(nil, v.arr, i&mask)) }
}
