package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/state"
)

// coordinatorService answers for the cluster.
type coordinatorService struct {
	api.UnimplementedCoordinatorServer
	n *Node
}

// nodeService answers for this node.
type nodeService struct {
	api.UnimplementedNodeServer
	n *Node
}

// forwardTime is how long a node waits for the leader in a client's stead: a leader that has stopped is another's place
// soon, and the client tries again.
const forwardTime = 2 * time.Second

// statusOf turns an error into what the wire says of it: whether the request may have been applied is in the code.
func statusOf(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := status.FromError(err); ok {
		return err // the leader's own
	}
	code := codes.Internal
	switch {
	case errors.Is(err, coordinator.ErrUnavailable):
		code = codes.Aborted
	case errors.Is(err, coordinator.ErrUnknown):
		code = codes.Unavailable
	case errors.Is(err, coordinator.ErrNoSpace):
		code = codes.ResourceExhausted
	case errors.Is(err, coordinator.ErrClock), errors.Is(err, state.ErrEntry):
		code = codes.InvalidArgument
	case errors.Is(err, context.DeadlineExceeded):
		code = codes.DeadlineExceeded
	case errors.Is(err, context.Canceled):
		code = codes.Canceled
	}
	return status.Error(code, err.Error())
}

// outcome is what came of an entry, as the wire has it.
type outcome struct {
	index    uint64
	repeated bool
	refusal  error // a *state.Refusal
	file     *api.File
	batch    []outcome
}

func outcomeOf(res state.Result, index uint64) outcome {
	o := outcome{index: index, repeated: res.Repeated, refusal: res.Err}
	if f := res.Files.File; f != nil {
		o.file = files.Message("", f)
	}
	for _, r := range res.Batch {
		o.batch = append(o.batch, outcomeOf(r, index))
	}
	return o
}

func outcomeFrom(r *api.ProposeResponse) outcome {
	o := outcome{index: r.GetIndex(), repeated: r.GetRepeated(), refusal: client.RefusalOf(r.GetRefusal()), file: r.GetFile()}
	for _, part := range r.GetBatch() {
		o.batch = append(o.batch, outcomeFrom(part))
	}
	return o
}

func (o outcome) response() *api.ProposeResponse {
	resp := &api.ProposeResponse{Index: o.index, Repeated: o.repeated, Refusal: refusalMessage(o.refusal), File: o.file}
	for _, part := range o.batch {
		resp.Batch = append(resp.Batch, part.response())
	}
	return resp
}

func refusalMessage(err error) *api.Refusal {
	var r *state.Refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &r):
		return &api.Refusal{Reason: r.Reason.Error(), Name: r.Name, Detail: r.Detail}
	}
	return &api.Refusal{Reason: err.Error()}
}

// refusalIn is the refusal that a status of Join carries, or nil.
func refusalIn(err error) error {
	for _, d := range status.Convert(err).Details() {
		if r, ok := d.(*api.Refusal); ok {
			return client.RefusalOf(r)
		}
	}
	return nil
}

// Propose is described in the .proto file, as are the others.
func (s *coordinatorService) Propose(ctx context.Context, req *api.ProposeRequest) (*api.ProposeResponse, error) {
	e, err := state.Decode(req.GetEntry())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if err := allow(ctx, needed(e.Kind)); err != nil {
		return nil, err
	}
	if e.Kind == state.TokenAdd && s.n.cfg.Certs == nil {
		return nil, status.Error(codes.FailedPrecondition, "tokens need certificates: without them everyone may do everything (rainsql cert)")
	}
	o, err := s.n.propose(ctx, e, req.GetForwarded())
	if err != nil {
		return nil, statusOf(err)
	}
	return o.response(), nil
}

// needed is the role that may propose a kind of entry.
func needed(k state.Kind) identity.Role {
	switch k {
	case state.Files:
		return identity.Write
	case state.Leave, state.Set, state.TokenAdd, state.TokenRemove:
		return identity.Admin
	}
	return identity.Node
}

func (s *coordinatorService) Read(ctx context.Context, req *api.ReadRequest) (*api.ReadResponse, error) {
	need := identity.Read
	if req.GetTokens() != nil {
		need = identity.Admin
	}
	if err := allow(ctx, need); err != nil {
		return nil, err
	}
	n := s.n
	copied := n.coord.State()
	if !req.GetLocal() {
		var err error
		copied, err = n.coord.Read(ctx)
		var elsewhere *coordinator.NotLeaderError
		if errors.As(err, &elsewhere) && elsewhere.Addr != "" && !req.GetForwarded() {
			conn, err := n.pool.Get(elsewhere.Addr)
			if err != nil {
				return nil, statusOf(fmt.Errorf("%w: %w", coordinator.ErrUnavailable, err))
			}
			req.Forwarded = true
			ctx, cancel := context.WithTimeout(ctx, forwardTime)
			defer cancel()
			resp, err := api.NewCoordinatorClient(conn).Read(ctx, req)
			if err != nil && status.Code(err) != codes.Aborted { // a read that came to nothing changed nothing
				err = status.Errorf(codes.Aborted, "node %s, which leads as far as is known here, does not answer: %s", elsewhere.Leader.Short(), status.Convert(err).Message())
			}
			return resp, err
		}
		if err != nil {
			return nil, statusOf(err)
		}
	}
	return n.answer(copied, req), nil
}

// answer is what a read asks for, out of a state.
func (n *Node) answer(s *state.State, req *api.ReadRequest) *api.ReadResponse {
	leader, _ := n.coord.Leader()
	cluster := s.Cluster()
	resp := &api.ReadResponse{Index: s.Index(), Cluster: cluster[:], Epoch: s.Epoch(), Leader: leader.String(), NowMicros: max(time.Now().UnixMicro(), s.Time())}
	switch what := req.GetWhat().(type) {
	case *api.ReadRequest_Nodes:
		resp.Nodes = n.nodeInfos(s)
	case *api.ReadRequest_Tokens:
		for t := range s.Tokens() {
			resp.Tokens = append(resp.Tokens, &api.TokenInfo{Name: t.Name, Role: t.Role, MadeMicros: t.Made})
		}
	case *api.ReadRequest_File:
		if f, ok := s.Files().Get(what.File); ok {
			resp.Files = append(resp.Files, files.Message(what.File, f))
		}
	case *api.ReadRequest_Files:
		for name, f := range s.Files().Files(what.Files) {
			resp.Files = append(resp.Files, files.Message(name, f))
		}
	case *api.ReadRequest_Jobs:
		resp.Jobs = jobs.Infos(s, what.Jobs)
	}
	return resp
}

func (n *Node) nodeInfos(s *state.State) []*api.NodeInfo {
	voters := n.coord.Info().Voters
	var list []*api.NodeInfo
	for m := range s.Nodes() {
		list = append(list, &api.NodeInfo{
			Id: m.ID[:], Name: m.Name, Status: m.Status.String(), Ring: m.Ring, Incarnation: m.Incarnation,
			Addr: m.Addr, Gossip: m.Gossip, Http: m.HTTP, Joined: m.Joined, SinceMicros: m.Since,
			Alive: n.alive(m.ID, m.Incarnation), Voter: voters[m.ID], Slots: int64(m.Slots),
		})
	}
	return list
}

func (s *coordinatorService) Join(ctx context.Context, req *api.JoinRequest) (*api.JoinResponse, error) {
	if err := allow(ctx, identity.Node); err != nil {
		return nil, err
	}
	resp, err := s.n.admit(ctx, req)
	var refusal *state.Refusal
	if errors.As(err, &refusal) {
		st, detailErr := status.New(codes.FailedPrecondition, err.Error()).WithDetails(refusalMessage(err))
		if detailErr != nil {
			return nil, status.Error(codes.Internal, detailErr.Error())
		}
		return nil, st.Err()
	}
	return resp, statusOf(err)
}

// admit has the leader let a node in, wherever that is.
func (n *Node) admit(ctx context.Context, req *api.JoinRequest) (*api.JoinResponse, error) {
	if n.coord.Leads() && n.coord.State().Cluster().IsZero() {
		return nil, fmt.Errorf("%w: it is only being founded", coordinator.ErrUnavailable)
	}
	id := idOf(req.GetId())
	e := state.Entry{
		Kind: state.Join, Cluster: idOf(req.GetCluster()), Node: id, Incarnation: req.GetIncarnation(), Name: req.GetName(),
		Addr: req.GetAddr(), Gossip: req.GetGossip(), HTTP: req.GetHttp(), Slots: int(req.GetSlots()),
	}
	res, index, err := n.coord.Propose(ctx, e)
	var elsewhere *coordinator.NotLeaderError
	if errors.As(err, &elsewhere) && elsewhere.Addr != "" && !req.GetForwarded() {
		conn, err := n.pool.Get(elsewhere.Addr)
		if err != nil {
			return nil, err
		}
		req.Forwarded = true
		resp, err := api.NewCoordinatorClient(conn).Join(ctx, req)
		if refusal := refusalIn(err); refusal != nil {
			return nil, refusal
		}
		return resp, err
	}
	if err != nil {
		return nil, err
	}
	if res.Err != nil {
		return nil, res.Err
	}
	n.coord.Poke() // raft is to send it the log
	s := n.coord.State()
	cluster := s.Cluster()
	return &api.JoinResponse{Cluster: cluster[:], Index: index, Nodes: n.nodeInfos(s)}, nil
}

func (s *nodeService) Status(ctx context.Context, _ *api.StatusRequest) (*api.StatusResponse, error) {
	if err := allow(ctx, identity.Read); err != nil {
		return nil, err
	}
	n := s.n
	copied, info := n.coord.State(), n.coord.Info()
	cluster := copied.Cluster()
	resp := &api.StatusResponse{
		Id: n.self.id[:], Name: n.cfg.Name, Incarnation: n.self.incarnation, Cluster: cluster[:], RaftState: info.State,
		Leader: info.Leader.String(), Term: info.Term, LastIndex: info.LastIndex, CommitIndex: info.Commit, AppliedIndex: info.Applied,
		NowMicros: max(time.Now().UnixMicro(), copied.Time()), ClockMicros: time.Now().UnixMicro(), Version: n.cfg.Version,
	}
	resp.Ready, resp.WhyNotReady = n.Ready()
	if m := n.gossiping(); m != nil {
		for other := range copied.Nodes() {
			dead := !n.alive(other.ID, other.Incarnation)
			if dead && other.Status != state.Down && other.Status != state.Evicted {
				resp.Suspects = append(resp.Suspects, &api.Suspect{Id: other.ID[:], Name: other.Name, SinceMicros: microsOf(m.Since(other.ID, other.Incarnation))})
			}
		}
	}
	return resp, nil
}

func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func idOf(b []byte) state.ID {
	var id state.ID
	if len(b) == len(id) {
		copy(id[:], b)
	}
	return id
}

func randomID() (id [16]byte) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}
