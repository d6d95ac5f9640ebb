// Package members is who is there, as SWIM sees it: hashicorp/serf, told which node a member is. It
// only suspects. That a node is down, or gone, is for the coordinator's log to say.
//
// Each start of a node is a member of its own, named by the node's id and incarnation, so that nobody
// takes one for the other.
package members

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/serf/serf"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/logging"
	"github.com/rainsql/rainsql/cluster/state"
)

// Config says who a node is to SWIM.
type Config struct {
	ID          state.ID
	Incarnation uint64
	Cluster     state.ID // nodes of other clusters are not heard
	Profile     Profile
	Transport   memberlist.NodeAwareTransport // closed by Close
	Advertise   string                        // host:port by which others reach the transport
	Key         []byte                        // 32 bytes that encrypt all gossip; nil: in the clear
	// OnChange is told that someone came or went; it must not wait.
	OnChange func()
	Logger   *zap.Logger
}

// Members is the view of one node. All methods may be called concurrently.
type Members struct {
	serf   *serf.Serf
	events chan serf.Event
	work   sync.WaitGroup
	stop   chan struct{}

	joining chan struct{} // holds whoever joins

	mu    sync.Mutex
	known map[member]standing
}

// member is one start of a node.
type member struct {
	id          state.ID
	incarnation uint64
}

type standing struct {
	alive bool
	since time.Time // it changed
}

// Start joins nobody yet.
func Start(cfg Config) (*Members, error) {
	m := &Members{events: make(chan serf.Event, 1024), known: map[member]standing{}, stop: make(chan struct{}), joining: make(chan struct{}, 1)}
	mc := cfg.Profile.memberlist()
	mc.Transport = cfg.Transport
	mc.Label = "rainsql-" + cfg.Cluster.String()
	mc.SecretKey = cfg.Key
	mc.Logger = logging.Standard(cfg.Logger)
	mc.LogOutput = nil
	if host, port, ok := splitAddr(cfg.Advertise); ok {
		mc.AdvertiseAddr, mc.AdvertisePort = host, port
	}
	sc := serf.DefaultConfig()
	sc.Init()
	sc.NodeName = nameOf(member{cfg.ID, cfg.Incarnation})
	sc.MemberlistConfig = mc
	sc.Logger, sc.LogOutput = mc.Logger, nil
	sc.EventCh = m.events
	sc.ReconnectInterval = cfg.Profile.Reconnect
	// A start that is over does not come back: the node's next start has a name of its own. While a partition lasts it
	// is called; much later, others join by the log's addresses.
	sc.ReconnectTimeout, sc.TombstoneTimeout = time.Hour, time.Hour
	sc.LeavePropagateDelay = cfg.Profile.GossipInterval * 3
	sc.EnableNameConflictResolution = false
	sc.DisableCoordinates = true
	var err error
	if m.serf, err = serf.Create(sc); err != nil {
		return nil, errors.Join(fmt.Errorf("starting gossip: %w", err), cfg.Transport.Shutdown())
	}
	m.work.Go(func() { m.listen(cfg.OnChange) })
	return m, nil
}

// Join makes contact with any of some addresses, and tells how many answered. Calls wait for each other.
func (m *Members) Join(addrs []string) (int, error) {
	// serf would have them wait, too, but at a mutex: to scripted time (testing/synctest) that is no waiting.
	m.joining <- struct{}{}
	defer func() { <-m.joining }()
	return m.serf.Join(addrs, true)
}

// Alive tells whether an incarnation of a node has been met and is not held dead.
func (m *Members) Alive(id state.ID, incarnation uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[member{id, incarnation}].alive
}

// Since is since when Alive has said what it says; zero if the incarnation was never met.
func (m *Members) Since(id state.ID, incarnation uint64) time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.known[member{id, incarnation}].since
}

// Count is how many members are alive, this one among them.
func (m *Members) Count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, s := range m.known {
		if s.alive {
			n++
		}
	}
	return n
}

// Leave tells the others that this start is over, so that they need not find out.
func (m *Members) Leave() error { return m.serf.Leave() }

// Close ends gossip.
func (m *Members) Close() error {
	err := m.serf.Shutdown()
	close(m.stop)
	m.work.Wait()
	return err
}

func (m *Members) listen(onChange func()) {
	for {
		select {
		case <-m.stop:
			return
		case ev := <-m.events:
			me, ok := ev.(serf.MemberEvent)
			if !ok {
				continue
			}
			for _, who := range me.Members {
				if id, ok := parseName(who.Name); ok {
					m.note(id, me.Type)
				}
			}
			onChange()
		}
	}
}

func (m *Members) note(who member, what serf.EventType) {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch what {
	case serf.EventMemberJoin:
		m.known[who] = standing{alive: true, since: time.Now()}
	case serf.EventMemberLeave, serf.EventMemberFailed:
		m.known[who] = standing{since: time.Now()}
	case serf.EventMemberReap:
		delete(m.known, who)
	}
}

func nameOf(m member) string { return m.id.String() + "-" + strconv.FormatUint(m.incarnation, 10) }

func parseName(name string) (member, bool) {
	id, inc, ok := strings.Cut(name, "-")
	if !ok {
		return member{}, false
	}
	node, err := state.ParseID(id)
	n, err2 := strconv.ParseUint(inc, 10, 64)
	return member{node, n}, err == nil && err2 == nil
}
