package node

import (
	"context"
	"errors"
	"sync/atomic"

	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/upkeep"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// fileStore is this node's part in the file store.
type fileStore struct {
	local   *blocks.Local
	placed  *blocks.Placed
	pins    *files.Horizon // of readers, while this node leads
	client  *client.Client // of the cluster, by way of this node
	files   *sdfs.Store
	backend *files.Backend // of files
	upkeep  *upkeep.Upkeep

	started atomic.Pointer[upkeep.Upkeep] // upkeep, for those who may be sooner than it
}

// poke has the upkeep look, if it is there: a copy was found damaged, or is missing.
func (s *fileStore) poke() {
	if u := s.started.Load(); u != nil {
		u.Poke()
	}
}

// holder is this start of the node as the log has it.
func (n *Node) holder() state.Holder {
	return state.Holder{Node: n.self.id, Incarnation: n.self.incarnation}
}

// openBlocks opens the block store. Nothing may be written to it before there is a coordinator.
func (n *Node) openBlocks() (err error) {
	s := &n.store
	s.local, err = blocks.OpenLocal(n.ctx, blocks.LocalConfig{
		FS: n.cfg.FS, Self: n.holder(), Log: nodeLog{n}, SpareBytes: n.cfg.SpareBytes,
		Lost: func(id namespace.BlockID) {
			n.log.Warn("a copy of a block is damaged, and was taken out of use", zap.Stringer("block", id))
			s.poke()
		},
	})
	if err == nil {
		n.stop.push(s.local.Close)
	}
	return err
}

// nodeLog is the node's coordinator, once it is there.
type nodeLog struct{ n *Node }

func (l nodeLog) State() *state.State { return l.n.coord.State() }

func (l nodeLog) WaitApplied(ctx context.Context, index uint64) (*state.State, error) {
	return l.n.coord.WaitApplied(ctx, index)
}

// startStore offers the services of the file store.
func (n *Node) startStore(dialer wire.Dialer) {
	s := &n.store
	s.placed = blocks.NewPlaced(blocks.PlacedConfig{
		Local: s.local, Views: &blocks.Views{}, Dial: n.dial, Logger: n.log, Want: func(namespace.Block) { s.poke() },
	})
	s.pins = files.NewHorizon(n.coord)
	s.client = client.New(client.Config{Addrs: []string{n.addr}, Dialer: dialer})
	own := files.New(s.client, files.OnServer(s.placed))
	s.backend = own
	s.files = sdfs.New(own, sdfs.Sizes{Block: blocks.MaxBlock, Small: files.Sizes.Small, Merge: files.Sizes.Merge})
	n.stop.push(func() error { s.close(); return nil })
	n.stop.push(func() error { s.client.Close(); return nil }) // a node that is killed tells nobody
	service := files.NewService(storeCluster{n}, s.placed, own, s.files)
	n.stop.push(func() error { service.Close(); return nil })
	s.upkeep = upkeep.Start(upkeep.Config{
		Self: n.holder(), Log: n.coord, Placed: s.placed, MayFree: n.mayFree, Drained: n.drained, RepairBytes: n.cfg.RepairBytes, Fatal: n.cfg.OnFatal, Logger: n.log,
		Merge: func(ctx context.Context, name string) error {
			_, err := s.files.MergeSmall(ctx, name)
			return err
		},
	})
	s.started.Store(s.upkeep)
	n.stop.push(func() error { s.upkeep.Close(); return nil })
	api.RegisterBlocksServer(n.server, &blocks.Service{Placed: s.placed, Free: s.pins.MayFree, Standing: s.standing})
	api.RegisterFilesServer(n.server, service)
}

// Blocks is where this node writes and reads the blocks of files.
func (n *Node) Blocks() *blocks.Placed { return n.store.placed }

// Upkeep is what this node does for its blocks in the background.
func (n *Node) Upkeep() *upkeep.Upkeep { return n.store.upkeep }

// close ends the store's lease and what it has open; what it has proposed by then counts.
func (s *fileStore) close() { _ = s.files.Close() } // that it was closed before, at most

// standing is what blocks.Service tells of the upkeep.
func (s *fileStore) standing() (missing int64, index uint64) {
	st := s.upkeep.Standing()
	return int64(st.Missing), st.Index
}

// mayFree asks the leader which blocks nobody can want any more.
func (n *Node) mayFree(ctx context.Context, ids []namespace.BlockID, index uint64) ([]bool, error) {
	may, err := n.store.pins.MayFree(ctx, ids, index)
	var elsewhere *coordinator.NotLeaderError
	if !errors.As(err, &elsewhere) || elsewhere.Addr == "" {
		return may, err
	}
	conn, err := n.pool.Get(elsewhere.Addr)
	if err != nil {
		return nil, err
	}
	req := &api.MayFreeRequest{Index: index}
	for _, id := range ids {
		req.Ids = append(req.Ids, id[:])
	}
	resp, err := api.NewBlocksClient(conn).MayFree(ctx, req)
	return resp.GetMay(), err
}

// drained tells the cluster that all this node has is elsewhere, too.
func (n *Node) drained(ctx context.Context) error {
	o, err := n.propose(ctx, state.Entry{Kind: state.Drained, Node: n.self.id, Incarnation: n.self.incarnation}, false)
	if err == nil {
		err = o.refusal
	}
	return err
}

// filled tells whether the node may be counted: it was before, or has all that will belong to it.
func (n *Node) filled(me *state.Node) bool {
	if me.Ring {
		return true
	}
	select {
	case <-n.store.upkeep.Filled():
		return true
	default:
		return false
	}
}

func (n *Node) dial(addr string) (grpc.ClientConnInterface, error) { return n.pool.Get(addr) }

// storeCluster is what the file store needs of this node.
type storeCluster struct{ n *Node }

func (c storeCluster) State() *state.State { return c.n.coord.State() }

func (c storeCluster) WaitApplied(ctx context.Context, index uint64) (*state.State, error) {
	return c.n.coord.WaitApplied(ctx, index)
}

func (c storeCluster) Propose(ctx context.Context, e state.Entry) (*api.ProposeResponse, error) {
	o, err := c.n.propose(ctx, e, false)
	if err != nil {
		return nil, statusOf(err)
	}
	return o.response(), nil
}

func (c storeCluster) Allow(ctx context.Context, need identity.Role) error { return allow(ctx, need) }

// Pin implements files.Cluster.
func (c storeCluster) Pin(ctx context.Context, req *api.PinRequest) (*api.PinResponse, error) {
	n := c.n
	index, err := n.store.pins.Pin(ctx, req)
	var elsewhere *coordinator.NotLeaderError
	if !errors.As(err, &elsewhere) || elsewhere.Addr == "" || req.GetForwarded() {
		return &api.PinResponse{Index: index}, statusOf(err)
	}
	conn, err := n.pool.Get(elsewhere.Addr)
	if err != nil {
		return nil, statusOf(err)
	}
	ctx, cancel := context.WithTimeout(ctx, forwardTime)
	defer cancel()
	resp, err := api.NewFilesClient(conn).Pin(ctx, &api.PinRequest{Session: req.GetSession(), Index: req.GetIndex(), End: req.GetEnd(), Count: req.GetCount(), Forwarded: true})
	if err != nil && status.Code(err) != codes.Aborted {
		err = status.Errorf(codes.Aborted, "node %s, which leads as far as is known here, does not answer: %s", elsewhere.Leader.Short(), status.Convert(err).Message())
	}
	return resp, err
}
