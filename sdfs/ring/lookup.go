package ring

import (
	"errors"
	"fmt"
	"slices"
)

// MaxAsked bounds a lookup: it asks at most so many nodes. Between views of one epoch each hop uses a shorter finger
// than the one before, of which there are 64; in fact it takes about half of log2 of the number of nodes.
const MaxAsked = 64

// ErrLost is that of a lookup that ran out of nodes to ask, or asked MaxAsked of them.
var ErrLost = errors.New("no node that answers knows the owners")

// Answer is what a lookup found.
type Answer struct {
	Owners [][16]byte // in order, of the ring of Epoch
	Epoch  uint64     // of the view that named them, for who asked to compare with its own
	By     [16]byte   // the node that named them
	Hops   int        // nodes asked after the first, those included that gave no answer
}

// Lookup finds the owners of a key, going from node to node, the first of which is usually who asks. The function asks
// a node, that is, gives its View's Next for this key; with an error, the node counts as gone, and is not asked again.
//
// The views need not agree. Whatever they say, a lookup asks no node twice, always the one nearest before the key of all
// that were named to it, and at most MaxAsked. It fails with ErrLost, which wraps what the last ask failed with. The answer
// is as old as its epoch: who asks compares it with its own epoch, as does the node that the request for the block goes to.
func Lookup(key uint64, start [16]byte, ask func(node [16]byte) (Step, error)) (Answer, error) {
	var named []Position
	asked := [][16]byte{start}
	var failure error
	for {
		node := asked[len(asked)-1]
		step, err := ask(node)
		if err != nil {
			failure = err
		} else if len(step.Owners) > 0 {
			return Answer{Owners: step.Owners, Epoch: step.Epoch, By: node, Hops: len(asked) - 1}, nil
		} else {
			named = append(named, step.Ask...)
		}
		named = slices.DeleteFunc(named, func(p Position) bool { return slices.Contains(asked, p.Node) })
		if len(named) == 0 || len(asked) == MaxAsked {
			return Answer{}, lost(len(asked), failure)
		}
		asked = append(asked, nearest(named, key))
	}
}

// nearest is the node whose position is the last before the key, or at it.
func nearest(named []Position, key uint64) [16]byte {
	best := named[0]
	for _, p := range named[1:] {
		if key-p.At < key-best.At { // modulo 2^64, as the ring is
			best = p
		}
	}
	return best.Node
}

func lost(asked int, failure error) error {
	if failure == nil {
		return fmt.Errorf("%w: %d asked", ErrLost, asked)
	}
	return fmt.Errorf("%w: %d asked, the last failure: %w", ErrLost, asked, failure)
}
