package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// listOrderFunctions choose and order elements by their places.
func listOrderFunctions() []*entry {
	slice3 := func(s string, from, to int64) string {
		n := runes(s)
		from, to = sliceBounds(from, to, n, 1)
		if from > to {
			return ""
		}
		return substr(s, from, to-from+1)
	}
	sorted := func(name, description, example, result string, reverse bool) *entry {
		return fn(name, description, example, result).
			on("LIST<T> -> LIST<T>", sortLists(reverse, -1, -1, false))
	}
	return []*entry{
		fn("list_slice", "the elements from a position to another, both included, negative ones from the end, and with a step; also of a text", "list_slice([1, 2, 3, 4], 2, -1)", "[2,3,4]").alias("array_slice").
			on("LIST<T>, INT, INT -> LIST<T>", sliceLists).onFail("LIST<T>, INT, INT, INT -> LIST<T>", sliceLists).
			on("STRING, INT, INT -> STRING", map3(textIn, intIn, intIn, textOut, slice3)),
		sorted("list_sort", "the elements in order, NULLs last; 'desc' and 'nulls first' say otherwise", "list_sort([3, 1, 2], 'desc')", "[3,2,1]", false).alias("array_sort").
			onFail("LIST<T>, STRING -> LIST<T>", sortLists(false, 1, -1, false)).checking(checkOrder).
			onFail("LIST<T>, STRING, STRING -> LIST<T>", sortLists(false, 1, 2, false)).checking(checkOrder),
		sorted("list_reverse_sort", "the elements in falling order, NULLs last", "list_reverse_sort([1, 3, 2])", "[3,2,1]", true).alias("array_reverse_sort").
			onFail("LIST<T>, STRING -> LIST<T>", sortLists(true, -1, 1, false)).checking(checkOrder),
		fn("list_grade_up", "the positions of the elements in the order of list_sort", "list_grade_up([30, 10, 20])", "[2,3,1]").alias("array_grade_up", "grade_up").
			on("LIST<T> -> LIST<INT>", sortLists(false, -1, -1, true)).
			onFail("LIST<T>, STRING -> LIST<INT>", sortLists(false, 1, -1, true)).checking(checkOrder).
			onFail("LIST<T>, STRING, STRING -> LIST<INT>", sortLists(false, 1, 2, true)).checking(checkOrder),
		fn("list_reverse", "the elements in reverse order", "list_reverse([1, 2, 3])", "[3,2,1]").alias("array_reverse").
			on("LIST<T> -> LIST<T>", reverseLists),
		fn("list_resize", "so many elements: cut at the end, or filled up with NULL or the third argument", "list_resize([1, 2], 3, 0)", "[1,2,0]").alias("array_resize").
			onNulls("LIST<T>, INT -> LIST<T>", resizeLists).failing().onNulls("LIST<T>, INT, T -> LIST<T>", resizeLists).failing(),
		fn("list_select", "the elements at the positions of the second list, NULL where there is none", "list_select([7, 8, 9], [3, 1])", "[9,7]").alias("array_select").
			onFail("LIST<T>, LIST<INT> -> LIST<T>", selectElements),
		fn("list_where", "the elements at whose places the second list is true", "list_where([7, 8, 9], [true, false, true])", "[7,9]").alias("array_where").
			onFail("LIST<T>, LIST<BOOL> -> LIST<T>", whereElements),
		fn("flatten", "the elements of the lists in a list, as one list", "flatten([[1, 2], [3]])", "[1,2,3]").
			on("LIST<T> -> T", flattenLists).typing(flatType),
	}
}

// failing says that some values of the last overload are errors.
func (e *entry) failing() *entry {
	e.overloads[len(e.overloads)-1].fails, e.CanFail = true, true
	return e
}

// sliceBounds makes positions from 1 of what may count from the end, within n.
func sliceBounds(from, to, n, step int64) (int64, int64) {
	if from < 0 {
		from = max(n+from, -1) + 1
	}
	if to < 0 {
		to = max(n+to, -1) + 1
	}
	if step < 0 {
		return min(from, n), max(to, 1)
	}
	return max(from, 1), min(to, n)
}

func sliceLists(c *call) (arrow.Array, error) {
	l, from, to := listIn(c.args[0]), intIn(c.args[1]), intIn(c.args[2])
	defer l.release()
	step := func(int) int64 { return 1 }
	if len(c.args) > 3 {
		step = intIn(c.args[3])
	}
	null := c.anyNull()
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if null != nil && null(i) {
			return errNull
		}
		first, last := l.at(i)
		by := step(i)
		a, b := sliceBounds(from(i), to(i), int64(last-first), by)
		switch {
		case by == 0:
			return errors.New("the step of a slice is 0: it goes forward from 1 on or backward below 0")
		case by > 0:
			for ; a <= b; a += by {
				m.add(first + int(a) - 1)
				if a > b-by { // a sum could overflow
					break
				}
			}
		default:
			for ; a >= b; a += by {
				m.add(first + int(a) - 1)
				if by < b-a {
					break
				}
			}
		}
		return nil
	})
}

// orderOf reads 'asc' or 'desc', nullsOf 'nulls first' or 'nulls last'.
func orderOf(s string) (desc bool, err error) {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "asc", "ascending":
		return false, nil
	case "desc", "descending":
		return true, nil
	}
	return false, fmt.Errorf("'%s' is no order of a list: 'asc' and 'desc' are", s)
}

func nullsOrder(s string) (first bool, err error) {
	switch strings.ToLower(strings.Join(strings.Fields(s), " ")) {
	case "nulls first":
		return true, nil
	case "nulls last":
		return false, nil
	}
	return false, fmt.Errorf("'%s' is no place for NULLs: 'nulls first' and 'nulls last' are", s)
}

// checkOrder finds bad constants before anything runs.
func checkOrder(args []Expr) (int, error) {
	for i, a := range args[1:] {
		s, ok := constantText(a)
		if !ok {
			continue
		}
		_, err := orderOf(s)
		if _, nulls := nullsOrder(s); i == 1 || err != nil && nulls == nil {
			err = nulls
		}
		if err != nil {
			return i + 1, err
		}
	}
	return 0, nil
}

// sortLists makes a kernel that sorts the elements, or with grade their
// positions. order and nulls are the places of the arguments that say how, or -1.
func sortLists(desc bool, order, nulls int, grade bool) kernel {
	return func(c *call) (arrow.Array, error) {
		l := listIn(c.args[0])
		defer l.release()
		var cmps [4]func(i, j int) int
		for k := range cmps {
			o := []vec.Order{{Desc: k&1 != 0, NullsFirst: k&2 != 0}}
			cmps[k] = vec.NewComparator([]arrow.Array{l.elems}, []arrow.Array{l.elems}, o)
		}
		say := func(at int) func(int) string {
			if at < 0 {
				return nil
			}
			return textIn(c.args[at])
		}
		orders, places, null := say(order), say(nulls), c.anyNull()
		all := l.elems
		if grade {
			var err error
			if all, err = positionsFrom1(c, l); err != nil {
				return nil, err
			}
			defer all.Release()
		}
		return makeLists(c, all, func(m *listMaker, i int) error {
			if null != nil && null(i) {
				return errNull
			}
			k := 0
			if desc {
				k = 1
			}
			if orders != nil {
				down, err := orderOf(orders(i))
				if err != nil {
					return err
				}
				if down {
					k = 1
				}
			}
			if places != nil {
				first, err := nullsOrder(places(i))
				if err != nil {
					return err
				}
				if first {
					k |= 2
				}
			}
			from, to := l.at(i)
			m.addAll(from, to, 0)
			slices.SortStableFunc(m.row(), func(a, b int32) int { return cmps[k](int(a), int(b)) })
			return nil
		})
	}
}

// positionsFrom1 is beside each element its place in its list.
func positionsFrom1(c *call, l *listArg) (arrow.Array, error) {
	b := vec.NewFixed[int64](c.mem, arrow.PrimitiveTypes.Int64, l.elems.Len())
	clear(b.Values)
	for i := range l.list.Len() {
		from, to := l.list.ValueOffsets(i)
		for k := from; k < to; k++ {
			b.Values[k-l.base] = k - from + 1
		}
	}
	return b.Finish(), nil
}

func reverseLists(c *call) (arrow.Array, error) {
	l := listIn(c.args[0])
	defer l.release()
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if l.null(i) {
			return errNull
		}
		from, to := l.at(i)
		m.addAll(from, to, 0)
		slices.Reverse(m.row())
		return nil
	})
}

func resizeLists(c *call) (arrow.Array, error) {
	l, size := listIn(c.args[0]), fixed[int64](c.args[1])
	defer l.release()
	parts := []arrow.Array{l.elems}
	if len(c.args) > 2 {
		parts = append(parts, c.args[2].arr)
	}
	all, base, err := c.joined(parts...)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	return makeLists(c, all, func(m *listMaker, i int) error {
		if l.null(i) {
			return errNull
		}
		if size.Null(i & size.mask) {
			return nil
		}
		n := size.at(i)
		if n < 0 {
			return fmt.Errorf("a list of %d elements there is not", n)
		}
		if err := checkLength(n); err != nil {
			return err
		}
		from, to := l.at(i)
		m.addAll(from, min(to, from+int(n)), 0)
		fill := -1
		if len(c.args) > 2 {
			fill = base[1] + i&c.args[2].mask()
		}
		for range int(n) - (to - from) {
			m.add(fill)
		}
		return nil
	})
}

var errNullElement = errors.New("a NULL stands in the second list: it says neither which element nor whether")

func selectElements(c *call) (arrow.Array, error) {
	l, at := listIn(c.args[0]), listIn(c.args[1])
	defer l.release()
	defer at.release()
	null, places, valid := c.anyNull(), vec.Values[int64](at.elems), vec.ValidityOf(at.elems)
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if null != nil && null(i) {
			return errNull
		}
		from, to := l.at(i)
		first, last := at.at(i)
		for k := first; k < last; k++ {
			if valid.Null(k) {
				return errNullElement
			}
			// DuckDB does not count from the end here.
			if p := places[k]; p >= 1 && p <= int64(to-from) {
				m.add(from + int(p) - 1)
			} else {
				m.add(-1)
			}
		}
		return nil
	})
}

func whereElements(c *call) (arrow.Array, error) {
	l, mask := listIn(c.args[0]), listIn(c.args[1])
	defer l.release()
	defer mask.release()
	null, bits, valid := c.anyNull(), vec.BoolsOf(mask.elems), vec.ValidityOf(mask.elems)
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if null != nil && null(i) {
			return errNull
		}
		from, to := l.at(i)
		first, last := mask.at(i)
		for k := first; k < last; k++ {
			switch {
			case valid.Null(k):
				return errNullElement
			case !bits.At(k):
			case from+k-first < to:
				m.add(from + k - first)
			default:
				m.add(-1)
			}
		}
		return nil
	})
}

// flatType is that of the inner lists.
func flatType(args []Expr) (types.Type, error) {
	t := *args[0].Type().Elem
	if t.Kind == types.Null {
		return types.ListOf(types.NULL), nil
	}
	if t.Kind != types.List {
		return t, fmt.Errorf("flatten takes a list of lists, not %s", args[0].Type())
	}
	return t, nil
}

// flattenLists passes over inner lists that are NULL.
func flattenLists(c *call) (arrow.Array, error) {
	outer := listIn(c.args[0])
	defer outer.release()
	inner, ok := outer.elems.(*array.List)
	if !ok { // NULLs only
		none := array.NewNull(0)
		return makeLists(c, none, func(_ *listMaker, i int) error {
			if outer.null(i) {
				return errNull
			}
			return nil
		})
	}
	l := listIn(vector{arr: inner})
	defer l.release()
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if outer.null(i) {
			return errNull
		}
		first, last := outer.at(i)
		for k := first; k < last; k++ {
			from, to := l.at(k)
			m.addAll(from, to, 0)
		}
		return nil
	})
}
