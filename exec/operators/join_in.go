package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// inKeys knows what x IN (…) needs beyond whether x was found: per value of
// the other keys, whether the list has rows, and whether one of them is NULL.
type inKeys struct {
	table   *groupTable
	hasNull []bool
}

func (k *inKeys) open(env *op.Env) { k.table = newGroupTable(env.Alloc, nil) }

// add notes rows of the list; the first key is the one compared with x.
func (k *inKeys) add(keys []arrow.Array, n int) error {
	groups := make([]uint32, n)
	if err := k.table.group(keys[1:], n, groups); err != nil {
		return err
	}
	for len(k.hasNull) < k.table.len() {
		k.hasNull = append(k.hasNull, false)
	}
	null := vec.ValidityOf(keys[0])
	for i, g := range groups {
		if null.Null(i) {
			k.hasNull[g] = true
		}
	}
	return nil
}

// unknown tells the rows for which x IN (…) is NULL if x was not found: x is
// NULL, or the list has a NULL, and the list is not empty.
func (k *inKeys) unknown(keys []arrow.Array, n int) []bool {
	groups := make([]int32, n)
	k.table.find(keys[1:], n, groups)
	null := vec.ValidityOf(keys[0])
	out := make([]bool, n)
	for i, g := range groups {
		out[i] = g != noGroup && (null.Null(i) || k.hasNull[g])
	}
	return out
}

func (k *inKeys) close() {
	if k.table != nil {
		k.table.reset()
	}
}
