package parquet

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// groupReader reads one row group.
type groupReader struct {
	r      *reader
	g      *group
	left   int64 // rows to come
	rows   int   // most of a batch
	cols   []stored
	filter []int // places in cols that are read first, as conditions are on them

	tried, saved int // batches looked at, and of these such that no row fulfilled all conditions
}

// stored is a column of the row group.
type stored struct {
	*node
	index  int
	chunks []*chunk // of its leaves
}

// lookRows is how many elements of nested columns a batch should have on the
// average; far fewer than maxSlots, as lists may be long in one part of a file.
const lookRows = 64 << 10

// newGroup starts to read a row group; it returns nil if none of its rows can
// fulfil all conditions.
func (r *reader) newGroup(g *group) (*groupReader, error) {
	gr := &groupReader{r: r, g: g, left: g.Rows, rows: r.scan.BatchRows}
	byLeaf, where := map[int]*leaf{}, map[int][]connect.Condition{}
	for _, i := range r.cols {
		for _, l := range leavesOf(r.src.cols[i], nil) {
			byLeaf[l.index] = l
		}
	}
	for _, c := range r.scan.Where {
		if l := r.src.prunable(c); l != nil {
			where[l.index] = append(where[l.index], c)
		}
	}
	chunks, hopeless := map[*leaf]*chunk{}, false
	ahead := max(aheadLeast, min(aheadMost, aheadInAll/max(1, len(byLeaf))))
	err := g.Chunks(func(k int, m *meta.Chunk) error {
		for _, c := range where[k] {
			hopeless = hopeless || r.src.cannot(r.src.leaves[k], c, m)
		}
		if l := byLeaf[k]; l != nil && !hopeless {
			chunks[l] = newChunk(l, r.scan.Alloc, m, window{in: r.src.in, read: &r.stats.Bytes, ahead: ahead})
			if l.maxRep > 0 {
				gr.rows = min(gr.rows, int(max(1, lookRows/(m.Values/g.Rows+1))))
			}
		}
		return nil
	})
	if err != nil || hopeless {
		return nil, err
	}
	for _, i := range r.cols {
		s := stored{node: r.src.cols[i], index: i}
		for _, l := range leavesOf(s.node, nil) {
			s.chunks = append(s.chunks, chunks[l])
		}
		gr.cols = append(gr.cols, s)
	}
	for _, c := range r.scan.Where {
		if at, ok := slices.BinarySearch(r.cols, c.Index); ok && !slices.Contains(gr.filter, at) {
			gr.filter = append(gr.filter, at)
		}
	}
	if len(gr.filter) == len(gr.cols) {
		gr.filter = nil // there is nothing else to save
	}
	return gr, gr.prefetch(chunks)
}

func leavesOf(n *node, to []*leaf) []*leaf {
	if n.leaf != nil {
		return append(to, n.leaf)
	}
	for _, c := range n.children {
		to = leavesOf(c, to)
	}
	return to
}

func (gr *groupReader) prefetch(chunks map[*leaf]*chunk) error {
	all := make([]*chunk, 0, len(chunks))
	for _, c := range chunks {
		if err := codecError(c); err != nil {
			return err
		}
		all = append(all, c)
	}
	slices.SortFunc(all, func(a, b *chunk) int { return cmp.Compare(a.pos, b.pos) })
	ws, starts := make([]*window, len(all)), make([]int64, len(all))
	for i, c := range all {
		ws[i], starts[i] = &c.win, c.pos
	}
	return prefetch(ws, starts)
}

// batch reads the next batch; nil where conditions showed that none of its rows matters.
func (gr *groupReader) batch() (*connect.Batch, error) {
	if len(gr.cols) == 0 {
		return gr.count(), nil
	}
	n := int(min(int64(gr.rows), gr.left))
	first := gr.g.first + gr.g.Rows - gr.left
	arrs := make([]arrow.Array, len(gr.cols))
	useful, err := gr.readFilter(arrs, n, first)
	if err != nil {
		vec.ReleaseAll(arrs)
		return nil, err
	}
	for i, c := range gr.cols {
		switch {
		case arrs[i] != nil:
		case !useful:
			err = gr.wrap(c, c.skip(n), first)
		default:
			arrs[i], err = gr.read(c, n, first)
		}
		if err != nil {
			vec.ReleaseAll(arrs)
			return nil, err
		}
	}
	gr.left -= int64(n)
	if !useful {
		vec.ReleaseAll(arrs)
		return nil, nil
	}
	return gr.r.finish(arrs, first, n), nil
}

// count gives out the rows of a scan without stored columns; nothing is read.
func (gr *groupReader) count() *connect.Batch {
	const most = 1 << 20
	n := int(min(most, gr.left))
	if len(gr.r.slots) > 0 {
		n = min(n, gr.rows)
	}
	first := gr.g.first + gr.g.Rows - gr.left
	gr.left -= int64(n)
	return gr.r.finish(nil, first, n)
}

// readFilter reads the columns that conditions are on, and reports whether any
// row may fulfil them. It stops looking where it seldom helps.
func (gr *groupReader) readFilter(arrs []arrow.Array, n int, first int64) (useful bool, err error) {
	const enough = 16
	if len(gr.filter) == 0 || gr.tried >= enough && gr.saved*8 < gr.tried {
		return true, nil
	}
	keep := make([]bool, n)
	for i := range keep {
		keep[i] = true
	}
	for _, at := range gr.filter {
		if arrs[at], err = gr.read(gr.cols[at], n, first); err != nil {
			return false, err
		}
		for _, c := range gr.r.scan.Where {
			if c.Index == gr.cols[at].index {
				restrict(arrs[at], c, keep)
			}
		}
	}
	gr.tried++
	if slices.Contains(keep, true) {
		return true, nil
	}
	gr.saved++
	return false, nil
}

// read returns the next n rows of a column.
func (gr *groupReader) read(c stored, n int, first int64) (arrow.Array, error) {
	a, err := c.read(gr, n)
	if err == nil && gr.r.src.recast[c.index] {
		natural := a
		a, err = recast.Cast(gr.r.scan.Alloc, natural, c.typ, gr.r.src.schema[c.index].Type)
		natural.Release()
		err = asMisfit(err)
	}
	return a, gr.wrap(c, err, first)
}

func (c stored) read(gr *groupReader, n int) (arrow.Array, error) {
	mem := gr.r.scan.Alloc
	if !c.leafOnly() {
		return c.readNested(mem, n)
	}
	ch := c.chunks[0]
	ch.col.reserve(n)
	if err := ch.flat(n); err != nil {
		return nil, err
	}
	a := ch.col.finish()
	if c.leaf.finish == nil {
		return a, nil
	}
	return c.leaf.finish(mem, a)
}

func (c stored) leafOnly() bool { return c.leaf != nil && !c.leaf.nested }

func (c stored) skip(n int) error {
	for _, ch := range c.chunks {
		skip := ch.skipFlat
		if !c.leafOnly() {
			skip = func(n int) error { return ch.deep(n, true) }
		}
		if err := skip(n); err != nil {
			return err
		}
	}
	return nil
}

// wrap makes an error that users can read, with column and row.
func (gr *groupReader) wrap(c stored, err error, first int64) error {
	if err == nil {
		return nil
	}
	e := &connect.Error{Column: gr.r.src.schema[c.index].Name, Msg: err.Error(), Err: err}
	if m, ok := errors.AsType[*misfit](err); ok {
		e.Line = first + int64(m.row) + 1
		e.Hint = "the file breaks the promise of its schema: write it again"
		if c.typ.Kind == types.String && c.leafOnly() {
			e.Hint = fmt.Sprintf("columns = (%q BYTES) would read it as it is", e.Column)
		}
		if gr.r.src.recast[c.index] {
			e.Hint = "read the column as " + c.typ.String()
		}
		return e
	}
	if _, ok := errors.AsType[*readError](err); !ok {
		e.Hint = "the file is damaged: copy or write it again"
	}
	return e
}

func (gr *groupReader) close() {
	for _, c := range gr.cols {
		for _, ch := range c.chunks {
			ch.release()
		}
	}
}
