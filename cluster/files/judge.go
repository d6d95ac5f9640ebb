package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// suspect is a block of which too few copies were found.
type suspect struct {
	block  int        // index into the part's blocks
	whole  []state.ID // who has a whole copy
	needed int
	wrong  error // why there are no more, if that was tried
}

// lacks tells whether it still lacks copies.
func (u *suspect) lacks() bool { return len(u.whole) < u.needed }

// judge tells what is wrong, and mends it if it is to.
func (p *part) judge(ctx context.Context) ([]*api.FileFault, error) {
	list := p.suspects()
	list, err := p.lookAgain(ctx, list)
	if err != nil {
		return nil, err
	}
	before := map[int]int{}
	for _, u := range list {
		before[u.block] = len(u.whole)
	}
	if p.repair {
		p.mend(ctx, list)
	}
	lacking := map[int]bool{}
	for _, u := range list {
		lacking[u.block] = u.lacks()
	}
	bad, err := p.badStillNamed(ctx)
	if err != nil {
		return nil, err
	}
	var faults []*api.FileFault
	for _, d := range bad {
		b := p.blocks[d.block]
		faults = append(faults, &api.FileFault{
			File: p.names[b.file], Block: b.ID[:], Node: d.node.Name, Path: d.fault.GetPath(), Offset: d.fault.GetOffset(), Reason: d.fault.GetReason(),
			Repaired: !lacking[d.block],
		})
	}
	faults = append(faults, p.tooFew(list, before)...)
	slices.SortStableFunc(faults, func(a, b *api.FileFault) int { return cmp.Compare(a.GetFile(), b.GetFile()) })
	return faults, ctx.Err()
}

// badStillNamed gives the damaged copies of blocks that still are of a file.
func (p *part) badStillNamed(ctx context.Context) ([]damage, error) {
	if len(p.bad) == 0 {
		return nil, nil
	}
	st, err := p.s.latest(ctx)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(p.bad, func(a, b damage) int { return cmp.Compare(a.block, b.block) })
	ids := make([]namespace.Block, 0, len(p.bad))
	for _, d := range p.bad {
		ids = append(ids, p.blocks[d.block].Block)
	}
	ids = slices.CompactFunc(ids, func(a, b namespace.Block) bool { return a.ID == b.ID })
	named := nameBlocks(st.Files(), ids)
	return slices.DeleteFunc(p.bad, func(d damage) bool {
		i, _ := slices.BinarySearchFunc(ids, p.blocks[d.block].ID, compareBlock)
		return named[i].name == ""
	}), nil
}

// suspects are the blocks of which servers reported too few whole copies.
func (p *part) suspects() []*suspect {
	var list []*suspect
	needed := p.view.Needed()
	for k := range p.blocks {
		count := 0
		for i, n := range p.nodes {
			if p.has(k, i) && p.silent[n.ID] == "" {
				count++
			}
		}
		if count < needed {
			list = append(list, &suspect{block: k})
		}
	}
	return list
}

// Blocks that seem to lack copies are looked at so often, with a pause: a copy that is on its way is here neither the
// first time nor there.
const (
	looks     = 3
	lookPause = time.Second
)

// lookAgain gives those of some blocks that still are of a file, and of which there still are too few copies.
func (p *part) lookAgain(ctx context.Context, list []*suspect) ([]*suspect, error) {
	for look := range looks {
		if len(list) == 0 {
			return nil, nil
		}
		if look > 0 {
			select {
			case <-time.After(lookPause):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		}
		st, err := p.s.latest(ctx)
		if err != nil {
			return nil, err
		}
		if list = p.stillNamed(st, list); len(list) > 0 {
			p.count(ctx, st, list)
		}
		list = slices.DeleteFunc(list, func(u *suspect) bool { return !u.lacks() })
	}
	return list, ctx.Err()
}

func (p *part) stillNamed(st *state.State, list []*suspect) []*suspect {
	ids := make([]namespace.Block, len(list))
	for i, u := range list {
		ids[i] = p.blocks[u.block].Block
	}
	var left []*suspect
	for i, at := range nameBlocks(st.Files(), ids) {
		if at.name == "" {
			continue
		}
		u := list[i]
		if k := p.blocks[u.block].file; p.names[k] != at.name { // it has another name by now
			p.names = append(p.names, at.name)
			p.blocks[u.block].file = len(p.names) - 1
		}
		left = append(left, u)
	}
	return left
}

// count asks all servers who has whole copies. What they have read during the check they need not read again.
func (p *part) count(ctx context.Context, st *state.State, list []*suspect) {
	view := p.s.placed.ViewOf(st)
	for _, u := range list {
		u.whole, u.needed = nil, view.Needed()
	}
	var mu sync.Mutex
	each(running(st), func(_ int, n *state.Node) {
		if p.silent[n.ID] != "" {
			return
		}
		i := slices.IndexFunc(p.nodes, func(m *state.Node) bool { return m.ID == n.ID })
		var known, fresh []*suspect
		for some := range slices.Chunk(list, askedAtOnce) {
			for _, u := range p.have(ctx, view, n.ID, some, false) {
				if i >= 0 && p.has(u.block, i) {
					known = append(known, u)
				} else {
					fresh = append(fresh, u)
				}
			}
		}
		for some := range slices.Chunk(fresh, 16) { // each may be of 64 MB
			known = append(known, p.have(ctx, view, n.ID, some, true)...)
		}
		mu.Lock()
		defer mu.Unlock()
		for _, u := range known {
			u.whole = append(u.whole, n.ID)
		}
	})
}

// have gives those of some blocks that a server has; one that does not answer has none.
func (p *part) have(ctx context.Context, v *blocks.View, id state.ID, list []*suspect, read bool) []*suspect {
	ask := make([]namespace.Block, len(list))
	for i, u := range list {
		ask[i] = p.blocks[u.block].Block
	}
	limit := askTime
	if read {
		limit = silence
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	answer, err := p.s.placed.Have(ctx, v, id, ask, read)
	if err != nil {
		return nil
	}
	var has []*suspect
	for i, ok := range answer {
		if ok {
			has = append(has, list[i])
		}
	}
	return has
}

// tooFew says of which files there are too few copies: once for all blocks of a file with which it is the same.
func (p *part) tooFew(list []*suspect, before map[int]int) []*api.FileFault {
	type kind struct {
		file        int
		had, needed int
		mended      bool
		complaint   string
	}
	blocksOf := map[kind][]int{}
	var order []kind
	for _, u := range list {
		k := kind{file: p.blocks[u.block].file, had: before[u.block], needed: u.needed, mended: !u.lacks()}
		if u.wrong != nil {
			k.complaint = u.wrong.Error()
		}
		if blocksOf[k] == nil {
			order = append(order, k)
		}
		blocksOf[k] = append(blocksOf[k], u.block)
	}
	var faults []*api.FileFault
	for _, k := range order {
		blocks := blocksOf[k]
		f := &api.FileFault{File: p.names[k.file], Repaired: k.mended}
		what := "it has"
		if len(blocks) == 1 {
			id := p.blocks[blocks[0]].ID
			f.Block = id[:]
		} else {
			what = fmt.Sprintf("%d blocks have", len(blocks))
		}
		switch {
		case k.had > 0:
			f.Reason = fmt.Sprintf("%s %d whole copies of %d", what, k.had, k.needed)
			if k.had == 1 {
				f.Reason = fmt.Sprintf("%s 1 whole copy of %d", what, k.needed)
			}
		case len(p.silent) > 0 || p.anyDown():
			f.Reason = what + " no whole copy on the servers that answer"
		default:
			f.Reason = what + " no whole copy any more"
		}
		if k.complaint != "" {
			f.Reason += "; " + k.complaint
		}
		faults = append(faults, f)
	}
	return faults
}

// anyDown tells whether the log holds servers dead that may come back.
func (p *part) anyDown() bool {
	for n := range p.state.Nodes() {
		if n.Status == state.Down {
			return true
		}
	}
	return false
}

// Bounds of repairs.
const (
	menders  = 4
	mendTime = 64 * time.Second // for one block: 64 MB at 1 MB a second
)

// mend has servers get the copies that lack: the owners, then those that stand in for them.
func (p *part) mend(ctx context.Context, list []*suspect) {
	queue := make(chan *suspect)
	var work sync.WaitGroup
	for range min(menders, len(list)) {
		work.Go(func() {
			for u := range queue {
				p.mendOne(ctx, u)
			}
		})
	}
	for _, u := range list {
		queue <- u
	}
	close(queue)
	work.Wait()
}

func (p *part) mendOne(ctx context.Context, u *suspect) {
	if len(u.whole) == 0 {
		return
	}
	b := p.blocks[u.block].Block
	v := p.s.placed.View()
	req := &api.FetchRequest{Head: &api.PutHead{Epoch: v.Epoch()}, Block: blocks.Message(b)}
	for _, id := range u.whole {
		req.From = append(req.From, id[:])
	}
	for target := range v.Targets(place.Position(b.ID)) {
		id := state.ID(target)
		if !u.lacks() || ctx.Err() != nil {
			return
		}
		if slices.Contains(u.whole, id) {
			continue
		}
		store, err := p.s.store(v, id)
		if err == nil {
			limited, cancel := context.WithTimeout(ctx, mendTime)
			_, err = store.Fetch(limited, req)
			cancel()
		}
		if err == nil {
			err = p.confirm(ctx, v, id, b)
		}
		if err != nil {
			u.wrong = fmt.Errorf("%s: %s", v.Name(id), status.Convert(err).Message())
			continue
		}
		u.whole = append(u.whole, id)
	}
}

// confirm has a server read from its disk the copy that it got.
func (p *part) confirm(ctx context.Context, v *blocks.View, id state.ID, b namespace.Block) error {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	has, err := p.s.placed.Have(ctx, v, id, []namespace.Block{b}, true)
	if err == nil && !has[0] {
		err = errors.New("it cannot read the copy that it got")
	}
	return err
}
