package coordinator

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/hashicorp/raft"

	"github.com/rainsql/rainsql/cluster/state"
)

// machine is the state machine as raft drives it. Its state is immutable, so that readers and
// snapshots hold up nothing.
type machine struct {
	dog  *watchdog
	open *atomic.Bool // raft is there: what cannot be restored now has come from the leader

	mu      sync.Mutex
	state   *state.State
	changed chan struct{} // closed at the next change, if someone waits for it
}

// applied is what raft gives back for an entry.
type applied struct {
	index uint64
	res   state.Result
}

func newMachine(dog *watchdog, open *atomic.Bool) *machine {
	return &machine{dog: dog, open: open, state: state.New()}
}

// now is the state as it is.
func (m *machine) now() *state.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.state
}

// watch gives the state and what will be closed when there is another.
func (m *machine) watch() (*state.State, <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.changed == nil {
		m.changed = make(chan struct{})
	}
	return m.state, m.changed
}

func (m *machine) set(s *state.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = s
	if m.changed != nil {
		close(m.changed)
		m.changed = nil
	}
}

// Apply is called by one goroutine of raft. To skip an entry that cannot be decoded would be to be
// another state machine than the others.
func (m *machine) Apply(l *raft.Log) any {
	e, err := state.Decode(l.Data)
	if err != nil {
		m.dog.die(fmt.Errorf("entry %d of the coordinator's log cannot be read; run the version of rainsql that the leader runs: %w", l.Index, err))
	}
	if m.dog.isDead() {
		<-m.dog.gone // nothing may be applied behind it
		return nil
	}
	next, res := state.Apply(m.now(), l.Index, e)
	m.set(next)
	return applied{index: l.Index, res: res}
}

func (m *machine) Snapshot() (raft.FSMSnapshot, error) { return snapshot{m.now()}, nil }

func (m *machine) Restore(r io.ReadCloser) error {
	s, err := state.Restore(r)
	if err != nil {
		if m.open.Load() { // raft would fetch it again for ever; as it starts, it takes the snapshot before
			m.dog.die(fmt.Errorf("a snapshot of the coordinator's cannot be read; run the version of rainsql that the leader runs: %w", err))
		}
		return err
	}
	m.set(s)
	return nil
}

type snapshot struct{ state *state.State }

func (s snapshot) Persist(sink raft.SnapshotSink) error {
	if err := s.state.Snapshot(sink); err != nil {
		_ = sink.Cancel() // the first error counts
		return err
	}
	return sink.Close()
}

func (snapshot) Release() {}
