// Package state is the replicated state machine of a cluster: its nodes, tokens, settings,
// files and jobs. It is pure: it knows no disk, no network and no clock. Applying the same
// entries in the same order gives the same state on every node. What the entries mean is
// in docs/cluster.md.
package state

import (
	"encoding/hex"
	"fmt"
	"iter"

	iradix "github.com/hashicorp/go-immutable-radix/v2"

	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// State is a cluster after some entry. It is immutable and may be read by anyone.
type State struct {
	index    uint64
	logTime  int64 // µs, the latest of the entries' times
	cluster  ID
	epoch    uint64
	nodes    *iradix.Tree[*Node]  // by id
	tokens   *iradix.Tree[Token]  // by name
	settings *iradix.Tree[string] // by name
	retries  retry.Table
	files    *namespace.State
	jobs     *iradix.Tree[*Job]   // by id
	jobKeys  *iradix.Tree[uint64] // their ids, by key
	jobsOver int                  // of them, those that have ended
}

// ID names a node or a cluster: 128 random bits, never reused.
type ID [16]byte

// String is the id in full, 32 hexadecimal digits.
func (id ID) String() string { return hex.EncodeToString(id[:]) }

// Short is enough of the id to tell it from others in a listing.
func (id ID) Short() string { return hex.EncodeToString(id[:4]) }

// IsZero tells whether there is no id.
func (id ID) IsZero() bool { return id == ID{} }

// ParseID reads what String writes.
func ParseID(text string) (ID, error) {
	var id ID
	if len(text) != 2*len(id) { // more would be written beyond it
		return ID{}, fmt.Errorf("%.40q is no id of 32 hexadecimal digits", text)
	}
	if _, err := hex.Decode(id[:], []byte(text)); err != nil {
		return ID{}, fmt.Errorf("%.40q is no id of 32 hexadecimal digits", text)
	}
	return id, nil
}

// Status is what the log says of a node. The numbers are part of the log's format.
type Status uint8

// The statuses. A node that SWIM suspects has no status of its own: that is nobody's but the
// observer's opinion.
const (
	Pending Status = 1 // has joined and follows the log; is not counted yet
	Active  Status = 2
	Leaving Status = 3 // gets no new work, and goes when what it has is elsewhere
	Down    Status = 4 // held dead by the leader; the ring is as it was
	Evicted Status = 5 // never comes back under this id
)

var statusNames = []string{"", "pending", "active", "leaving", "down", "evicted"}

func (s Status) String() string {
	if int(s) >= len(statusNames) || s == 0 {
		return fmt.Sprintf("status %d", uint8(s))
	}
	return statusNames[s]
}

// Node is a server as the log knows it. It is immutable.
type Node struct {
	ID          ID
	Name        string // its user's name for it; unique among those that are neither down nor evicted
	Status      Status
	Leaves      bool   // it was asked to leave, whatever its status
	Drained     bool   // it leaves, and what it had is elsewhere
	Ring        bool   // it owns positions of the ring: it has been active, and is not evicted
	Incarnation uint64 // counts its starts
	Addr        string // host:port where it is reached by gRPC
	Gossip      string
	HTTP        string
	Slots       int    // tasks of each stage of queries that it takes at once; 0: it does not say
	Joined      uint64 // index of the entry that let it in
	Since       int64  // log time of its status, µs
}

// Token is a client's secret, as far as the cluster knows it.
type Token struct {
	Name string
	Role string // read, write or admin
	Hash [32]byte
	Made int64 // log time, µs
}

// New is the state before the first entry.
func New() *State {
	return &State{
		nodes: iradix.New[*Node](), tokens: iradix.New[Token](), settings: iradix.New[string](), files: namespace.New(),
		jobs: iradix.New[*Job](), jobKeys: iradix.New[uint64](),
	}
}

// Index is that of the last entry applied; 0: none.
func (s *State) Index() uint64 { return s.index }

// Time is the log time in µs since 1970.
func (s *State) Time() int64 { return s.logTime }

// Cluster is the id of the cluster; zero before its first entry.
func (s *State) Cluster() ID { return s.cluster }

// Epoch is the index of the last entry that changed which nodes are in the ring.
func (s *State) Epoch() uint64 { return s.epoch }

// Files is the namespace of the file store.
func (s *State) Files() *namespace.State { return s.files }

// Node finds a node, evicted ones too.
func (s *State) Node(id ID) (*Node, bool) { return s.nodes.Get(id[:]) }

// Nodes yields the nodes in the order of their ids, evicted ones too.
func (s *State) Nodes() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		s.nodes.Root().Walk(func(_ []byte, n *Node) bool { return !yield(n) })
	}
}

// Setting gives a setting, if it has a value.
func (s *State) Setting(name string) (string, bool) { return s.settings.Get([]byte(name)) }

// SameMembers tells whether nodes and settings are those of another state. It may say that they are not though they are.
func (s *State) SameMembers(other *State) bool {
	return s.nodes == other.nodes && s.settings == other.settings && s.epoch == other.epoch
}

// Tokens yields the tokens in the order of their names.
func (s *State) Tokens() iter.Seq[Token] {
	return func(yield func(Token) bool) {
		s.tokens.Root().Walk(func(_ []byte, t Token) bool { return !yield(t) })
	}
}

// Settings yields the settings in the order of their names.
func (s *State) Settings() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		s.settings.Root().Walk(func(k []byte, v string) bool { return !yield(string(k), v) })
	}
}
