package logging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"
)

// Bounds of what waits to be written, and of how long that is waited for. As many lines again may be on their way.
const (
	maxLines  = 4096
	maxBytes  = 4 << 20
	syncWait  = 500 * time.Millisecond
	closeWait = 2 * time.Second
)

var errNotWritten = errors.New("the log cannot be written now")

// queue is a zapcore.WriteSyncer that writes in a goroutine of its own: a disk that hangs must not stop who logs,
// raft's leader among them. What finds it full is lost, and a line says how much.
type queue struct {
	to     io.Writer
	notice func(lost int) []byte // the line
	end    func() error          // what follows the last line, or nil

	mu       sync.Mutex
	lines    [][]byte
	size     int           // of lines, in bytes
	lost     int           // lines after those
	in, out  uint64        // how many lines were taken on, and how many of them are dealt with
	progress chan struct{} // closed when out has grown
	closed   bool

	wake   chan struct{} // holds one if there is something to do
	ended  chan struct{}
	failed error // once ended: what is not written, and why
}

// newQueue makes a queue before to. Close must follow.
func newQueue(to io.Writer, notice func(lost int) []byte, end func() error) *queue {
	q := &queue{
		to: to, notice: notice, end: end,
		progress: make(chan struct{}), wake: make(chan struct{}, 1), ended: make(chan struct{}),
	}
	go q.run()
	return q
}

// Write takes a copy of a line on, or loses it. It never waits.
func (q *queue) Write(line []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	// After a loss none is taken on until all else is on its way: the notice stands where lines are missing.
	if q.closed || q.lost > 0 || len(q.lines) >= maxLines || q.size+len(line) > maxBytes {
		q.lost++
	} else {
		q.lines = append(q.lines, slices.Clone(line))
		q.size += len(line)
		q.in++
	}
	q.rouse()
	return len(line), nil
}

// rouse wakes the goroutine, now or when it is through with what it has.
func (q *queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

func (q *queue) run() {
	defer close(q.ended)
	lost := 0
	var why error
	write := func(line []byte) bool {
		_, err := q.to.Write(line)
		if err != nil {
			why = err // such as of a full disk: it may pass
		}
		return err == nil
	}
	for range q.wake {
		lines, more, closed := q.take()
		for _, line := range lines {
			if !write(line) {
				lost++
			}
		}
		if lost += more; lost > 0 && write(q.notice(lost)) {
			lost = 0
		}
		q.dealtWith(len(lines))
		if closed {
			if lost > 0 {
				q.failed = fmt.Errorf("%d lines of the log are lost: %w", lost, why)
			}
			if q.end != nil {
				q.failed = errors.Join(q.failed, q.end())
			}
			return
		}
	}
}

// take gives all that waits, and how many lines after it are lost.
func (q *queue) take() (lines [][]byte, lost int, closed bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	lines, lost = q.lines, q.lost
	q.lines, q.size, q.lost = nil, 0, 0
	return lines, lost, q.closed
}

func (q *queue) dealtWith(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.out += uint64(n)
	close(q.progress)
	q.progress = make(chan struct{})
}

// Sync waits for what was taken on before, but not for long.
func (q *queue) Sync() error {
	q.mu.Lock()
	upTo := q.in
	q.mu.Unlock()
	late := time.NewTimer(syncWait)
	defer late.Stop()
	for progress := q.behind(upTo); progress != nil; progress = q.behind(upTo) {
		select {
		case <-progress:
		case <-late.C:
			return errNotWritten
		}
	}
	return nil
}

// behind gives what to wait for until the first lines are dealt with, or nil.
func (q *queue) behind(first uint64) <-chan struct{} {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.out >= first {
		return nil
	}
	return q.progress
}

// Close waits for all that was taken on, as long as ctx lasts. What comes after it is lost.
func (q *queue) Close(ctx context.Context) error {
	q.mu.Lock()
	q.closed = true
	q.rouse()
	q.mu.Unlock()
	select {
	case <-q.ended:
		return q.failed
	case <-ctx.Done():
		return errNotWritten
	}
}
