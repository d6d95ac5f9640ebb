package expr

import (
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// inNode is arg [NOT] IN (list). Constants are looked up in a set; what is not
// constant is compared in turn, on the rows that have not matched.
type inNode struct {
	arg   node
	kind  types.Kind
	ints  map[int64]struct{}
	texts map[string]struct{}
	rest  []node // list values that no set holds
	null  bool   // the list has a NULL: no match is NULL
	not   bool
}

func (ev *Evaluator) compileIn(e *In) (node, error) {
	n := &inNode{kind: e.Arg.Type().Kind, not: e.Not}
	var rest []Expr
	for _, x := range e.List {
		l, ok := x.(*Literal)
		switch {
		case !ok:
			rest = append(rest, x)
		case l.Value == nil:
			n.null = true
		default:
			if !n.remember(l.Value) {
				rest = append(rest, x)
			}
		}
	}
	nodes, err := ev.compileAll(append([]Expr{e.Arg}, rest...))
	if err != nil {
		return nil, err
	}
	n.arg, n.rest = nodes[0], nodes[1:]
	return n, nil
}

// remember puts a constant in a set, where its type has one.
func (n *inNode) remember(v any) bool {
	switch v := v.(type) {
	case int64:
		n.addInt(v)
	case arrow.Date32:
		n.addInt(int64(v))
	case arrow.Timestamp:
		n.addInt(int64(v))
	case string:
		n.addText(v)
	case []byte:
		n.addText(string(v))
	default:
		return false
	}
	return true
}

func (n *inNode) addInt(v int64) {
	if n.ints == nil {
		n.ints = map[int64]struct{}{}
	}
	n.ints[v] = struct{}{}
}

func (n *inNode) addText(v string) {
	if n.texts == nil {
		n.texts = map[string]struct{}{}
	}
	n.texts[v] = struct{}{}
}

func (n *inNode) close() {
	n.arg.close()
	closeAll(n.rest)
}

func (n *inNode) eval(f *frame) (vector, error) {
	v, err := n.arg.eval(f)
	if err != nil {
		return v, err
	}
	defer v.release()
	found := make([]bool, f.n)
	valid, mask := vec.ValidityOf(v.arr), v.mask()
	n.lookUp(v, found)
	unknown := make([]bool, f.n)
	var left []int32
	for i := range f.n {
		switch {
		case valid.Null(i & mask):
			found[i], unknown[i] = false, true
		case !found[i]:
			unknown[i] = n.null
			if len(n.rest) > 0 {
				left = append(left, int32(i))
			}
		}
	}
	for _, x := range n.rest {
		if len(left) == 0 {
			break
		}
		if left, err = n.compare(x, v, f, left, found, unknown); err != nil {
			return vector{}, err
		}
	}
	out := vec.NewBools(f.ev.mem, f.n)
	for i := range f.n {
		switch {
		case unknown[i] && !found[i]:
			out.Set(i)
		case found[i] != n.not:
			out.SetTrue(i)
		}
	}
	return vector{arr: out.Finish()}, nil
}

// fewInts is how many constants are quicker to compare one by one than to hash.
const fewInts = 8

// lookUp marks the rows of v that are in a set.
func (n *inNode) lookUp(v vector, found []bool) {
	mask := v.mask()
	if v.arr.Len() == 0 {
		return
	}
	if n.texts != nil && vec.IsText(v.arr.DataType()) {
		r := vec.Strings(v.arr)
		for i := range found {
			_, found[i] = n.texts[r.Str(i&mask)]
		}
	}
	if n.ints == nil {
		return
	}
	var read func(i int) int64
	switch n.kind {
	case types.Int8, types.Int16, types.Int32, types.Int64:
		read = wideIn(v)
	case types.Date:
		x := fixedIn[int32](v)
		read = func(i int) int64 { return int64(x(i)) }
	case types.Timestamp:
		read = fixedIn[int64](v)
	default:
		return
	}
	if len(n.ints) > fewInts {
		for i := range found {
			_, found[i] = n.ints[read(i)]
		}
		return
	}
	few := slices.Collect(maps.Keys(n.ints))
	for i := range found {
		x := read(i)
		for _, k := range few {
			found[i] = found[i] || x == k
		}
	}
}

// compare looks for one list value among the rows left, and returns those it is not in.
func (n *inNode) compare(x node, v vector, f *frame, left []int32, found, unknown []bool) ([]int32, error) {
	g := f.sub(left)
	defer g.release()
	w, err := x.eval(g)
	if err != nil {
		return nil, err
	}
	defer w.release()
	if w.arr.Len() == 0 {
		return left, nil
	}
	same, valid := vec.Comparer(v.arr, w.arr), vec.ValidityOf(w.arr)
	mv, mw := v.mask(), w.mask()
	still := make([]int32, 0, len(left))
	for i, p := range left {
		switch {
		case valid.Null(i & mw):
			unknown[p] = true
			still = append(still, p)
		case same(int(p)&mv, i&mw) == 0:
			found[p] = true
		default:
			still = append(still, p)
		}
	}
	return still, nil
}
