package exchange

import (
	"context"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
)

// spoolBytes is how much a spool holds in memory before it writes to disk.
const spoolBytes = 32 << 20

// spool is a link that never makes its writer wait: what the reader has not
// come to stays in memory, and beyond spoolBytes, or where the query's budget
// does not allow that, in a temporary file. Order is kept. It has one writer
// and one reader.
type spool struct {
	mem     memory.Allocator
	account *op.Account

	mu      sync.Mutex
	queue   []held // in memory: what comes first
	bytes   int64
	file    *spillFile // what comes after the queue; nil: nothing
	ended   bool
	stopped bool
	changed chan struct{} // holds one token when there is news for the reader
	limit   int64
}

type held struct {
	Message
	bytes int64
}

func newSpool(mem memory.Allocator, account *op.Account) *spool {
	return &spool{mem: mem, account: account, changed: make(chan struct{}, 1), limit: spoolBytes}
}

func (s *spool) send(ctx context.Context, m Message) (op.Flow, error) {
	if ctx.Err() != nil {
		m.Release()
		return op.Enough, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.wake()
	if s.stopped {
		m.Release()
		return op.Enough, nil
	}
	h := held{Message: m}
	if m.Batch != nil {
		h.bytes = bytesOf(m.Batch)
	}
	if s.file == nil && s.fits(h.bytes) {
		s.queue = append(s.queue, h)
		return op.More, nil
	}
	defer m.Release()
	if s.file == nil {
		f, err := newSpillFile()
		if err != nil {
			return op.Enough, err
		}
		s.file = f
	}
	before := s.file.written
	err := s.file.append(s.mem, m)
	s.account.Spill(s.file.written - before)
	return op.More, err
}

// fits takes the memory for so many bytes more, if it may.
func (s *spool) fits(bytes int64) bool {
	if s.bytes+bytes > s.limit || s.account.Set(s.bytes+bytes) != nil {
		_ = s.account.Set(s.bytes) // less than before never fails
		return false
	}
	s.bytes += bytes
	return true
}

func (s *spool) wake() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *spool) isStopped() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stopped
}

func (s *spool) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	s.wake()
}

func (s *spool) receive(ctx context.Context) (Message, bool, error) {
	for {
		m, ok, ended, err := s.take()
		if err != nil || ok || ended {
			return m, ok, err
		}
		if err := s.wait(ctx); err != nil {
			return Message{}, false, err
		}
	}
}

// wait waits for news.
func (s *spool) wait(ctx context.Context) error {
	defer Waits(ctx)()
	select {
	case <-s.changed:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// take gives the next message, if it is there.
func (s *spool) take() (m Message, ok, ended bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) > 0 {
		h := s.queue[0]
		s.queue[0] = held{}
		s.queue = s.queue[1:]
		s.bytes -= h.bytes
		_ = s.account.Set(s.bytes)
		return h.Message, true, false, nil
	}
	if s.file != nil {
		m, err := s.file.next(s.mem)
		if err == nil && s.file.unread() == 0 { // what comes now goes to memory again
			err = s.file.close()
			s.file = nil
		}
		return m, err == nil, false, err
	}
	return Message{}, false, s.ended || s.stopped, nil
}

func (s *spool) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stopped = true
	s.wake()
}

func (s *spool) drain() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, h := range s.queue {
		h.Release()
	}
	s.queue, s.bytes = nil, 0
	if s.file != nil {
		_ = s.file.close() // only what no one wants is lost
		s.file = nil
	}
	s.account.Close()
}
