package expr

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// distinct passes each row of a group to another accumulator once: two rows are
// the same if their arguments are, sort keys aside.
type distinct struct {
	call   *AggCall
	inner  Accumulator
	mem    memory.Allocator
	n      int
	first  map[uint64]int32 // hash of group and arguments: a row of rows
	rows   []distinctRow
	chunks [][]arrow.Array // what the rows were, all inputs
}

// distinctRow is a row that was passed on; next is another of the same hash, or -1.
type distinctRow struct {
	group uint32
	chunk int32
	row   int32
	next  int32
}

func newDistinct(c *AggCall, inner Accumulator, mem memory.Allocator) *distinct {
	return &distinct{call: c, inner: inner, mem: mem, first: map[uint64]int32{}}
}

func (d *distinct) Resize(n int) {
	d.n = max(d.n, n)
	d.inner.Resize(n)
}

func (d *distinct) Update(groups []uint32, args []arrow.Array) error {
	if err := checkInputs(d.call, args); err != nil {
		return err
	}
	hashes := make([]uint64, len(groups))
	for i, g := range groups {
		hashes[i] = vec.HashInt(int64(g))
	}
	keys := args[:len(d.call.Args)]
	for _, k := range keys {
		vec.Hash(k, hashes, true)
	}
	fresh := d.fresh(groups, hashes, keys)
	if len(fresh) == 0 {
		return nil
	}
	chunk, err := takeCompact(d.mem, args, fresh)
	if err != nil {
		return err
	}
	d.chunks = append(d.chunks, chunk)
	of := make([]uint32, len(fresh))
	for i, r := range fresh {
		of[i] = groups[r]
	}
	if err := d.inner.Update(of, chunk); err != nil {
		return err
	}
	if len(d.chunks) > maxChunks {
		return d.join()
	}
	return nil
}

// fresh returns the rows of the batch that are new, and enters them. They will
// be the next chunk, in this order.
func (d *distinct) fresh(groups []uint32, hashes []uint64, keys []arrow.Array) []int32 {
	compare := make([]func(i, j int) bool, len(d.chunks)+1) // with each chunk, and the batch itself
	var fresh []int32
	for i, g := range groups {
		head, ok := d.first[hashes[i]]
		if !ok {
			head = -1
		}
		at := head
		for ; at >= 0; at = d.rows[at].next {
			r := d.rows[at]
			if r.group != g {
				continue
			}
			if compare[r.chunk] == nil {
				other := keys
				if int(r.chunk) < len(d.chunks) {
					other = d.chunks[r.chunk]
				}
				compare[r.chunk] = sameRow(keys, other)
			}
			j := int(r.row)
			if int(r.chunk) == len(d.chunks) {
				j = int(fresh[j])
			}
			if compare[r.chunk](i, j) {
				break
			}
		}
		if at < 0 {
			d.first[hashes[i]] = int32(len(d.rows))
			d.rows = append(d.rows, distinctRow{group: g, chunk: int32(len(d.chunks)), row: int32(len(fresh)), next: head})
			fresh = append(fresh, int32(i))
		}
	}
	return fresh
}

func sameRow(a, b []arrow.Array) func(i, j int) bool {
	fs := make([]func(i, j int) int, len(a))
	for k := range a {
		fs[k] = vec.Comparer(a[k], b[k])
	}
	return func(i, j int) bool {
		for _, f := range fs {
			if f(i, j) != 0 {
				return false
			}
		}
		return true
	}
}

// join makes one chunk of all, so that there are never many to compare with.
func (d *distinct) join() error {
	all := make([]arrow.Array, 0, len(d.chunks[0]))
	for k := range d.chunks[0] {
		a, err := d.column(k)
		if err != nil {
			vec.ReleaseAll(all)
			return err
		}
		all = append(all, a)
	}
	for i := range d.rows {
		d.rows[i].chunk, d.rows[i].row = 0, int32(i) // rows are entered in the order of the chunks
	}
	d.drop()
	d.chunks = [][]arrow.Array{all}
	return nil
}

func (d *distinct) column(k int) (arrow.Array, error) {
	if len(d.chunks) == 0 {
		return vec.FromLiteral(d.mem, nil, d.call.Inputs()[k].Type(), 0)
	}
	parts := make([]arrow.Array, len(d.chunks))
	for i, c := range d.chunks {
		parts[i] = c[k]
	}
	return vec.Concat(d.mem, parts)
}

func (d *distinct) drop() {
	for _, c := range d.chunks {
		vec.ReleaseAll(c)
	}
	d.chunks = nil
}

func (d *distinct) Merge(groups []uint32, state []arrow.Array) error {
	cols, of, err := unpackRows(groups, state, len(d.call.Inputs()))
	if err != nil {
		return err
	}
	defer vec.ReleaseAll(cols)
	return d.Update(of, cols)
}

func (d *distinct) State() ([]arrow.Array, error) {
	all := &collected{mem: d.mem, bounds: make([]int32, d.n+1), order: make([]int32, len(d.rows))}
	defer all.release()
	for k := range d.call.Inputs() {
		a, err := d.column(k)
		if err != nil {
			return nil, err
		}
		all.cols = append(all.cols, a)
	}
	for _, r := range d.rows {
		all.bounds[r.group+1]++
	}
	for g := range d.n {
		all.bounds[g+1] += all.bounds[g]
	}
	next := append([]int32(nil), all.bounds...)
	for i, r := range d.rows {
		all.order[next[r.group]] = int32(i)
		next[r.group]++
	}
	list, err := rowLists(d.call, all)
	if err != nil {
		return nil, err
	}
	return []arrow.Array{list}, nil
}

func (d *distinct) Result() (arrow.Array, error) { return d.inner.Result() }

func (d *distinct) Bytes() int64 {
	n := d.inner.Bytes() + int64(cap(d.rows))*16 + int64(len(d.first))*24
	for _, c := range d.chunks {
		for _, a := range c {
			n += vec.Bytes(a)
		}
	}
	return n
}

func (d *distinct) Release() {
	d.drop()
	d.inner.Release()
	d.first, d.rows = nil, nil
}
