package expr

import (
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// aggEntry is an aggregate of the table. Its overloads have no kernels.
type aggEntry struct {
	entry
	split     bool // states of parts may be merged in any order
	distinct  bool // DISTINCT changes the result
	ordered   bool // ORDER BY does
	boolAsInt bool // takes BOOL as 0 and 1
	states    func(c *AggCall) []types.Type
	make      func(c *AggCall, mem memory.Allocator) (Accumulator, error)
	// collect finishes groups whose rows were all kept; it serves ORDER BY, and
	// aggregates that have no states of their own.
	collect func(c *AggCall) (finisher, error)
}

// aggregates holds the aggregate functions by name and alias.
var aggregates = sync.OnceValue(func() map[string]*aggEntry {
	all := map[string]*aggEntry{}
	for _, e := range aggregateTable() {
		e.Aggregate, e.Category = true, "aggregate"
		all[e.Name] = e
		for _, a := range e.Aliases {
			all[a] = e
		}
	}
	return all
})

func agg(name, description, example, result string, sigs ...string) *aggEntry {
	e := &aggEntry{entry: *fn(name, description, example, result), distinct: true}
	for _, s := range sigs {
		e.on(s, nil)
	}
	return e
}

func stateOf(ts ...types.Type) func(*AggCall) []types.Type {
	return func(*AggCall) []types.Type { return ts }
}

// fold makes an aggregate that keeps a small state for each group.
func (e *aggEntry) fold(states func(*AggCall) []types.Type, make func(*AggCall, memory.Allocator) (Accumulator, error)) *aggEntry {
	e.split, e.states, e.make = true, states, make
	return e
}

// keep makes an aggregate whose state is one row of the input.
func (e *aggEntry) keep(states func(*AggCall) []types.Type, better func(c *AggCall) keepRule) *aggEntry {
	e.states = states
	e.make = func(c *AggCall, mem memory.Allocator) (Accumulator, error) { return newKeeper(c, better(c), mem), nil }
	return e
}

// collecting makes an aggregate that keeps all rows.
func (e *aggEntry) collecting(f func(c *AggCall) (finisher, error)) *aggEntry {
	e.ordered, e.collect = true, f
	return e
}

func (e *aggEntry) same() *aggEntry {
	e.distinct = false
	return e
}

func (e *aggEntry) names(alias ...string) *aggEntry {
	e.Aliases = alias
	return e
}

func argTypes(c *AggCall) []types.Type { return typesOf(c.Args) }

func aggregateTable() []*aggEntry {
	return append(append([]*aggEntry{
		agg("count", "rows, or those where the argument is not NULL", "count(*)", "3", " -> INT", "any -> INT").
			fold(stateOf(types.INT), newCount),
		sumEntry(), avgEntry(),
		agg("product", "the product", "product(x)", "6.0", "FLOAT -> FLOAT").fold(stateOf(types.FLOAT), newProduct),
		agg("min", "the least value", "min(x)", "1", "T -> T").fold(argTypes, newExtreme(-1)).same(),
		agg("max", "the greatest value", "max(x)", "3", "T -> T").fold(argTypes, newExtreme(1)).same(),
		agg("bool_and", "whether all are true", "bool_and(x > 0)", "true", "BOOL -> BOOL").names("every").fold(stateOf(types.BOOL), newBoolAgg(false)).same(),
		agg("bool_or", "whether any is true", "bool_or(x > 2)", "true", "BOOL -> BOOL").names("some").fold(stateOf(types.BOOL), newBoolAgg(true)).same(),
		agg("any_value", "a value that is not NULL, whichever is met first", "any_value(x)", "1", "T -> T").names("arbitrary").
			keep(keepStates, keepFirstValue).collecting(collectPick(pickFirstValue)).splitting().same(),
		agg("first", "the value of the first row", "first(x)", "1", "T -> T").keep(keepStates, keepFirst).collecting(collectPick(pickFirst)).same(),
		agg("last", "the value of the last row", "last(x)", "3", "T -> T").keep(keepStates, keepLast).collecting(collectPick(pickLast)).same(),
		agg("arg_min", "the first argument where the second is least", "arg_min(x, -x)", "3", "any, any -> any").names("argmin", "min_by").
			keep(keepStates, keepArg(-1)).splitting().same(),
		agg("arg_max", "the first argument where the second is greatest", "arg_max(x, -x)", "1", "any, any -> any").names("argmax", "max_by").
			keep(keepStates, keepArg(1)).splitting().same(),
		agg("list", "all values, NULLs too, as a list", "list(x)", "[1,2,3]", "T -> LIST<T>").names("array_agg").collecting(collectList),
		agg("string_agg", "all texts joined, by the second argument or a comma", "string_agg(x::STRING, '-')", "1-2-3", "STRING -> STRING", "STRING, STRING -> STRING").
			names("listagg", "group_concat").collecting(collectText),
		agg("median", "the middle value, or the mean of the two in the middle", "median(x)", "2.0", "FLOAT -> FLOAT", "TIMESTAMP -> TIMESTAMP").collecting(collectQuantile(true)).unordered(),
		agg("quantile_cont", "the value below which such a part of the values lies, interpolated", "quantile_cont(x, 0.25)", "1.5", "FLOAT, FLOAT -> FLOAT", "TIMESTAMP, FLOAT -> TIMESTAMP").
			collecting(collectQuantile(true)).unordered(),
		agg("quantile_disc", "quantile_cont, but always one of the values", "quantile_disc(x, 0.5)", "2", "T, FLOAT -> T").names("quantile").
			collecting(collectQuantile(false)).unordered(),
		agg("mode", "the most frequent value, of several the one met first", "mode(x)", "1", "T -> T").collecting(collectMode).unordered(),
		agg("approx_count_distinct", "about how many different values there are, within 2 %", "approx_count_distinct(x)", "3", "any -> INT").
			fold(stateOf(types.BYTES), newHyperLogLog).same(),
		agg("approx_quantile", "about quantile_cont, from a sketch of constant size", "approx_quantile(x, 0.5)", "2.0", "FLOAT, FLOAT -> FLOAT").
			fold(stateOf(types.BYTES), newDigest),
	}, momentEntries()...), pairEntries()...)
}

func (e *aggEntry) splitting() *aggEntry {
	e.split = true
	return e
}

// unordered keeps rows but does not care for their order.
func (e *aggEntry) unordered() *aggEntry {
	e.ordered = false
	return e
}

func sumEntry() *aggEntry {
	e := agg("sum", "the sum; of INTs exact, an error if it does not fit INT", "sum(x)", "6", "INT -> INT")
	e.onType("DECIMAL -> DECIMAL", func(ts []types.Type) (types.Type, error) {
		return types.DecimalOf(types.MaxPrecision, ts[0].Scale), nil
	}, true, nil)
	e.on("FLOAT -> FLOAT", nil)
	e.boolAsInt = true
	return e.fold(sumStates, newSum)
}

func avgEntry() *aggEntry {
	e := agg("avg", "the mean", "avg(x)", "2.0", "INT -> FLOAT", "DECIMAL -> FLOAT", "FLOAT -> FLOAT").names("mean")
	e.boolAsInt = true
	return e.fold(func(c *AggCall) []types.Type { return append(sumStates(c), types.INT) }, newAvg)
}

func momentEntries() []*aggEntry {
	entry := func(name, description, result string, of func(moments) (float64, bool), alias ...string) *aggEntry {
		return agg(name, description, name+"(x)", result, "FLOAT -> FLOAT").names(alias...).
			fold(stateOf(types.INT, types.FLOAT, types.FLOAT), newMoments(of))
	}
	return []*aggEntry{
		entry("var_samp", "variance of a sample", "1.0", varSamp, "variance"),
		entry("var_pop", "variance of all there are", "0.6666666666666666", varPop),
		entry("stddev_samp", "standard deviation of a sample", "1.0", root(varSamp), "stddev"),
		entry("stddev_pop", "standard deviation of all there are", "0.816496580927726", root(varPop)),
	}
}

func pairEntries() []*aggEntry {
	entry := func(name, description, result string, of func(pairMoments) (float64, bool)) *aggEntry {
		f := types.FLOAT
		return agg(name, description, name+"(x, x)", result, "FLOAT, FLOAT -> FLOAT").
			fold(stateOf(types.INT, f, f, f, f, f), newPairMoments(of))
	}
	return []*aggEntry{
		entry("corr", "correlation of both", "1.0", correlation),
		entry("covar_pop", "covariance of all there are", "0.6666666666666666", covarPop),
		entry("covar_samp", "covariance of a sample", "1.0", covarSamp),
	}
}

// quantileOf reads the part that a quantile asks for, a constant from 0 to 1.
func quantileOf(c *AggCall) (float64, error) {
	if len(c.Args) < 2 {
		return 0.5, nil // the median
	}
	l, ok := c.Args[1].(*Literal)
	if !ok {
		return 0, errors.New("the part that a quantile takes must be a constant from 0 to 1")
	}
	q, ok := l.Value.(float64)
	if !ok || !(q >= 0 && q <= 1) {
		return 0, fmt.Errorf("the part that a quantile takes is from 0 to 1, not %v", l.Value)
	}
	return q, nil
}
