// Package upkeep keeps a server's blocks as they should be, in the background: it gets those that the server lacks, gives up those that
// belong elsewhere and those that nobody names any more, and reads all of them once in a while. Every server follows the log and so knows
// by itself which blocks it should have; what others have is asked of them only before a copy is given up. docs/sdfs.md has
// the rules.
package upkeep

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Log is this server's copy of the replicated state.
type Log interface {
	blocks.Log
	Watch() (*state.State, <-chan struct{})
	// CaughtUp tells whether the copy has all that the server knew before it was started.
	CaughtUp() bool
}

// Config says what is kept, and how fast. Zero values mean the defaults.
type Config struct {
	Self   state.Holder
	Log    Log
	Placed *blocks.Placed
	// MayFree asks the leader which blocks nobody can want or read any more that by the state at an index no entry names.
	MayFree func(ctx context.Context, ids []namespace.BlockID, index uint64) ([]bool, error)
	// Drained tells the cluster that this server, which leaves, has nothing any more that is not elsewhere.
	Drained func(ctx context.Context) error
	// Fatal is told, once, that the disk has failed a write so that nobody knows what is on it: the process must end, and finds out
	// when it is started anew.
	Fatal func(error)
	// Merge puts the small blocks of a file together; nil: nobody does.
	Merge func(ctx context.Context, name string) error

	// Every is how long there is between two looks at least, while the log changes. Default 5 s.
	Every time.Duration
	// RepairBytes bounds the bytes a second that are got from others. Default 128 MB.
	RepairBytes int64
	// ScrubBytes bounds the bytes a second that are read only to check them. Default 16 MB.
	ScrubBytes int64
	// ScrubEvery is how often all blocks are read, if that is fast enough for it. Default a day.
	ScrubEvery time.Duration
	// TrashTime is for how long large blocks that were given up can still be brought back by hand. Default an hour.
	TrashTime time.Duration

	Logger *zap.Logger
}

// Upkeep is the upkeep of one server. All methods may be called concurrently.
type Upkeep struct {
	cfg    Config
	local  *blocks.Local
	repair *pace
	scrub  *pace

	ctx    context.Context //nolint:containedctx // of what runs in the background
	cancel context.CancelFunc
	work   sync.WaitGroup
	wake   chan struct{}
	filled chan struct{} // closed once the server has had what belongs to it
	merges chan *state.State

	// Of the goroutine of the looks:
	failed    bool
	took      [3]time.Duration // to find what is to be done, the last times
	garbage   garbage
	elsewhere elsewhere

	got atomic.Int64 // bytes, since the start

	mu      sync.Mutex
	held    map[namespace.BlockID]namespace.Block // named by an entry and here, as of the last look
	missing int                                   // that should be here and could not be got
	index   uint64                                // of the state of the last look
}

// Start begins the upkeep of a server. Close must follow.
func Start(cfg Config) *Upkeep {
	def := func(n *int64, d int64) {
		if *n <= 0 {
			*n = d
		}
	}
	span := func(t *time.Duration, d time.Duration) {
		if *t <= 0 {
			*t = d
		}
	}
	const mb = 1 << 20
	def(&cfg.RepairBytes, 128*mb)
	def(&cfg.ScrubBytes, 16*mb)
	span(&cfg.Every, 5*time.Second)
	span(&cfg.ScrubEvery, 24*time.Hour)
	span(&cfg.TrashTime, time.Hour)
	u := &Upkeep{
		cfg: cfg, local: cfg.Placed.Local(), repair: newPace(cfg.RepairBytes), scrub: newPace(cfg.ScrubBytes),
		wake: make(chan struct{}, 1), filled: make(chan struct{}), merges: make(chan *state.State, 1),
	}
	u.ctx, u.cancel = context.WithCancel(context.Background())
	u.work.Go(u.run)
	u.work.Go(u.scrubAll)
	if cfg.Merge != nil {
		u.work.Go(u.mergeAll)
	}
	return u
}

// Close ends the upkeep.
func (u *Upkeep) Close() {
	u.cancel()
	u.work.Wait()
}

// Poke has the upkeep look at once: something is missing here that should not be.
func (u *Upkeep) Poke() {
	select {
	case u.wake <- struct{}{}:
	default:
	}
}

// Filled is closed once this server has had all the blocks that belong to it, by some state since it was started, as far as
// any other server has them.
func (u *Upkeep) Filled() <-chan struct{} { return u.filled }

// Standing is how the last look found the server.
type Standing struct {
	Index   uint64 // of the state it was by
	Held    int    // blocks that an entry names and that are here
	Missing int    // that should be here, and could not be got
	Got     int64  // bytes of blocks got from others since the start
}

// Standing tells how the last look found the server.
func (u *Upkeep) Standing() Standing {
	u.mu.Lock()
	defer u.mu.Unlock()
	return Standing{Index: u.index, Held: len(u.held), Missing: u.missing, Got: u.got.Load()}
}

// run looks again and again: soon where the members have changed or somebody pokes, now and then while the log
// changes, and after a while where something is left to be done.
func (u *Upkeep) run() {
	var last *state.State
	again := false // something was left undone
	for {
		s, changed := u.cfg.Log.Watch()
		wait := time.Duration(0)
		if last != nil {
			wait = u.cfg.Every
			if !last.SameMembers(s) {
				wait = 0
			}
		}
		if wait > 0 {
			if s.Index() != last.Index() {
				changed = nil // it has: but not too often
			} else if !again {
				wait = 12 * wait // time passes for leases, pins and the trash
			}
			t := time.NewTimer(wait)
			select {
			case <-u.ctx.Done():
			case <-u.wake:
			case <-t.C:
			case <-changed:
				t.Stop()
				continue
			}
			t.Stop()
		}
		if u.ctx.Err() != nil {
			return
		}
		if !u.cfg.Log.CaughtUp() || s.Cluster().IsZero() {
			if !u.pause(u.cfg.Every / 50) {
				return
			}
			continue
		}
		began := time.Now()
		s = u.cfg.Log.State()
		again = u.look(s)
		last = s
		if !u.pause(max(time.Millisecond, u.rest()-time.Since(began))) {
			return
		}
	}
}

// rest is how long there is between two looks at least, whoever pokes: what is to be done is found by at most a twentieth of one core. It goes by the
// quickest of the last few times, for a machine that hangs for a moment is no reason to rest for a minute.
func (u *Upkeep) rest() time.Duration { return min(20*slices.Min(u.took[:]), time.Minute) }

func (u *Upkeep) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-u.ctx.Done():
		return false
	}
}

// look compares what is here with what should be, and does something about it. It tells whether something is left to be done.
func (u *Upkeep) look(s *state.State) bool {
	began := time.Now()
	if err := u.local.Err(); err != nil && !u.failed {
		u.failed = true
		u.cfg.Fatal(fmt.Errorf("the disk of blocks: %w", err))
	}
	f := u.find(s)
	u.took = [...]time.Duration{u.took[1], u.took[2], time.Since(began)}
	undone := u.giveUp(f)
	undone = u.collect(f) || undone
	u.tidy() // a full disk may have room for what is to be got then
	left := u.get(f, time.Now().Add(u.rest()))
	me, known := s.Node(u.cfg.Self.Node)
	// Nothing belongs to a newcomer by the states before it joined, or in which it is held dead. What nobody has keeps no server from joining.
	if known && me.Incarnation == u.cfg.Self.Incarnation && me.Status != state.Down && left == f.lost {
		u.fillOnce()
	}
	undone = u.leave(f) || left > 0 || undone
	select {
	case u.merges <- s:
	default: // one is under way, and another waits
	}
	u.note(f, left)
	return undone
}

func (u *Upkeep) fillOnce() {
	select {
	case <-u.filled:
	default:
		close(u.filled)
	}
}

func (u *Upkeep) note(f *found, left int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.held, u.missing, u.index = f.held, left, f.state.Index()
}
