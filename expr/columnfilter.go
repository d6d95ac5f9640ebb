package expr

import (
	"bytes"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/vec"
)

type compareOp uint8

const (
	opEq compareOp = iota
	opNe
	opLt
	opLe
	opGt
	opGe
	opNull
	opNotNull
)

var compareOps = map[string]compareOp{
	"=": opEq, "<>": opNe, "<": opLt, "<=": opLe, ">": opGt, ">=": opGe, "is_null": opNull, "is_not_null": opNotNull,
}

// flipped is the comparison with its sides exchanged.
var flipped = [...]compareOp{opEq: opEq, opNe: opNe, opLt: opGt, opLe: opGe, opGt: opLt, opGe: opLe}

// holds reports whether the outcome of a three-way comparison satisfies op.
func (op compareOp) holds(c int) bool {
	switch op {
	case opEq:
		return c == 0
	case opNe:
		return c != 0
	case opLt:
		return c < 0
	case opLe:
		return c <= 0
	case opGt:
		return c > 0
	}
	return c >= 0
}

// columnFilter is a column compared with a constant: the condition that filters
// are made of. As a filter it reads the input in place, under any selection.
type columnFilter struct {
	*callNode
	op    compareOp
	col   *columnNode
	konst arrow.Array // nil for IS NULL; owned by the call's constNode
	value any
}

// newColumnFilter recognises such a comparison, or returns nil. Integers and
// floats that are widened for it are compared as they are.
func newColumnFilter(name string, c *callNode, e *Call) node {
	op, ok := compareOps[name]
	if !ok {
		return nil
	}
	if op >= opNull {
		if col, ok := c.args[0].(*columnNode); ok {
			return &columnFilter{callNode: c, op: op, col: col}
		}
		return nil
	}
	left, right := 0, 1
	k, ok := c.args[1].(*constNode)
	if !ok {
		if k, ok = c.args[0].(*constNode); !ok {
			return nil
		}
		left, right, op = 1, 0, flipped[op]
	}
	arg := c.args[left]
	if w, ok := arg.(*castNode); ok && (w.from.IsInt() && w.to.IsInt() || w.from.IsFloat() && w.to.IsFloat()) && w.from.Kind < w.to.Kind {
		arg = w.arg
	}
	col, ok := arg.(*columnNode)
	lit, isLit := e.Args[right].(*Literal)
	if !ok || !isLit {
		return nil
	}
	return &columnFilter{callNode: c, op: op, col: col, konst: k.arr, value: lit.Value}
}

func (n *columnFilter) filter(f *frame, dst []int32) ([]int32, error) {
	if err := f.check(n.col); err != nil {
		return dst, err
	}
	a := f.in.Cols[n.col.id]
	valid := vec.ValidityOf(a)
	if n.op >= opNull {
		return filterNulls(f, valid, n.op == opNull, dst), nil
	}
	if n.value == nil || f.n == 0 {
		return dst, nil
	}
	if a.DataType().ID() == arrow.DICTIONARY {
		return n.callNode.filter(f, dst)
	}
	dst, out := grow(dst, f.n)
	found, ok := n.pick(a, f, out)
	if !ok {
		return filterByValue(n.callNode, f, dst)
	}
	return dropNulls(dst, out[:found], valid, f.sel), nil
}

func filterNulls(f *frame, valid vec.Validity, want bool, dst []int32) []int32 {
	if valid.None() && want {
		return dst
	}
	for i := range f.n {
		if valid.None() || valid.Null(f.row(i)) == want {
			dst = append(dst, int32(i))
		}
	}
	return dst
}

// pick writes the positions that satisfy the comparison to out, NULL rows
// possibly among them. ok is false for a layout that it does not know.
func (n *columnFilter) pick(a arrow.Array, f *frame, out []int32) (found int, ok bool) {
	switch k := n.value.(type) {
	case int64:
		return n.pickInt(a, f, k, out)
	case arrow.Date32:
		return n.pickInt(a, f, int64(k), out)
	case arrow.Timestamp:
		return n.pickInt(a, f, int64(k), out)
	case float64:
		switch a.DataType().ID() {
		case arrow.FLOAT64:
			return pickFloats(vec.Values[float64](a), f.sel, k, n.op, out), true
		case arrow.FLOAT32:
			return pickFloats(vec.Values[float32](a), f.sel, k, n.op, out), true
		}
	case decimal128.Num:
		if arrow.TypeEqual(a.DataType(), n.konst.DataType()) {
			vals := vec.Values[decimal128.Num](a)
			return pickIf(f, out, func(r int) bool { return n.op.holds(vals[r].Cmp(k)) }), true
		}
	case string:
		return n.pickText(a, f, []byte(k), out)
	case []byte:
		return n.pickText(a, f, k, out)
	}
	return 0, false
}

func pickIf(f *frame, out []int32, holds func(row int) bool) int {
	j := 0
	for i := range f.n {
		out[j] = int32(i)
		if holds(f.row(i)) {
			j++
		}
	}
	return j
}

func (n *columnFilter) pickText(a arrow.Array, f *frame, k []byte, out []int32) (int, bool) {
	if !vec.IsText(a.DataType()) {
		return 0, false
	}
	r := vec.Strings(a)
	if n.op != opEq && n.op != opNe {
		return pickIf(f, out, func(row int) bool { return n.op.holds(bytes.Compare(r.At(row), k)) }), true
	}
	eq, want := r.EqualTo(k), n.op == opEq
	j := 0
	for i := range f.n {
		out[j] = int32(i)
		if eq.At(f.row(i)) == want {
			j++
		}
	}
	return j, true
}

func (n *columnFilter) pickInt(a arrow.Array, f *frame, k int64, out []int32) (int, bool) {
	// Every comparison asks whether a value lies in one range, or outside it.
	lo, hi, outside := int64(math.MinInt64), int64(math.MaxInt64), false
	switch n.op {
	case opEq:
		lo, hi = k, k
	case opNe:
		lo, hi, outside = k, k, true
	case opGe:
		lo = k
	case opLt:
		lo, outside = k, true
	case opLe:
		hi = k
	case opGt:
		hi, outside = k, true
	}
	switch a.DataType().ID() {
	case arrow.INT8:
		return pickInts(vec.Values[int8](a), f.sel, lo, hi, outside, out), true
	case arrow.INT16:
		return pickInts(vec.Values[int16](a), f.sel, lo, hi, outside, out), true
	case arrow.INT32, arrow.DATE32:
		return pickInts(vec.Values[int32](a), f.sel, lo, hi, outside, out), true
	case arrow.INT64, arrow.TIMESTAMP:
		return pickInts(vec.Values[int64](a), f.sel, lo, hi, outside, out), true
	}
	return 0, false
}

// pickInts writes first and counts after, so that the loop has no branch to mispredict.
func pickInts[T int8 | int16 | int32 | int64](vals []T, sel []int32, lo, hi int64, outside bool, out []int32) int {
	width := uint64(hi) - uint64(lo)
	if outside { // the complement of a range is a range too, modulo 2^64
		if lo == math.MinInt64 && hi == math.MaxInt64 {
			return 0
		}
		lo, width = hi+1, ^width-1
	}
	j := 0
	if sel == nil {
		for i, x := range vals[:len(out)] {
			out[j] = int32(i)
			if uint64(int64(x))-uint64(lo) <= width {
				j++
			}
		}
		return j
	}
	for i, r := range sel {
		out[j] = int32(i)
		if uint64(int64(vals[r]))-uint64(lo) <= width {
			j++
		}
	}
	return j
}

// pickFloats orders NaN above all other numbers, equal to itself.
func pickFloats[T float32 | float64](vals []T, sel []int32, k float64, op compareOp, out []int32) int {
	n := len(out)
	at := func(i int) float64 {
		if sel != nil {
			i = int(sel[i])
		}
		return float64(vals[i])
	}
	j := 0
	switch {
	case k != k:
		for i := range n {
			out[j] = int32(i)
			if op.holds(vec.CompareFloats(at(i), k)) {
				j++
			}
		}
	case op == opLt || op == opGe:
		not := op == opGe
		for i := range n {
			out[j] = int32(i)
			if (at(i) < k) != not {
				j++
			}
		}
	case op == opLe || op == opGt:
		not := op == opGt
		for i := range n {
			out[j] = int32(i)
			if (at(i) <= k) != not {
				j++
			}
		}
	default:
		not := op == opNe
		for i := range n {
			out[j] = int32(i)
			if (at(i) == k) != not {
				j++
			}
		}
	}
	return j
}
