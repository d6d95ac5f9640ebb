package expr

import (
	"regexp"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// call is what a kernel sees: its operands, each a column of n rows or a
// constant, and where the result's memory comes from.
type call struct {
	mem  memory.Allocator
	n    int
	args []vector
	t    types.Type // of the result
	env  *Env
	memo *memo
}

// memo is what one call of an expression keeps from row to row and batch to
// batch: patterns, compiled.
type memo struct {
	pattern string
	options string
	re      *regexp.Regexp
	like    *likeMatcher
	formats map[string]*timeFormat // of strptime and strftime
	zone    zoneSpan               // of the last row's time zone
	path    *jsonPath              // of the JSON functions, read from pattern
}

// callNode applies a function.
type callNode struct {
	o        *overload
	args     []node
	t        types.Type
	volatile bool
	// dict is the only argument that is not constant, if it is a column of text
	// and the function may run on each value of a dictionary once; else -1.
	dict int
	memo memo
	last *dictResult
	// column is the name of the only argument that is not constant, if it is a
	// column, for messages; else "".
	column string
}

// dictResult is a condition already computed for the values of a dictionary.
type dictResult struct {
	dict arrow.Array
	mask []bool
}

func (c *callNode) close() {
	closeAll(c.args)
	c.forget()
}

func (c *callNode) forget() {
	if c.last != nil {
		c.last.dict.Release()
		c.last = nil
	}
}

func (c *callNode) eval(f *frame) (vector, error) {
	args := make([]vector, 0, len(c.args))
	defer func() {
		for _, a := range args {
			a.release()
		}
	}()
	konst := !c.volatile
	for _, a := range c.args {
		v, err := a.eval(f)
		if err != nil {
			return vector{}, err
		}
		args = append(args, v)
		konst = konst && v.konst
	}
	n := f.n
	if konst {
		if n == 0 {
			return emptyVector(f, c.t)
		}
		n = 1
	}
	if !c.o.nulls {
		for _, a := range args {
			if a.konst && vec.ValidityOf(a.arr).Null(0) {
				return nullVector(f, c.t)
			}
		}
	}
	if c.dict >= 0 {
		if d, ok := args[c.dict].arr.(*array.Dictionary); ok && d.Dictionary().Len() <= n {
			a, err := c.overDictionary(f, d, args)
			return vector{arr: a}, err
		}
	}
	a, err := c.run(f, args, n)
	if err != nil {
		return vector{}, ofColumn(c.column, f.fail(err, konst))
	}
	return vector{arr: a, konst: konst}, nil
}

func (c *callNode) run(f *frame, args []vector, n int) (arrow.Array, error) {
	return c.o.run(&call{mem: f.ev.mem, n: n, args: args, t: c.t, env: f.ev.env, memo: &c.memo})
}

// overValues runs the function on the values of a dictionary.
func (c *callNode) overValues(f *frame, dict arrow.Array, args []vector) (arrow.Array, error) {
	with := append([]vector(nil), args...)
	with[c.dict] = vector{arr: dict}
	return c.run(f, with, dict.Len())
}

// overDictionary runs the function once a value and spreads the results by
// code; text that comes out stays a dictionary.
func (c *callNode) overDictionary(f *frame, d *array.Dictionary, args []vector) (arrow.Array, error) {
	vals, err := c.overValues(f, d.Dictionary(), args)
	if err != nil {
		return nil, err
	}
	defer vals.Release()
	valid := vec.ValidityOf(d)
	if vec.IsText(vals.DataType()) && vec.ValidityOf(vals).None() && vals.DataType().ID() != arrow.DICTIONARY {
		nulls := vec.NewNulls(f.ev.mem, d.Len())
		nulls.Merge(valid)
		return vec.NewDictionary(f.ev.mem, vec.Codes(d), vals, &nulls), nil
	}
	idx := make([]int32, d.Len())
	copy(idx, vec.Codes(d))
	if !valid.None() {
		for i := range idx {
			if valid.Null(i) {
				idx[i] = -1
			}
		}
	}
	return vec.Take(f.ev.mem, vals, idx)
}

// filter decides rows of a dictionary by their codes, one decision a value.
func (c *callNode) filter(f *frame, dst []int32) ([]int32, error) {
	if c.dict < 0 || c.t.Kind != types.Bool {
		return filterByValue(c, f, dst)
	}
	col := c.args[c.dict].(*columnNode)
	if err := f.check(col); err != nil {
		return dst, err
	}
	d, ok := f.in.Cols[col.id].(*array.Dictionary)
	if !ok || d.Dictionary().Len() > max(f.n, 1) {
		return filterByValue(c, f, dst)
	}
	mask, err := c.mask(f, d.Dictionary())
	if err != nil {
		return dst, err
	}
	codes, valid := vec.Codes(d), vec.ValidityOf(d)
	if f.sel == nil && valid.None() {
		dst, out := grow(dst, f.n)
		j := 0
		for i, code := range codes {
			out[j] = int32(i)
			if mask[code] {
				j++
			}
		}
		return dst[:len(dst)+j], nil
	}
	for i := range f.n {
		r := f.row(i)
		if valid.Valid(r) && mask[codes[r]] {
			dst = append(dst, int32(i))
		}
	}
	return dst, nil
}

// mask is the condition for each value of dict, remembered while dict stays the same.
func (c *callNode) mask(f *frame, dict arrow.Array) ([]bool, error) {
	if c.last != nil && vec.SameValues(c.last.dict, dict) {
		return c.last.mask, nil
	}
	args := make([]vector, len(c.args))
	for i, a := range c.args {
		if i == c.dict {
			continue
		}
		v, err := a.eval(f) // a constant, which never fails
		if err != nil {
			return nil, err
		}
		defer v.release()
		args[i] = v
		if vec.ValidityOf(v.arr).Null(0) {
			return make([]bool, dict.Len()), nil
		}
	}
	out, err := c.overValues(f, dict, args)
	if err != nil {
		return nil, err
	}
	defer out.Release()
	mask := make([]bool, dict.Len())
	bits, valid := vec.BoolsOf(out), vec.ValidityOf(out)
	for i := range mask {
		mask[i] = bits.At(i) && valid.Valid(i)
	}
	c.forget()
	dict.Retain()
	c.last = &dictResult{dict: dict, mask: mask}
	return mask, nil
}
