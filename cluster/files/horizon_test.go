package files

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

var self = state.Holder{Node: state.ID{1}, Incarnation: 1}

// leader is a server that leads as a test has it.
type leader struct {
	t         *testing.T
	s         *state.State
	term      uint64
	confirmed func() // what happens after a majority has said that it leads
}

func (l *leader) State() *state.State { return l.s }
func (l *leader) Term() uint64        { return l.term }

func (l *leader) Read(ctx context.Context) (*state.State, error) {
	s := l.s
	if l.confirmed != nil {
		l.confirmed()
	}
	return s, ctx.Err()
}

func (l *leader) WaitApplied(context.Context, uint64) (*state.State, error) { return l.s, nil }

func (l *leader) do(entries ...state.Entry) {
	l.t.Helper()
	for _, e := range entries {
		var r state.Result
		if l.s, r = state.Apply(l.s, l.s.Index()+1, e); r.Err != nil {
			l.t.Fatal(r.Err)
		}
	}
}

// names is an entry that names a block.
func names(file string, b namespace.Block) state.Entry {
	return state.Entry{
		Kind: state.Files, Held: state.Held{Nodes: []state.Holder{self}, Blocks: [][]int{{0}}},
		Files: namespace.Entry{Kind: namespace.Create, Name: file, Lease: 5, Blocks: []namespace.Block{b}},
	}
}

func inStore(e namespace.Entry) state.Entry { return state.Entry{Kind: state.Files, Files: e} }

// newLeader leads a cluster of one server since long; lease 5 is open, and file f has a block from index 5 on, and is removed at 6.
func newLeader(t *testing.T, b namespace.Block) *leader {
	t.Helper()
	l := &leader{t: t, s: state.New(), term: 1}
	l.do(
		state.Entry{Kind: state.Found, Cluster: state.ID{9}},
		state.Entry{Kind: state.Join, Node: self.Node, Incarnation: 1, Name: "a", Addr: "a:1"},
		state.Entry{Kind: state.Ready, Node: self.Node, Incarnation: 1},
		inStore(namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1000}),
		names("f", b),
		inStore(namespace.Entry{Kind: namespace.Remove, Name: "f"}),
	)
	return l
}

// TestMayFree asks about a block that by the state at index 6 no entry names any more: whether it may go is a matter of who reads and
// who leads.
func TestMayFree(t *testing.T) {
	b := namespace.Block{ID: namespace.BlockID{7}, Length: 1}
	tick := state.Entry{Kind: state.Set, Name: "x", Value: "y"}
	for _, tc := range []struct {
		name   string
		script func(l *leader, pin func(count, index uint64, end bool))
		want   bool
	}{
		{"nobody reads", func(*leader, func(uint64, uint64, bool)) {}, true},
		{"an entry names it again", func(l *leader, _ func(uint64, uint64, bool)) { l.do(names("g", b)) }, false},
		{"the leader is behind the asker", func(l *leader, _ func(uint64, uint64, bool)) {
			l.s = state.New()
			l.do(state.Entry{Kind: state.Found, Cluster: state.ID{9}})
		}, false},
		{"a reader is at 5", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 5, false) }, false},
		{"a reader is at 6", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 6, false) }, true},
		{"a reader opens its first file now", func(l *leader, pin func(uint64, uint64, bool)) { pin(1, 0, false); l.do(tick) }, true},
		{"a reader goes on", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 5, false); pin(2, 6, false) }, true},
		{"a reader does not know yet where it is", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 5, false); pin(2, 0, false) }, false},
		{"a reader has ended", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 5, false); pin(2, 0, true) }, true},
		{"a reader has ended, and begun", func(_ *leader, pin func(uint64, uint64, bool)) {
			pin(1, 5, false)
			pin(2, 0, true)
			pin(3, 0, false)
		}, true},
		{"an end is overtaken by an opening", func(_ *leader, pin func(uint64, uint64, bool)) { pin(2, 5, false); pin(1, 0, true) }, false},
		{"a renewal is overtaken by an opening", func(_ *leader, pin func(uint64, uint64, bool)) { pin(2, 5, false); pin(1, 6, false) }, false},
		{"an opening is overtaken by the end", func(_ *leader, pin func(uint64, uint64, bool)) { pin(2, 0, true); pin(1, 5, false) }, true},
		{"a reader has been silent for almost as long as a pin lasts", func(_ *leader, pin func(uint64, uint64, bool)) {
			pin(1, 5, false)
			time.Sleep(PinTime - 1)
		}, false},
		{"a reader has been silent for longer", func(_ *leader, pin func(uint64, uint64, bool)) { pin(1, 5, false); time.Sleep(PinTime + 1) }, true},
		{"a reader is back after that", func(_ *leader, pin func(uint64, uint64, bool)) {
			pin(1, 5, false)
			time.Sleep(PinTime + 1)
			pin(2, 0, false)
		}, true},
		{"a reader renews", func(_ *leader, pin func(uint64, uint64, bool)) {
			pin(1, 5, false)
			time.Sleep(PinTime - 1)
			pin(2, 5, false)
			time.Sleep(PinTime - 1)
		}, false},
		{"the term has begun", func(l *leader, _ func(uint64, uint64, bool)) { l.term = 2 }, false},
		{"the term began almost as long ago as a pin lasts", func(l *leader, pin func(uint64, uint64, bool)) {
			l.term = 2
			pin(1, 6, false)
			time.Sleep(PinTime - 1)
		}, false},
		{"the term began longer ago", func(l *leader, pin func(uint64, uint64, bool)) {
			l.term = 2
			pin(1, 6, false)
			time.Sleep(PinTime)
		}, true},
		{"it has not led for long", func(l *leader, pin func(uint64, uint64, bool)) { l.term = 0; pin(1, 6, false); time.Sleep(PinTime) }, false},
		{"it was deposed, and leads again", func(l *leader, pin func(uint64, uint64, bool)) {
			l.term = 0
			pin(1, 5, false) // which it must forget
			l.term = 3
			pin(1, 6, false)
			time.Sleep(PinTime)
		}, true},
		{"it was deposed, and leads again since now", func(l *leader, pin func(uint64, uint64, bool)) { l.term = 0; pin(1, 5, false); l.term = 3 }, false},
		// The reader renews with the next leader. A majority had said that this one leads, before it was stopped.
		{"it was stopped while it judged", func(l *leader, pin func(uint64, uint64, bool)) {
			pin(1, 5, false)
			l.confirmed = func() { time.Sleep(2 * PinTime) }
		}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeader(t, b)
				h := NewHorizon(l)
				pin := func(count, index uint64, end bool) {
					if _, err := h.Pin(t.Context(), &api.PinRequest{Session: 1, Count: count, Index: index, End: end}); err != nil {
						t.Fatal(err)
					}
				}
				h.lowest(0) // the term begins
				time.Sleep(PinTime)
				tc.script(l, pin)
				may, err := h.MayFree(t.Context(), []namespace.BlockID{b.ID, {8}}, 6)
				if err != nil || len(may) != 2 || may[0] != tc.want {
					t.Errorf("%v, %v; want %v", may, err, tc.want)
				}
			})
		})
	}
}

// TestPins opens files whose answers come late: what the leader is told is never later than what is open.
func TestPins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeader(t, namespace.Block{ID: namespace.BlockID{7}, Length: 1})
		h := NewHorizon(l)
		h.lowest(0)
		time.Sleep(PinTime)
		p := newPins(nil)
		p.alive = true // and renewed by the test
		step := func(what string, req *api.PinRequest, tells, pinned uint64) uint64 {
			t.Helper()
			l.confirmed = func() { l.do(state.Entry{Kind: state.Set, Name: "x", Value: what}) } // the log goes on meanwhile
			at, err := h.Pin(t.Context(), req)
			if err != nil || req.GetIndex() != tells || h.lowest(l.s.Index()) != pinned {
				t.Errorf("%s: it tells %d, pinned is %d, %v; want %d, %d", what, req.GetIndex(), h.lowest(l.s.Index()), err, tells, pinned)
			}
			return at
		}
		renewal := func() *api.PinRequest {
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.request()
		}
		a, req := p.begin()
		atA := step("the first opening, whose answer is on its way", req, 0, 6)
		b, req := p.begin()
		atB := step("the second, which is answered at once", req, 0, 6)
		p.settle(b, atB)
		step("a renewal before the first is answered", renewal(), 0, 6)
		p.settle(a, atA)
		step("a renewal", renewal(), 6, 6)
		p.end(a)
		step("the first is closed", renewal(), 7, 7)
		c, _ := p.begin() // lost on the way
		p.end(b)
		step("the third has no answer; it will be no earlier than the second", renewal(), 7, 7)
		p.end(c)
		if last := renewal(); !last.GetEnd() {
			t.Error("nothing is open, and the leader is not told")
		} else {
			step("the end", last, 0, l.s.Index()+1)
		}
		d, _ := p.begin()
		step("a renewal of what was opened again", renewal(), 7, 7)
		p.end(d)
	})
}

// TestPinsEnd: of readers that came and went nothing is left, even where nobody ever asks what may go; and an index costs nothing to ask for.
func TestPinsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHorizon(newLeader(t, namespace.Block{ID: namespace.BlockID{7}, Length: 1}))
		pin := func(session, count uint64, end bool) {
			t.Helper()
			if at, err := h.Pin(t.Context(), &api.PinRequest{Session: session, Count: count, End: end}); err != nil || at != 6 {
				t.Fatal(at, err)
			}
		}
		session := uint64(1)
		most := 0
		for began := time.Now(); time.Since(began) < time.Hour; time.Sleep(time.Second) {
			pin(session, 1, false)
			if session%2 == 0 { // the others die
				pin(session, 2, true)
			}
			session++
			most = max(most, len(h.pins))
		}
		if minute := int(PinTime / time.Second); most > 2*minute+2 {
			t.Errorf("%d pins, of %d readers a minute", most, minute)
		}
		before := len(h.pins)
		pin(session, 0, true)
		if len(h.pins) != before {
			t.Error("who asked for the index alone is remembered")
		}
		pin(session, 2, true) // which overtook
		pin(session, 1, false)
		if p := h.pins[session]; !p.ended || p.count != 2 {
			t.Errorf("an opening that was overtaken by the end left %+v", p)
		}
	})
}

// TestSweep: the leader judges a message by what it remembers before it forgets what is over.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHorizon(newLeader(t, namespace.Block{ID: namespace.BlockID{7}, Length: 1}))
		pin := func(session, count uint64, end bool) {
			if _, err := h.Pin(t.Context(), &api.PinRequest{Session: session, Count: count, Index: 5, End: end}); err != nil {
				t.Fatal(err)
			}
		}
		pin(1, 1, false) // looks through them
		time.Sleep(PinTime / 2)
		pin(2, 3, true)
		time.Sleep(PinTime + 1) // it is over, and time to look again
		pin(2, 2, false)
		if p := h.pins[2]; !p.ended || p.count != 3 {
			t.Errorf("an end was forgotten for the message that it had overtaken: %+v", p)
		}
		pin(1, 2, false)
		if len(h.pins) != 1 || h.lowest(6) != 5 {
			t.Errorf("%+v", h.pins)
		}
	})
}
