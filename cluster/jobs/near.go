package jobs

import (
	"iter"
	"slices"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// readers are the servers with tasks of a stage, in a fixed order.
func (p *placement) readers(st *dag.Stage) []state.ID {
	var list []state.ID
	for i := range st.Tasks {
		if id := p.at(st.ID, i); !slices.Contains(list, id) {
			list = append(list, id)
		}
	}
	return list
}

// orderOf is the order in which a scan's splits are handed out.
func (p *part) orderOf(st *dag.Stage, at int, splits []connect.Split) (*order, []state.ID) {
	readers := p.place.readers(st)
	s, ok := st.Ops[at].Spec.(*dag.Scan)
	if !ok || len(readers) < 2 || len(readers) > 64 || p.w.cfg.Owners == nil || inTurn(p.graph, st) {
		return newOrder(len(readers), make([]uint64, len(splits)), 0), readers
	}
	bits := func(b namespace.Block) (near uint64) {
		for _, id := range p.w.cfg.Owners(b) {
			if k := slices.Index(readers, id); k >= 0 {
				near |= 1 << k
			}
		}
		return near
	}
	return newOrder(len(readers), nearOf(p.graph.Input(s.Path), p.w.cfg.Log.State().Files(), splits, bits), windowOf(splits)), readers
}

// inTurn tells whether what a stage gives is wanted in the order of its splits, or whoever reads them may stop at any time: then they are
// handed out as they come, so that nobody waits for what was passed by.
func inTurn(g *dag.Graph, st *dag.Stage) bool {
	for _, o := range st.Ops {
		if _, ok := o.Spec.(*dag.Exec); ok {
			return true
		}
	}
	for _, e := range st.Outputs {
		if e.Kind == dag.BySplit || e.Kind == dag.Forward && inTurn(g, g.Stages[e.To]) {
			return true
		}
	}
	return false
}

// nearOf tells by bits which servers have the bytes of each split, those in its middle at least. The files are as they are now: those that are not
// the ones any more that the graph reads are near none.
func nearOf(in *dag.Input, files *namespace.State, splits []connect.Split, bits func(namespace.Block) uint64) []uint64 {
	near := make([]uint64, len(splits))
	if in == nil {
		return near
	}
	byName := map[string]dag.InputFile{}
	for _, f := range in.Files {
		byName[f.Name] = f
	}
	for from := 0; from < len(splits); {
		to := from + 1
		for to < len(splits) && splits[to].File == splits[from].File {
			to++
		}
		want, ok := byName[splits[from].File]
		if len(in.Files) == 1 {
			want, ok = in.Files[0], true
		}
		if f, there := files.Get(want.Name); ok && there && f.ID == want.ID && f.Generation == want.Generation {
			nearIn(f.Blocks.All(), splits[from:to], near[from:to], bits)
		}
		from = to
	}
	return near
}

// nearIn is nearOf for the splits of one file.
func nearIn(blocks iter.Seq2[int64, namespace.Block], splits []connect.Split, near []uint64, bits func(namespace.Block) uint64) {
	i := 0
	for start, b := range blocks {
		have, asked := uint64(0), false
		for ; i < len(splits) && splits[i].Offset+max(splits[i].Length, 0)/2 < start+int64(b.Length); i++ {
			if !asked {
				have, asked = bits(b), true
			}
			near[i] = have
		}
	}
}

// windowOf is how many splits are looked at for one that is near.
func windowOf(splits []connect.Split) int {
	var size int64
	for _, s := range splits {
		size += max(s.Length, 0)
	}
	if size == 0 {
		return 0
	}
	return int(min(windowSplits, windowBytes*int64(len(splits))/size))
}
