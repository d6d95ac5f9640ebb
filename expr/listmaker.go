package expr

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/vec"
)

// maxElements bounds the list that a function makes of one row, so that a
// number in the data cannot ask for all of the memory.
const maxElements = 16 << 20

// maxBatchElements bounds what all lists of a batch have together.
const maxBatchElements = 128 << 20

// listArg reads an operand that is a LIST.
type listArg struct {
	elems arrow.Array // those of the rows, and no others
	list  *array.List
	base  int64 // where elems begin among the elements of list
	mask  int
	valid vec.Validity
}

// listIn reads v; release must follow.
func listIn(v vector) *listArg {
	l := v.arr.(*array.List)
	a := &listArg{list: l, mask: v.mask(), valid: vec.ValidityOf(l)}
	last := int64(0)
	if n := l.Len(); n > 0 {
		a.base, _ = l.ValueOffsets(0)
		_, last = l.ValueOffsets(n - 1)
	}
	a.elems = array.NewSlice(l.ListValues(), a.base, last)
	return a
}

func (a *listArg) release() { a.elems.Release() }

func (a *listArg) null(i int) bool { return a.valid.Null(i & a.mask) }

// at is where in elems row i begins and ends; a NULL has no elements.
func (a *listArg) at(i int) (from, to int) {
	i &= a.mask
	if a.valid.Null(i) {
		return 0, 0
	}
	f, t := a.list.ValueOffsets(i)
	return int(f - a.base), int(t - a.base)
}

// listMaker puts the lists of a column together from elements of another.
type listMaker struct {
	idx   []int32 // of the elements, -1 for NULL
	offs  []int32
	nulls vec.Nulls
}

func (m *listMaker) add(i int) { m.idx = append(m.idx, int32(i)) }

func (m *listMaker) addAll(from, to, shift int) {
	for i := from; i < to; i++ {
		m.idx = append(m.idx, int32(i+shift))
	}
}

// row is the elements added to the row so far.
func (m *listMaker) row() []int32 { return m.idx[m.offs[len(m.offs)-1]:] }

// makeLists makes a list a row of elements of all: f adds those of row i, or
// returns errNull.
func makeLists(c *call, all arrow.Array, f func(m *listMaker, i int) error) (arrow.Array, error) {
	m := &listMaker{offs: make([]int32, 1, c.n+1), nulls: vec.NewNulls(c.mem, c.n)}
	defer m.nulls.Release()
	for i := range c.n {
		if c.env.stopped() {
			return nil, errStopped
		}
		switch err := f(m, i); {
		case errors.Is(err, errNull):
			m.idx = m.idx[:m.offs[i]]
			m.nulls.Set(i)
		case err != nil:
			return nil, &RowError{Row: i, Err: err}
		case len(m.idx) > maxBatchElements:
			return nil, &RowError{Row: i, Err: fmt.Errorf("the lists would have more than %d elements together", maxBatchElements)}
		}
		m.offs = append(m.offs, int32(len(m.idx)))
	}
	elems, err := vec.Take(c.mem, all, m.idx)
	if err != nil {
		return nil, err
	}
	defer elems.Release()
	return vec.NewList(c.mem, elems, m.offs, &m.nulls), nil
}

// joined lays arrays of one type end to end, and tells where each begins.
func (c *call) joined(parts ...arrow.Array) (all arrow.Array, base []int, err error) {
	total := 0
	for _, p := range parts {
		base = append(base, total)
		total += p.Len()
	}
	all, err = vec.Concat(c.mem, parts)
	return all, base, err
}

func checkLength(n int64) error {
	if n > maxElements {
		return fmt.Errorf("a list of %d elements is more than the %d that a function makes", n, maxElements)
	}
	return nil
}
