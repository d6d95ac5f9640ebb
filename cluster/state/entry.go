package state

import (
	"fmt"

	"github.com/rainsql/rainsql/internal/strictcbor"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Kind is what an entry does. The numbers are part of the log's format.
type Kind uint8

// The kinds of entry.
const (
	Found       Kind = 1 // gives a new cluster its id
	Join        Kind = 2 // lets a node in as pending, or brings its next incarnation and its addresses
	Ready       Kind = 3 // pending to active
	Leave       Kind = 4 // pending or active to leaving; down to evicted
	MarkDown    Kind = 5 // pending, active or leaving to down
	MarkUp      Kind = 6 // down to what it was, in the same incarnation
	Evict       Kind = 7 // leaving or down to evicted
	Set         Kind = 8 // gives a setting a value; "" takes it away
	TokenAdd    Kind = 9
	TokenRemove Kind = 10
	Files       Kind = 11 // an entry of the namespace
	Batch       Kind = 12 // several of these, each of which takes effect, or is refused, by itself
	Drained     Kind = 13 // of a node that is leaving: what it had is elsewhere
	Tick        Kind = 14 // moves log time on, by which leases end
	JobSubmit   Kind = 15 // begins a job, or puts it into the hands of another gateway
	JobAttempt  Kind = 16 // queued to running, in some slots
	JobFail     Kind = 17 // an attempt failed in its surroundings: queued again, or failed
	JobEnd      Kind = 18 // done, failed or cancelled
	JobCommit   Kind = 19 // makes what the attempt wrote visible, and the job done
)

// Entry is one atomic change. Fields that its kind does not name are ignored. It is plain
// data; once proposed it must not be changed.
type Entry struct {
	Kind   Kind
	Time   int64  // the proposer's clock, µs since 1970; a repeated request keeps the time it had
	Client uint64 // with Seq recognises a repeated request; 0: this one will not be repeated
	Seq    uint64 // from 1, rising; below the oldest of the client under way + retry.Window

	Cluster     ID     // Found; Join: the cluster that the node was in before, if any
	Node        ID     // Join to Evict
	Incarnation uint64 // of the node, Join, Ready, MarkDown, MarkUp
	Name        string // of the node, setting or token; the user whose job it is
	Addr        string // Join
	Gossip      string
	HTTP        string

	Value string   // of the setting, or the token's role; text of a query, or why a job or attempt ended
	Hash  [32]byte // of the token's secret

	Files namespace.Entry // its Time, Client and Seq count, not those above; of JobCommit those above do
	Held  Held            // where its blocks are; of a batch: the nodes for those of its entries that name none
	Batch []Entry         // of kind Files

	Key     ID       // of the job, JobSubmit
	Job     uint64   // JobAttempt to JobCommit
	Attempt uint64   // JobFail to JobCommit; 0 in JobEnd: whichever it is
	Servers []Holder // the gateway, in JobEnd as who may end it alone; the slots; those by whose fault an attempt failed
	Width   int      // JobSubmit
	Rows    int64    // JobEnd, JobCommit
	Outcome JobStatus
	Slots   int // of the node, Join
}

// version is the first byte of every entry.
const version = 1

type wire struct {
	Kind        Kind   `cbor:"1,keyasint"`
	Time        int64  `cbor:"2,keyasint,omitempty"`
	Client      uint64 `cbor:"3,keyasint,omitempty"`
	Seq         uint64 `cbor:"4,keyasint,omitempty"`
	Cluster     []byte `cbor:"5,keyasint,omitempty"`
	Node        []byte `cbor:"6,keyasint,omitempty"`
	Incarnation uint64 `cbor:"7,keyasint,omitempty"`
	Name        string `cbor:"8,keyasint,omitempty"`
	Addr        string `cbor:"9,keyasint,omitempty"`
	Gossip      string `cbor:"10,keyasint,omitempty"`
	HTTP        string `cbor:"11,keyasint,omitempty"`
	Value       string `cbor:"12,keyasint,omitempty"`
	Hash        []byte `cbor:"13,keyasint,omitempty"`
	Files       []byte `cbor:"14,keyasint,omitempty"`
	Holders     []byte `cbor:"15,keyasint,omitempty"`
	Held        []byte `cbor:"16,keyasint,omitempty"`
	Batch       []wire `cbor:"17,keyasint,omitempty"`

	Key     []byte    `cbor:"18,keyasint,omitempty"`
	Job     uint64    `cbor:"19,keyasint,omitempty"`
	Attempt uint64    `cbor:"20,keyasint,omitempty"`
	Servers []byte    `cbor:"21,keyasint,omitempty"`
	Width   int       `cbor:"22,keyasint,omitempty"`
	Rows    int64     `cbor:"23,keyasint,omitempty"`
	Outcome JobStatus `cbor:"24,keyasint,omitempty"`
	Slots   int       `cbor:"25,keyasint,omitempty"`
}

// Encode gives the bytes of an entry for the log.
func Encode(e Entry) ([]byte, error) {
	w, err := toWire(e)
	if err != nil {
		return nil, err
	}
	body, err := strictcbor.Enc.Marshal(w)
	return append([]byte{version}, body...), err
}

func toWire(e Entry) (wire, error) {
	w := wire{
		Kind: e.Kind, Time: e.Time, Client: e.Client, Seq: e.Seq, Incarnation: e.Incarnation,
		Name: e.Name, Addr: e.Addr, Gossip: e.Gossip, HTTP: e.HTTP, Value: e.Value,
		Job: e.Job, Attempt: e.Attempt, Width: e.Width, Rows: e.Rows, Outcome: e.Outcome, Slots: e.Slots,
	}
	if !e.Key.IsZero() {
		w.Key = e.Key[:]
	}
	w.Servers = packHolders(e.Servers...)
	if !e.Cluster.IsZero() {
		w.Cluster = e.Cluster[:]
	}
	if !e.Node.IsZero() {
		w.Node = e.Node[:]
	}
	switch e.Kind {
	case TokenAdd:
		w.Hash = e.Hash[:]
	case Files, JobCommit:
		var err error
		if w.Files, err = namespace.Encode(e.Files); err != nil {
			return wire{}, err
		}
		w.Holders, w.Held = e.Held.pack()
	case Batch:
		w.Holders, _ = e.Held.pack()
		for _, part := range e.Batch {
			p, err := toWire(part)
			if err != nil {
				return wire{}, err
			}
			w.Batch = append(w.Batch, p)
		}
	}
	return w, nil
}

// Decode reads an entry from the log. It accepts nothing but what Encode can write, up to the
// order of fields, and allocates in proportion to data.
func Decode(data []byte) (Entry, error) {
	if len(data) == 0 || data[0] != version {
		return Entry{}, fmt.Errorf("%w: its version is not %d: a newer rainsql wrote it", ErrEntry, version)
	}
	var w wire
	if err := strictcbor.Dec.Unmarshal(data[1:], &w); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return fromWire(w, nil)
}

// fromWire reads an entry; holders are those of the batch it is in.
func fromWire(w wire, holders []byte) (Entry, error) {
	e := Entry{
		Kind: w.Kind, Time: w.Time, Client: w.Client, Seq: w.Seq, Incarnation: w.Incarnation,
		Name: w.Name, Addr: w.Addr, Gossip: w.Gossip, HTTP: w.HTTP, Value: w.Value,
		Job: w.Job, Attempt: w.Attempt, Width: w.Width, Rows: w.Rows, Outcome: w.Outcome, Slots: w.Slots,
	}
	for _, part := range []struct{ to, from []byte }{{e.Cluster[:], w.Cluster}, {e.Node[:], w.Node}, {e.Hash[:], w.Hash}, {e.Key[:], w.Key}} {
		if len(part.from) != 0 && copy(part.to, part.from) != len(part.from) {
			return Entry{}, fmt.Errorf("%w: an id is too long", ErrEntry)
		}
	}
	servers, err := unpackHeld(w.Servers, nil)
	if err != nil {
		return Entry{}, err
	}
	e.Servers = servers.Nodes
	if w.Kind == Files || w.Kind == JobCommit {
		if e.Files, err = namespace.Decode(w.Files); err == nil {
			if len(w.Holders) > 0 {
				holders = w.Holders
			}
			e.Held, err = unpackHeld(holders, w.Held)
		}
	}
	if len(w.Batch) > 0 && w.Kind != Batch {
		return Entry{}, fmt.Errorf("%w: a list in what is no batch", ErrEntry)
	}
	for _, p := range w.Batch {
		if p.Kind != Files {
			return Entry{}, fmt.Errorf("%w: a batch holds entries of the namespace only", ErrEntry)
		}
		part, err := fromWire(p, w.Holders)
		if err != nil {
			return Entry{}, err
		}
		e.Batch = append(e.Batch, part)
	}
	if w.Kind == Batch && err == nil {
		e.Held, err = unpackHeld(w.Holders, nil)
	}
	return e, err
}
