package files

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// checkedAtOnce is about how many blocks are held against what servers report at once, which takes some 50 bytes each.
const checkedAtOnce = 1 << 20

// silence is for how long a server that checks may say nothing. Reading one block from a slow disk takes a while.
const silence = time.Minute

// Check implements api.FilesServer.
//
// It goes through the ring in one part or several. Of each it takes what files name by then, has all servers read what they have,
// and holds the one against the other. What seems to lack copies may have changed or moved meanwhile: it is looked at again, by the
// newest state, before anything is said about it.
func (s *Service) Check(req *api.FilesCheckRequest, stream grpc.ServerStreamingServer[api.FilesCheckResponse]) error {
	ctx := stream.Context()
	if err := s.cluster.Allow(ctx, identity.Write); err != nil { // it has every disk read, and copies taken out of use
		return err
	}
	st, err := s.latest(ctx)
	if err != nil {
		return err
	}
	c := &checker{s: s, repair: req.GetRepair(), stream: stream, report: &api.FilesCheckReport{}, silent: map[state.ID]string{}}
	count, _ := st.Files().Size()
	parts := uint64(1 + count/checkedAtOnce)
	step := math.MaxUint64/parts + 1 // 0, the whole ring, for one part
	for i := range parts {
		from, to := i*step, (i+1)*step
		if i == parts-1 {
			to = 0
		}
		if err := c.part(ctx, from-1, to-1); err != nil {
			return err
		}
	}
	return stream.Send(c.last())
}

// checker is one check.
type checker struct {
	s      *Service
	repair bool
	stream grpc.ServerStreamingServer[api.FilesCheckResponse]
	report *api.FilesCheckReport
	silent map[state.ID]string // servers that stopped answering, and their names

	mu    sync.Mutex // guards what follows, while servers report
	done  map[state.ID]int64
	total map[state.ID]int64
	told  time.Time
}

// part checks what lies in (from, to] of the ring.
func (c *checker) part(ctx context.Context, from, to uint64) error {
	st, err := c.s.latest(ctx)
	if err != nil {
		return err
	}
	p := &part{checker: c, state: st, view: c.s.placed.ViewOf(st), nodes: running(st), from: from, to: to}
	p.nodes = slices.DeleteFunc(p.nodes, func(n *state.Node) bool { return c.silent[n.ID] != "" })
	p.gather()
	// Who finds damage first has the block got from the others, which then find theirs, maybe before they are asked.
	known := make([]*int64, len(p.nodes))
	each(p.nodes, func(i int, n *state.Node) { known[i] = p.knownBad(ctx, n) })
	errs := make([]error, len(p.nodes))
	each(p.nodes, func(i int, n *state.Node) { errs[i] = p.ask(ctx, i, n, known[i]) })
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, n := range p.nodes {
		if errs[i] != nil {
			c.silent[n.ID] = n.Name
			faults := []*api.FileFault{{Node: n.Name, Reason: "the server does not answer; its copies are not counted: " + status.Convert(errs[i]).Message()}}
			if err := c.stream.Send(&api.FilesCheckResponse{Faults: faults}); err != nil {
				return err
			}
		}
	}
	c.report.Servers = max(c.report.GetServers(), int64(len(p.nodes)))
	faults, err := p.judge(ctx)
	if err != nil {
		return err
	}
	for some := range slices.Chunk(faults, 1000) {
		if err := c.stream.Send(&api.FilesCheckResponse{Faults: some}); err != nil {
			return err
		}
	}
	return nil
}

// last is the last message.
func (c *checker) last() *api.FilesCheckResponse {
	st := c.s.cluster.State()
	c.report.Files = int64(st.Files().Len())
	for n := range st.Nodes() {
		if n.Status == state.Down {
			c.report.Down = append(c.report.Down, n.Name)
		}
	}
	for _, n := range c.done {
		c.report.Bytes += n
	}
	return &api.FilesCheckResponse{Done: c.report.GetBytes(), Total: c.report.GetBytes(), Report: c.report}
}

// tell tells the client how far all servers have come.
func (c *checker) tell(id state.ID, base int64, resp *api.CheckResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done, c.total = map[state.ID]int64{}, map[state.ID]int64{}
	}
	c.done[id], c.total[id] = base+resp.GetDone(), max(resp.GetTotal(), base+resp.GetDone())
	if time.Since(c.told) < 200*time.Millisecond {
		return
	}
	c.told = time.Now()
	msg := &api.FilesCheckResponse{}
	for id := range c.done {
		msg.Done += c.done[id]
		msg.Total += c.total[id]
	}
	_ = c.stream.Send(msg) // the next send that matters says the same
}

// part is the check of a part of the ring.
type part struct {
	*checker
	state    *state.State
	view     *blocks.View
	nodes    []*state.Node
	from, to uint64

	names  []string // of files
	blocks []expected
	words  int      // of whole, for each block
	whole  []uint64 // a bit for each server that has a whole copy
	bad    []damage
}

// expected is a block that a file names.
type expected struct {
	namespace.Block
	file int // index into names
}

// damage is a copy that is not whole.
type damage struct {
	block int // index into blocks
	node  *state.Node
	fault *api.Fault
}

// gather takes the blocks that files name in the part of the ring, in the order of their ids.
func (p *part) gather() {
	for name, f := range p.state.Files().Files("") {
		file := len(p.names)
		for _, b := range f.Blocks.All() {
			if at := place.Position(b.ID); at-p.from-1 > p.to-p.from-1 { // modulo 2^64, as the ring is
				continue
			}
			p.blocks = append(p.blocks, expected{b, file})
		}
		p.names = append(p.names, name)
	}
	slices.SortFunc(p.blocks, func(a, b expected) int { return compareBlock(a.Block, b.ID) })
	p.words = (len(p.nodes) + 63) / 64
	p.whole = make([]uint64, p.words*len(p.blocks))
	p.report.Blocks += int64(len(p.blocks))
}

func (p *part) find(id namespace.BlockID) (int, bool) {
	return slices.BinarySearchFunc(p.blocks, id, func(e expected, id namespace.BlockID) int { return compareBlock(e.Block, id) })
}

func (p *part) set(block, node int)      { p.whole[block*p.words+node/64] |= 1 << (node % 64) }
func (p *part) has(block, node int) bool { return p.whole[block*p.words+node/64]&(1<<(node%64)) != 0 }

// knownBad is how many copies a server has found damaged so far; nil: it does not say.
func (p *part) knownBad(ctx context.Context, n *state.Node) *int64 {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	store, err := p.s.store(p.view, n.ID)
	if err != nil {
		return nil
	}
	u, err := store.Usage(ctx, &api.UsageRequest{})
	if err != nil {
		return nil
	}
	bad := u.GetBad()
	return &bad
}

// ask has a server read what it has, and tell what was found damaged since it knew of so much.
func (p *part) ask(ctx context.Context, i int, n *state.Node, known *int64) error {
	store, err := p.s.store(p.view, n.ID)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	alarm := time.AfterFunc(silence, cancel)
	defer alarm.Stop()
	stream, err := store.Check(ctx, &api.CheckRequest{From: p.from, To: p.to, Bad: known})
	if err != nil {
		return err
	}
	p.mu.Lock()
	base := p.done[n.ID]
	p.mu.Unlock()
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		alarm.Reset(silence)
		whole, err := namespace.UnpackBlocks(resp.GetWhole())
		if err != nil {
			return err
		}
		p.note(i, n, whole, resp.GetFaults())
		p.tell(n.ID, base, resp)
	}
}

// note takes in what a server reports.
func (p *part) note(i int, n *state.Node, whole []namespace.Block, faults []*api.Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range whole {
		k, named := p.find(b.ID)
		switch {
		case !named:
			p.report.Orphans++
			continue
		case p.blocks[k].Block != b: // no damage would do that, but another block of this id
			p.bad = append(p.bad, damage{k, n, &api.Fault{Reason: "it is another block than the file names"}})
			continue
		}
		p.set(k, i)
		p.report.Copies++
		if !slices.Contains(p.view.Owners(place.Position(b.ID)), [16]byte(n.ID)) {
			p.report.Surplus++
		}
	}
	for _, f := range faults {
		if k, named := p.find(namespace.BlockID(f.GetBlock())); named && len(f.GetBlock()) == len(namespace.BlockID{}) {
			p.bad = append(p.bad, damage{k, n, f})
		}
	}
}
