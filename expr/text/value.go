package text

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

const hexDigits = "0123456789ABCDEF"

// AppendBytes prints BYTES as DuckDB does: printable ASCII as it is, anything
// else (and the backslash and quotes) as \xNN.
func AppendBytes(dst, v []byte) []byte {
	for _, c := range v {
		if c >= ' ' && c <= '~' && c != '\\' && c != '\'' && c != '"' {
			dst = append(dst, c)
			continue
		}
		dst = append(dst, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
	}
	return dst
}

// AppendValue prints value i of arr as plain text, the way a CSV field holds
// it before quoting: strings as they are, LIST and STRUCT as JSON. The value
// must not be NULL. It takes every layout of the engine, dictionaries
// included, and most others of Arrow.
func AppendValue(dst []byte, arr arrow.Array, i int) []byte {
	switch a := arr.(type) {
	case *array.StringView:
		return append(dst, a.Value(i)...)
	case *array.String:
		return append(dst, a.Value(i)...)
	case *array.LargeString:
		return append(dst, a.Value(i)...)
	case *array.BinaryView:
		return AppendBytes(dst, a.Value(i))
	case *array.Binary:
		return AppendBytes(dst, a.Value(i))
	case *array.LargeBinary:
		return AppendBytes(dst, a.Value(i))
	case *array.FixedSizeBinary:
		return AppendBytes(dst, a.Value(i))
	case *array.Dictionary:
		return AppendValue(dst, a.Dictionary(), a.GetValueIndex(i))
	case array.ListLike, *array.Struct:
		return AppendJSON(dst, arr, i)
	}
	return appendScalar(dst, arr, i)
}

// appendScalar prints what needs no quotes in CSV.
func appendScalar(dst []byte, arr arrow.Array, i int) []byte {
	switch a := arr.(type) {
	case *array.Int64:
		return AppendInt(dst, a.Value(i))
	case *array.Float64:
		return AppendFloat(dst, a.Value(i))
	case *array.Boolean:
		return AppendBool(dst, a.Value(i))
	case *array.Date32:
		return AppendDate(dst, a.Value(i))
	case *array.Timestamp:
		return AppendTimestamp(dst, toMicros(a.Value(i), a.DataType().(*arrow.TimestampType).Unit))
	case *array.Decimal128:
		return AppendDecimal(dst, a.Value(i), int(a.DataType().(*arrow.Decimal128Type).Scale))
	case *array.MonthDayNanoInterval:
		return AppendInterval(dst, a.Value(i))
	case *array.Int32:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Int16:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Int8:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Uint8:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Uint16:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Uint32:
		return AppendInt(dst, int64(a.Value(i)))
	case *array.Float32:
		return AppendFloat32(dst, a.Value(i))
	case *array.Float16:
		return AppendFloat32(dst, a.Value(i).Float32())
	}
	return append(dst, arr.ValueStr(i)...)
}

func toMicros(t arrow.Timestamp, unit arrow.TimeUnit) arrow.Timestamp {
	switch unit {
	case arrow.Second:
		return t * 1_000_000
	case arrow.Millisecond:
		return t * 1000
	case arrow.Nanosecond:
		return floorDiv(t, 1000)
	}
	return t
}

// AppendJSON prints value i of arr as JSON: NULL as null, numbers (DECIMAL
// too) as numbers, NaN and infinities and all other types as strings, LIST as
// an array, STRUCT as an object.
func AppendJSON(dst []byte, arr arrow.Array, i int) []byte {
	if arr.IsNull(i) {
		return append(dst, "null"...)
	}
	switch a := arr.(type) {
	case *array.StringView:
		return AppendJSONString(dst, a.Value(i))
	case *array.String:
		return AppendJSONString(dst, a.Value(i))
	case *array.LargeString:
		return AppendJSONString(dst, a.Value(i))
	case *array.Dictionary:
		return AppendJSON(dst, a.Dictionary(), a.GetValueIndex(i))
	case *array.Null: // has no validity to say so
		return append(dst, "null"...)
	case array.ListLike:
		from, to := a.ValueOffsets(i)
		dst = append(dst, '[')
		for j := from; j < to; j++ {
			if j > from {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, a.ListValues(), int(j))
		}
		return append(dst, ']')
	case *array.Struct:
		fields := a.DataType().(*arrow.StructType).Fields()
		dst = append(dst, '{')
		for f := range fields {
			if f > 0 {
				dst = append(dst, ',')
			}
			dst = append(AppendJSONString(dst, fields[f].Name), ':')
			dst = AppendJSON(dst, a.Field(f), i)
		}
		return append(dst, '}')
	case *array.Float64:
		return appendJSONFloat(dst, AppendFloat(nil, a.Value(i)))
	case *array.Float32:
		return appendJSONFloat(dst, AppendFloat32(nil, a.Value(i)))
	case *array.Float16:
		return appendJSONFloat(dst, AppendFloat32(nil, a.Value(i).Float32()))
	case *array.Int64, *array.Int32, *array.Int16, *array.Int8, *array.Boolean, *array.Decimal128,
		*array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64:
		return appendScalar(dst, arr, i)
	}
	var scratch [64]byte
	return AppendJSONString(dst, AppendValue(scratch[:0], arr, i))
}

// appendJSONFloat puts into JSON what AppendFloat printed; JSON has no name
// for what is not finite, so those are strings.
func appendJSONFloat(dst, printed []byte) []byte {
	switch string(printed) {
	case "nan":
		return append(dst, `"NaN"`...)
	case "inf", "-inf":
		return append(append(append(dst, '"'), printed...), '"')
	}
	return append(dst, printed...)
}

// AppendJSONString prints s in double quotes with JSON's escapes. Bytes that
// are not UTF-8 become U+FFFD, since JSON cannot hold them.
func AppendJSONString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, n := decodeRune(s[i:])
			if r != utf8.RuneError || n > 1 {
				i += n
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		dst = appendEscaped(dst, c)
		i++
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}

func decodeRune[T string | []byte](s T) (rune, int) {
	var b [utf8.UTFMax]byte
	return utf8.DecodeRune(b[:copy(b[:], s)])
}

func appendEscaped(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	if c < ' ' {
		return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
	}
	return append(dst, "\uFFFD"...)
}
