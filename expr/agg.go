package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// SortKey is one key of an ORDER BY.
type SortKey struct {
	Expr             Expr
	Desc, NullsFirst bool
}

// AggCall is a call of an aggregate function: plain data, immutable once built.
type AggCall struct {
	Fn       string // canonical name
	Args     []Expr // of the types that the function takes; none in count(*)
	Distinct bool   // each value of a group once
	Filter   Expr   // FILTER (WHERE …): BOOL, or nil
	OrderBy  []SortKey
	T        types.Type // of the result
}

// Accumulator computes one aggregate for many groups at once. It is used by one
// goroutine at a time. Its results do not depend on how the rows are cut into
// batches, but for rounding of FLOAT sums.
type Accumulator interface {
	// Resize makes the groups 0 to groups-1, keeping those there are; new ones
	// are empty. It never makes fewer.
	Resize(groups int)
	// Update adds rows: row i belongs to groups[i]. args are the columns of
	// AggCall.Inputs, as many rows each, without those that the Filter keeps
	// out. They are borrowed.
	Update(groups []uint32, args []arrow.Array) error
	// Merge adds states that State made for the same call, here or elsewhere:
	// row i goes into groups[i]. They are borrowed.
	Merge(groups []uint32, state []arrow.Array) error
	// State returns what has been gathered, a row a group, in columns of
	// StateTypes. The caller owns them; the accumulator stays as it is.
	State() ([]arrow.Array, error)
	// Result returns the value of each group, which the caller owns; the
	// accumulator stays as it is.
	Result() (arrow.Array, error)
	// Bytes estimates the memory held.
	Bytes() int64
	// Release frees it. It is idempotent; nothing may be called afterwards.
	Release()
}

// NewAgg builds the call of an aggregate: it finds the overload, inserts
// conversions, and drops a DISTINCT or ORDER BY that changes nothing. filter may
// be nil. Errors are *FuncError where the function or its arguments are at fault.
func NewAgg(name string, args []Expr, distinct bool, filter Expr, orderBy []SortKey) (*AggCall, error) {
	f, ok := aggregates()[strings.ToLower(name)]
	if !ok {
		if _, scalar := lookup(name); scalar {
			return nil, &FuncError{Fn: name, Arg: -1, Err: fmt.Errorf("%s is not an aggregate function: it gives a value a row, not one a group", name)}
		}
		return nil, &FuncError{Fn: name, Args: typesOf(args), Suggest: suggestFunction(name), Arg: -1}
	}
	if f.boolAsInt && len(args) == 1 && args[0].Type().Kind == types.Bool {
		cast, err := NewCast(args[0], types.INT, false)
		if err != nil {
			return nil, err
		}
		args = []Expr{cast}
	}
	e, err := f.call(name, args)
	if err != nil {
		return nil, err
	}
	call, ok := e.(*Call)
	if !ok {
		return nil, errors.New("an aggregate was not resolved to a call")
	}
	c := &AggCall{Fn: f.Name, Args: call.Args, T: call.T}
	if distinct && f.distinct {
		if len(args) == 0 {
			return nil, &FuncError{Fn: name, Arg: -1, Err: fmt.Errorf("DISTINCT needs something to tell apart: %s(DISTINCT x)", name)}
		}
		c.Distinct = true
	}
	if filter != nil {
		if c.Filter, err = condition(filter, "FILTER"); err != nil {
			return nil, err
		}
	}
	if f.ordered {
		c.OrderBy = orderBy
	}
	return c, nil
}

// Inputs is what the caller evaluates for Update: the arguments, then the sort keys.
func (c *AggCall) Inputs() []Expr {
	in := append([]Expr(nil), c.Args...)
	for _, k := range c.OrderBy {
		in = append(in, k.Expr)
	}
	return in
}

// Splittable reports whether the aggregate may be computed in parts, on rows in
// no particular order, whose states are merged: partial aggregation. The others
// need all rows of a group in one place, in the order of the input; their states
// serve to spill and to checkpoint only.
func (c *AggCall) Splittable() bool {
	f, ok := aggregates()[c.Fn]
	return ok && f.split && !c.Distinct && len(c.OrderBy) == 0
}

// StateTypes is the types of the columns of Accumulator.State.
func (c *AggCall) StateTypes() []types.Type {
	f, ok := aggregates()[c.Fn]
	if !ok {
		return nil
	}
	if c.Distinct || len(c.OrderBy) > 0 || f.states == nil {
		return []types.Type{types.ListOf(c.rowType())}
	}
	return f.states(c)
}

// rowType is a row of the inputs, as states that keep whole rows hold it.
func (c *AggCall) rowType() types.Type {
	in := c.Inputs()
	fields := make([]types.Field, len(in))
	for i, e := range in {
		fields[i] = types.Field{Name: fmt.Sprintf("c%d", i), Type: e.Type()}
	}
	return types.StructOf(fields...)
}

// NewAccumulator makes an accumulator of c without groups. Results come from
// mem, as does memory that grows with the rows.
func NewAccumulator(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	f, ok := aggregates()[c.Fn]
	if !ok {
		return nil, &FuncError{Fn: c.Fn, Suggest: suggestFunction(c.Fn), Arg: -1}
	}
	if c.Distinct {
		plain := *c
		plain.Distinct = false
		inner, err := NewAccumulator(&plain, mem)
		if err != nil {
			return nil, err
		}
		return newDistinct(c, inner, mem), nil
	}
	if len(c.OrderBy) > 0 || f.states == nil {
		if f.collect == nil {
			return nil, fmt.Errorf("%s cannot be ordered", c.Fn)
		}
		finish, err := f.collect(c)
		if err != nil {
			return nil, err
		}
		return newCollector(c, finish, mem), nil
	}
	return f.make(c, mem)
}

// AggString writes c as RQL.
func AggString(c *AggCall) string {
	p := &printer{}
	p.write(c.Fn + "(")
	if c.Distinct {
		p.write("DISTINCT ")
	}
	if len(c.Args) == 0 {
		p.write("*")
	}
	p.list(c.Args, ", ", 0)
	for i, k := range c.OrderBy {
		p.write(map[bool]string{true: " ORDER BY ", false: ", "}[i == 0])
		p.expr(k.Expr, 0)
		if k.Desc {
			p.write(" DESC")
		}
		if k.NullsFirst {
			p.write(" NULLS FIRST")
		}
	}
	p.write(")")
	if c.Filter != nil {
		p.write(" FILTER (WHERE ")
		p.expr(c.Filter, 0)
		p.write(")")
	}
	return p.b.String()
}
