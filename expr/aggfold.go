package expr

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// folding is an accumulator that keeps an S for each group, whose zero value is
// the empty group. The functions are loops over rows or groups.
type folding[S any] struct {
	mem    memory.Allocator
	groups []S
	update func(s []S, groups []uint32, args []arrow.Array) error
	merge  func(s []S, groups []uint32, state []arrow.Array) error
	state  func(mem memory.Allocator, s []S) ([]arrow.Array, error)
	result func(mem memory.Allocator, s []S) (arrow.Array, error)
	size   func(s S) int // memory of a group beside S itself; nil: none
}

func (f *folding[S]) Resize(n int) {
	if n > len(f.groups) {
		f.groups = append(f.groups, make([]S, n-len(f.groups))...)
	}
}

func (f *folding[S]) Update(groups []uint32, args []arrow.Array) error {
	return f.update(f.groups, groups, args)
}

func (f *folding[S]) Merge(groups []uint32, state []arrow.Array) error {
	return f.merge(f.groups, groups, state)
}

func (f *folding[S]) State() ([]arrow.Array, error) { return f.state(f.mem, f.groups) }
func (f *folding[S]) Result() (arrow.Array, error)  { return f.result(f.mem, f.groups) }
func (f *folding[S]) Release()                      { f.groups = nil }

func (f *folding[S]) Bytes() int64 {
	var s S
	n := int64(cap(f.groups)) * int64(unsafe.Sizeof(s))
	if f.size != nil {
		for _, g := range f.groups {
			n += int64(f.size(g))
		}
	}
	return n
}

// perGroup makes a fixed-width column of a value a group; ok false is NULL.
func perGroup[T vec.FixedWidth, S any](mem memory.Allocator, t types.Type, s []S, f func(S) (v T, ok bool)) arrow.Array {
	b := vec.NewFixed[T](mem, t.Arrow(), len(s))
	for i := range s {
		v, ok := f(s[i])
		b.Values[i] = v
		if !ok {
			b.Set(i)
		}
	}
	return b.Finish()
}

var errStates = errors.New("the states are not those of this aggregate")

// checkStates guards Merge against columns of another aggregate.
func checkStates(state []arrow.Array, want ...arrow.Type) error {
	if len(state) != len(want) {
		return errStates
	}
	for i, id := range want {
		if state[i].DataType().ID() != id {
			return fmt.Errorf("%w: column %d is %s", errStates, i, state[i].DataType())
		}
	}
	return nil
}

func newCount(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	f := &folding[int64]{mem: mem}
	f.update = func(s []int64, groups []uint32, args []arrow.Array) error {
		if len(args) > 0 {
			if valid := vec.ValidityOf(args[0]); !valid.None() {
				for i, g := range groups {
					if valid.Valid(i) {
						s[g]++
					}
				}
				return nil
			}
		}
		for _, g := range groups {
			s[g]++
		}
		return nil
	}
	f.merge = func(s []int64, groups []uint32, state []arrow.Array) error {
		if err := checkStates(state, arrow.INT64); err != nil {
			return err
		}
		n := vec.Values[int64](state[0])
		for i, g := range groups {
			s[g] += n[i]
		}
		return nil
	}
	f.result = func(mem memory.Allocator, s []int64) (arrow.Array, error) {
		return perGroup(mem, types.INT, s, func(n int64) (int64, bool) { return n, true }), nil
	}
	f.state = oneState(f.result)
	return f, nil
}

// oneState is the state of an aggregate whose state is its result.
func oneState[S any](result func(memory.Allocator, []S) (arrow.Array, error)) func(memory.Allocator, []S) ([]arrow.Array, error) {
	return func(mem memory.Allocator, s []S) ([]arrow.Array, error) {
		a, err := result(mem, s)
		if err != nil {
			return nil, err
		}
		return []arrow.Array{a}, nil
	}
}

// best is the least or greatest value of a group so far.
type best[T any] struct {
	v    T
	seen bool
}

// newExtreme makes min (sign -1) and max (1).
func newExtreme(sign int) func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	return func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
		switch c.T.Kind {
		case types.Int8:
			return extremeOf(c.T, mem, lessInt[int8](sign)), nil
		case types.Int16:
			return extremeOf(c.T, mem, lessInt[int16](sign)), nil
		case types.Int32, types.Date:
			return extremeOf(c.T, mem, lessInt[int32](sign)), nil
		case types.Int64, types.Timestamp:
			return extremeOf(c.T, mem, lessInt[int64](sign)), nil
		case types.Float32:
			return extremeOf(c.T, mem, func(a, b float32) bool { return vec.CompareFloats(float64(a), float64(b))*sign > 0 }), nil
		case types.Float64:
			return extremeOf(c.T, mem, func(a, b float64) bool { return vec.CompareFloats(a, b)*sign > 0 }), nil
		case types.Decimal:
			return extremeOf(c.T, mem, func(a, b decimal128.Num) bool { return a.Cmp(b)*sign > 0 }), nil
		}
		return newKeeper(c, keepExtreme(sign), mem), nil
	}
}

func lessInt[T int8 | int16 | int32 | int64](sign int) func(a, b T) bool {
	if sign < 0 {
		return func(a, b T) bool { return a < b }
	}
	return func(a, b T) bool { return a > b }
}

func extremeOf[T vec.FixedWidth](t types.Type, mem memory.Allocator, better func(a, b T) bool) Accumulator {
	f := &folding[best[T]]{mem: mem}
	f.update = func(s []best[T], groups []uint32, args []arrow.Array) error {
		if args[0].DataType().ID() != t.Arrow().ID() {
			return fmt.Errorf("%w: it is %s", errStates, args[0].DataType())
		}
		vals, valid := vec.Values[T](args[0]), vec.ValidityOf(args[0])
		none := valid.None()
		for i, g := range groups {
			if !none && valid.Null(i) {
				continue
			}
			if b := &s[g]; !b.seen || better(vals[i], b.v) {
				*b = best[T]{vals[i], true}
			}
		}
		return nil
	}
	f.merge = f.update
	f.result = func(mem memory.Allocator, s []best[T]) (arrow.Array, error) {
		return perGroup(mem, t, s, func(b best[T]) (T, bool) { return b.v, b.seen }), nil
	}
	f.state = oneState(f.result)
	return f
}

// newBoolAgg makes bool_and, and bool_or where one true value decides.
func newBoolAgg(or bool) func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	return func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
		f := &folding[best[bool]]{mem: mem}
		f.update = func(s []best[bool], groups []uint32, args []arrow.Array) error {
			if err := checkStates(args, arrow.BOOL); err != nil {
				return err
			}
			bits, valid := vec.BoolsOf(args[0]), vec.ValidityOf(args[0])
			for i, g := range groups {
				if valid.Null(i) {
					continue
				}
				if b, v := &s[g], bits.At(i); !b.seen || v == or {
					*b = best[bool]{v, true}
				}
			}
			return nil
		}
		f.merge = f.update
		f.result = func(mem memory.Allocator, s []best[bool]) (arrow.Array, error) {
			b := vec.NewBools(mem, len(s))
			for i, g := range s {
				if !g.seen {
					b.Set(i)
				} else if g.v {
					b.SetTrue(i)
				}
			}
			return b.Finish(), nil
		}
		f.state = oneState(f.result)
		return f, nil
	}
}

// newProduct multiplies in FLOAT, as DuckDB does.
func newProduct(_ *AggCall, mem memory.Allocator) (Accumulator, error) {
	f := &folding[best[float64]]{mem: mem}
	f.update = func(s []best[float64], groups []uint32, args []arrow.Array) error {
		if err := checkStates(args, arrow.FLOAT64); err != nil {
			return err
		}
		x, valid := vec.Values[float64](args[0]), vec.ValidityOf(args[0])
		for i, g := range groups {
			switch b := &s[g]; {
			case valid.Null(i):
			case b.seen:
				b.v *= x[i]
			default:
				*b = best[float64]{x[i], true}
			}
		}
		return nil
	}
	f.merge = f.update
	f.result = func(mem memory.Allocator, s []best[float64]) (arrow.Array, error) {
		b := vec.NewFixed[float64](mem, arrow.PrimitiveTypes.Float64, len(s))
		for i, g := range s {
			if b.Values[i] = g.v; !g.seen {
				b.Set(i)
			}
		}
		return b.Finish(), nil
	}
	f.state = oneState(f.result)
	return f, nil
}
