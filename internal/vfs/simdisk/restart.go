package simdisk

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
)

// Restart stops this disk's process, if it still runs, and gives the disk that
// the next one finds, without hook, bound or locks.
//
// With keepUnsynced the process was killed: everything it did is there, and what
// was not durable still is not. Otherwise the power was lost. Seed 0 then loses all that was
// not synced; any other seed picks, for each unsynced page, size and change of a folder,
// whether it is lost.
func (d *Disk) Restart(keepUnsynced bool, seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	next := New()
	if keepUnsynced {
		d.copyTo(next)
	} else {
		d.surviveIn(next, seed)
	}
	counted := map[*inode]bool{}
	for _, node := range next.now {
		if node != nil {
			node.links++
			if !counted[node] {
				counted[node] = true
				next.used += int64(len(node.data))
			}
		}
	}
	return next
}

// copyTo gives next all of this disk, down to what is not durable.
func (d *Disk) copyTo(next *Disk) {
	clones := map[*inode]*inode{}
	clone := func(t tree) tree {
		out := tree{}
		for name, node := range t {
			if node != nil && clones[node] == nil {
				old := map[int64][][]byte{} // the versions themselves are never changed
				for p, versions := range node.old {
					old[p] = slices.Clone(versions)
				}
				clones[node] = &inode{
					data: bytes.Clone(node.data), synced: node.synced, sizes: slices.Clone(node.sizes), old: old, failed: maps.Clone(node.failed),
				}
			}
			out[name] = clones[node]
		}
		return out
	}
	next.now, next.durable = clone(d.now), clone(d.durable)
	for _, c := range d.pending {
		next.pending = append(next.pending, change{dir: c.dir, set: clone(c.set), gone: c.gone})
	}
}

// surviveIn gives next what a loss of power leaves.
func (d *Disk) surviveIn(next *Disk, seed uint64) {
	names := maps.Clone(d.durable)
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, c := range d.pending {
		if seed != 0 && rnd.IntN(2) == 0 {
			c.to(names)
		}
	}
	clones := map[*inode]*inode{}
	for i, name := range slices.Sorted(maps.Keys(names)) {
		node := names[name]
		if node != nil && clones[node] == nil {
			clones[node] = node.survivor(rand.New(rand.NewPCG(seed, uint64(i)+1)), seed != 0)
		}
		next.now[name] = clones[node]
	}
	for name := range next.now { // what lies in a folder that was lost is lost with it
		for dir := name; dir != ""; {
			dir = dirOf(dir)
			if _, ok := next.now[dir]; !ok {
				delete(next.now, name)
				break
			}
		}
	}
	next.durable = maps.Clone(next.now)
}

// survivor is what is left of a file after a loss of power: unless some of what was not
// synced is kept, none is. Any size since the last sync may be found, and of each page, or each of its
// sectors, any content since then. All of the result counts as synced.
func (n *inode) survivor(rnd *rand.Rand, some bool) *inode {
	size := n.synced
	if some && rnd.IntN(2) == 0 {
		size = int64(len(n.data))
	} else if some && len(n.sizes) > 0 && rnd.IntN(2) == 0 {
		size = n.sizes[rnd.IntN(len(n.sizes))]
	}
	data := bytes.Clone(n.data)
	data = append(data, make([]byte, max(0, size-int64(len(data))))...)[:size]
	for _, p := range slices.Sorted(maps.Keys(n.old)) {
		torn := some && rnd.IntN(4) == 0
		pick := n.version(rnd, p, some)
		for at := p * page; at < min(p*page+page, size); at += sector {
			if torn {
				pick = n.version(rnd, p, some)
			}
			lost := data[at:min(at+sector, size)]
			clear(lost)
			if from := int(at - p*page); from < len(pick) {
				copy(lost, pick[from:])
			}
		}
	}
	left := newInode()
	left.data, left.synced = data, int64(len(data))
	return left
}

// version is what is left of a page.
func (n *inode) version(rnd *rand.Rand, p int64, some bool) []byte {
	now := n.data[min(p*page, int64(len(n.data))):min(p*page+page, int64(len(n.data)))]
	switch {
	case !some:
		return n.old[p][0]
	case rnd.IntN(2) == 0:
		return now
	}
	return n.old[p][rnd.IntN(len(n.old[p]))]
}
