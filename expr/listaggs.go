package expr

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// listAggregateFunctions apply an aggregate to the elements of each list.
func listAggregateFunctions() []*entry {
	out := []*entry{
		fn("list_aggregate", "an aggregate function, by its name, of the elements, with further arguments of it", "list_aggregate([1, 2, 3], 'quantile_cont', 0.5)", "2.0").alias("list_aggr", "array_aggregate", "array_aggr", "aggregate").
			on("LIST<T>, STRING -> any", aggregateKernel("")).failing().typing(aggregateType("")).
			on("LIST<T>, STRING, any… -> any", aggregateKernel("")).failing().typing(aggregateType("")),
		fn("list_string_agg", "the elements as text joined by the second argument or a comma, without NULLs; NULL if there is none", "list_string_agg(['a', 'b'])", "a,b").alias("array_string_agg").
			on("LIST<T> -> STRING", joinElements).on("LIST<T>, STRING -> STRING", joinElements),
		fn("array_to_string", "the elements as text joined by the second argument, without NULLs", "array_to_string([1, NULL, 2], '-')", "1-2").alias("list_to_string").
			onNulls("LIST<T>, STRING -> STRING", elementsToText),
		vectorEntry("list_inner_product", "the sum of the products of elements that stand at one place", "list_inner_product([1, 2], [3, 4])", "11.0", func(xy, _, _ float64, _ float64) float64 { return xy }).alias("list_dot_product", "array_inner_product", "array_dot_product"),
		vectorEntry("list_distance", "the Euclidean distance of two points", "list_distance([0, 0], [3, 4])", "5.0", func(_, _, _, dd float64) float64 { return math.Sqrt(dd) }).alias("array_distance"),
		vectorEntry("list_cosine_similarity", "the cosine of the angle between two vectors", "list_cosine_similarity([1, 0], [0, 1])", "0.0", cosine).alias("array_cosine_similarity"),
		vectorEntry("list_cosine_distance", "1 less list_cosine_similarity", "list_cosine_distance([1, 0], [0, 1])", "1.0", func(xy, xx, yy, dd float64) float64 { return 1 - cosine(xy, xx, yy, dd) }).alias("array_cosine_distance"),
	}
	for _, f := range []struct{ agg, does, example, result string }{
		{"sum", "the sum of the elements", "[1, 2, NULL]", "3"},
		{"product", "the product of the elements", "[2, 3, NULL]", "6.0"},
		{"avg", "the mean of the elements", "[1, 2, NULL]", "1.5"},
		{"min", "the least element", "[2, 1, NULL]", "1"},
		{"max", "the greatest element", "[2, 1, NULL]", "2"},
		{"count", "how many elements are not NULL", "[2, 1, NULL]", "2"},
		{"first", "the first element", "[2, 1]", "2"},
		{"last", "the last element", "[2, 1]", "1"},
		{"any_value", "the first element that is not NULL", "[NULL, 1]", "1"},
		{"bool_and", "whether all elements are true", "[true, NULL]", "true"},
		{"bool_or", "whether any element is true", "[true, false]", "true"},
		{"median", "the middle element, or the mean of the two in the middle", "[1, 2, 4]", "2.0"},
		{"mode", "the most frequent element", "[1, 2, 2]", "2"},
		{"var_samp", "the variance of the elements as a sample", "[1, 3]", "2.0"},
		{"var_pop", "the variance of the elements", "[1, 3]", "1.0"},
		{"stddev_samp", "the standard deviation of the elements as a sample", "[1, 1]", "0.0"},
		{"stddev_pop", "the standard deviation of the elements", "[1, 3]", "1.0"},
		{"approx_count_distinct", "about how many different elements there are", "[1, 2, 2]", "2"},
	} {
		out = append(out, fn("list_"+f.agg, f.does, "list_"+f.agg+"("+f.example+")", f.result).alias("array_"+f.agg).
			on("LIST<T> -> any", aggregateKernel(f.agg)).failing().typing(aggregateType(f.agg)))
	}
	return out
}

// aggregateCall builds the aggregate over a column of elements. name "" means
// that the second argument says it.
func aggregateCall(name string, elem types.Type, rest []*Literal) (*AggCall, error) {
	args := []Expr{&Column{ID: 0, Name: "element", T: elem}}
	if name == "" {
		s, ok := rest[0].Value.(string)
		if !ok {
			return nil, errors.New("the name of the aggregate is a constant text")
		}
		name, rest = s, rest[1:]
		if !IsAggregate(name) {
			return nil, fmt.Errorf("there is no aggregate function '%s'", name)
		}
	}
	for _, l := range rest {
		args = append(args, l)
	}
	return NewAgg(name, args, false, nil, nil)
}

func aggregateType(name string) func(args []Expr) (types.Type, error) {
	return func(args []Expr) (types.Type, error) {
		rest := make([]*Literal, len(args)-1)
		for i, a := range args[1:] {
			l, ok := a.(*Literal)
			if !ok {
				return types.Type{}, errors.New("all but the list is constant")
			}
			rest[i] = l
		}
		c, err := aggregateCall(name, *args[0].Type().Elem, rest)
		if err != nil {
			return types.Type{}, err
		}
		return c.T, nil
	}
}

func aggregateKernel(name string) kernel {
	return func(c *call) (arrow.Array, error) {
		column, err := c.full(c.args[0])
		if err != nil {
			return nil, err
		}
		defer column.Release()
		l := listIn(vector{arr: column})
		defer l.release()
		elem, err := types.FromArrow(l.elems.DataType())
		if err != nil {
			return nil, err
		}
		rest := make([]*Literal, len(c.args)-1)
		for i, a := range c.args[1:] {
			t, err := types.FromArrow(a.arr.DataType())
			if err != nil {
				return nil, err
			}
			rest[i] = &Literal{Value: vec.ValueAt(a.arr, 0), T: t}
		}
		agg, err := aggregateCall(name, elem, rest)
		if err != nil {
			return nil, err
		}
		out, err := aggregateElements(c, l, agg, 0, c.n)
		for i := 0; err != nil && i < c.n; i++ { // again, to find the row
			one, rowErr := aggregateElements(c, l, agg, i, i+1)
			if rowErr != nil {
				return nil, &RowError{Row: i, Err: rowErr}
			}
			one.Release()
		}
		return out, err
	}
}

// aggregateElements makes each of the lists from first up to last a group.
func aggregateElements(c *call, l *listArg, agg *AggCall, first, last int) (arrow.Array, error) {
	var groups []uint32
	var idx []int32
	for i := first; i < last; i++ {
		for k, to := l.at(i); k < to; k++ {
			groups, idx = append(groups, uint32(i-first)), append(idx, int32(k))
		}
	}
	in := Input{Cols: []arrow.Array{l.elems}, Rows: len(idx)}
	if len(idx) < l.elems.Len() { // a NULL stands before elements of its own
		part, err := vec.Take(c.mem, l.elems, idx)
		if err != nil {
			return nil, err
		}
		defer part.Release()
		in.Cols[0] = part
	}
	acc, err := NewAccumulator(agg, c.mem)
	if err != nil {
		return nil, err
	}
	defer acc.Release()
	acc.Resize(last - first)
	var cols []arrow.Array
	defer func() { vec.ReleaseAll(cols) }()
	for _, e := range agg.Inputs() {
		ev, err := NewEvaluator(e, c.mem, c.env)
		if err != nil {
			return nil, err
		}
		col, err := ev.Eval(in, nil)
		ev.Close()
		if err != nil {
			return nil, err
		}
		cols = append(cols, col)
	}
	if err := acc.Update(groups, cols); err != nil {
		return nil, err
	}
	out, err := acc.Result()
	if err != nil || l.valid.None() {
		return out, err
	}
	defer out.Release()
	rows := positions(last - first)
	for i := range rows {
		if l.null(first + i) {
			rows[i] = -1
		}
	}
	return vec.Take(c.mem, out, rows)
}

// joinElements gives NULL where there is nothing to join.
func joinElements(c *call) (arrow.Array, error) {
	l, between := listIn(c.args[0]), func(int) string { return "," }
	defer l.release()
	if len(c.args) > 1 {
		between = textIn(c.args[1])
	}
	read := elementTexts(l)
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		var some bool
		if buf, some = read(buf[:0], i, between(i)); !some {
			return nil, errNull
		}
		return buf, nil
	})
}

// elementsToText takes a NULL separator for none.
func elementsToText(c *call) (arrow.Array, error) {
	l, sep := listIn(c.args[0]), textIn(c.args[1])
	defer l.release()
	sepValid, mask, read := vec.ValidityOf(c.args[1].arr), c.args[1].mask(), elementTexts(l)
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	var buf []byte
	for i := range c.n {
		if l.null(i) {
			b.AppendNull()
			continue
		}
		between := ""
		if sepValid.Valid(i & mask) {
			between = sep(i)
		}
		buf, _ = read(buf[:0], i, between)
		b.Append(buf)
	}
	return b.Finish(), nil
}

// elementTexts appends the elements of a row that are not NULL, and reports
// whether there was one.
func elementTexts(l *listArg) func(dst []byte, i int, between string) ([]byte, bool) {
	valid := vec.ValidityOf(l.elems)
	if valid.None() && l.elems.Len() == 0 || l.elems.DataType().ID() == arrow.NULL {
		return func(dst []byte, _ int, _ string) ([]byte, bool) { return dst, false }
	}
	texts := textOf(vector{arr: l.elems})
	return func(dst []byte, i int, between string) ([]byte, bool) {
		some := false
		for k, to := l.at(i); k < to; k++ {
			if valid.Null(k) {
				continue
			}
			if some {
				dst = append(dst, between...)
			}
			some = true
			dst = append(dst, texts(k)...)
		}
		return dst, some
	}
}

// vectorEntry is a function of the products of two vectors with each other and
// with themselves, and of the square of their distance.
func vectorEntry(name, description, example, result string, f func(xy, xx, yy, dd float64) float64) *entry {
	return fn(name, description, example, result).onFail("LIST<FLOAT>, LIST<FLOAT> -> FLOAT", func(c *call) (arrow.Array, error) {
		x, y := listIn(c.args[0]), listIn(c.args[1])
		defer x.release()
		defer y.release()
		xs, ys := vec.Values[float64](x.elems), vec.Values[float64](y.elems)
		xv, yv := vec.ValidityOf(x.elems), vec.ValidityOf(y.elems)
		return rows(c, floatOut(c), func(i int) (float64, error) {
			p, pe := x.at(i)
			q, qe := y.at(i)
			if pe-p != qe-q {
				return 0, fmt.Errorf("%s takes lists of one length, not of %d and %d elements", name, pe-p, qe-q)
			}
			var xy, xx, yy, dd float64
			for ; p < pe; p, q = p+1, q+1 {
				if xv.Null(p) || yv.Null(q) {
					return 0, fmt.Errorf("%s takes no list with a NULL in it", name)
				}
				a, b := xs[p], ys[q]
				xy, xx, yy, dd = xy+a*b, xx+a*a, yy+b*b, dd+(a-b)*(a-b)
			}
			return f(xy, xx, yy, dd), nil
		})
	})
}

// cosine keeps to what a cosine can be, whatever rounding did.
func cosine(xy, xx, yy, _ float64) float64 {
	return max(-1, min(1, xy/(math.Sqrt(xx)*math.Sqrt(yy))))
}
