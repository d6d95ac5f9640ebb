package expr

import (
	"github.com/rainsql/rainsql/expr/vec"
)

// logicNode is a chain of AND or of OR in three-valued logic. An argument is
// computed only for the rows that those before it leave undecided.
type logicNode struct {
	or   bool
	args []node
}

func (l *logicNode) close() { closeAll(l.args) }

func (l *logicNode) eval(f *frame) (vector, error) {
	out := vec.NewBools(f.ev.mem, f.n)
	defer out.Release()
	unknown := make([]bool, f.n) // met a NULL, not decided
	left := positions(f.n)
	for _, a := range l.args {
		if len(left) == 0 {
			break
		}
		still, err := l.step(a, f, left, unknown, out)
		if err != nil {
			return vector{}, err
		}
		left = still
	}
	for _, p := range left {
		switch {
		case unknown[p]:
			out.Set(int(p))
		case !l.or:
			out.SetTrue(int(p))
		}
	}
	return vector{arr: out.Finish()}, nil
}

// step computes one argument for the undecided rows and returns those that it
// leaves so: true under AND, false under OR, or NULL.
func (l *logicNode) step(a node, f *frame, left []int32, unknown []bool, out *vec.BoolBuilder) ([]int32, error) {
	g := f
	if len(left) < f.n {
		g = f.sub(left)
		defer g.release()
	}
	v, err := a.eval(g)
	if err != nil {
		return nil, err
	}
	defer v.release()
	bits, valid := vec.BoolsOf(v.arr), vec.ValidityOf(v.arr)
	still := left[:0:0]
	for i, p := range left {
		if v.konst {
			i = 0
		}
		switch {
		case valid.Null(i):
			unknown[p] = true
		case bits.At(i) == l.or: // decided
			if l.or {
				out.SetTrue(int(p))
			}
			continue
		}
		still = append(still, p)
	}
	return still, nil
}

// filter narrows the rows argument by argument (AND), or gathers those that
// each argument finds among the rest (OR).
func (l *logicNode) filter(f *frame, dst []int32) ([]int32, error) {
	if l.or {
		return l.filterAny(f, dst)
	}
	hit, err := filter(l.args[0], f, make([]int32, 0, f.n))
	for _, a := range l.args[1:] {
		if err != nil || len(hit) == 0 {
			return dst, err
		}
		hit, err = filterAt(a, f, hit)
	}
	return append(dst, hit...), err
}

func (l *logicNode) filterAny(f *frame, dst []int32) ([]int32, error) {
	left := positions(f.n)
	found := make([]bool, f.n)
	for _, a := range l.args {
		if len(left) == 0 {
			break
		}
		hit, err := filterAt(a, f, left)
		if err != nil {
			return dst, err
		}
		for _, p := range hit {
			found[p] = true
		}
		left = without(left, hit)
	}
	for i, ok := range found {
		if ok {
			dst = append(dst, int32(i))
		}
	}
	return dst, nil
}
