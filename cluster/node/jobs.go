package node

import (
	"context"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/exec/exchange/frame"
)

// queries is this node's part in running queries.
type queries struct {
	worker  *jobs.Worker
	gateway *jobs.Gateway
	links   *wire.Pool // for batches: other connections than those that control
}

// startJobs offers the services of queries.
func (n *Node) startJobs(dialer wire.Dialer) {
	q := &n.queries
	q.links = wire.NewPool(dialer, frame.DialOptions()...)
	n.stop.push(func() error { q.links.Close(); return nil })
	q.worker = jobs.NewWorker(jobs.Config{
		Self: n.holder(), Log: n.coord, Alive: n.alive, Dial: n.dial,
		DialLinks: func(addr string) (grpc.ClientConnInterface, error) { return q.links.Get(addr) },
		Store:     n.store.files, Backend: n.store.backend, Opener: n.cfg.Opener, Owners: n.store.placed.Owners,
		Memory: n.cfg.QueryMemory, Alloc: n.cfg.Alloc, Logger: n.log,
	})
	n.stop.push(func() error { q.worker.Close(); return nil })
	q.gateway = jobs.NewGateway(q.worker, jobs.GatewayConfig{Client: n.store.client, Allow: allow, User: userOf})
	n.stop.push(func() error { q.gateway.Close(); return nil })
	scheduler := jobs.NewScheduler(n.coord, n.alive, n.log)
	n.stop.push(func() error { scheduler.Close(); return nil })
	api.RegisterJobsServer(n.server, q.gateway)
	api.RegisterWorkersServer(n.server, &jobs.WorkersService{Worker: q.worker})
	link.Register(n.server, q.worker.Carry)
}

// Worker is what runs this node's parts of queries.
func (n *Node) Worker() *jobs.Worker { return n.queries.worker }

// Gateway is what runs the jobs of this node's clients.
func (n *Node) Gateway() *jobs.Gateway { return n.queries.gateway }

// userOf is who calls.
func userOf(ctx context.Context) string {
	who, _ := ctx.Value(callerKey{}).(identity.Peer)
	return who.Name
}
