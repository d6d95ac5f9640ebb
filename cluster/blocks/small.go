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

// said is what came of storing a group on a server.
type said struct {
	node   state.ID
	holder state.Holder
	err    error
}

// putGroup sends a group to the servers that should have it, and to further ones in place of those that fail or are slow.
func (p *Placed) putGroup(ctx context.Context, h Head, pos uint64, small []Small) ([]state.Holder, error) {
	v := p.View()
	h.Epoch = v.Epoch()
	var targets []state.ID
	for id := range v.Targets(pos) {
		targets = append(targets, id)
	}
	answers := make(chan said, len(targets))
	under := 0
	send := func() bool {
		if len(targets) == 0 {
			return false
		}
		id := targets[0]
		targets = targets[1:]
		under++
		go func() {
			n, err := p.putMessages(ctx, v, id, h, small)
			answers <- said{id, n, err}
		}()
		return true
	}
	needed := v.Needed()
	for range needed {
		send()
	}
	slow := time.NewTimer(p.slow)
	defer slow.Stop()
	var holders []state.Holder
	var complaints []string
	full := true // all that could not had no room
	for len(holders) < needed && under > 0 {
		select {
		case a := <-answers:
			under--
			if a.err == nil {
				holders = append(holders, a.holder)
				continue
			}
			full = full && errors.Is(a.err, ErrFull)
			complaints = append(complaints, fmt.Sprintf("%s: %v", v.Name(a.node), a.err))
			send()
		case <-slow.C: // those that have not answered may yet; meanwhile as many others are asked
			for range needed - len(holders) {
				send()
			}
			slow.Reset(p.slow)
			if len(targets) == 0 {
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

// putMessages stores a group on a server, in as many messages as it takes.
func (p *Placed) putMessages(ctx context.Context, v *View, id state.ID, h Head, small []Small) (holder state.Holder, err error) {
	for len(small) > 0 {
		n, size := 0, 0
		for n < len(small) && (n == 0 || size+len(small[n].Data) <= mostGroup) {
			size += len(small[n].Data) + 64
			n++
		}
		if holder, err = p.putSmall(ctx, v, id, h, small[:n]); err != nil {
			return holder, err
		}
		small = small[n:]
	}
	return holder, nil
}
