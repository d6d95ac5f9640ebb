package files

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/ring"
)

// askTime is how long a server is waited for that is asked something small.
const askTime = 3 * time.Second

// latest is a state with all that was acknowledged before.
func (s *Service) latest(ctx context.Context) (*state.State, error) {
	pin, err := s.cluster.Pin(ctx, &api.PinRequest{Session: rand.Uint64(), End: true}) // for the index alone
	if err != nil {
		return nil, err
	}
	return s.waitApplied(ctx, pin.GetIndex())
}

// waitApplied waits for an index of the log, but not long: another server may be further.
func (s *Service) waitApplied(ctx context.Context, index uint64) (*state.State, error) {
	wait, cancel := context.WithTimeout(ctx, openTime)
	defer cancel()
	st, err := s.cluster.WaitApplied(wait, index)
	if err != nil {
		return nil, status.Errorf(codes.Aborted, "this server is behind in the log: %v", err)
	}
	return st, nil
}

// running are the servers that may answer: all but those that the log holds dead, and those that are gone.
func running(st *state.State) []*state.Node {
	var list []*state.Node
	for n := range st.Nodes() {
		if n.Status != state.Down && n.Status != state.Evicted {
			list = append(list, n)
		}
	}
	return list
}

// each asks servers, all at once, and waits for them.
func each(nodes []*state.Node, ask func(i int, n *state.Node)) {
	var work sync.WaitGroup
	for i, n := range nodes {
		work.Go(func() { ask(i, n) })
	}
	work.Wait()
}

// store is the block store of a server.
func (s *Service) store(v *blocks.View, id state.ID) (api.BlocksClient, error) {
	conn, err := s.placed.Conn(v, id)
	if err != nil {
		return nil, err
	}
	return api.NewBlocksClient(conn), nil
}

// nextPositions are, for each server, its first position on the ring from a place on: of the n servers that the ring comes to first.
func nextPositions(r *ring.Ring, at uint64, n int) map[state.ID]uint64 {
	next := map[state.ID]uint64{}
	for _, p := range r.Successors(at-1, n) {
		if _, known := next[p.Node]; !known {
			next[p.Node] = p.At
		}
	}
	return next
}
