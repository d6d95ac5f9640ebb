package files

import (
	"context"
	"slices"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// What is with a copy of a block on a server.
const (
	CopyHere    = "here"
	CopyMissing = "missing"  // it belongs there
	CopyUnknown = "unknown"  // it belongs there, and the server does not answer
	CopyExtra   = "stand-in" // it is there and belongs elsewhere
)

// askedAtOnce is about how many blocks servers are asked at once.
const askedAtOnce = 4096

// Locate implements api.FilesServer.
func (s *Service) Locate(req *api.LocateRequest, stream grpc.ServerStreamingServer[api.LocateResponse]) error {
	ctx := stream.Context()
	if err := s.cluster.Allow(ctx, identity.Read); err != nil {
		return err
	}
	st, err := s.latest(ctx)
	if err != nil {
		return err
	}
	f, ok := st.Files().Get(req.GetName())
	if !ok {
		return nil
	}
	if err := stream.Send(&api.LocateResponse{File: Message(req.GetName(), f)}); err != nil {
		return err
	}
	l := &locator{s: s, view: s.placed.ViewOf(st), nodes: running(st), silent: map[state.ID]bool{}}
	var list []namespace.Block
	off := int64(0)
	send := func() error {
		for i, resp := range l.locate(ctx, list) {
			resp.Offset = off
			off += int64(list[i].Length)
			if err := stream.Send(resp); err != nil {
				return err
			}
		}
		list = list[:0]
		return ctx.Err()
	}
	for _, b := range f.Blocks.All() {
		if list = append(list, b); len(list) == askedAtOnce {
			if err := send(); err != nil {
				return err
			}
		}
	}
	return send()
}

// locator finds out who has blocks.
type locator struct {
	s      *Service
	view   *blocks.View
	nodes  []*state.Node
	silent map[state.ID]bool // did not answer, and are not asked again
}

// locate finds out who has each of some blocks.
func (l *locator) locate(ctx context.Context, list []namespace.Block) []*api.LocateResponse {
	if len(list) == 0 {
		return nil
	}
	answers := make([][]bool, len(l.nodes)) // nil: no answer
	each(l.nodes, func(i int, n *state.Node) {
		if l.silent[n.ID] {
			return
		}
		ask, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		answers[i], _ = l.s.placed.Have(ask, l.view, n.ID, list, false) // no answer is one, too
	})
	has := map[state.ID][]bool{}
	for i, n := range l.nodes {
		if has[n.ID] = answers[i]; answers[i] == nil {
			l.silent[n.ID] = true
		}
	}
	found := make([]*api.LocateResponse, len(list))
	for i, b := range list {
		found[i] = l.copies(b, func(id state.ID) (here, known bool) {
			answer := has[id]
			return answer != nil && answer[i], answer != nil
		})
	}
	return found
}

// copies lists the copies of a block: first those of its owners in the order of the ring, whether they are there or not, then others.
func (l *locator) copies(b namespace.Block, has func(state.ID) (here, known bool)) *api.LocateResponse {
	at := place.Position(b.ID)
	owners := l.view.Owners(at)
	next := nextPositions(l.view.Ring(), at, len(owners))
	resp := &api.LocateResponse{Block: blocks.Message(b), Position: at}
	add := func(id state.ID, owner bool, what string) {
		c := &api.Copy{Node: id[:], Name: l.view.Name(id), Owner: owner, State: what}
		if pos, ok := next[id]; ok {
			c.Position = &pos
		}
		resp.Copies = append(resp.Copies, c)
	}
	for _, id := range owners {
		what := CopyMissing
		switch here, known := has(id); {
		case here:
			what = CopyHere
		case !known:
			what = CopyUnknown
		}
		add(id, true, what)
	}
	var others []state.ID
	for _, n := range l.nodes {
		if here, _ := has(n.ID); here && !slices.Contains(owners, [16]byte(n.ID)) {
			others = append(others, n.ID)
		}
	}
	if len(others) > 0 {
		next = nextPositions(l.view.Ring(), at, len(l.view.Ring().Nodes()))
	}
	for _, id := range others {
		add(id, false, CopyExtra)
	}
	return resp
}
