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
// With keepUnsynced the process was killed: everything it did is there.
// Otherwise the power was lost. Seed 0 then loses all that was not synced; any
// other seed picks, for each unsynced page, size and change of a folder,
// whether it is lost.
func (d *Disk) Restart(keepUnsynced bool, seed uint64) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
	names := d.now
	if !keepUnsynced {
		names = maps.Clone(d.durable)
		rnd := rand.New(rand.NewPCG(seed, 0))
		for _, c := range d.pending {
			if seed != 0 && rnd.IntN(2) == 0 {
				c.to(names)
			}
		}
	}
	next := New()
	clones := map[*inode]*inode{}
	for i, name := range slices.Sorted(maps.Keys(names)) {
		node := names[name]
		if node == nil {
			next.now[name] = nil
			continue
		}
		clone := clones[node]
		if clone == nil {
			clone = node.survivor(keepUnsynced, rand.New(rand.NewPCG(seed, uint64(i)+1)), seed != 0)
			clones[node] = clone
		}
		clone.links++
		next.now[name] = clone
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
	counted := map[*inode]bool{}
	for _, node := range next.now {
		if node != nil && !counted[node] {
			counted[node] = true
			next.used += int64(len(node.data))
		}
	}
	next.durable = maps.Clone(next.now)
	return next
}

// survivor is what is left of a file; all of it counts as synced.
func (n *inode) survivor(all bool, rnd *rand.Rand, some bool) *inode {
	data := bytes.Clone(n.data)
	if !all {
		size := n.synced
		if some && rnd.IntN(2) == 0 {
			size = int64(len(n.data))
		}
		data = append(data, make([]byte, max(0, size-int64(len(data))))...)[:size]
		for _, p := range slices.Sorted(maps.Keys(n.dirty)) {
			start := p * page
			if start >= size || some && rnd.IntN(2) == 0 {
				continue
			}
			lost := data[start:min(start+page, size)]
			clear(lost)
			copy(lost, n.before[p])
		}
	}
	return &inode{data: data, synced: int64(len(data)), before: map[int64][]byte{}}
}
