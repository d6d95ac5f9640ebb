package gen

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// want is what an expression shall be.
type want struct {
	t     types.Type
	limit float64 // most of Expr.Max; 0: none
	tame  bool
	bare  bool // no functions that are inexact
}

// roots are the types that a column made by an expression may have.
var roots = []types.Type{types.BOOL, types.INT, types.INT, types.FLOAT, types.FLOAT, types.DecimalOf(18, 3), types.STRING, types.STRING, types.BYTES,
	types.DATE, types.TIMESTAMP, types.INTERVAL, types.ListOf(types.INT), types.ListOf(types.STRING),
	types.ListOf(types.FLOAT), types.ListOf(types.TIMESTAMP), types.ListOf(types.BOOL)}

// byReturn finds the functions that make a type.
var byReturn = sync.OnceValue(func() map[string][]*spec {
	out := map[string][]*spec{}
	for i := range scalars {
		s := &scalars[i]
		letter, _, _ := strings.Cut(s.ret, "<")
		out[letter] = append(out[letter], s)
	}
	return out
})

var letters = map[string]types.Type{
	"B": types.BOOL, "I": types.INT, "F": types.FLOAT, "D": types.DecimalOf(18, 3), "S": types.STRING, "Y": types.BYTES, "A": types.DATE,
	"M": types.TIMESTAMP, "V": types.INTERVAL, "LI": types.ListOf(types.INT), "LS": types.ListOf(types.STRING),
	"LF": types.ListOf(types.FLOAT), "LB": types.ListOf(types.BOOL), "LM": types.ListOf(types.TIMESTAMP),
}

func letter(t types.Type) string {
	for l, u := range letters {
		if t.Equal(u) {
			return l
		}
	}
	return ""
}

// defaultMax is the size of what is not known better.
func defaultMax(t types.Type) float64 {
	switch t.Kind {
	case types.Int64:
		return 9.3e18
	case types.String, types.Bytes, types.List:
		return 1e5
	case types.Date:
		return 3e6
	case types.Timestamp, types.Interval:
		return 3e11
	}
	return math.Inf(1)
}

// expr makes an expression. depth is how many functions may nest.
func (g *Gen) expr(s Shape, w want, depth int) *Expr {
	for range 3 {
		e := g.tryExpr(s, w, depth)
		if e != nil && (w.limit == 0 || e.Max <= w.limit) && (!w.tame || e.Tame) && !(w.bare && e.Inexact) {
			return e
		}
		if e != nil && w.limit > 0 && !w.tame {
			if e = g.confine(e, w.limit); e != nil {
				return e
			}
		}
		depth = 0
	}
	return g.literal(w)
}

// confine makes a value as small as it must be.
func (g *Gen) confine(e *Expr, limit float64) *Expr {
	out := &Expr{Op: "%", T: e.T, Kids: []*Expr{e}, Null: e.Null, Max: limit}
	switch e.T.Kind {
	case types.Int64:
		n := strconv.FormatInt(int64(min(limit, 1e15)), 10)
		out.RQL, out.SQL = "({0} % "+n+")", "({0} % "+n+")"
		out.Kids = append(out.Kids, Literal(int64(min(limit, 1e15)), types.INT))
		out.RQL, out.SQL = "({0} % {1})", "({0} % {1})"
		return out
	case types.String:
		out.Op = "left"
		out.Kids = append(out.Kids, Literal(int64(limit/4), types.INT))
		out.RQL, out.SQL = "left({0}, {1})", "left({0}, {1})"
		return out
	}
	return nil
}

func (g *Gen) tryExpr(s Shape, w want, depth int) *Expr {
	switch {
	case depth <= 0 || g.chance(0.3):
		if e := g.fromColumn(s, w); e != nil {
			return e
		}
		if depth <= 0 || g.chance(0.3) {
			return g.literal(w)
		}
	case w.t.Kind == types.Decimal:
		return g.decimal(s, w, depth)
	case w.t.Kind == types.Struct:
		return g.structLiteral(s, w, depth)
	}
	if e := g.field(s, w); e != nil {
		return e
	}
	if g.chance(0.15) && !w.tame {
		if e := g.cast(s, w, depth); e != nil {
			return e
		}
	}
	if len(g.subqueryKinds()) > 0 && g.chance(0.06) {
		if e := g.subquery(s, w); e != nil {
			return e
		}
	}
	return g.call(s, w, depth)
}

// call makes a call of a function that returns the type.
func (g *Gen) call(s Shape, w want, depth int) *Expr {
	list := slices.Clone(byReturn()[""]) // those of any type
	if l := letter(w.t); l != "" {
		own := byReturn()[l]
		if len(own) > 0 && g.chance(0.85) {
			list = own
		}
	}
	if w.t.Kind == types.List && g.chance(0.7) {
		list = byReturn()["LT"]
	}
	sp := pick(g, list)
	if g.without[sp.name] {
		return nil
	}
	if w.bare && strings.Contains(sp.how, "i") {
		return nil
	}
	return g.apply(s, sp, w.t, depth-1)
}

// apply makes a call. t is the type of T, and of the result if that is T.
func (g *Gen) apply(s Shape, sp *spec, t types.Type, depth int) *Expr {
	switch sp.ret {
	case "":
		if strings.Contains(sp.how, "x") && t.IsNested() {
			return nil
		}
	case "LT":
		t = *t.Elem
	default:
		t = g.anyType(s)
	}
	if strings.Contains(sp.args, "LT") && t.IsNested() {
		if sp.ret == "" || sp.ret == "LT" {
			return nil
		}
		t = types.INT
	}
	for strings.Contains(sp.how, "<") && t.Kind == types.Struct && !g.features["structorder"] || strings.Contains(sp.how, "x") && t.IsNested() {
		t = pick(g, roots)
	}
	e := &Expr{Op: sp.name, T: t}
	var number types.Type
	for i, word := range splitWords(sp.args) {
		if word == "N" {
			number = g.otherNumber(s, number)
			e.Kids = append(e.Kids, g.expr(s, want{t: number, bare: true}, depth))
			continue
		}
		k := g.argument(s, word, t, depth, sp)
		if i > 0 && (g.chance(0.03) || sp.name == "in" && g.chance(0.25)) && strings.HasPrefix(word, "T") {
			k = Literal(nil, k.T)
		}
		e.Kids = append(e.Kids, k)
	}
	l, bound, _ := strings.Cut(sp.ret, "<")
	if u, ok := letters[l]; ok {
		e.T = u
	}
	if l == "LT" {
		e.T = types.ListOf(t)
	}
	e.Max = boundOf(bound, e)
	if strings.Contains(sp.how, "^") {
		e.Max = boundOf("^", e)
	}
	for _, k := range e.Kids {
		if strings.Contains(sp.args, "T") && k.T.Kind == types.Interval && k.Op != opColumn && k.Op != opLiteral {
			return nil // perhaps of mixed sign
		}
		e.Null = e.Null || k.Null
		e.Loose = e.Loose || k.Loose
		e.Inexact = e.Inexact || k.Inexact
	}
	e.Null = e.Null && !strings.Contains(sp.how, "w") || strings.Contains(sp.how, "n")
	e.Inexact = e.Inexact || strings.Contains(sp.how, "i") || strings.Contains(sp.how, "r") && distinguishable(&Col{T: e.T})
	e.Loose = strings.Contains(sp.how, "r") && distinguishable(&Col{T: e.T})
	if strings.Contains(sp.how, "t") && e.Max < 1e7 {
		e.Tame = !slices.ContainsFunc(e.Kids, func(k *Expr) bool { return !k.Tame })
	}
	if strings.Contains(sp.how, "^") {
		e.Tame = !slices.ContainsFunc(e.Kids, func(k *Expr) bool { return k.T.Kind == types.Float64 && !k.Tame })
	}
	sp.texts(g, e)
	return e
}

// texts gives a call its two templates.
func (sp *spec) texts(g *Gen, e *Expr) {
	e.RQL, e.SQL = sp.rql, sp.sql
	if e.RQL == "" {
		e.RQL = "{f}({*})"
	}
	if e.SQL == "" {
		e.SQL = strings.ReplaceAll(e.RQL, "{f}", sp.name)
	}
	e.RQL = strings.ReplaceAll(e.RQL, "{f}", g.alias(sp.name, len(e.Kids)))
	if e.T.Kind == types.Int64 && !strings.HasPrefix(e.SQL, "(") {
		e.SQL = "CAST(" + e.SQL + " AS BIGINT)"
	}
}

// otherNumber is a number type; after FLOAT none but itself, as a comparison
// of an INT or DECIMAL with a FLOAT is not exact.
func (g *Gen) otherNumber(s Shape, before types.Type) types.Type {
	list := []types.Type{types.INT, types.DecimalOf(9, 2), types.DecimalOf(4, 1)}
	for _, c := range s.usable() {
		if c.T.IsInt() {
			list = append(list, c.T)
		}
	}
	return pick(g, list)
}

// noAlias are other names that are not written like a call, or take fewer arguments.
var noAlias = map[string]bool{"extract": true, "position": true, "^@": true, "aggregate": true, "~": true, "mod": true, "!=": true, "==": true,
	"current_timestamp": true, "ifnull": true, "nvl": true, "quantile": true}

var aliases = sync.OnceValue(func() map[string][]string {
	out := map[string][]string{}
	for _, f := range expr.Functions() {
		for _, a := range f.Aliases {
			if !noAlias[a] {
				out[f.Name] = append(out[f.Name], a)
			}
		}
	}
	return out
})

// alias is a name of a function.
func (g *Gen) alias(name string, args int) string {
	list := aliases()[name]
	if name == "log10" && args == 2 {
		return "log"
	}
	if len(list) > 0 && g.chance(0.3) {
		return pick(g, list)
	}
	return name
}

func boundOf(bound string, e *Expr) float64 {
	m := 0.0
	switch bound {
	case "":
		return defaultMax(e.T)
	case "+":
		for _, k := range e.Kids {
			m += k.Max
		}
		return m
	case "*":
		m = 1
		for _, k := range e.Kids {
			m *= max(1, k.Max)
		}
		return m
	case "^":
		for _, k := range e.Kids {
			if k.T.Kind == e.T.Kind || e.T.Kind == types.List && k.T.Kind == e.T.Elem.Kind {
				m = max(m, k.Max)
			}
		}
		return m
	case "0":
		if len(e.Kids) > 0 && e.Kids[0].T.Kind == types.List {
			return e.Kids[0].Max
		}
		for _, k := range e.Kids {
			if k.T.Kind == e.T.Kind {
				return k.Max
			}
		}
		return e.Kids[0].Max
	}
	m, _ = strconv.ParseFloat(bound, 64)
	return m
}
