// Package retry remembers what came of requests lately, so that one that is repeated is
// applied once. It is part of a state machine: pure, without a clock, told log time.
package retry

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"slices"

	iradix "github.com/hashicorp/go-immutable-radix/v2"
)

// Span is for how long, in µs of log time, the result of a request is remembered.
const Span = 10 * 60 * 1e6

// Window is how many results of a client are remembered, the latest by sequence. A client must send nothing at
// or beyond the oldest of its requests under way + Window: that one would be refused as stale, or forgotten as
// soon as it is applied.
const Window = 64

// Table is what is remembered. It is immutable and may be read by anyone; changes give a new
// one. The zero value is empty.
type Table struct {
	clients *iradix.Tree[*client]
	sweep   int64 // when to look for clients to forget
}

// client is what is remembered of one client's requests.
type client struct {
	last    int64 // log time of its last request
	floor   uint64
	results []result // by rising seq
}

type result struct {
	seq  uint64
	code uint8
}

// Verdict is what the table knows of a request.
type Verdict int

// The verdicts.
const (
	Fresh Verdict = iota // it was never applied
	Done                 // it was applied, with the code that comes along
	Stale                // it is too old to tell
)

// Recall finds what came of a request that was applied before. A repeated request keeps its
// time at, and a result is kept for Span after the request was applied, which was no earlier: so
// a request within the span that is not remembered was never applied.
func (t Table) Recall(id, seq uint64, at, now int64) (code uint8, v Verdict) {
	if at < now-Span || seq == 0 {
		return 0, Stale
	}
	c, ok := t.get(id)
	if !ok {
		return 0, Fresh
	}
	i, found := slices.BinarySearchFunc(c.results, seq, func(r result, seq uint64) int {
		switch {
		case r.seq < seq:
			return -1
		case r.seq > seq:
			return 1
		}
		return 0
	})
	switch {
	case found:
		return c.results[i].code, Done
	case seq <= c.floor:
		return 0, Stale
	}
	return 0, Fresh
}

// Remember keeps what came of a request, and forgets the client's oldest beyond Window.
func (t Table) Remember(id, seq uint64, now int64, code uint8) Table {
	c := &client{last: now}
	if old, ok := t.get(id); ok {
		c.floor = old.floor
		c.results = old.results
	}
	at := len(c.results)
	for at > 0 && c.results[at-1].seq > seq {
		at--
	}
	c.results = slices.Insert(slices.Clone(c.results), at, result{seq: seq, code: code})
	if len(c.results) > Window {
		c.floor = c.results[0].seq
		c.results = c.results[1:]
	}
	t.clients, _, _ = t.tree().Insert(key(id), c)
	return t
}

// Expire forgets what log time has passed by.
func (t Table) Expire(now int64) Table {
	if now < t.sweep || t.Len() == 0 {
		return t
	}
	txn := t.clients.Txn()
	t.clients.Root().Walk(func(k []byte, c *client) bool {
		if c.last < now-Span {
			txn.Delete(k)
		}
		return false
	})
	return Table{clients: txn.CommitOnly(), sweep: now + Span/4}
}

// Len is the number of clients.
func (t Table) Len() int {
	if t.clients == nil {
		return 0
	}
	return t.clients.Len()
}

// Sweep is when the table is looked through next, a part of its state.
func (t Table) Sweep() int64 { return t.sweep }

// Item is one client in a snapshot.
type Item struct {
	_     struct{} `cbor:",toarray"`
	ID    uint64
	Last  int64
	Floor uint64
	Seqs  []uint64
	Codes []byte
}

// Items yields the clients in the order of their ids.
func (t Table) Items() iter.Seq[Item] {
	return func(yield func(Item) bool) {
		t.tree().Root().Walk(func(k []byte, c *client) bool {
			item := Item{ID: binary.BigEndian.Uint64(k), Last: c.last, Floor: c.floor}
			for _, r := range c.results {
				item.Seqs = append(item.Seqs, r.seq)
				item.Codes = append(item.Codes, r.code)
			}
			return !yield(item)
		})
	}
}

// Restore makes a table of count items that next gives; codes lie below most.
func Restore(sweep int64, count int, most uint8, next func(*Item) error) (Table, error) {
	if sweep > math.MaxInt64-Span {
		return Table{}, errors.New("its time is out of range")
	}
	txn := Table{}.tree().Txn()
	for range count {
		var item Item
		if err := next(&item); err != nil {
			return Table{}, err
		}
		c := &client{last: item.Last, floor: item.Floor}
		if len(item.Seqs) != len(item.Codes) || len(item.Seqs) > Window {
			return Table{}, errors.New("a client's results do not add up")
		}
		for i, seq := range item.Seqs {
			if item.Codes[i] >= most || i > 0 && seq <= item.Seqs[i-1] {
				return Table{}, errors.New("a client's results are out of order")
			}
			c.results = append(c.results, result{seq: seq, code: item.Codes[i]})
		}
		txn.Insert(key(item.ID), c)
	}
	return Table{clients: txn.CommitOnly(), sweep: sweep}, nil
}

func (t Table) tree() *iradix.Tree[*client] {
	if t.clients == nil {
		return iradix.New[*client]()
	}
	return t.clients
}

func (t Table) get(id uint64) (*client, bool) {
	if t.clients == nil {
		return nil, false
	}
	return t.clients.Get(key(id))
}

// key orders numbers in a tree.
func key(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }
