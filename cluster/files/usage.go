package files

import (
	"cmp"
	"context"
	"slices"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/ring"
)

// Usage implements api.FilesServer. It goes by this server's own copy of the log: who looks at servers may do so because they have no
// leader.
func (s *Service) Usage(ctx context.Context, _ *api.FilesUsageRequest) (*api.FilesUsageResponse, error) {
	if err := s.cluster.Allow(ctx, identity.Read); err != nil {
		return nil, err
	}
	st := s.cluster.State()
	v := s.placed.ViewOf(st)
	shares := v.Ring().Shares()
	resp := &api.FilesUsageResponse{Index: st.Index(), Files: int64(st.Files().Len())}
	resp.Blocks, resp.Bytes = st.Files().Size()
	var nodes []*state.Node
	for n := range st.Nodes() {
		if n.Status != state.Evicted {
			nodes = append(nodes, n)
		}
	}
	slices.SortStableFunc(nodes, func(a, b *state.Node) int { return cmp.Compare(a.Name, b.Name) })
	resp.Servers = make([]*api.ServerUsage, len(nodes))
	each(nodes, func(i int, n *state.Node) {
		u := &api.ServerUsage{Node: n.ID[:], Name: n.Name, Status: n.Status.String(), Share: shares[n.ID]}
		if n.Ring {
			u.Positions = ring.Positions
		}
		resp.Servers[i] = u
		store, err := s.store(v, n.ID)
		if err != nil || n.Status == state.Down {
			return
		}
		ask, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		if got, err := store.Usage(ask, &api.UsageRequest{}); err == nil {
			u.Usage = got
		}
	})
	return resp, ctx.Err()
}
