package coordinator

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"syscall"
	"time"

	"github.com/hashicorp/raft"
)

// watchdog times each write of log and term. raft 1.8 would go on to lead with a disk that hangs, and
// retry what failed; both have lost data elsewhere. So a write that takes too long or fails is the end of
// the process: once told, whoever writes waits until the watchdog is let go, as good as dead.
type watchdog struct {
	limit    time.Duration
	fatal    func(error)
	makeRoom func() bool

	once sync.Once
	dead chan struct{} // closed as fatal is told
	gone chan struct{} // closed by letGo
}

func newWatchdog(limit time.Duration, makeRoom func() bool, fatal func(error)) *watchdog {
	return &watchdog{limit: limit, fatal: fatal, makeRoom: makeRoom, dead: make(chan struct{}), gone: make(chan struct{})}
}

// letGo lets writers that wait end; it is called when nobody can hear them any more.
func (w *watchdog) letGo() { close(w.gone) }

func (w *watchdog) die(err error) {
	w.once.Do(func() {
		close(w.dead)
		w.fatal(err)
	})
}

func (w *watchdog) isDead() bool {
	select {
	case <-w.dead:
		return true
	default:
		return false
	}
}

// steps are what the limit is waited for in.
const steps = 8

// after calls late when the limit is over, unless it is stopped before. A process that was stopped and goes on finds all of its
// timers over at once, and would blame the disk: so the limit is some short waits, of which that takes but one.
func (w *watchdog) after(late func()) (stop func()) {
	var mu sync.Mutex
	var timer *time.Timer
	left := steps
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(w.limit/steps, func() {
		mu.Lock()
		defer mu.Unlock()
		if left--; left > 0 {
			timer.Reset(w.limit / steps)
		} else if left == 0 {
			go late()
		}
	})
	return func() {
		mu.Lock()
		defer mu.Unlock()
		left = 0
		timer.Stop()
	}
}

// write does one write under watch.
func (w *watchdog) write(what string, do func() error) error {
	began := time.Now()
	err := w.timed(what, do)
	if isFull(err) && w.makeRoom != nil && w.makeRoom() {
		err = w.timed(what, do)
	}
	if err != nil && !w.isDead() {
		w.die(fmt.Errorf("writing the %s of the coordinator has failed after %v: %w", what, time.Since(began).Round(time.Millisecond), err))
	}
	if w.isDead() {
		<-w.gone
		return errDead
	}
	return nil
}

var errDead = errors.New("the coordinator's disk is given up")

func (w *watchdog) timed(what string, do func() error) error {
	stop := w.after(func() {
		w.die(fmt.Errorf("writing the %s of the coordinator has taken longer than %v: the disk hangs", what, w.limit))
	})
	defer stop()
	return do()
}

// isFull tells whether a write found no room before anything of it counted. An fsync that finds none is another
// matter: it is never tried again.
func isFull(err error) bool {
	var path *fs.PathError
	return errors.As(err, &path) && path.Op == "write" && errors.Is(err, syscall.ENOSPC)
}

// watchedLog is a log whose writes are watched.
type watchedLog struct {
	raft.LogStore
	w *watchdog
}

func (l watchedLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

func (l watchedLog) StoreLogs(logs []*raft.Log) error {
	return l.w.write("log", func() error { return l.LogStore.StoreLogs(logs) })
}

func (l watchedLog) DeleteRange(first, last uint64) error {
	return l.w.write("log", func() error { return l.LogStore.DeleteRange(first, last) })
}

// watchedStable is where term and vote are written, under watch.
type watchedStable struct {
	raft.StableStore
	w *watchdog
}

func (s watchedStable) Set(key, val []byte) error {
	return s.w.write("vote", func() error { return s.StableStore.Set(key, val) })
}

func (s watchedStable) SetUint64(key []byte, val uint64) error {
	err := s.w.write("term", func() error { return s.StableStore.SetUint64(key, val) })
	if errors.Is(err, errDead) && string(key) == currentTerm {
		return nil // raft would panic; a term without a vote or an entry, which do fail, promises nothing
	}
	return err
}
