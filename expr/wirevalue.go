package expr

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
)

func readInt(v any, lo, hi int64) (int64, error) {
	n, ok := v.(json.Number)
	if !ok {
		return 0, fmt.Errorf("expected a whole number, not %T", v)
	}
	i, err := strconv.ParseInt(string(n), 10, 64)
	if err != nil || i < lo || i > hi {
		return 0, fmt.Errorf("%s is no whole number from %d to %d", n, lo, hi)
	}
	return i, nil
}

func readText(v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case map[string]any:
		if s, ok := v["b64"].(string); ok && len(v) == 1 {
			b, err := base64.StdEncoding.DecodeString(s)
			return string(b), err
		}
	}
	return "", fmt.Errorf("expected a text, not %T", v)
}

var intRange = map[types.Kind]int64{
	types.Int8: math.MaxInt8, types.Int16: math.MaxInt16, types.Int32: math.MaxInt32, types.Int64: math.MaxInt64, types.Date: math.MaxInt32, types.Timestamp: math.MaxInt64,
}

// readValue reads a constant of type t in the form of Literal.Value.
func readValue(v any, t types.Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch t.Kind {
	case types.Bool:
		if b, ok := v.(bool); ok {
			return b, nil
		}
	case types.Int8, types.Int16, types.Int32, types.Int64, types.Date, types.Timestamp:
		hi := intRange[t.Kind]
		n, err := readInt(v, -hi-1, hi)
		switch {
		case err != nil:
			return nil, err
		case t.Kind == types.Date:
			return arrow.Date32(n), nil
		case t.Kind == types.Timestamp:
			return arrow.Timestamp(n), nil
		}
		return n, nil
	case types.Float32, types.Float64:
		s, ok := v.(string)
		if !ok {
			break
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return nil, fmt.Errorf("%q is no FLOAT", s)
		}
		if t.Kind == types.Float32 && f == f && float64(float32(f)) != f {
			return nil, fmt.Errorf("%q is no FLOAT32", s)
		}
		return f, nil
	case types.Decimal:
		s, ok := v.(string)
		if !ok || len(s) > types.MaxPrecision+1 {
			break
		}
		b, ok := new(big.Int).SetString(s, 10)
		if !ok {
			break
		}
		d, ok := fromBig(b)
		if !ok || !d.FitsInPrecision(int32(t.Precision)) {
			break
		}
		return d, nil
	case types.String:
		return readText(v)
	case types.Bytes:
		s, ok := v.(string)
		if !ok {
			break
		}
		b, err := base64.StdEncoding.DecodeString(s)
		return b, err
	case types.Interval:
		return readInterval(v)
	case types.List, types.Struct:
		return readNested(v, t)
	}
	return nil, fmt.Errorf("a constant is no %s", t)
}

func readInterval(v any) (any, error) {
	parts, ok := v.([]any)
	if !ok || len(parts) != 3 {
		return nil, fmt.Errorf("an INTERVAL is three numbers")
	}
	var n [3]int64
	for i, hi := range []int64{math.MaxInt32, math.MaxInt32, math.MaxInt64} {
		var err error
		if n[i], err = readInt(parts[i], -hi-1, hi); err != nil {
			return nil, err
		}
	}
	return arrow.MonthDayNanoInterval{Months: int32(n[0]), Days: int32(n[1]), Nanoseconds: n[2]}, nil
}

func readNested(v any, t types.Type) (any, error) {
	parts, ok := v.([]any)
	if !ok || t.Kind == types.Struct && len(parts) != len(t.Fields) {
		return nil, fmt.Errorf("a constant is no %s", t)
	}
	out := make([]any, len(parts))
	for i, p := range parts {
		et := t.Elem
		if t.Kind == types.Struct {
			et = &t.Fields[i].Type
		}
		var err error
		if out[i], err = readValue(p, *et); err != nil {
			return nil, err
		}
	}
	return out, nil
}
