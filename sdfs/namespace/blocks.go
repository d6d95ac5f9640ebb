package namespace

import (
	"encoding/hex"
	"iter"
	"slices"
)

// BlockID names a block: 128 random bits, never reused.
type BlockID [16]byte

func (id BlockID) String() string { return hex.EncodeToString(id[:]) }

// Block is one stretch of a file's content, stored under its ID.
type Block struct {
	ID     BlockID
	Length uint32 // bytes, at least 1
	CRC    uint32 // CRC32C of the content
}

// Blocks is an ordered list of blocks. It is immutable: changes give a new list that
// shares most of its memory with the old one, so that appending to a long list costs no
// more than to a short one. The zero value is the empty list.
type Blocks struct {
	root   *node
	height int // of root; 0: a leaf
}

// node is a leaf with blocks or an inner node with kids, never empty and never changed.
type node struct {
	leaf  []Block
	kids  []*node
	count int
	size  int64
}

// fan is the most blocks or kids that a node has.
const fan = 32

func leafOf(blocks []Block) *node {
	n := &node{leaf: blocks, count: len(blocks)}
	for _, b := range blocks {
		n.size += int64(b.Length)
	}
	return n
}

func innerOf(kids []*node) *node {
	n := &node{kids: kids}
	for _, k := range kids {
		n.count += k.count
		n.size += k.size
	}
	return n
}

// Len is the number of blocks.
func (b Blocks) Len() int {
	if b.root == nil {
		return 0
	}
	return b.root.count
}

// Size is the number of bytes in all blocks.
func (b Blocks) Size() int64 {
	if b.root == nil {
		return 0
	}
	return b.root.size
}

// Append gives the list with more blocks at its end. It keeps no reference to them.
func (b Blocks) Append(more ...Block) Blocks {
	if len(more) == 0 {
		return b
	}
	if b.root != nil {
		last := b.root
		for range b.height {
			last = last.kids[len(last.kids)-1]
		}
		if room := min(fan-len(last.leaf), len(more)); room > 0 {
			b.root = withLast(b.root, leafOf(slices.Concat(last.leaf, more[:room])))
			more = more[room:]
		}
	}
	for part := range slices.Chunk(more, fan) {
		b = b.push(leafOf(slices.Clone(part)))
	}
	return b
}

// withLast replaces the last leaf under n.
func withLast(n, leaf *node) *node {
	if n.kids == nil {
		return leaf
	}
	kids := slices.Clone(n.kids)
	kids[len(kids)-1] = withLast(kids[len(kids)-1], leaf)
	return innerOf(kids)
}

func (b Blocks) push(leaf *node) Blocks {
	if b.root == nil {
		return Blocks{root: leaf}
	}
	root, over := push(b.root, leaf)
	if over == nil {
		return Blocks{root: root, height: b.height}
	}
	return Blocks{root: innerOf([]*node{root, over}), height: b.height + 1}
}

// push adds a leaf at the right end of n, or gives it as a sibling of n's own height.
func push(n, leaf *node) (*node, *node) {
	if n.kids == nil {
		return n, leaf
	}
	last := len(n.kids) - 1
	kid, over := push(n.kids[last], leaf)
	if over != nil && len(n.kids) == fan {
		return n, innerOf([]*node{over}) // kid is unchanged: only a full path overflows
	}
	kids := append(make([]*node, 0, len(n.kids)+1), n.kids...)
	kids[last] = kid
	if over != nil {
		kids = append(kids, over)
	}
	return innerOf(kids), nil
}

// All yields every block with the offset it starts at.
func (b Blocks) All() iter.Seq2[int64, Block] { return b.From(0) }

// From yields the blocks from the one that holds the byte at off on, each with the offset
// it starts at.
func (b Blocks) From(off int64) iter.Seq2[int64, Block] {
	return func(yield func(int64, Block) bool) {
		if b.root != nil {
			b.root.from(0, off, yield)
		}
	}
}

func (n *node) from(start, off int64, yield func(int64, Block) bool) bool {
	for _, k := range n.kids {
		if off < start+k.size && !k.from(start, off, yield) {
			return false
		}
		start += k.size
	}
	for _, b := range n.leaf {
		end := start + int64(b.Length)
		if off < end && !yield(start, b) {
			return false
		}
		start = end
	}
	return true
}

// splice replaces the blocks that start in [from, to) by one. It copies the upper levels
// of the tree, and shares the leaves outside the range.
func (b Blocks) splice(from, to int64, by Block) Blocks {
	var leaves []*node
	add := func(blocks []Block, whole *node) {
		if len(blocks) == 0 {
			return
		}
		if last := len(leaves) - 1; last >= 0 && len(leaves[last].leaf)+len(blocks) <= fan {
			leaves[last] = leafOf(slices.Concat(leaves[last].leaf, blocks))
			return
		}
		if whole == nil {
			whole = leafOf(slices.Clone(blocks))
		}
		leaves = append(leaves, whole)
	}
	done := false
	var walk func(n *node, start int64)
	walk = func(n *node, start int64) {
		if n.leaf != nil && (start >= to || start+n.size <= from) {
			if start >= to && !done {
				add([]Block{by}, nil)
				done = true
			}
			add(n.leaf, n)
			return
		}
		for _, k := range n.kids {
			walk(k, start)
			start += k.size
		}
		var before, after []Block
		for _, blk := range n.leaf {
			switch {
			case start < from:
				before = append(before, blk)
			case start >= to:
				after = append(after, blk)
			}
			start += int64(blk.Length)
		}
		if n.leaf == nil {
			return
		}
		add(before, nil)
		if start >= to && !done {
			add([]Block{by}, nil)
			done = true
		}
		add(after, nil)
	}
	if b.root != nil {
		walk(b.root, 0)
	}
	return build(leaves)
}

// build makes a list of leaves.
func build(level []*node) Blocks {
	if len(level) == 0 {
		return Blocks{}
	}
	height := 0
	for len(level) > 1 {
		var up []*node
		for part := range slices.Chunk(level, fan) {
			up = append(up, innerOf(slices.Clone(part)))
		}
		level = up
		height++
	}
	return Blocks{root: level[0], height: height}
}
