package dag

import (
	"fmt"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// smallBuild is how many rows, by estimate, are held and broadcast whatever the
// other side's size, which so keeps its order.
const smallBuild = 20_000

// plannedJoin is a join with its sides chosen.
type plannedJoin struct {
	n            *logical.Join
	kind         JoinKind
	probe, build *stream
	probeKeys    []expr.Expr
	buildKeys    []expr.Expr
	probeRows    float64
	buildRows    float64
}

// join reads the smaller side first and holds it. That side goes to every task
// of the other one, or both are divided by the hash of their keys.
func (b *builder) join(n *logical.Join) *stream {
	p := b.sides(n)
	spec := &Join{Kind: p.kind, In: n.In, NullSafe: []bool{}}
	for _, k := range n.Keys {
		spec.NullSafe = append(spec.NullSafe, k.NullSafe)
	}
	spec.Probe, spec.Build = b.computed(p.probe, p.probeKeys), b.computed(p.build, p.buildKeys)
	spec.ProbeTypes, spec.BuildTypes = typesOf(p.probe.cols), typesOf(p.build.cols)
	s := b.meet(p, spec)
	s.cols = append(append([]logical.Column(nil), p.probe.cols...), p.build.cols...)
	if n.Residual != nil {
		cond := b.bind(s, n.Residual)
		spec.Residual = &cond
	}
	if !p.kind.Pairs() {
		s.cols = p.probe.cols
		if n.Mark != nil {
			s.cols = append(append([]logical.Column(nil), p.probe.cols...), *n.Mark)
		}
	}
	out, err := s.positions(n.Columns())
	if err != nil {
		b.err = err
	}
	spec.Out, s.cols = out, n.Columns()
	if s.placed {
		spec.Out = append(spec.Out, len(p.probe.cols)-1)
		s.cols = append(s.cols, positionColumn)
	}
	return s
}

// sides chooses what is held: the smaller table, where the kind leaves the
// choice; of two small ones the right, so that the rows keep the order of the left.
func (b *builder) sides(n *logical.Join) *plannedJoin {
	p := &plannedJoin{n: n, kind: JoinKind(n.Kind), probeRows: b.sizes.Rows(n.Left), buildRows: b.sizes.Rows(n.Right)}
	for _, k := range n.Keys {
		p.probeKeys, p.buildKeys = append(p.probeKeys, k.Left), append(p.buildKeys, k.Right)
	}
	probe, build := n.Left, n.Right
	turned := map[JoinKind]JoinKind{InnerJoin: InnerJoin, LeftJoin: RightJoin, RightJoin: LeftJoin, FullJoin: FullJoin}
	if kind, ok := turned[p.kind]; ok && p.probeRows < p.buildRows && p.buildRows > smallBuild {
		p.kind, probe, build = kind, build, probe
		p.probeKeys, p.buildKeys = p.buildKeys, p.probeKeys
		p.probeRows, p.buildRows = p.buildRows, p.probeRows
	}
	p.probe, p.build = b.ordered(probe), b.node(build)
	if p.kind.KeepsBuild() {
		p.probe = b.unplaced(p.probe) // rows that come last of all have no position
	}
	return p
}

// computed returns the positions of expressions, as new columns where they are none yet.
func (b *builder) computed(s *stream, exprs []expr.Expr) []int {
	out := make([]int, len(exprs))
	p := &Project{Exprs: []Expr{}, Names: []string{}}
	for i, c := range s.cols {
		p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: i, Name: c.Name, T: c.Type}})
		p.Names = append(p.Names, c.Name)
	}
	cols := append([]logical.Column(nil), s.cols...)
	for i, e := range exprs {
		e := b.bind(s, e)
		if c, ok := e.Expr.(*expr.Column); ok {
			out[i] = c.ID
			continue
		}
		out[i] = len(cols)
		name := fmt.Sprintf("key %d", i+1)
		p.Exprs, p.Names = append(p.Exprs, e), append(p.Names, name)
		cols = append(cols, logical.Column{ID: -1, Name: name, Type: e.Type()})
	}
	if len(cols) > len(s.cols) {
		if s.placed { // the position stays behind all others
			swap := func(i, j int) {
				p.Exprs[i], p.Exprs[j] = p.Exprs[j], p.Exprs[i]
				p.Names[i], p.Names[j] = p.Names[j], p.Names[i]
				cols[i], cols[j] = cols[j], cols[i]
			}
			last := len(cols) - 1
			position := len(s.cols) - 1
			swap(position, last)
			for i := range out {
				if out[i] == last {
					out[i] = position
				}
			}
		}
		s.add(p)
		s.cols = cols
	}
	return out
}

// meet brings both sides to the tasks that join them.
func (b *builder) meet(p *plannedJoin, spec *Join) *stream {
	dividing := 0
	if p.n.In {
		dividing = 1 // NULL in the first key matters to every row
	}
	tasks := p.probe.stage.Tasks
	inPlace := p.n.Ordered || p.buildRows <= smallBuild || b.cfg.Parallelism == 1
	if tasks > 1 {
		inPlace = inPlace || p.buildRows*float64(tasks) <= (p.buildRows+p.probeRows)/2
	}
	divided := len(spec.Probe) > dividing
	switch {
	case tasks == 1 && (inPlace || !divided), tasks > 1 && !p.kind.KeepsBuild() && (inPlace || !divided):
		return b.joinInPlace(p, spec)
	case divided:
		next := b.stage(b.cfg.Parallelism)
		probe := b.connect(p.probe, next, Edge{Kind: Hash, Keys: spec.Probe[dividing:]})
		build := b.connect(p.build, next, Edge{Kind: Hash, Keys: spec.Build[dividing:]})
		next.Ops = append(next.Ops, Op{Spec: spec, Inputs: []int{probe.op, build.op}})
		return &stream{stage: next, op: len(next.Ops) - 1}
	}
	// Rows without a partner anywhere are known only where all rows are.
	p.probe = b.single(p.probe)
	return b.joinInPlace(p, spec)
}

// joinInPlace puts the join behind the probe side, whose order it keeps, and
// sends the build side to each of its tasks.
func (b *builder) joinInPlace(p *plannedJoin, spec *Join) *stream {
	st := p.probe.stage
	e := Edge{Kind: Broadcast}
	if st.Tasks == 1 {
		e.Kind = Gather
	}
	build := b.connect(p.build, st, e)
	st.Ops = append(st.Ops, Op{Spec: spec, Inputs: []int{p.probe.op, build.op}})
	keeps := !p.kind.KeepsBuild()
	return &stream{stage: st, op: len(st.Ops) - 1, inFile: p.probe.inFile && keeps, placed: p.probe.placed && keeps}
}
