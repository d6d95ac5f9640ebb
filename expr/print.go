package expr

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// How tightly operators bind, loosest first.
const (
	bindOr = iota + 1
	bindAnd
	bindNot
	bindCompare
	bindOther // || ~ & | << >>
	bindSum
	bindProduct
	bindSign
	bindCast
)

var infix = map[string]int{
	"=": bindCompare, "<>": bindCompare, "<": bindCompare, "<=": bindCompare, ">": bindCompare, ">=": bindCompare,
	"like": bindCompare, "ilike": bindCompare,
	"||": bindOther, "&": bindOther, "|": bindOther, "<<": bindOther, ">>": bindOther,
	"+": bindSum, "-": bindSum, "*": bindProduct, "/": bindProduct, "//": bindProduct, "%": bindProduct,
}

// String writes e as RQL with no more parentheses than needed.
func String(e Expr) string {
	var p printer
	p.expr(e, 0)
	return p.b.String()
}

type printer struct{ b strings.Builder }

func (p *printer) write(s string) { p.b.WriteString(s) }

// expr writes e, in parentheses if it binds more loosely than min.
func (p *printer) expr(e Expr, min int) {
	b := binding(e)
	if b < min {
		p.write("(")
		defer p.write(")")
	}
	switch e := e.(type) {
	case *Column:
		p.write(quote(e.Name))
	case *Literal:
		p.literal(e)
	case *Call:
		p.call(e, b)
	case *Cast:
		if e.Try {
			p.write("TRY_CAST(")
			p.expr(e.Arg, 0)
			p.write(" AS " + e.T.String() + ")")
			return
		}
		p.expr(e.Arg, bindCast)
		p.write("::" + e.T.String())
	case *Case:
		p.write("CASE")
		for _, w := range e.Whens {
			p.write(" WHEN ")
			p.expr(w.If, 0)
			p.write(" THEN ")
			p.expr(w.Then, 0)
		}
		if e.Else != nil {
			p.write(" ELSE ")
			p.expr(e.Else, 0)
		}
		p.write(" END")
	case *Logic:
		word := " AND "
		if e.Or {
			word = " OR "
		}
		p.list(e.Args, word, b+1)
	case *In:
		p.expr(e.Arg, bindCompare+1)
		if e.Not {
			p.write(" NOT")
		}
		p.write(" IN (")
		p.list(e.List, ", ", 0)
		p.write(")")
	}
}

func (p *printer) list(es []Expr, between string, min int) {
	for i, e := range es {
		if i > 0 {
			p.write(between)
		}
		p.expr(e, min)
	}
}

func (p *printer) call(e *Call, b int) {
	if prec, ok := infix[e.Fn]; ok && len(e.Args) == 2 {
		left := prec
		if prec == bindCompare {
			left++ // comparisons do not chain
		}
		p.expr(e.Args[0], left)
		p.write(" " + strings.ToUpper(e.Fn) + " ")
		p.expr(e.Args[1], prec+1)
		return
	}
	switch {
	case e.Fn == "-" && len(e.Args) == 1:
		p.write("-")
		p.expr(e.Args[0], b+1)
	case e.Fn == "not":
		p.not(e.Args[0])
	case e.Fn == "is_null" || e.Fn == "is_not_null":
		p.expr(e.Args[0], bindCompare+1)
		p.write(map[string]string{"is_null": " IS NULL", "is_not_null": " IS NOT NULL"}[e.Fn])
	case e.Fn == "is_distinct" || e.Fn == "is_not_distinct":
		p.expr(e.Args[0], bindCompare+1)
		p.write(map[string]string{"is_distinct": " IS DISTINCT FROM ", "is_not_distinct": " IS NOT DISTINCT FROM "}[e.Fn])
		p.expr(e.Args[1], bindCompare+1)
	case e.Fn == "regexp_matches" && len(e.Args) == 2:
		p.expr(e.Args[0], bindCompare+1)
		p.write(" ~ ")
		p.expr(e.Args[1], bindCompare+1)
	case e.Fn == "struct_pack":
		p.write("{")
		for i := 0; i+1 < len(e.Args); i += 2 {
			if i > 0 {
				p.write(", ")
			}
			name, _ := constantText(e.Args[i])
			p.write(quote(name) + ": ")
			p.expr(e.Args[i+1], 0)
		}
		p.write("}")
	case e.Fn == "list_value":
		p.write("[")
		p.list(e.Args, ", ", 0)
		p.write("]")
	default:
		p.write(e.Fn + "(")
		p.list(e.Args, ", ", 0)
		p.write(")")
	}
}

func (p *printer) not(e Expr) {
	if c, ok := e.(*Call); ok && (c.Fn == "like" || c.Fn == "ilike") && len(c.Args) == 2 {
		p.expr(c.Args[0], bindCompare+1)
		p.write(" NOT " + strings.ToUpper(c.Fn) + " ")
		p.expr(c.Args[1], bindCompare+1)
		return
	}
	p.write("NOT ")
	p.expr(e, bindNot)
}

// binding tells how tightly e holds together.
func binding(e Expr) int {
	const whole = bindCast + 1
	switch e := e.(type) {
	case *Call:
		if prec, ok := infix[e.Fn]; ok && len(e.Args) == 2 {
			return prec
		}
		switch e.Fn {
		case "-":
			return bindSign
		case "not":
			return bindNot
		case "is_null", "is_not_null", "is_distinct", "is_not_distinct":
			return bindCompare
		case "regexp_matches":
			if len(e.Args) == 2 {
				return bindCompare
			}
		}
	case *Cast:
		if !e.Try {
			return bindCast
		}
	case *Logic:
		if e.Or {
			return bindOr
		}
		return bindAnd
	case *In:
		return bindCompare
	case *Literal:
		if v := e.Value; v != nil && e.T.IsNumeric() && strings.HasPrefix(literalText(e), "-") {
			return bindSign
		}
	}
	return whole
}

func quote(name string) string {
	plain := name != ""
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

func quoteText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func (p *printer) literal(l *Literal) { p.write(literalText(l)) }

// literalText writes a constant so that it reads back with its type, but for
// narrow integers, which say INT.
func literalText(l *Literal) string {
	switch v := l.Value.(type) {
	case nil:
		return "NULL"
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		s := string(text.AppendFloat(nil, v))
		switch {
		case v != v || v-v != 0: // nan, inf
			return quoteText(s) + "::" + l.T.String()
		case strings.ContainsRune(s, 'e'):
			return s
		}
		return s + "e0"
	case decimal128.Num:
		if l.T.Scale == 0 {
			return v.ToString(0) + "::" + l.T.String()
		}
		return string(text.AppendDecimal(nil, v, l.T.Scale))
	case string:
		return quoteText(v)
	case []byte:
		return quoteText(string(text.AppendBytes(nil, v))) + "::BYTES"
	case arrow.Date32:
		return "DATE " + quoteText(string(text.AppendDate(nil, v)))
	case arrow.Timestamp:
		return "TIMESTAMP " + quoteText(string(text.AppendTimestampSpace(nil, v)))
	case arrow.MonthDayNanoInterval:
		return "INTERVAL " + quoteText(string(text.AppendInterval(nil, v)))
	case []any:
		return nestedText(v, l.T)
	}
	return "?"
}

func nestedText(v []any, t types.Type) string {
	parts := make([]string, len(v))
	for i, x := range v {
		et, name := t.Elem, ""
		if t.Kind == types.Struct && i < len(t.Fields) {
			et, name = &t.Fields[i].Type, quote(t.Fields[i].Name)+": "
		}
		if et == nil {
			return "?"
		}
		parts[i] = name + literalText(&Literal{Value: x, T: *et})
	}
	if t.Kind == types.Struct {
		return "{" + strings.Join(parts, ", ") + "}"
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
