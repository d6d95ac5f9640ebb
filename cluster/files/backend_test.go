package files

import (
	"slices"
	"testing"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestHeld: an entry names each lease under which its blocks were written, and for each block who has it.
func TestHeld(t *testing.T) {
	b := &Backend{staged: map[namespace.BlockID]staged{}}
	one, two, three := state.Holder{Node: state.ID{1}}, state.Holder{Node: state.ID{2}}, state.Holder{Node: state.ID{3}}
	list := []namespace.Block{{ID: namespace.BlockID{1}}, {ID: namespace.BlockID{2}}, {ID: namespace.BlockID{3}}}
	b.stage(list[0], blocks.Head{Lease: 5}, []state.Holder{one, two})
	b.stage(list[1], blocks.Head{Lease: 6}, []state.Holder{two, three})
	b.stage(list[2], blocks.Head{Lease: 5}, []state.Holder{three, one})
	under, held, err := b.held(list)
	if err != nil || !slices.Equal(under, []uint64{5, 6}) || !slices.Equal(held.Nodes, []state.Holder{one, two, three}) ||
		!slices.EqualFunc(held.Blocks, [][]int{{0, 1}, {1, 2}, {2, 0}}, slices.Equal) {
		t.Errorf("%v, %+v, %v", under, held, err)
	}
	if _, _, err := b.held([]namespace.Block{{ID: namespace.BlockID{4}}}); err == nil {
		t.Error("another's block")
	}
}
