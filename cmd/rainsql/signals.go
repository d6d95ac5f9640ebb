package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// errInterrupted is the cause of a context that Ctrl-C ended.
var errInterrupted = errors.New("interrupted")

// signals turns Ctrl-C into the end of a context: of the whole program, or at
// the prompt of the statement that runs. A second one leaves at once.
type signals struct {
	ch     chan os.Signal
	cancel context.CancelCauseFunc // of the program

	mu        sync.Mutex
	statement context.CancelCauseFunc // of the statement that runs, at the prompt
	prompt    bool                    // Ctrl-C between statements is the prompt's
	pressed   int                     // since the statement, or the program, began
	aside     bool                    // another program has the terminal: Ctrl-C is its too, and never leaves
	idle      chan struct{}           // told of Ctrl-C between statements
}

// catchSignals returns a context that the first Ctrl-C (or SIGTERM, SIGHUP) ends.
func catchSignals() (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(context.Background())
	s := &signals{ch: make(chan os.Signal, 2), cancel: cancel, idle: make(chan struct{}, 1)}
	signal.Notify(s.ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A reader who left is an error of Write, after which nothing is left behind.
	// Caught rather than ignored: programs that we run would inherit the latter.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	go s.run()
	return ctx, s
}

func (s *signals) run() {
	for sig := range s.ch {
		if s.caught(sig) {
			os.Exit(exitInterrupted)
		}
	}
}

// caught acts on a signal; it reports whether the program leaves at once.
func (s *signals) caught(sig os.Signal) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.prompt && sig == os.Interrupt {
		if s.statement == nil {
			select {
			case s.idle <- struct{}{}:
			default:
			}
			return false
		}
		s.statement(errInterrupted)
	} else {
		s.cancel(errInterrupted)
	}
	if s.aside && sig == os.Interrupt {
		return false
	}
	s.pressed++
	return s.pressed > 1
}

// other says that another program has the terminal, until done is called.
func (s *signals) other() (done func()) {
	set := func(on bool) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.aside = on
	}
	set(true)
	return func() { set(false) }
}

// atPrompt makes Ctrl-C end statements only. What it returns is told of those
// that come while none runs.
func (s *signals) atPrompt() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.prompt = true
	return s.idle
}

// during returns a context that Ctrl-C ends, until done is called.
func (s *signals) during(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	s.mu.Lock()
	before := s.statement
	if s.statement == nil {
		s.pressed = 0
	}
	s.statement = cancel
	s.mu.Unlock()
	return ctx, func() {
		s.mu.Lock()
		s.statement = before
		s.mu.Unlock()
		cancel(nil)
	}
}

// stop ends the catching.
func (s *signals) stop() {
	signal.Stop(s.ch)
	close(s.ch)
	s.cancel(nil)
}
