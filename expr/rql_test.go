package expr

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// The tests write expressions as text. This reader knows just enough of RQL for
// that; the real one lives in package parser, which may not be imported here.
type reader struct {
	toks []string
	cols types.Schema
}

func parse(t testing.TB, src string, cols ...types.Field) Expr {
	t.Helper()
	e, err := tryParse(src, cols...)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return e
}

func tryParse(src string, cols ...types.Field) (e Expr, err error) {
	r := &reader{toks: lex(src), cols: cols}
	defer func() {
		if p := recover(); p != nil {
			if perr, ok := p.(error); ok {
				err = perr
				return
			}
			panic(p)
		}
	}()
	e = r.expr(0)
	if r.peek() != "" {
		return nil, fmt.Errorf("left over: %v", r.toks)
	}
	return e, nil
}

func lex(s string) (toks []string) {
	for s = strings.TrimSpace(s); s != ""; s = strings.TrimSpace(s) {
		n := 1
		word := func(c byte) bool { return c == '_' || c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' }
		switch c := s[0]; {
		case c == '\'':
			for n < len(s) && (s[n] != '\'' || n+1 < len(s) && s[n+1] == '\'') {
				if s[n] == '\'' {
					n++
				}
				n++
			}
			n++
		case c >= '0' && c <= '9':
			for n < len(s) && (word(s[n]) || s[n] == '.') {
				n++
			}
		case word(c):
			for n < len(s) && word(s[n]) {
				n++
			}
			if strings.EqualFold(s[:n], "DECIMAL") && n < len(s) && s[n] == '(' {
				n += strings.IndexByte(s[n:], ')') + 1
			}
		default:
			for _, op := range []string{"::", "||", "<=", ">=", "<>", "//", "<<", ">>"} {
				if strings.HasPrefix(s, op) {
					n = 2
				}
			}
		}
		toks, s = append(toks, s[:n]), s[n:]
	}
	return toks
}

func (r *reader) peek() string {
	if len(r.toks) == 0 {
		return ""
	}
	return r.toks[0]
}

func (r *reader) next() string {
	t := r.peek()
	if t != "" {
		r.toks = r.toks[1:]
	}
	return t
}

func (r *reader) accept(word string) bool {
	if strings.EqualFold(r.peek(), word) {
		r.next()
		return true
	}
	return false
}

func must(e Expr, err error) Expr {
	if err != nil {
		panic(err)
	}
	return e
}

var testBinding = map[string]int{
	"or": 1, "and": 2, "=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "like": 4, "ilike": 4, "~": 4, "is": 4, "in": 4, "not": 4, "between": 4,
	"||": 5, "&": 5, "|": 5, "<<": 5, ">>": 5, "+": 6, "-": 6, "*": 7, "/": 7, "//": 7, "%": 7, "::": 9,
}

func (r *reader) expr(min int) Expr {
	left := r.primary()
	for {
		op := strings.ToLower(r.peek())
		b := testBinding[op]
		if b == 0 || b < min {
			return left
		}
		r.next()
		switch op {
		case "::":
			t, err := types.Parse(r.next())
			left = must(left, err)
			left = must(NewCast(left, t, false))
		case "is":
			not := r.accept("not")
			r.next()
			left = must(NewCall(map[bool]string{false: "is_null", true: "is_not_null"}[not], left))
		case "not", "in":
			if op == "not" && !strings.EqualFold(r.peek(), "in") {
				like := r.next()
				left = must(NewNot(must(NewCall(like, left, r.expr(b+1)))))
				continue
			}
			if op == "not" {
				r.next()
			}
			r.next()
			left = must(NewIn(left, r.args(")"), op == "not"))
		case "between":
			lo := r.expr(5)
			r.next()
			left = must(NewCall("between", left, lo, r.expr(5)))
		default:
			left = must(NewCall(op, left, r.expr(b+1)))
		}
	}
}

func (r *reader) args(end string) (out []Expr) {
	for !r.accept(end) {
		out = append(out, r.expr(0))
		r.accept(",")
	}
	return out
}

func unquote(s string) string { return strings.ReplaceAll(s[1:len(s)-1], "''", "'") }

func (r *reader) primary() Expr {
	t := r.next()
	low := strings.ToLower(t)
	switch {
	case t == "(":
		e := r.expr(0)
		r.next()
		return e
	case t == "[":
		return must(NewCall("list_value", r.args("]")...))
	case t == "{":
		var names []string
		var values []Expr
		for !r.accept("}") {
			names = append(names, r.next())
			r.next()
			values = append(values, r.expr(0))
			r.accept(",")
		}
		return must(NewStruct(names, values))
	case t == "-":
		e := r.expr(8)
		if l, ok := e.(*Literal); ok {
			switch v := l.Value.(type) {
			case int64:
				return &Literal{Value: -v, T: l.T}
			case decimal128.Num:
				return &Literal{Value: v.Negate(), T: l.T}
			}
		}
		return must(NewCall("-", e))
	case strings.HasPrefix(t, "'"):
		return Constant(unquote(t))
	case low == "null":
		return Constant(nil)
	case low == "true" || low == "false":
		return Constant(low == "true")
	case low == "not":
		return must(NewNot(r.expr(3)))
	case low == "case":
		return r.cases()
	case low == "cast" || low == "try_cast":
		r.next()
		e := r.expr(0)
		r.next()
		typ, err := types.Parse(r.next())
		r.next()
		return must(NewCast(must(e, err), typ, low == "try_cast"))
	case (low == "date" || low == "timestamp" || low == "interval") && strings.HasPrefix(r.peek(), "'"):
		typ, _ := types.Parse(low)
		return must(NewCast(Constant(unquote(r.next())), typ, false))
	case t[0] >= '0' && t[0] <= '9':
		return number(t)
	case r.peek() == "(":
		r.next()
		return must(NewCall(t, r.args(")")...))
	}
	i, ok, _ := r.cols.Index(t)
	if !ok {
		panic(fmt.Errorf("no column %q", t))
	}
	return &Column{ID: i, Name: r.cols[i].Name, T: r.cols[i].Type}
}

func (r *reader) cases() Expr {
	var whens []When
	var els Expr
	for r.accept("when") {
		w := When{If: r.expr(0)}
		r.next()
		w.Then = r.expr(0)
		whens = append(whens, w)
	}
	if r.accept("else") {
		els = r.expr(0)
	}
	r.next()
	c, err := NewCase(whens, els)
	return must(c, err)
}

func number(t string) Expr {
	if v, err := strconv.ParseInt(t, 10, 64); err == nil {
		return Constant(v)
	}
	whole, frac, _ := strings.Cut(t, ".")
	if !strings.ContainsAny(t, "eE") {
		typ := types.DecimalOf(len(whole)+len(frac), len(frac))
		d, _ := text.ParseDecimal([]byte(t), typ.Precision, typ.Scale)
		return &Literal{Value: d, T: typ}
	}
	f, err := strconv.ParseFloat(t, 64)
	return must(Constant(f), err)
}

// show evaluates e over in and prints each row, as results are shown.
func show(t testing.TB, mem memory.Allocator, e Expr, in Input, sel []int32) ([]string, error) {
	t.Helper()
	ev, err := NewEvaluator(e, mem, nil)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	a, err := ev.Eval(in, sel)
	if err != nil {
		return nil, err
	}
	defer a.Release()
	return printed(mem, a), nil
}

func printed(mem memory.Allocator, a arrow.Array) []string {
	out := make([]string, a.Len())
	for i := range out {
		out[i] = "NULL"
		if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
			continue
		}
		if a.DataType().ID() == arrow.TIMESTAMP {
			out[i] = string(text.AppendTimestampSpace(nil, a.(interface{ Value(int) arrow.Timestamp }).Value(i)))
			continue
		}
		out[i] = string(text.AppendValue(nil, a, i))
	}
	return out
}

func checked(t testing.TB) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

// sliced is rows from up to to of in; its columns are to be released.
func sliced(in Input, from, to int) Input {
	out := Input{Rows: to - from}
	for _, c := range in.Cols {
		out.Cols = append(out.Cols, array.NewSlice(c, int64(from), int64(to)))
	}
	return out
}
