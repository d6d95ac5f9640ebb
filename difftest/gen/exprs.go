package gen

import (
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/difftest/val"
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

// splitWords splits arguments, quotes aside.
func splitWords(args string) []string {
	var out []string
	for args = strings.TrimSpace(args); args != ""; args = strings.TrimSpace(args) {
		end := strings.IndexByte(args, ' ')
		switch {
		case args[0] == '\'':
			end = strings.IndexByte(args[1:], '\'') + 2
		}
		if end < 0 {
			end = len(args)
		}
		word := args[:end]
		if word == "tame" {
			out[len(out)-1] += " tame"
		} else {
			out = append(out, word)
		}
		args = args[end:]
	}
	return out
}

// argument makes an argument that a word asks for.
func (g *Gen) argument(s Shape, word string, t types.Type, depth int, sp *spec) *Expr {
	switch word[0] {
	case '\'':
		return Literal(pick(g, strings.Split(strings.Trim(word, "'"), "|")), types.STRING)
	case '#':
		n, _ := strconv.ParseInt(pick(g, strings.Split(word[1:], "|")), 10, 64)
		e := Literal(n, types.INT)
		e.SQL = e.RQL // DuckDB's functions take INTEGER here, not BIGINT
		return e
	case '@':
		text := strings.ReplaceAll(pick(g, strings.Split(word[1:], "|")), "_", " ")
		return &Expr{Op: opLiteral, T: types.INTERVAL, RQL: "INTERVAL '" + text + "'", SQL: "INTERVAL '" + text + "'", Max: 1e8}
	}
	if word[0] == '[' {
		text := pick(g, strings.Split(word, "|"))
		return &Expr{Op: opLiteral, T: types.ListOf(types.INT), RQL: text, SQL: text, Max: 10}
	}
	word, isTame := strings.CutSuffix(word, " tame")
	l, bound, _ := strings.Cut(word, "<")
	w := want{tame: isTame, bare: true}
	w.limit, _ = strconv.ParseFloat(bound, 64)
	switch l {
	case "T":
		w.t = t
	case "LT":
		w.t = types.ListOf(t)
	case "LLT":
		return g.pair(s, want{t: types.ListOf(t), bare: true}, depth)
	case "P":
		e := g.pair(s, want{t: types.FLOAT, tame: true, bare: true}, depth)
		// neither NULL, at which both fail, nor all 0, of which DuckDB 1.5 has a cosine
		e.RQL = "[coalesce(abs({0}), 1) + 1, coalesce({1}, 2)]"
		e.SQL = e.RQL
		return e
	case "E":
		k := g.expr(s, want{t: types.STRING, bare: true}, depth)
		return &Expr{Op: "encode", T: types.BYTES, Kids: []*Expr{k}, RQL: "encode({0})", SQL: "encode({0})", Null: k.Null, Max: k.Max}
	case "J": // RQL's JSON keeps a DECIMAL's digits, writes T and Z and no NaN
		w.t = pick(g, []types.Type{types.BOOL, types.INT, types.FLOAT, types.STRING, types.BYTES, types.DATE, types.INTERVAL, types.ListOf(types.INT), types.ListOf(types.STRING)})
		w.tame = w.t.Kind == types.Float64
	case "X":
		w.t = g.anyType(s)
		for strings.Contains(sp.how, "x") && w.t.IsNested() {
			w.t = pick(g, roots)
		}
	default:
		w.t = letters[l]
		// operators and functions of several types take a DATE for what it is
		own := strings.Contains(sp.how, "1") || l == "M" && sp.rql != ""
		if e := g.narrow(s, w); e != nil && !own {
			return e
		}
	}
	return g.expr(s, w, depth)
}

// pair makes a list of two elements.
func (g *Gen) pair(s Shape, w want, depth int) *Expr {
	e := &Expr{Op: "list_value", T: types.ListOf(w.t), RQL: "[{0}, {1}]", SQL: "[{0}, {1}]"}
	for range 2 {
		k := g.expr(s, w, depth)
		e.Kids = append(e.Kids, k)
		e.Max = max(e.Max, k.Max)
	}
	return e
}

// narrow makes an argument of a narrower type, which a function takes as it is.
func (g *Gen) narrow(s Shape, w want) *Expr {
	if !g.chance(0.25) {
		return nil
	}
	for _, c := range some(g, s.usable(), 20) {
		ok := w.t.Kind == types.Int64 && c.T.IsInt() || w.t.Kind == types.Float64 && c.T.Kind == types.Float32 ||
			w.t.Kind == types.Timestamp && c.T.Kind == types.Date
		if !ok || c.T.Equal(w.t) {
			continue
		}
		m := c.Max
		if w.t.Kind == types.Timestamp {
			m *= 86400
		}
		if w.limit > 0 && m > w.limit || w.tame && !c.Tame {
			continue
		}
		return &Expr{Op: "widen", T: w.t, Kids: []*Expr{column(c)}, RQL: "{0}", SQL: "CAST({0} AS " + val.SQLType(w.t) + ")", Null: c.Null, Max: m, Tame: c.Tame}
	}
	return nil
}

// fromColumn finds a column of the type.
func (g *Gen) fromColumn(s Shape, w want) *Expr {
	var fit []*Col
	for _, c := range s.usable() {
		if !c.T.Equal(w.t) && !(c.T.Kind == types.Decimal && w.t.Kind == types.Decimal) {
			continue
		}
		if (w.limit == 0 || c.Max <= w.limit) && (!w.tame || c.Tame) {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	c := pick(g, fit)
	if c.T.Equal(w.t) {
		return column(c)
	}
	if w.t.Precision-w.t.Scale >= c.T.Precision-c.T.Scale || c.Max < math.Pow10(w.t.Precision-w.t.Scale-1) {
		return castTo(column(c), w.t, "cast")
	}
	return nil
}

// anyType is a type that a column of the table has, or any.
func (g *Gen) anyType(s Shape) types.Type {
	if cols := s.usable(); len(cols) > 0 && g.chance(0.65) {
		return pick(g, cols).T
	}
	return pick(g, roots)
}

// literal makes a literal.
func (g *Gen) literal(w want) *Expr {
	if g.chance(0.06) || w.t.Kind == types.Struct && !g.features["struct"] {
		e := Literal(nil, w.t)
		e.Tame = true
		return e
	}
	for range 8 {
		profile := pick(g, []int{few, few, wide, extreme})
		v := g.value(w.t, profile)
		e := Literal(v, w.t)
		if (w.limit == 0 || e.Max <= w.limit) && (!w.tame || e.Tame) {
			return e
		}
	}
	switch w.t.Kind {
	case types.Int64:
		return Literal(int64(1), w.t)
	case types.Float64:
		return Literal(1.0, w.t)
	case types.String:
		return Literal("", w.t)
	case types.Decimal:
		return Literal(val.Dec{Unscaled: big.NewInt(0), Scale: w.t.Scale}, w.t)
	case types.Interval:
		return Literal(val.Span{}, w.t)
	}
	return Literal(nil, w.t)
}

// castTo writes CAST.
func castTo(e *Expr, t types.Type, op string) *Expr {
	return &Expr{Op: op, T: t, Kids: []*Expr{e}, RQL: "CAST({0} AS " + t.String() + ")", SQL: "CAST({0} AS " + val.SQLType(t) + ")",
		Null: e.Null, Max: e.Max, Inexact: e.Inexact, Tame: e.Tame}
}

// tryCast writes TRY_CAST.
func tryCast(e *Expr, t types.Type) *Expr {
	out := castTo(e, t, "try_cast")
	out.RQL, out.SQL = "TRY_"+out.RQL, "TRY_"+out.SQL
	out.Null, out.Max, out.Tame = true, defaultMax(t), false
	return out
}

// field takes a field of a struct.
func (g *Gen) field(s Shape, w want) *Expr {
	if !g.chance(0.15) {
		return nil
	}
	for _, c := range s.usable() {
		for _, f := range c.T.Fields {
			if f.Type.Equal(w.t) && w.limit == 0 {
				e := &Expr{Op: "struct_extract", T: f.Type, Kids: []*Expr{column(c), Literal(f.Name, types.STRING)}, SQL: "struct_extract({0}, {1})", Null: true, Max: c.Max}
				e.RQL = pick(g, []string{e.SQL, "{0}." + f.Name, "list_extract({0}, {1})"})
				if strings.HasPrefix(e.RQL, "list") {
					e.Op = "list_extract"
				}
				return e
			}
		}
	}
	return nil
}

// structLiteral makes a struct of its fields.
func (g *Gen) structLiteral(s Shape, w want, depth int) *Expr {
	if !g.features["struct"] {
		return nil
	}
	e := &Expr{Op: "struct", T: w.t}
	var r, q []string
	for i, f := range w.t.Fields {
		k := g.expr(s, want{t: f.Type, bare: true}, depth-1)
		e.Kids = append(e.Kids, k)
		e.Max = max(e.Max, k.Max)
		at := "{" + strconv.Itoa(i) + "}"
		r = append(r, val.Name(f.Name)+": "+at)
		q = append(q, val.Text(f.Name)+": "+at)
	}
	e.RQL, e.SQL = "{"+strings.Join(r, ", ")+"}", "{"+strings.Join(q, ", ")+"}"
	return e
}
