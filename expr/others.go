package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

func otherFunctions() []*entry {
	return []*entry{
		fn("typeof", "the type of the argument", "typeof(1.5)", "DECIMAL(2,1)").onNulls("any -> STRING", typeKernel),
		fn("hash", "a number that equal values of one type share, the same on every machine", "hash(1) = hash(1.0::INT)", "true").onNulls("any… -> INT", hashKernel),
	}
}

// typeKernel prints the type that the argument's layout stands for.
func typeKernel(c *call) (arrow.Array, error) {
	t, err := types.FromArrow(c.args[0].arr.DataType())
	if err != nil {
		return nil, err
	}
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	for range c.n {
		b.AppendString(t.String())
	}
	return b.Finish(), nil
}

func hashKernel(c *call) (arrow.Array, error) {
	b := vec.NewFixed[int64](c.mem, c.t.Arrow(), c.n)
	sums := make([]uint64, c.n)
	for k, a := range c.args {
		arr := a.arr
		if a.konst {
			var err error
			if arr, err = vec.Take(c.mem, arr, make([]int32, c.n)); err != nil {
				b.Release()
				return nil, err
			}
		} else {
			arr.Retain()
		}
		vec.Hash(arr, sums, k > 0)
		arr.Release()
	}
	for i, h := range sums {
		b.Values[i] = int64(h)
	}
	return b.Finish(), nil
}
