package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/vec"
)

func listFunctions() []*entry {
	return []*entry{
		fn("list_value", "a list of the arguments; also [a, b]", "list_value(1, 2)", "[1,2]").alias("list_pack").
			onNulls("T… -> LIST<T>", makeList).on(" -> LIST<NULL>", emptyList),
		fn("list_extract", "the element at a position, from 1, negative ones from the end; also l[i]", "list_extract([4, 5, 6], -1)", "6").alias("list_element", "array_extract").
			on("LIST<T>, INT -> T", listElement).on("STRING, INT -> STRING", map2(textIn, intIn, textOut, func(s string, i int64) string { return substr(s, i, 1) })).
			on("STRUCT, STRING -> any", structField).typing(structFieldType),
		fn("list_contains", "whether the value is an element", "list_contains([1, 2], 2)", "true").alias("array_contains", "list_has", "array_has").
			on("LIST<T>, T -> BOOL", listContains),
		fn("list_position", "where the value first is in the list, from 1; NULL if it is not", "list_position([7, 8], 8)", "2").alias("list_indexof", "array_position", "array_indexof").
			onNulls("LIST<T>, T -> INT", listPosition),
		fn("list_concat", "the lists, one after the other, without NULL ones", "list_concat([1], [2, 3])", "[1,2,3]").alias("list_cat", "array_concat", "array_cat").
			onNulls("LIST<T>… -> LIST<T>", concatLists),
		fn("list_append", "the list, and the value behind it", "list_append([1, 2], 3)", "[1,2,3]").alias("array_append", "array_push_back").
			onNulls("LIST<T>, T -> LIST<T>", appendElement(0, 1)),
		fn("list_prepend", "the list, and the value before it", "list_prepend(1, [2, 3])", "[1,2,3]").alias("array_prepend").
			onNulls("T, LIST<T> -> LIST<T>", appendElement(1, 0)),
		fn("array_push_front", "list_prepend with its arguments the other way round", "array_push_front([2, 3], 1)", "[1,2,3]").
			onNulls("LIST<T>, T -> LIST<T>", func(c *call) (arrow.Array, error) {
				return appendElement(1, 0)(&call{mem: c.mem, n: c.n, args: []vector{c.args[1], c.args[0]}, t: c.t, env: c.env, memo: c.memo})
			}),
		fn("array_pop_back", "the list without its last element", "array_pop_back([1, 2, 3])", "[1,2]").on("LIST<T> -> LIST<T>", shorten(0, 1)),
		fn("array_pop_front", "the list without its first element", "array_pop_front([1, 2, 3])", "[2,3]").on("LIST<T> -> LIST<T>", shorten(1, 0)),
	}
}

func listLength(c *call) (arrow.Array, error) {
	l, mask := c.args[0].arr.(*array.List), c.args[0].mask()
	return rows(c, intOut(c), func(i int) (int64, error) {
		from, to := l.ValueOffsets(i & mask)
		return to - from, nil
	})
}

// makeList interleaves the arguments: row i is argument 0 at i, argument 1 at i, …
func makeList(c *call) (arrow.Array, error) {
	parts := make([]arrow.Array, len(c.args))
	for k, a := range c.args {
		parts[k] = a.arr
	}
	all, base, err := c.joined(parts...)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	return makeLists(c, all, func(m *listMaker, i int) error {
		for k, a := range c.args {
			m.add(base[k] + i&a.mask())
		}
		return nil
	})
}

func emptyList(c *call) (arrow.Array, error) {
	return makeLists(c, array.NewNull(0), func(*listMaker, int) error { return nil })
}

func listElement(c *call) (arrow.Array, error) {
	l, at, mask, null := c.args[0].arr.(*array.List), intIn(c.args[1]), c.args[0].mask(), c.anyNull()
	idx := make([]int32, c.n)
	for i := range idx {
		idx[i] = -1
		if null != nil && null(i) {
			continue
		}
		from, to := l.ValueOffsets(i & mask)
		switch p := at(i); {
		case p > 0 && p <= to-from:
			idx[i] = int32(from + p - 1)
		case p < 0 && p >= from-to:
			idx[i] = int32(to + p)
		}
	}
	return vec.Take(c.mem, l.ListValues(), idx)
}

// find is the position from 1 of the second argument in the list of row i, or 0.
func (c *call) find() func(i int) int64 {
	l, x := c.args[0].arr.(*array.List), c.args[1]
	same, ml, mx := vec.Comparer(l.ListValues(), x.arr), c.args[0].mask(), x.mask()
	return func(i int) int64 {
		from, to := l.ValueOffsets(i & ml)
		for k := from; k < to; k++ {
			if same(int(k), i&mx) == 0 {
				return k - from + 1
			}
		}
		return 0
	}
}

func listContains(c *call) (arrow.Array, error) {
	find := c.find()
	return rows(c, boolOut(c), func(i int) (bool, error) { return find(i) > 0, nil })
}

// listPosition finds NULL, too.
func listPosition(c *call) (arrow.Array, error) {
	find, valid, mask := c.find(), vec.ValidityOf(c.args[0].arr), c.args[0].mask()
	out := intOut(c)
	for i := range c.n {
		if valid.Valid(i & mask) {
			if at := find(i); at > 0 {
				out.put(i, at)
				continue
			}
		}
		out.null(i)
	}
	return out.finish(), nil
}

// concatLists joins the lists of each row that are not NULL.
func concatLists(c *call) (arrow.Array, error) { return joinArgs(c, false) }

// joinLists is || of lists: a NULL operand gives NULL.
func joinLists(c *call) (arrow.Array, error) { return joinArgs(c, true) }

func joinArgs(c *call, strict bool) (arrow.Array, error) {
	lists, parts := make([]*listArg, len(c.args)), make([]arrow.Array, len(c.args))
	for k, a := range c.args {
		lists[k] = listIn(a)
		defer lists[k].release()
		parts[k] = lists[k].elems
	}
	all, base, err := c.joined(parts...)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	return makeLists(c, all, func(m *listMaker, i int) error {
		for k, l := range lists {
			if strict && l.null(i) {
				return errNull
			}
			from, to := l.at(i)
			m.addAll(from, to, base[k])
		}
		return nil
	})
}

// appendElement makes the kernel that joins a list and a value, which are the
// arguments at these places and in their order; a NULL list counts as empty.
func appendElement(list, value int) kernel {
	return func(c *call) (arrow.Array, error) {
		l, x := listIn(c.args[list]), c.args[value]
		defer l.release()
		all, base, err := c.joined(l.elems, x.arr)
		if err != nil {
			return nil, err
		}
		defer all.Release()
		return makeLists(c, all, func(m *listMaker, i int) error {
			from, to := l.at(i)
			if list > value {
				m.add(base[1] + i&x.mask())
			}
			m.addAll(from, to, 0)
			if list < value {
				m.add(base[1] + i&x.mask())
			}
			return nil
		})
	}
}

// shorten makes the kernel that cuts elements off at both ends.
func shorten(front, back int) kernel {
	return func(c *call) (arrow.Array, error) {
		l := listIn(c.args[0])
		defer l.release()
		return makeLists(c, l.elems, func(m *listMaker, i int) error {
			if l.null(i) {
				return errNull
			}
			from, to := l.at(i)
			m.addAll(from+front, to-back, 0)
			return nil
		})
	}
}
