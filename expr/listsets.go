package expr

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// listSetFunctions tell equal elements from different ones; NULLs are none of them.
func listSetFunctions() []*entry {
	return []*entry{
		fn("list_distinct", "each value once, in the order in which it first stands, without NULL", "list_distinct([2, 1, 2, NULL])", "[2,1]").alias("array_distinct").
			on("LIST<T> -> LIST<T>", distinctElements),
		fn("list_unique", "how many different values there are, without NULL", "list_unique([2, 1, 2, NULL])", "2").alias("array_unique").
			on("LIST<T> -> INT", countDistinct),
		fn("list_has_any", "whether both lists have a value in common", "list_has_any([1, 2], [2, 3])", "true").alias("array_has_any").
			on("LIST<T>, LIST<T> -> BOOL", hasElements(false)),
		fn("list_has_all", "whether each value of the second list is in the first", "list_has_all([1, 2], [2, 3])", "false").alias("array_has_all").
			on("LIST<T>, LIST<T> -> BOOL", hasElements(true)),
		fn("list_intersect", "the values that are in both lists, each once, in the order of the first", "list_intersect([3, 1, 2], [2, 3])", "[3,2]").alias("array_intersect").
			on("LIST<T>, LIST<T> -> LIST<T>", intersectLists),
		fn("list_zip", "lists side by side, as a list of structs; shorter ones end in NULLs, with TRUE at last the longer ones are cut", "list_zip([1, 2], ['a'])", `[{"list_1":1,"list_2":"a"},{"list_1":2,"list_2":null}]`).alias("array_zip").
			onNulls("any… -> any", zipLists).typing(zipType),
	}
}

// elemSet finds equal elements of one column. It is filled and emptied a row at a time.
type elemSet struct {
	hash  []uint64
	same  func(i, j int) int
	first map[uint64]int32 // of each hash: the element added last
	next  map[int32]int32  // from there to the one before of the same hash
}

func newElemSet(elems arrow.Array) *elemSet {
	s := &elemSet{hash: make([]uint64, elems.Len()), same: vec.Comparer(elems, elems), first: map[uint64]int32{}, next: map[int32]int32{}}
	vec.Hash(elems, s.hash, false)
	return s
}

func (s *elemSet) clear() {
	clear(s.first)
	clear(s.next)
}

func (s *elemSet) has(i int) bool {
	at, ok := s.first[s.hash[i]]
	for ok {
		if s.same(int(at), i) == 0 {
			return true
		}
		at, ok = s.next[at]
	}
	return false
}

// add reports whether element i was not there.
func (s *elemSet) add(i int) bool {
	if s.has(i) {
		return false
	}
	if at, ok := s.first[s.hash[i]]; ok {
		s.next[int32(i)] = at
	}
	s.first[s.hash[i]] = int32(i)
	return true
}

func distinctElements(c *call) (arrow.Array, error) {
	l := listIn(c.args[0])
	defer l.release()
	set, valid := newElemSet(l.elems), vec.ValidityOf(l.elems)
	return makeLists(c, l.elems, func(m *listMaker, i int) error {
		if l.null(i) {
			return errNull
		}
		set.clear()
		for k, to := l.at(i); k < to; k++ {
			if valid.Valid(k) && set.add(k) {
				m.add(k)
			}
		}
		return nil
	})
}

func countDistinct(c *call) (arrow.Array, error) {
	l := listIn(c.args[0])
	defer l.release()
	set, valid := newElemSet(l.elems), vec.ValidityOf(l.elems)
	return rows(c, intOut(c), func(i int) (int64, error) {
		set.clear()
		n := int64(0)
		for k, to := l.at(i); k < to; k++ {
			if valid.Valid(k) && set.add(k) {
				n++
			}
		}
		return n, nil
	})
}

// twoLists is two operands with their elements in one column, the second's from shift on.
type twoLists struct {
	x, y  *listArg
	all   arrow.Array
	shift int
	set   *elemSet
	valid vec.Validity
}

func (c *call) twoLists() (*twoLists, error) {
	x, y := listIn(c.args[0]), listIn(c.args[1])
	all, base, err := c.joined(x.elems, y.elems)
	if err != nil {
		x.release()
		y.release()
		return nil, err
	}
	return &twoLists{x: x, y: y, all: all, shift: base[1], set: newElemSet(all), valid: vec.ValidityOf(all)}, nil
}

func (t *twoLists) release() {
	t.x.release()
	t.y.release()
	t.all.Release()
}

// hold puts into the set what is in list l of row i.
func (t *twoLists) hold(l *listArg, shift, i int) {
	t.set.clear()
	for k, to := l.at(i); k < to; k++ {
		if t.valid.Valid(k + shift) {
			t.set.add(k + shift)
		}
	}
}

func hasElements(all bool) kernel {
	return func(c *call) (arrow.Array, error) {
		t, err := c.twoLists()
		if err != nil {
			return nil, err
		}
		defer t.release()
		return rows(c, boolOut(c), func(i int) (bool, error) {
			t.hold(t.x, 0, i)
			for k, to := t.y.at(i); k < to; k++ {
				if at := k + t.shift; t.valid.Valid(at) && t.set.has(at) != all {
					return !all, nil
				}
			}
			return all, nil
		})
	}
}

func intersectLists(c *call) (arrow.Array, error) {
	t, err := c.twoLists()
	if err != nil {
		return nil, err
	}
	defer t.release()
	twice := &elemSet{hash: t.set.hash, same: t.set.same, first: map[uint64]int32{}, next: map[int32]int32{}}
	return makeLists(c, t.all, func(m *listMaker, i int) error {
		if t.x.null(i) || t.y.null(i) {
			return errNull
		}
		t.hold(t.y, t.shift, i)
		twice.clear()
		for k, to := t.x.at(i); k < to; k++ {
			if t.valid.Valid(k) && t.set.has(k) && twice.add(k) {
				m.add(k)
			}
		}
		return nil
	})
}

// zipType is a struct of the elements; a constant BOOL at last is no list.
func zipType(args []Expr) (types.Type, error) {
	lists := args
	if n := len(args); n > 1 && args[n-1].Type().Kind == types.Bool {
		lists = args[:n-1]
	}
	fields := make([]types.Field, len(lists))
	for i, a := range lists {
		fields[i].Name = fmt.Sprintf("list_%d", i+1)
		switch t := a.Type(); t.Kind {
		case types.List:
			fields[i].Type = *t.Elem
		case types.Null:
		default:
			return t, fmt.Errorf("list_zip takes lists, not %s", t)
		}
	}
	return types.ListOf(types.StructOf(fields...)), nil
}

func zipLists(c *call) (arrow.Array, error) {
	args, cut := c.args, func(int) bool { return false }
	if n := len(args); n > 1 && args[n-1].arr.DataType().ID() == arrow.BOOL {
		flag, valid, mask := boolIn(args[n-1]), vec.ValidityOf(args[n-1].arr), args[n-1].mask()
		args, cut = args[:n-1], func(i int) bool { return valid.Valid(i&mask) && flag(i) }
	}
	lists := make([]*listArg, len(args)) // nil: always NULL
	for k, a := range args {
		if _, ok := a.arr.(*array.List); ok {
			lists[k] = listIn(a)
			defer lists[k].release()
		}
	}
	idx := make([][]int32, len(lists))
	offs, size := make([]int32, 1, c.n+1), 0
	for i := range c.n {
		most, least := 0, -1
		for _, l := range lists {
			n := 0
			if l != nil {
				from, to := l.at(i)
				n = to - from
			}
			if most = max(most, n); least < 0 || n < least {
				least = n
			}
		}
		if cut(i) {
			most = least
		}
		if size += most; size > maxBatchElements {
			return nil, &RowError{Row: i, Err: fmt.Errorf("the lists would have more than %d elements together", maxBatchElements)}
		}
		for k, l := range lists {
			from, to := 0, 0
			if l != nil {
				from, to = l.at(i)
			}
			for p := range most {
				if from+p < to {
					idx[k] = append(idx[k], int32(from+p))
				} else {
					idx[k] = append(idx[k], -1)
				}
			}
		}
		offs = append(offs, int32(size))
	}
	cols := make([]arrow.Array, 0, len(lists))
	defer func() { vec.ReleaseAll(cols) }()
	fields := make([]arrow.Field, len(lists))
	for k, l := range lists {
		col := arrow.Array(array.NewNull(size))
		if l != nil {
			var err error
			if col, err = vec.Take(c.mem, l.elems, idx[k]); err != nil {
				return nil, err
			}
		}
		cols = append(cols, col)
		fields[k] = arrow.Field{Name: c.t.Elem.Fields[k].Name, Type: col.DataType(), Nullable: true}
	}
	elems := vec.NewStruct(arrow.StructOf(fields...), size, cols, nil)
	defer elems.Release()
	return vec.NewList(c.mem, elems, offs, nil), nil
}
