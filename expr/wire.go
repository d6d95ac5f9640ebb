package expr

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/types"
)

// maxDepth bounds the nesting of an expression that comes over the wire.
const maxDepth = 2000

// MarshalExpr writes e as JSON, exactly: INTs of 64 bits, DECIMALs, NaN and
// bytes survive. It fails for a Literal whose Value is not of its type.
func MarshalExpr(e Expr) ([]byte, error) {
	w := &wireWriter{}
	w.expr(e)
	return w.b, w.err
}

type wireWriter struct {
	b   []byte
	err error
}

func (w *wireWriter) raw(s string) { w.b = append(w.b, s...) }

// str writes a JSON string; text that is not UTF-8, which JSON cannot hold,
// goes as {"b64": …}.
func (w *wireWriter) str(s string) {
	if !utf8.ValidString(s) {
		w.raw(`{"b64":"`)
		w.b = base64.StdEncoding.AppendEncode(w.b, []byte(s))
		w.raw(`"}`)
		return
	}
	b, err := json.Marshal(s)
	if err != nil {
		w.err = err
	}
	w.b = append(w.b, b...)
}

func (w *wireWriter) list(es []Expr) {
	w.raw("[")
	for i, e := range es {
		if i > 0 {
			w.raw(",")
		}
		w.expr(e)
	}
	w.raw("]")
}

func (w *wireWriter) typed(t types.Type) {
	w.raw(`,"t":`)
	w.str(t.String())
	w.raw("}")
}

func (w *wireWriter) expr(e Expr) {
	switch e := e.(type) {
	case *Column:
		w.raw(`{"col":` + strconv.Itoa(e.ID) + `,"name":`)
		w.str(e.Name)
		w.typed(e.T)
	case *Literal:
		w.raw(`{"lit":`)
		w.value(e.Value, e.T)
		w.typed(e.T)
	case *Call:
		w.raw(`{"fn":`)
		w.str(e.Fn)
		w.raw(`,"args":`)
		w.list(e.Args)
		w.typed(e.T)
	case *Cast:
		w.raw(`{"cast":`)
		w.expr(e.Arg)
		if e.Try {
			w.raw(`,"try":true`)
		}
		w.typed(e.T)
	case *Case:
		w.raw(`{"case":[`)
		for i, b := range e.Whens {
			if i > 0 {
				w.raw(",")
			}
			w.list([]Expr{b.If, b.Then})
		}
		w.raw("]")
		if e.Else != nil {
			w.raw(`,"else":`)
			w.expr(e.Else)
		}
		w.typed(e.T)
	case *Logic:
		if e.Or {
			w.raw(`{"or":`)
		} else {
			w.raw(`{"and":`)
		}
		w.list(e.Args)
		w.raw("}")
	case *In:
		w.raw(`{"in":`)
		w.expr(e.Arg)
		w.raw(`,"list":`)
		w.list(e.List)
		if e.Not {
			w.raw(`,"not":true`)
		}
		w.raw("}")
	default:
		w.err = fmt.Errorf("an expression of kind %T has no wire form", e)
	}
}

func (w *wireWriter) value(v any, t types.Type) {
	switch v := v.(type) {
	case nil:
		w.raw("null")
	case bool:
		w.b = strconv.AppendBool(w.b, v)
	case int64:
		w.b = strconv.AppendInt(w.b, v, 10)
	case arrow.Date32:
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	case arrow.Timestamp:
		w.b = strconv.AppendInt(w.b, int64(v), 10)
	case float64:
		w.str(strconv.FormatFloat(v, 'g', -1, 64))
	case decimal128.Num:
		w.str(v.BigInt().String())
	case string:
		w.str(v)
	case []byte:
		w.str(base64.StdEncoding.EncodeToString(v))
	case arrow.MonthDayNanoInterval:
		w.raw(fmt.Sprintf("[%d,%d,%d]", v.Months, v.Days, v.Nanoseconds))
	case []any:
		w.raw("[")
		for i, x := range v {
			if i > 0 {
				w.raw(",")
			}
			switch {
			case t.Kind == types.List:
				w.value(x, *t.Elem)
			case t.Kind == types.Struct && i < len(t.Fields):
				w.value(x, t.Fields[i].Type)
			default:
				w.err = fmt.Errorf("a list of values is no %s", t)
			}
		}
		w.raw("]")
	default:
		w.err = fmt.Errorf("a constant of Go type %T is no %s", v, t)
	}
}
