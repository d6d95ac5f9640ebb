package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// pieces puts a column together from parts that were computed for some of the rows.
type pieces struct {
	f     *frame
	parts []arrow.Array
	at    []int32 // of each row: its position in the parts laid end to end, -1 for NULL
	size  int32
}

func newPieces(f *frame) *pieces {
	p := &pieces{f: f, at: make([]int32, f.n)}
	for i := range p.at {
		p.at[i] = -1
	}
	return p
}

// add places v, computed for the rows in pos, taking it over.
func (p *pieces) add(v vector, pos []int32) {
	for i, r := range pos {
		if v.konst {
			p.at[r] = p.size
		} else {
			p.at[r] = p.size + int32(i)
		}
	}
	p.parts = append(p.parts, v.arr)
	p.size += int32(v.arr.Len())
}

func (p *pieces) release() { vec.ReleaseAll(p.parts) }

func (p *pieces) finish(t types.Type) (vector, error) {
	if len(p.parts) == 0 {
		a, err := vec.FromLiteral(p.f.ev.mem, nil, t, p.f.n)
		return vector{arr: a}, err
	}
	all, err := vec.Concat(p.f.ev.mem, p.parts)
	if err != nil {
		return vector{}, err
	}
	defer all.Release()
	a, err := vec.Take(p.f.ev.mem, all, p.at)
	return vector{arr: a}, err
}

// caseNode is CASE: each branch on the rows that reach it.
type caseNode struct {
	ifs, thens []node
	els        node // nil: NULL
	t          types.Type
}

func (c *caseNode) close() {
	closeAll(c.ifs)
	closeAll(c.thens)
	if c.els != nil {
		c.els.close()
	}
}

func (c *caseNode) eval(f *frame) (vector, error) {
	out := newPieces(f)
	defer out.release()
	left := positions(f.n)
	for i := range c.ifs {
		if len(left) == 0 {
			break
		}
		hit, err := filterAt(c.ifs[i], f, left)
		if err != nil {
			return vector{}, err
		}
		if len(hit) == 0 {
			continue
		}
		if len(hit) == f.n { // all in one branch: nothing to put together
			return c.thens[i].eval(f)
		}
		if err := evalAt(c.thens[i], f, hit, out); err != nil {
			return vector{}, err
		}
		left = without(left, hit)
	}
	if c.els != nil && len(left) > 0 {
		if len(left) == f.n {
			return c.els.eval(f)
		}
		if err := evalAt(c.els, f, left, out); err != nil {
			return vector{}, err
		}
	}
	return out.finish(c.t)
}

// evalAt computes n for the rows of f at pos.
func evalAt(n node, f *frame, pos []int32, out *pieces) error {
	g := f.sub(pos)
	defer g.release()
	v, err := n.eval(g)
	if err != nil {
		return err
	}
	out.add(v, pos)
	return nil
}

// filterAt returns those of the positions pos of f for which n is true.
func filterAt(n node, f *frame, pos []int32) ([]int32, error) {
	if len(pos) == f.n {
		return filter(n, f, make([]int32, 0, f.n))
	}
	g := f.sub(pos)
	defer g.release()
	hit, err := filter(n, g, make([]int32, 0, len(pos)))
	for i, p := range hit {
		hit[i] = pos[p]
	}
	return hit, err
}

func positions(n int) []int32 {
	p := make([]int32, n)
	for i := range p {
		p[i] = int32(i)
	}
	return p
}

// without returns the positions of all that are not in some; both ascend, and
// some is part of all.
func without(all, some []int32) []int32 {
	out := make([]int32, 0, len(all)-len(some))
	for _, p := range all {
		if len(some) > 0 && some[0] == p {
			some = some[1:]
		} else {
			out = append(out, p)
		}
	}
	return out
}

// lazyNode makes the node of a function that computes its arguments itself.
func lazyNode(name string, args []node, t types.Type) node {
	if name == "if" {
		return &caseNode{ifs: args[:1], thens: args[1:2], els: args[2], t: t}
	}
	return &coalesceNode{args: args, t: t}
}

// coalesceNode is the first argument that is not NULL; a later one is computed
// only for the rows that need it.
type coalesceNode struct {
	args []node
	t    types.Type
}

func (c *coalesceNode) close() { closeAll(c.args) }

func (c *coalesceNode) eval(f *frame) (vector, error) {
	first, err := c.args[0].eval(f)
	if err != nil {
		return vector{}, err
	}
	valid := vec.ValidityOf(first.arr)
	if valid.None() || f.n == 0 {
		return first, nil
	}
	if first.konst {
		if valid.Valid(0) {
			return first, nil
		}
		first.release()
		if len(c.args) == 1 {
			return nullVector(f, c.t)
		}
		return (&coalesceNode{args: c.args[1:], t: c.t}).eval(f)
	}
	out := newPieces(f)
	defer out.release()
	var left []int32
	out.add(first, positions(f.n))
	for i := range f.n {
		if valid.Null(i) {
			left = append(left, int32(i))
		}
	}
	for _, a := range c.args[1:] {
		if len(left) == 0 {
			break
		}
		if left, err = c.fill(a, f, left, out); err != nil {
			return vector{}, err
		}
	}
	return out.finish(c.t)
}

// fill computes a for the rows in left and returns those that are still NULL.
func (c *coalesceNode) fill(a node, f *frame, left []int32, out *pieces) ([]int32, error) {
	g := f.sub(left)
	defer g.release()
	v, err := a.eval(g)
	if err != nil {
		return nil, err
	}
	valid := vec.ValidityOf(v.arr)
	out.add(v, left)
	if valid.None() {
		return nil, nil
	}
	var still []int32
	for i, p := range left {
		if v.konst {
			i = 0
		}
		if valid.Null(i) {
			still = append(still, p)
		}
	}
	return still, nil
}
