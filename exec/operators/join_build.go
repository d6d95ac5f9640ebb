package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// built is the build side of a join: its rows, found by key. A row with a NULL
// in a key that NULL does not equal has no partner, and is held only where
// rows without partner are yielded.
type built struct {
	env     *op.Env
	table   *groupTable
	buffer  rowBuffer
	group   []int32 // of each row held, until finish
	columns []arrow.Array
	from    []int32 // where a group's rows begin in order
	order   []int32 // rows, group by group
	matched []bool  // rows that had a partner, where that is asked
	seen    int     // rows with a key, held or not
}

func (t *built) open(env *op.Env) {
	t.env, t.buffer.mem = env, env.Alloc
	t.table = newGroupTable(env.Alloc, nil)
}

// rows is how many there are to find.
func (t *built) rows() int { return t.seen + t.buffer.rows }

func (t *built) bytes() int64 {
	return t.table.bytes() + t.buffer.bytes + 4*int64(cap(t.group)+cap(t.from)+cap(t.order)) + int64(cap(t.matched))
}

// add takes the rows of b that count; keys are theirs. Without keep only the
// keys are held; all asks for rows without a key too.
func (t *built) add(b *op.Batch, keys []arrow.Array, nullSafe []bool, keep, all bool) error {
	n := b.Len()
	usable := withKey(keys, nullSafe, n)
	rows := usable
	if rows == nil || all {
		rows = upTo(n)
	}
	groups := make([]int32, len(rows))
	if usable == nil {
		if err := t.number(keys, n, groups); err != nil {
			return err
		}
	} else {
		dense := make([]arrow.Array, 0, len(keys))
		defer func() { vec.ReleaseAll(dense) }()
		for _, k := range keys {
			d, err := vec.Take(t.env.Alloc, k, usable)
			if err != nil {
				return err
			}
			dense = append(dense, d)
		}
		found := make([]int32, len(usable))
		if err := t.number(dense, len(usable), found); err != nil {
			return err
		}
		if all {
			for i := range groups {
				groups[i] = noGroup
			}
			for i, r := range usable {
				groups[r] = found[i]
			}
		} else {
			groups = found
		}
	}
	if !keep {
		t.seen += len(rows)
		return nil
	}
	t.group = append(t.group, groups...)
	for i, r := range rows {
		rows[i] = rowAt(b.Sel, int(r))
	}
	return t.buffer.addRows(b, rows)
}

func (t *built) number(keys []arrow.Array, n int, out []int32) error {
	groups := make([]uint32, n)
	if err := t.table.group(keys, n, groups); err != nil {
		return err
	}
	for i, g := range groups {
		out[i] = int32(g)
	}
	return nil
}

// withKey lists the rows whose keys can have a partner; nil: all.
func withKey(keys []arrow.Array, nullSafe []bool, n int) []int32 {
	some := false
	for i, k := range keys {
		some = some || !nullSafe[i] && !vec.ValidityOf(k).None()
	}
	if !some {
		return nil
	}
	rows := make([]int32, 0, n)
	for i := range n {
		if hasKey(keys, nullSafe, i) {
			rows = append(rows, int32(i))
		}
	}
	return rows
}

func hasKey(keys []arrow.Array, nullSafe []bool, row int) bool {
	for i, k := range keys {
		if !nullSafe[i] && vec.ValidityOf(k).Null(row) {
			return false
		}
	}
	return true
}

// finish orders the rows by group, once all are there.
func (t *built) finish() (err error) {
	if t.columns, err = t.buffer.merge(); err != nil {
		return err
	}
	t.from = make([]int32, t.table.len()+1)
	for _, g := range t.group {
		if g != noGroup {
			t.from[g+1]++
		}
	}
	for g := range t.table.len() {
		t.from[g+1] += t.from[g]
	}
	next := append([]int32(nil), t.from...)
	t.order = make([]int32, t.from[t.table.len()])
	for r, g := range t.group {
		if g != noGroup {
			t.order[next[g]] = int32(r)
			next[g]++
		}
	}
	t.group = nil
	return nil
}

// mark begins to note which rows have had a partner.
func (t *built) mark() { t.matched = make([]bool, t.buffer.rows) }

// find writes the group of each of n probe rows to out, or noGroup.
func (t *built) find(keys []arrow.Array, n int, nullSafe []bool, out []int32) {
	t.table.find(keys, n, out)
	for i, k := range keys {
		if null := vec.ValidityOf(k); !nullSafe[i] && !null.None() {
			for r := range n {
				if null.Null(r) {
					out[r] = noGroup
				}
			}
		}
	}
}

// partners are the rows of a group, in the order in which they came.
func (t *built) partners(g int32) []int32 {
	if g == noGroup || int(g) >= len(t.from)-1 {
		return nil
	}
	return t.order[t.from[g]:t.from[g+1]]
}

// take gathers rows of a column; -1 gives NULL.
func (t *built) take(all []types.Type, column int, rows []int32) (arrow.Array, error) {
	if t.columns == nil {
		return nullsOf(t.env, all[column], len(rows)), nil
	}
	return vec.Take(t.env.Alloc, t.columns[column], rows)
}

func (t *built) close() {
	t.buffer.release()
	t.columns = nil
	if t.table != nil {
		t.table.reset()
	}
}

// pairs are rows of both sides that may belong together: probe rows as
// positions among those that count, build rows or -1.
type pairs struct{ probe, build, rows []int32 }

func (p *pairs) add(probe, build int32) {
	p.probe, p.build = append(p.probe, probe), append(p.build, build)
}

func (p *pairs) len() int { return len(p.probe) }

func (p *pairs) reset() { p.probe, p.build = p.probe[:0], p.build[:0] }

// keep leaves the pairs at the given positions.
func (p *pairs) keep(sel []int32) {
	for i, s := range sel {
		p.probe[i], p.build[i] = p.probe[s], p.build[s]
	}
	p.probe, p.build = p.probe[:len(sel)], p.build[:len(sel)]
}

// probeRows are the probe rows as rows of their batch. The slice is valid until the next call.
func (p *pairs) probeRows(sel []int32) []int32 {
	if sel == nil {
		return p.probe
	}
	p.rows = grow(p.rows, len(p.probe))
	for i, r := range p.probe {
		p.rows[i] = sel[r]
	}
	return p.rows
}
