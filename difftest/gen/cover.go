package gen

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// Cover counts what queries were made of: verbs by type, with and without
// NULLs, and functions by the types of their arguments.
type Cover struct {
	verbs map[string]map[types.Kind]*[2]int
	funcs map[string]map[string]int // name, then kinds
}

// NewCover returns an empty count.
func NewCover() *Cover {
	return &Cover{verbs: map[string]map[types.Kind]*[2]int{}, funcs: map[string]map[string]int{}}
}

// Add counts a query.
func (c *Cover) Add(q *Query) {
	for _, r := range q.Rels() {
		shapes := r.Shapes()
		if f, ok := r.Src.(*fromOne); ok {
			c.step(f.transform, Shape{})
		}
		for i, st := range r.Steps {
			c.step(st, shapes[i])
		}
	}
}

func (c *Cover) verb(name string, t types.Type, null bool) {
	m := c.verbs[name]
	if m == nil {
		m = map[types.Kind]*[2]int{}
		c.verbs[name] = m
	}
	if m[t.Kind] == nil {
		m[t.Kind] = &[2]int{}
	}
	if null {
		m[t.Kind][1]++
	} else {
		m[t.Kind][0]++
	}
}

func (c *Cover) step(st Step, in Shape) {
	uses := st.Uses()
	byColumn := false // what counts is the columns within, not the results
	switch st.(type) {
	case *Filter, *Over, *Join:
		byColumn = true
	}
	for _, u := range uses {
		if !byColumn {
			c.verb(st.Verb(), (*u).T, (*u).Null)
		}
		(*u).walk(func(e *Expr) {
			if e.Op == opColumn {
				if byColumn {
					c.verb(st.Verb(), e.T, e.Null)
				}
				return
			}
			c.call(e)
		})
	}
	cols := in.Cols
	switch x := st.(type) {
	case *Drop:
		cols = slices.DeleteFunc(slices.Clone(cols), func(c *Col) bool { return !slices.Contains(x.IDs, c.ID) })
	case *Rename:
		cols = slices.DeleteFunc(slices.Clone(cols), func(c *Col) bool { return !slices.Contains(x.IDs, c.ID) })
	case *Exec:
		cols, _ = x.kept(in)
	}
	if len(uses) == 0 {
		for _, col := range cols {
			c.verb(st.Verb(), col.T, col.Null)
		}
	}
}

func (c *Cover) call(e *Expr) {
	kinds := make([]string, len(e.Kids))
	for i, k := range e.Kids {
		kinds[i] = kindName(k.T.Kind)
	}
	m := c.funcs[e.Op]
	if m == nil {
		m = map[string]int{}
		c.funcs[e.Op] = m
	}
	m[strings.Join(kinds, ", ")]++
}

func kindName(k types.Kind) string {
	name, _, _ := strings.Cut(types.Type{Kind: k, Elem: &types.NULL}.String(), "(")
	name, _, _ = strings.Cut(name, "<")
	return name
}

var kinds = []types.Kind{types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal,
	types.String, types.Bytes, types.Date, types.Timestamp, types.Interval, types.List, types.Struct}

// Print writes the tables, and returns the holes.
func (c *Cover) Print(w io.Writer, verbs []string) (holes []string) {
	reasons := map[string]bool{}
	fmt.Fprintf(w, "verb × type (queries without NULLs / with)\n%-20s", "")
	for _, k := range kinds {
		fmt.Fprintf(w, " %12s", kindName(k))
	}
	fmt.Fprintln(w)
	for _, v := range verbs {
		fmt.Fprintf(w, "%-20s", v)
		for _, k := range kinds {
			if why := senseless(v, k); why != "" {
				fmt.Fprintf(w, " %12s", "-")
				reasons[why] = true
				continue
			}
			n := c.verbs[v][k]
			if n == nil {
				n = &[2]int{}
			}
			fmt.Fprintf(w, " %12s", fmt.Sprintf("%d/%d", n[0], n[1]))
			for i, null := range []string{"without NULL", "with NULL"} {
				if n[i] == 0 {
					holes = append(holes, v+" of "+kindName(k)+" "+null)
				}
			}
		}
		fmt.Fprintln(w)
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		fmt.Fprintln(w, "- "+why)
	}
	fmt.Fprintln(w, "\nfunctions (calls by types of arguments)")
	for _, f := range expr.Functions() {
		total := 0
		for _, n := range c.funcs[f.Name] {
			total += n
		}
		fmt.Fprintf(w, "%s %d  ", f.Name, total)
		for _, sig := range f.Signatures {
			holes = append(holes, c.signature(f.Name, sig)...)
		}
	}
	fmt.Fprintln(w)
	for _, f := range []string{"and", "or", "in", "between", "case", "cast", "try_cast", "is_true"} {
		if c.funcs[f] == nil {
			holes = append(holes, f)
		}
	}
	return holes
}

// senseless says why there is nothing to cover; "" where there is.
func senseless(verb string, k types.Kind) string {
	if verb == "UNNEST" && k != types.List {
		return "UNNEST takes lists only"
	}
	return ""
}

// generic are the types that T and any stand for in the coverage of functions.
var generic = []types.Kind{types.Bool, types.Int64, types.Float64, types.Decimal, types.String, types.Bytes, types.Date, types.Timestamp, types.Interval}

// never are signatures of which no value can be computed, in DuckDB neither.
var never = []string{
	"dayofweek(INTERVAL -> INT)", "dayofyear(INTERVAL -> INT)", "era(INTERVAL -> INT)", "isodow(INTERVAL -> INT)",
	"isoyear(INTERVAL -> INT)", "week(INTERVAL -> INT)", "yearweek(INTERVAL -> INT)",
}

// signature lists the holes of one signature of a function.
func (c *Cover) signature(name, sig string) (holes []string) {
	if slices.Contains(never, name+"("+sig+")") {
		return nil
	}
	left, _, _ := strings.Cut(sig, "->")
	left = strings.TrimSpace(left)
	left, variadic := strings.CutSuffix(left, "…")
	var params []string
	if left != "" {
		params = strings.Split(left, ", ")
	}
	over := []types.Kind{types.Null}
	if slices.ContainsFunc(params, func(p string) bool { return p == "T" || p == "any" || p == "LIST<T>" }) {
		over = generic
	}
	if name == "list_aggregate" || name == "list_zip" { // what any takes is settled by their other arguments
		over = []types.Kind{types.Null}
	}
	for _, t := range over {
		found := false
		for key := range c.funcs[name] {
			var have []string
			if key != "" {
				have = strings.Split(key, ", ")
			}
			found = found || fits(have, params, variadic, kindName(t))
		}
		if !found {
			hole := name + "(" + sig + ")"
			if t != types.Null {
				hole += " of " + kindName(t)
			}
			holes = append(holes, hole)
		}
	}
	return holes
}

// fits reports whether a call has a signature; t stands for T and, once, for any.
func fits(have, params []string, variadic bool, t string) bool {
	if len(have) < len(params) || !variadic && len(have) > len(params)+1 {
		return false
	}
	any, anyFound := slices.Contains(params, "any") && t != kindName(types.Null), false
	for i, p := range params {
		switch p {
		case "any":
			anyFound = anyFound || have[i] == t || variadic && slices.Contains(have[i:], t)
		case "T":
			if have[i] != t {
				return false
			}
		case "LIST<T>":
			if have[i] != "LIST" {
				return false
			}
		case "LIST<STRING>", "LIST<INT>", "LIST<FLOAT>", "LIST<BOOL>":
			if have[i] != "LIST" {
				return false
			}
		default:
			if have[i] != p {
				return false
			}
		}
	}
	return !any || anyFound
}
