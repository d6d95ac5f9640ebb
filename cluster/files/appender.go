package files

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/group"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// appender puts appends together: those that arrive while others are on their way to the disks form the next group, which is
// stored at one place of the ring and named by one entry. Each of them takes effect, or not, by itself.
type appender struct {
	cluster Cluster
	placed  *blocks.Placed
	leases  *leases
	queue   *group.Queue[*adding]
	ctx     context.Context //nolint:containedctx // of all groups: those who wait for one have left others
	cancel  context.CancelFunc
	work    sync.WaitGroup
}

// adding is an append under way.
type adding struct {
	ctx  context.Context //nolint:containedctx // of the call: once it has ended nobody waits for the append
	req  *api.AppendRequest
	blk  namespace.Block
	done chan added // has room for the answer
}

type added struct {
	resp *api.ProposeResponse
	err  error // a status
}

// groups is how many groups are under way at once.
const groups = 4

// mostBytes and mostNames bound a group: the bytes stored, and those of its entry.
const (
	mostBytes = 4 << 20
	mostNames = 512 << 10
)

func newAppender(c Cluster, p *blocks.Placed, l *leases) *appender {
	a := &appender{cluster: c, placed: p, leases: l, queue: group.NewQueue[*adding]()}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	for range groups {
		a.work.Go(a.run)
	}
	return a
}

func (a *appender) close() {
	a.cancel()
	a.queue.Close()
	a.work.Wait()
}

// append waits for a place in a group, and for what comes of it.
func (a *appender) append(ctx context.Context, req *api.AppendRequest) (*api.ProposeResponse, error) {
	// In its group it would have all refused.
	if now := max(time.Now().UnixMicro(), a.cluster.State().Time()); req.GetTimeMicros() > now+coordinator.ClockSlack {
		return nil, status.Error(codes.InvalidArgument, coordinator.ErrClock.Error())
	}
	add := &adding{ctx: ctx, req: req, done: make(chan added, 1)}
	if !a.queue.Put(add) {
		return nil, status.Error(codes.Aborted, "the server is stopping")
	}
	select {
	case d := <-add.done:
		return d.resp, d.err
	case <-ctx.Done():
		return nil, status.FromContextError(ctx.Err()).Err()
	}
}

// weight is of an append in its group, in 1/mostBytes of what fits.
func weight(add *adding) int {
	return len(add.req.GetData()) + (300+len(add.req.GetName()))*(mostBytes/mostNames)
}

func (a *appender) run() {
	for {
		batch := a.queue.Take(mostBytes, weight)
		if batch == nil {
			return
		}
		batch = slices.DeleteFunc(batch, func(add *adding) bool { return add.ctx.Err() != nil })
		if len(batch) == 0 {
			continue
		}
		rest, err := a.store(batch)
		for _, add := range rest {
			add.done <- added{err: err}
		}
	}
}

// store stores a group and has it named. It gives those that were not answered, and what to tell them, a status.
func (a *appender) store(batch []*adding) ([]*adding, error) {
	head, err := a.leases.take(a.ctx)
	if err != nil {
		return batch, status.Error(codes.Aborted, err.Error())
	}
	defer a.leases.give(head.Lease)
	data := make([][]byte, len(batch))
	for i, add := range batch {
		data[i] = add.req.GetData()
	}
	list, holders, err := a.placed.PutSmall(a.ctx, head, data)
	if err != nil {
		if errors.Is(err, blocks.ErrFull) {
			return batch, blocks.StatusOf(err)
		}
		return batch, status.Error(codes.Aborted, err.Error()) // nothing was named: it may be tried elsewhere
	}
	for i, add := range batch {
		add.blk = list[i]
	}
	return a.name(batch, head, holders)
}

// tries is how often servers may come and go between the storing of a group and its being named.
const tries = 4

// name proposes the entry of a group and answers. It gives those that were not answered, and what to tell them.
func (a *appender) name(batch []*adding, head blocks.Head, holders []state.Holder) ([]*adding, error) {
	for range tries {
		resp, err := a.cluster.Propose(a.ctx, a.entry(batch, head.Lease, holders))
		if err != nil {
			return batch, err
		}
		if len(resp.GetBatch()) != len(batch) {
			return batch, status.Error(codes.Unavailable, "the leader has not said what came of each append")
		}
		var rest []*adding
		for i, one := range resp.GetBatch() {
			if one.GetRefusal().GetReason() == namespace.ErrHolders.Error() {
				rest = append(rest, batch[i])
				continue
			}
			if one.GetRefusal().GetReason() == namespace.ErrLeaseEnded.Error() {
				a.leases.ended(head.Lease)
				batch[i].done <- added{err: status.Error(codes.Aborted, "the server's lease has ended")} // it may be sent again
				continue
			}
			one.Index = resp.GetIndex()
			batch[i].done <- added{resp: one}
		}
		if batch = rest; len(batch) == 0 {
			return nil, nil
		}
		if holders, err = a.placed.EnsureAll(a.ctx, head, blocksOfBatch(batch), holders); err != nil {
			return batch, status.Error(codes.Aborted, err.Error())
		}
	}
	return batch, status.Error(codes.Aborted, namespace.ErrHolders.Error())
}

func blocksOfBatch(batch []*adding) []namespace.Block {
	list := make([]namespace.Block, len(batch))
	for i, add := range batch {
		list[i] = add.blk
	}
	return list
}

func (a *appender) entry(batch []*adding, lease uint64, holders []state.Holder) state.Entry {
	all := make([]int, len(holders))
	for i := range all {
		all[i] = i
	}
	e := state.Entry{Kind: state.Batch, Held: state.Held{Nodes: holders}}
	for _, add := range batch {
		e.Batch = append(e.Batch, state.Entry{
			Kind: state.Files, Held: state.Held{Blocks: [][]int{all}},
			Files: namespace.Entry{
				Kind: namespace.Append, Name: add.req.GetName(), Client: add.req.GetClient(), Seq: add.req.GetSeq(), Time: add.req.GetTimeMicros(),
				Lease: lease, Blocks: []namespace.Block{add.blk},
			},
		})
	}
	return e
}
