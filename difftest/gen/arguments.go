package gen

import (
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

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
