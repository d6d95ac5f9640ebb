package val

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rainsql/rainsql/expr/types"
)

// SQLType is the name that DuckDB has for a type.
func SQLType(t types.Type) string {
	switch t.Kind {
	case types.Bool:
		return "BOOLEAN"
	case types.Int8:
		return "TINYINT"
	case types.Int16:
		return "SMALLINT"
	case types.Int32:
		return "INTEGER"
	case types.Int64:
		return "BIGINT"
	case types.Float32:
		return "FLOAT"
	case types.Float64:
		return "DOUBLE"
	case types.String:
		return "VARCHAR"
	case types.Bytes:
		return "BLOB"
	case types.List:
		return SQLType(*t.Elem) + "[]"
	case types.Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = Name(f.Name) + " " + SQLType(f.Type)
		}
		return "STRUCT(" + strings.Join(parts, ", ") + ")"
	case types.Null:
		return "INTEGER"
	}
	return t.String() // DATE, TIMESTAMP, INTERVAL, DECIMAL(p,s)
}

// Name quotes a name where either language needs it.
func Name(name string) string {
	plain := name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz_0123456789") == "" && (name[0] < '0' || name[0] > '9')
	if plain && !reserved[name] {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

var reserved = map[string]bool{"from": true, "in": true, "order": true, "group": true, "on": true, "left": true, "right": true}

// Text quotes text for both languages.
func Text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// hexed writes bytes so that both languages read them back.
func hexed(b Bytes) string {
	var sb strings.Builder
	for i := range len(b) {
		fmt.Fprintf(&sb, `\x%02X`, b[i])
	}
	return sb.String()
}

func floatText(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'e', -1, 64)
}

// String prints a date in ISO 8601.
func (d Date) String() string {
	return time.Unix(int64(d)*86400, 0).UTC().Format("2006-01-02")
}

// String prints a moment with a space between day and time.
func (t Time) String() string {
	return time.UnixMicro(int64(t)).UTC().Format("2006-01-02 15:04:05.999999")
}

// String prints an interval so that both languages read it back.
func (s Span) String() string {
	parts := []string{}
	if s.Months != 0 {
		parts = append(parts, fmt.Sprintf("%d months", s.Months))
	}
	if s.Days != 0 {
		parts = append(parts, fmt.Sprintf("%d days", s.Days))
	}
	if s.Micros != 0 || len(parts) == 0 {
		parts = append(parts, fmt.Sprintf("%d microseconds", s.Micros))
	}
	return strings.Join(parts, " ")
}

// SQL is the value as DuckDB reads it.
func SQL(v any, t types.Type) string {
	to := func(text string) string { return "CAST(" + text + " AS " + SQLType(t) + ")" }
	switch v := v.(type) {
	case nil:
		return to("NULL")
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case int64:
		return to(strconv.FormatInt(v, 10))
	case float64:
		return to("'" + floatText(v) + "'")
	case Dec:
		return to("'" + v.String() + "'")
	case string:
		return Text(v)
	case Bytes:
		return to("'" + hexed(v) + "'")
	case Date, Time, Span:
		return to(fmt.Sprintf("'%s'", v))
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = SQL(x, *t.Elem)
		}
		return to("[" + strings.Join(parts, ", ") + "]")
	case Row:
		parts := make([]string, len(v.Values))
		for i, x := range v.Values {
			parts[i] = Text(v.Names[i]) + ": " + SQL(x, t.Fields[i].Type)
		}
		return to("{" + strings.Join(parts, ", ") + "}")
	}
	return fmt.Sprintf("?%T", v)
}

// RQL is the value as RQL writes it.
func RQL(v any, t types.Type) string {
	to := func(text string) string { return "CAST(" + text + " AS " + t.String() + ")" }
	switch v := v.(type) {
	case nil:
		return to("NULL")
	case bool:
		return strings.ToUpper(strconv.FormatBool(v))
	case int64:
		text := strconv.FormatInt(v, 10)
		if v < 0 {
			text = "(" + text + ")"
		}
		if t.Kind == types.Int64 {
			return text
		}
		return to(text)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) || t.Kind == types.Float32 || v == 0 && math.Signbit(v) {
			return to("'" + floatText(v) + "'")
		}
		if v < 0 {
			return "(" + floatText(v) + ")"
		}
		return floatText(v)
	case Dec:
		return to("'" + v.String() + "'")
	case string:
		return Text(v)
	case Bytes:
		return to("'" + hexed(v) + "'")
	case Date:
		return fmt.Sprintf("DATE '%s'", v)
	case Time:
		return fmt.Sprintf("TIMESTAMP '%s'", v)
	case Span:
		return fmt.Sprintf("INTERVAL '%s'", v)
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = RQL(x, *t.Elem)
		}
		return to("[" + strings.Join(parts, ", ") + "]")
	case Row:
		parts := make([]string, len(v.Values))
		for i, x := range v.Values {
			parts[i] = Name(v.Names[i]) + ": " + RQL(x, t.Fields[i].Type)
		}
		return to("{" + strings.Join(parts, ", ") + "}")
	}
	return fmt.Sprintf("?%T", v)
}

// Show prints a value for people.
func Show(v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		return strconv.Quote(v)
	case Bytes:
		return "x'" + fmt.Sprintf("%X", string(v)) + "'"
	case float64:
		s := strconv.FormatFloat(v, 'g', -1, 64)
		if v == math.Trunc(v) && !strings.ContainsAny(s, "eIN") {
			s += ".0"
		}
		return s
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = Show(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case Row:
		parts := make([]string, len(v.Values))
		for i, x := range v.Values {
			parts[i] = v.Names[i] + ": " + Show(x)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return fmt.Sprint(v)
}

// ShowRow prints a row.
func ShowRow(row []any) string {
	parts := make([]string, len(row))
	for i, v := range row {
		parts[i] = Show(v)
	}
	return strings.Join(parts, " | ")
}
