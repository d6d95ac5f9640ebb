package state

import (
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"github.com/rainsql/rainsql/internal/strictcbor"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// snapshotFormat is the version of what Snapshot writes. Format 1 had no jobs, and said nothing of slots.
const snapshotFormat = 2

// A snapshot is a sequence of CBOR items: a header, the nodes, the tokens, the settings, the
// clients, a second header, the slots of nodes, the jobs; behind them stands the snapshot of the namespace.
type (
	headerItem struct {
		_        struct{} `cbor:",toarray"`
		Format   int
		Index    uint64
		LogTime  int64
		Cluster  ID
		Epoch    uint64
		Sweep    int64
		Nodes    int
		Tokens   int
		Settings int
		Clients  int
	}
	nodeItem struct {
		_           struct{} `cbor:",toarray"`
		ID          ID
		Name        string
		Status      Status
		Leaves      bool
		Drained     bool
		Ring        bool
		Incarnation uint64
		Addr        string
		Gossip      string
		HTTP        string
		Joined      uint64
		Since       int64
	}
	tokenItem struct {
		_    struct{} `cbor:",toarray"`
		Name string
		Role string
		Hash [32]byte
		Made int64
	}
	settingItem struct {
		_           struct{} `cbor:",toarray"`
		Name, Value string
	}
	jobsItem struct { // the second header
		_     struct{} `cbor:",toarray"`
		Slots int
		Jobs  int
	}
	slotsItem struct {
		_     struct{} `cbor:",toarray"`
		Node  ID
		Slots int
	}
	jobItem struct {
		_                       struct{} `cbor:",toarray"`
		ID                      uint64
		Key                     ID
		User, Text              string
		Width                   int
		Gateway                 []byte // as Held packs holders, as are those below
		Status                  JobStatus
		Attempt                 uint64
		Attempts                int
		Slots                   []byte
		Failed                  []int64
		Avoid                   []byte
		Submitted, Began, Ended int64
		Reason                  string
		Rows                    int64
	}
)

// Snapshot writes the whole state. s being immutable, this may take as long as it likes.
func (s *State) Snapshot(w io.Writer) error {
	enc := strictcbor.Enc.NewEncoder(w)
	err := enc.Encode(headerItem{
		Format: snapshotFormat, Index: s.index, LogTime: s.logTime, Cluster: s.cluster, Epoch: s.epoch,
		Sweep: s.retries.Sweep(), Nodes: s.nodes.Len(), Tokens: s.tokens.Len(), Settings: s.settings.Len(), Clients: s.retries.Len(),
	})
	put := func(item any) {
		if err == nil {
			err = enc.Encode(item)
		}
	}
	for n := range s.Nodes() {
		put(nodeItem{
			ID: n.ID, Name: n.Name, Status: n.Status, Leaves: n.Leaves, Drained: n.Drained, Ring: n.Ring, Incarnation: n.Incarnation,
			Addr: n.Addr, Gossip: n.Gossip, HTTP: n.HTTP, Joined: n.Joined, Since: n.Since,
		})
	}
	for t := range s.Tokens() {
		put(tokenItem{Name: t.Name, Role: t.Role, Hash: t.Hash, Made: t.Made})
	}
	for name, value := range s.Settings() {
		put(settingItem{Name: name, Value: value})
	}
	for item := range s.retries.Items() {
		put(item)
	}
	s.putJobs(put)
	if err != nil {
		return err
	}
	return s.files.Snapshot(w)
}

func (s *State) putJobs(put func(item any)) {
	var slots []slotsItem
	for n := range s.Nodes() {
		if n.Slots > 0 {
			slots = append(slots, slotsItem{Node: n.ID, Slots: n.Slots})
		}
	}
	put(jobsItem{Slots: len(slots), Jobs: s.jobs.Len()})
	for _, item := range slots {
		put(item)
	}
	for j := range s.Jobs() {
		put(jobItem{
			ID: j.ID, Key: j.Key, User: j.User, Text: j.Text, Width: j.Width, Gateway: packHolders(j.Gateway), Status: j.Status, Attempt: j.Attempt,
			Attempts: j.Attempts, Slots: packHolders(j.Slots...), Failed: j.Failed, Avoid: packHolders(j.Avoid...),
			Submitted: j.Submitted, Began: j.Began, Ended: j.Ended, Reason: j.Reason, Rows: j.Rows,
		})
	}
}

var errSnapshot = errors.New("not a snapshot of a cluster")

// Restore reads what Snapshot wrote. It allocates in proportion to what r holds.
func Restore(r io.Reader) (*State, error) {
	dec := strictcbor.Dec.NewDecoder(r)
	s, err := restore(dec)
	if err == nil {
		s.files, err = namespace.Restore(io.MultiReader(dec.Buffered(), r))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	if s.files.Index() > s.index {
		return nil, fmt.Errorf("%w: its files are ahead of it", errSnapshot)
	}
	return s, nil
}

func restore(dec *cbor.Decoder) (*State, error) {
	var h headerItem
	if err := dec.Decode(&h); err != nil {
		return nil, err
	}
	if h.Format < 1 || h.Format > snapshotFormat {
		return nil, fmt.Errorf("format %d, this program reads 1 to %d", h.Format, snapshotFormat)
	}
	s := New()
	s.index, s.logTime, s.cluster, s.epoch = h.Index, h.LogTime, h.Cluster, h.Epoch
	if s.logTime < 0 || s.logTime > maxTime || s.epoch > s.index {
		return nil, errors.New("its numbers do not add up")
	}
	for range h.Nodes {
		var n nodeItem
		if err := dec.Decode(&n); err != nil {
			return nil, err
		}
		if n.Status < Pending || n.Status > Evicted || n.ID.IsZero() {
			return nil, errors.New("a node's numbers do not add up")
		}
		s.nodes, _, _ = s.nodes.Insert(n.ID[:], &Node{
			ID: n.ID, Name: n.Name, Status: n.Status, Leaves: n.Leaves, Drained: n.Drained, Ring: n.Ring, Incarnation: n.Incarnation,
			Addr: n.Addr, Gossip: n.Gossip, HTTP: n.HTTP, Joined: n.Joined, Since: n.Since,
		})
	}
	for range h.Tokens {
		var t tokenItem
		if err := dec.Decode(&t); err != nil {
			return nil, err
		}
		s.tokens, _, _ = s.tokens.Insert([]byte(t.Name), Token{Name: t.Name, Role: t.Role, Hash: t.Hash, Made: t.Made})
	}
	for range h.Settings {
		var v settingItem
		if err := dec.Decode(&v); err != nil {
			return nil, err
		}
		s.settings, _, _ = s.settings.Insert([]byte(v.Name), v.Value)
	}
	var err error
	s.retries, err = retry.Restore(h.Sweep, h.Clients, uint8(len(reasons)), func(item *retry.Item) error { return dec.Decode(item) })
	if err == nil && h.Format > 1 {
		err = s.restoreJobs(dec)
	}
	return s, err
}

func (s *State) restoreJobs(dec *cbor.Decoder) error {
	var h jobsItem
	if err := dec.Decode(&h); err != nil {
		return err
	}
	for range h.Slots {
		var item slotsItem
		if err := dec.Decode(&item); err != nil {
			return err
		}
		n, ok := s.Node(item.Node)
		if !ok || item.Slots < 1 || item.Slots > maxNodeSlots {
			return errors.New("a node's slots do not add up")
		}
		with := *n
		with.Slots = item.Slots
		s.nodes, _, _ = s.nodes.Insert(n.ID[:], &with)
	}
	for range h.Jobs {
		var item jobItem
		if err := dec.Decode(&item); err != nil {
			return err
		}
		j := &Job{
			ID: item.ID, Key: item.Key, User: item.User, Text: item.Text, Width: item.Width, Status: item.Status, Attempt: item.Attempt, Attempts: item.Attempts,
			Failed: item.Failed, Submitted: item.Submitted, Began: item.Began, Ended: item.Ended, Reason: item.Reason, Rows: item.Rows,
		}
		gateway, err := unpackHeld(item.Gateway, nil)
		slots, err2 := unpackHeld(item.Slots, nil)
		avoid, err3 := unpackHeld(item.Avoid, nil)
		if err := errors.Join(err, err2, err3); err != nil {
			return err
		}
		if j.ID == 0 || j.ID > s.index || j.Attempt > s.index || j.Key.IsZero() || j.Status < Queued || j.Status > Cancelled || len(gateway.Nodes) != 1 || len(slots.Nodes) > MaxSlots {
			return errors.New("a job's numbers do not add up")
		}
		j.Gateway, j.Slots, j.Avoid = gateway.Nodes[0], slots.Nodes, avoid.Nodes
		s.jobKeys, _, _ = s.jobKeys.Insert(j.Key[:], j.ID)
		s.putJob(j)
		if j.Status.Over() {
			s.jobsOver++
		}
	}
	return nil
}
