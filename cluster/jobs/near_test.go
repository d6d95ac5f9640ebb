package jobs

import (
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs/namespace"
	ringplace "github.com/rainsql/rainsql/sdfs/place"
)

// TestNear: of a file of a cluster's most splits are read where the ring has their bytes.
func TestNear(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	members := make([]ringplace.Member, 10)
	for i := range members {
		members[i] = ringplace.Member{Incarnation: 1, Status: ringplace.Active, Ring: true}
		binary.BigEndian.PutUint64(members[i].ID[:], rnd.Uint64())
	}
	ring := ringplace.New(1, members, 3)
	bits := func(b namespace.Block) (near uint64) {
		for _, id := range ring.Owners(ringplace.Position(b.ID)) {
			near |= 1 << slices.IndexFunc(members, func(m ringplace.Member) bool { return m.ID == id })
		}
		return near
	}
	blocks := map[int64]namespace.Block{}
	for i := range int64(16) {
		b := namespace.Block{Length: 64 << 20}
		binary.BigEndian.PutUint64(b.ID[:], rnd.Uint64())
		blocks[i*64<<20] = b
	}
	var splits []connect.Split
	for i := range 1000 {
		splits = append(splits, connect.Split{Ordinal: i, Offset: int64(i) << 20, Length: 1 << 20})
	}
	near := make([]uint64, len(splits))
	nearIn(func(yield func(int64, namespace.Block) bool) {
		for _, off := range slices.Sorted(maps.Keys(blocks)) {
			if !yield(off, blocks[off]) {
				return
			}
		}
	}, splits, near, bits)
	for i, n := range near {
		if want := bits(blocks[int64(i/64*64)<<20]); n != want {
			t.Fatalf("split %d is near %b, not %b", i, n, want)
		}
	}
	here := map[int]int{}
	for _, window := range []int{0, windowOf(splits)} {
		o := newOrder(len(members), slices.Clone(near), window)
		for left := len(splits); left > 0; {
			for _, server := range rnd.Perm(len(members)) {
				if at := o.take(server); at >= 0 {
					left--
					here[window] += int(near[at] >> server & 1)
				}
			}
		}
	}
	t.Log(here)
	if here[0] > 350 || here[windowOf(splits)] < 800 {
		t.Errorf("of 1000 splits are near those that read them, by window: %v", here)
	}
}

func TestWindow(t *testing.T) {
	for _, c := range []struct {
		length int64
		want   int
	}{{1 << 20, 1024}, {100, 1024}, {64 << 20, 16}, {1 << 40, 0}, {0, 0}} {
		if got := windowOf([]connect.Split{{Length: c.length}, {Length: c.length}}); got != c.want {
			t.Errorf("splits of %d: %d", c.length, got)
		}
	}
}

// TestInTurn: where the order of rows matters, or a program may stop reading, splits come in turn.
func TestInTurn(t *testing.T) {
	graph := func(kinds ...dag.Kind) *dag.Graph {
		g := &dag.Graph{}
		for i, kind := range kinds {
			g.Stages = append(g.Stages, &dag.Stage{ID: i, Tasks: 1, Ops: []dag.Op{{Spec: &dag.Scan{}}}, Outputs: []dag.Edge{{ID: i, To: i + 1, Kind: kind}}})
		}
		g.Stages = append(g.Stages, &dag.Stage{ID: len(kinds), Tasks: 1, Ops: []dag.Op{{Spec: &dag.Result{}}}})
		return g
	}
	for _, c := range []struct {
		kinds []dag.Kind
		want  bool
	}{{[]dag.Kind{dag.Gather}, false}, {[]dag.Kind{dag.BySplit}, true}, {[]dag.Kind{dag.Forward, dag.BySplit}, true}, {[]dag.Kind{dag.Forward, dag.Gather, dag.BySplit}, false}} {
		g := graph(c.kinds...)
		if got := inTurn(g, g.Stages[0]); got != c.want {
			t.Errorf("%v: %v", c.kinds, got)
		}
	}
	g := graph(dag.Gather)
	g.Stages[0].Ops = append(g.Stages[0].Ops, dag.Op{Spec: &dag.Exec{}, Inputs: []int{0}})
	if !inTurn(g, g.Stages[0]) {
		t.Error("programs")
	}
}
