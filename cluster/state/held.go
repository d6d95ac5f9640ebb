package state

import (
	"encoding/binary"
	"fmt"
	"strconv"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Held says on whose disks the blocks of an entry of the namespace are. It is checked as the entry is applied: a node that has
// lost its disk since, and come back as another, or has only been started anew, counts no more.
type Held struct {
	Nodes  []Holder
	Blocks [][]int // for each block of the entry, those of its parts one after another, who has it: places in Nodes
}

// Holder is a node in one of its starts.
type Holder struct {
	Node        ID
	Incarnation uint64
}

// packedHolder is the size of a holder in the log.
const packedHolder = 16 + 8

func (h Held) pack() (nodes, blocks []byte) {
	for _, n := range h.Nodes {
		nodes = binary.BigEndian.AppendUint64(append(nodes, n.Node[:]...), n.Incarnation)
	}
	for _, list := range h.Blocks {
		blocks = binary.AppendUvarint(blocks, uint64(len(list)))
		for _, i := range list {
			blocks = binary.AppendUvarint(blocks, uint64(i))
		}
	}
	return nodes, blocks
}

// packHolders gives the bytes of some servers, as a list of holders has them.
func packHolders(list ...Holder) []byte {
	b, _ := Held{Nodes: list}.pack()
	return b
}

func unpackHeld(nodes, blocks []byte) (Held, error) {
	bad := func(why string) (Held, error) { return Held{}, fmt.Errorf("%w: holders: %s", ErrEntry, why) }
	if len(nodes)%packedHolder != 0 {
		return bad("their list is cut short")
	}
	var h Held
	for ; len(nodes) > 0; nodes = nodes[packedHolder:] {
		h.Nodes = append(h.Nodes, Holder{Node: ID(nodes[:16]), Incarnation: binary.BigEndian.Uint64(nodes[16:])})
	}
	number := func() (int, bool) {
		v, n := binary.Uvarint(blocks)
		if n <= 0 || n > 1 && blocks[n-1] == 0 { // only as it is written
			return 0, false
		}
		blocks = blocks[n:]
		return int(min(v, 1<<30)), true
	}
	for len(blocks) > 0 {
		count, ok := number()
		if !ok || count > len(h.Nodes) || count > len(blocks) {
			return bad("more than there are")
		}
		list := make([]int, count)
		for i := range list {
			if list[i], ok = number(); !ok || list[i] >= len(h.Nodes) {
				return bad("one that is not listed")
			}
		}
		h.Blocks = append(h.Blocks, list)
	}
	return h, nil
}

// DefaultReplicas is how many copies of a block there are unless a setting says otherwise.
const DefaultReplicas = 3

// MaxReplicas is the most copies of a block that there may be.
const MaxReplicas = 9

// ReplicasSetting is the setting with the number of copies of a block.
const ReplicasSetting = "replicas"

// Replicas is how many copies of a block there should be.
func (s *State) Replicas() int {
	text, _ := s.settings.Get([]byte(ReplicasSetting))
	if n, err := strconv.Atoi(text); err == nil && n >= 1 && n <= MaxReplicas {
		return n
	}
	return DefaultReplicas
}

// Needed is how many active nodes must have a block before an entry may name it. Those that are only being started anew are counted,
// too: after a loss of power of all there would be but one or two copies of what is written first.
func (s *State) Needed() int {
	count := 0
	for n := range s.Nodes() {
		if n.Status == Active || n.Status == Pending && n.Ring && !n.Leaves {
			count++
		}
	}
	return max(1, min(s.Replicas(), count))
}

// checkHeld refuses an entry some block of which too few active nodes have.
func (s *State) checkHeld(e Entry) error {
	var blocks []namespace.Block
	for _, part := range append([]namespace.Entry{e.Files}, e.Files.List...) {
		blocks = append(blocks, part.Blocks...)
	}
	if len(blocks) == 0 {
		return nil
	}
	refuse := func(detail string) error {
		return &Refusal{Reason: namespace.ErrHolders, Name: e.Files.Name, Detail: detail}
	}
	if len(e.Held.Blocks) != len(blocks) {
		return refuse(fmt.Sprintf("the entry tells of %d of its %d blocks who has them", len(e.Held.Blocks), len(blocks)))
	}
	counts := make([]bool, len(e.Held.Nodes))
	seen := map[ID]bool{}
	for i, h := range e.Held.Nodes {
		n, known := s.Node(h.Node)
		counts[i] = known && n.Status == Active && n.Incarnation == h.Incarnation && !seen[h.Node]
		seen[h.Node] = true
	}
	needed := s.Needed()
	for i, list := range e.Held.Blocks {
		had := map[int]bool{}
		for _, at := range list {
			if counts[at] {
				had[at] = true
			}
		}
		if len(had) < needed {
			return refuse(fmt.Sprintf("block %s: %d of %d", blocks[i].ID, len(had), needed))
		}
	}
	return nil
}
