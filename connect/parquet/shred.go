package parquet

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// slots are the places where a field could have a value: which element of its
// array each is (-1: a field above is NULL or empty), and its levels so far.
type slots struct {
	idx      []int32
	rep, def []uint8
}

// append writes rows of a column.
func (w *written) append(a arrow.Array, rows int) error {
	s := slots{idx: make([]int32, rows), rep: make([]uint8, rows), def: make([]uint8, rows)}
	for i := range s.idx {
		s.idx[i] = int32(i)
	}
	return w.shred(a, s, 0)
}

// shred takes a field apart into its leaves. It may change the slots. rep is
// how many lists are around it.
func (w *written) shred(a arrow.Array, s slots, rep uint8) error {
	valid := vec.ValidityOf(a)
	for i, at := range s.idx {
		switch {
		case at < 0:
		case valid.Null(int(at)):
			s.idx[i] = -1
		default:
			s.def[i]++
		}
	}
	switch w.typ.Kind {
	case types.List:
		l, ok := a.(*array.List)
		if !ok {
			if a.DataType().ID() != arrow.NULL {
				return wrongLayout(a, w.typ)
			}
			return w.children[0].shred(a, s, rep+1)
		}
		return w.children[0].shred(l.ListValues(), elements(l, s, rep+1), rep+1)
	case types.Struct:
		st, ok := a.(*array.Struct)
		if !ok && a.DataType().ID() != arrow.NULL {
			return wrongLayout(a, w.typ)
		}
		for i, c := range w.children {
			own := slots{idx: append([]int32(nil), s.idx...), rep: s.rep, def: append([]uint8(nil), s.def...)}
			field := a
			if ok {
				field = st.Field(i)
			}
			if err := c.shred(field, own, rep); err != nil {
				return err
			}
		}
		return nil
	}
	return w.leaf.append(a, s)
}

func wrongLayout(a arrow.Array, t types.Type) error {
	return fmt.Errorf("an array of %s where %s was promised", a.DataType(), t)
}

// elements turns the slots of lists into those of their elements: one each, and
// one for a list that is NULL or empty.
func elements(l *array.List, s slots, rep uint8) slots {
	var out slots
	add := func(idx int32, rep, def uint8) {
		out.idx, out.rep, out.def = append(out.idx, idx), append(out.rep, rep), append(out.def, def)
	}
	for i, at := range s.idx {
		if at < 0 {
			add(-1, s.rep[i], s.def[i])
			continue
		}
		from, to := l.ValueOffsets(int(at))
		if from == to {
			add(-1, s.rep[i], s.def[i])
		}
		first := s.rep[i]
		for k := from; k < to; k++ {
			add(int32(k), first, s.def[i]+1)
			first = rep
		}
	}
	return out
}
