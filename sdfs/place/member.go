// Package place says where a block of the distributed store belongs: who owns it, whom a writer sends it to, in what
// order a reader asks, and who will own it once those that are joining have joined and those that are leaving have left.
// It is consistent hashing on the ring of package ring (Chord, Stoica et al., 2001), with what the log says of each
// node. docs/sdfs.md says what is made of it.
//
// All is pure: no clock, network or disk. Nodes that have applied the same entries of the log have the same Map.
package place

import "encoding/binary"

// Status is what the log says of a node. The numbers are those of the log.
type Status uint8

// The statuses.
const (
	Pending Status = 1 // joins, or starts anew; is not counted yet
	Active  Status = 2
	Leaving Status = 3 // gets no new blocks, and goes when what it has is elsewhere
	Down    Status = 4 // held dead; it keeps its place in the ring
	Evicted Status = 5 // is not coming back, and is nowhere
)

// Member is a node as the log knows it.
type Member struct {
	ID          [16]byte
	Incarnation uint64 // counts its starts
	Status      Status
	Ring        bool // it owns positions of the ring: it has been active, and is not evicted
	Leaves      bool // it was asked to leave, whatever its status
}

// stays tells whether a node is to own blocks, now or once it is active.
func (m Member) stays() bool {
	return !m.Leaves && m.Status != Leaving && m.Status != Evicted && (m.Ring || m.Status == Pending)
}

// inRing tells whether a node owns blocks now.
func (m Member) inRing() bool { return m.Ring && m.Status != Evicted }

// active tells whether a node counts: new blocks are sent to it.
func (m Member) active() bool { return m.inRing() && m.Status == Active && !m.Leaves }

// Position is where a block is on the ring: its id is random, and the first 8 bytes of it are the position.
func Position(block [16]byte) uint64 { return binary.BigEndian.Uint64(block[:8]) }
