package blocks

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// mostGroup bounds the bytes of small blocks that one message takes.
const mostGroup = 1 << 20

// PutSmall stores small blocks together: all at one place of the ring, drawn anew each time, so that each of their servers writes
// and syncs them at once. It gives the blocks in the order of data, and who has them: as many as must, or the error
// matches ErrTooFew. It keeps no reference to data.
func (p *Placed) PutSmall(ctx context.Context, h Head, data [][]byte) ([]namespace.Block, []state.Holder, error) {
	pos := place.Position(block.NewID())
	small := make([]Small, len(data))
	blocks := make([]namespace.Block, len(data))
	copied := slices.Concat(data...) // servers that are slow may still be sent it when the caller has it back
	for i, d := range data {
		d, copied = copied[:len(d):len(d)], copied[len(d):]
		id := block.NewID()
		binary.BigEndian.PutUint64(id[:8], pos)
		blocks[i] = namespace.Block{ID: id, Length: uint32(len(d)), CRC: checksum(d)}
		small[i] = Small{Block: blocks[i], Data: d}
	}
	before := p.log.State()
	holders, err := p.putGroup(ctx, h, pos, small)
	for end := time.Now().Add(membersWait); errors.Is(err, ErrTooFew) && !errors.Is(err, ErrFull) && p.membersChange(ctx, before, end); {
		before = p.log.State()
		holders, err = p.putGroup(ctx, h, pos, small) // those that have them already write nothing
	}
	return blocks, holders, err
}

// group is small blocks on their way to the servers that should have them. It is used by one goroutine.
type group struct {
	p       *Placed
	view    *View
	head    Head
	small   []Small
	targets []state.ID // not asked yet
	passed  []state.ID // passed over: they are late with other groups
	under   int        // asked, and have not answered
	answers chan said  // has room for all
}

// said is what came of storing a group on a server.
type said struct {
	node   state.ID
	holder state.Holder
	err    error
}

// lateTimes is how long a group that is complete stays on its way to servers that are late with it, in multiples of how long they may keep it
// waiting: a copy that comes a bit late is as good as another.
const lateTimes = 4

// putGroup sends a group to the servers that should have it, and to further ones in place of those that fail or are slow.
func (p *Placed) putGroup(ctx context.Context, h Head, pos uint64, small []Small) ([]state.Holder, error) {
	v := p.View()
	h.Epoch = v.Epoch()
	g := &group{p: p, view: v, head: h, small: small}
	for id := range v.Targets(pos) {
		g.targets = append(g.targets, id)
	}
	g.answers = make(chan said, len(g.targets))
	ctx, cancel := context.WithCancel(ctx)
	holders, err := g.put(ctx)
	if g.under == 0 || err != nil {
		cancel()
	} else {
		time.AfterFunc(lateTimes*p.slow, cancel) // ctx may be that of the server: who never answers would keep the group for ever
	}
	return holders, err
}

// put stores the group on as many servers as must have it. Others may be under way when it returns.
func (g *group) put(ctx context.Context) ([]state.Holder, error) {
	needed := g.view.Needed()
	for range needed {
		g.send(ctx)
	}
	slow := time.NewTimer(g.p.slow)
	defer slow.Stop()
	var holders []state.Holder
	var complaints []string
	full := true // all that could not had no room
	for len(holders) < needed && g.under > 0 {
		select {
		case a := <-g.answers:
			g.under--
			if a.err == nil {
				holders = append(holders, a.holder)
				continue
			}
			full = full && errors.Is(a.err, ErrFull)
			complaints = append(complaints, fmt.Sprintf("%s: %v", g.view.Name(a.node), a.err))
			g.send(ctx)
		case <-slow.C: // those that have not answered may yet; meanwhile as many others are asked
			for range needed - len(holders) {
				g.send(ctx)
			}
			slow.Reset(g.p.slow)
			if len(g.targets)+len(g.passed) == 0 {
				slow.Stop()
			}
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if len(holders) < needed && full && len(complaints) > 0 {
		return nil, fmt.Errorf("%w: %w: %s", ErrTooFew, ErrFull, strings.Join(complaints, "; "))
	}
	if len(holders) < needed {
		return nil, fmt.Errorf("%w: %d of %d have it: %s", ErrTooFew, len(holders), needed, strings.Join(complaints, "; "))
	}
	return holders, nil
}

// send sends the group to one more server, if there is one: one that is late only where there is no other.
func (g *group) send(ctx context.Context) {
	for ; len(g.targets) > 0; g.targets = g.targets[1:] {
		id := g.targets[0]
		if end, ok := g.p.late.begin(id, g.p.slow, false); ok {
			g.targets = g.targets[1:]
			g.ask(ctx, id, end)
			return
		}
		g.passed = append(g.passed, id)
	}
	if len(g.passed) > 0 {
		id := g.passed[0]
		g.passed = g.passed[1:]
		end, _ := g.p.late.begin(id, g.p.slow, true)
		g.ask(ctx, id, end)
	}
}

func (g *group) ask(ctx context.Context, id state.ID, end func(error)) {
	g.under++
	go func() {
		n, err := g.p.putMessages(ctx, g.view, id, g.head, g.small)
		end(err)
		g.answers <- said{id, n, err}
	}()
}

// putMessages stores a group on a server, in as many messages as it takes: all on that server, in one start of it.
func (p *Placed) putMessages(ctx context.Context, v *View, id state.ID, h Head, small []Small) (state.Holder, error) {
	var holder state.Holder
	for first := true; len(small) > 0; first = false {
		n, size := 0, 0
		for n < len(small) && (n == 0 || size+len(small[n].Data) <= mostGroup) {
			size += len(small[n].Data) + 64
			n++
		}
		who, err := p.putSmall(ctx, v, id, h, small[:n])
		switch {
		case err != nil:
			return state.Holder{}, err
		case !first && who != holder: // its disk may be another, without what came before
			return state.Holder{}, errors.New("it was started anew meanwhile")
		}
		holder, small = who, small[n:]
	}
	return holder, nil
}
