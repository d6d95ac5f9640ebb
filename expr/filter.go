package expr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// filter appends the positions in f of the rows for which n is true.
func filter(n node, f *frame, dst []int32) ([]int32, error) {
	if fn, ok := n.(filterNode); ok {
		return fn.filter(f, dst)
	}
	return filterByValue(n, f, dst)
}

// filterByValue computes the condition as a column and picks its true rows.
func filterByValue(n node, f *frame, dst []int32) ([]int32, error) {
	v, err := n.eval(f)
	if err != nil {
		return dst, err
	}
	defer v.release()
	if f.n == 0 || v.arr.DataType().ID() != arrow.BOOL {
		return dst, nil // no rows, or the constant NULL
	}
	bits, valid := vec.BoolsOf(v.arr), vec.ValidityOf(v.arr)
	if v.konst {
		if valid.Valid(0) && bits.At(0) {
			dst = append(dst, positions(f.n)...)
		}
		return dst, nil
	}
	dst, out := grow(dst, f.n)
	j := 0
	for i := range f.n {
		out[j] = int32(i)
		if bits.At(i) {
			j++
		}
	}
	return dropNulls(dst, out[:j], valid, nil), nil
}

// grow makes room for n positions after dst.
func grow(dst []int32, n int) (old, room []int32) {
	dst = slices.Grow(dst, n)
	return dst, dst[len(dst) : len(dst)+n]
}

// dropNulls appends to dst, whose spare room found is, the positions whose row is not NULL.
func dropNulls(dst, found []int32, valid vec.Validity, sel []int32) []int32 {
	if valid.None() {
		return dst[:len(dst)+len(found)]
	}
	for _, p := range found {
		r := p
		if sel != nil {
			r = sel[p]
		}
		if valid.Valid(int(r)) {
			dst = append(dst, p) // never ahead of what is read
		}
	}
	return dst
}
