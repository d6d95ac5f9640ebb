// Package group is the queue behind a group commit: what arrives while one group is being
// made durable forms the next.
package group

import "sync"

// Queue hands items from many goroutines to one, or to some, several at a time and in order.
type Queue[T any] struct {
	mu     sync.Mutex
	filled sync.Cond
	items  []T
	closed bool
}

// NewQueue is an empty queue.
func NewQueue[T any]() *Queue[T] {
	q := &Queue[T]{}
	q.filled.L = &q.mu
	return q
}

// Put adds items, next to each other; it never waits. It gives false once the queue is closed.
func (q *Queue[T]) Put(items ...T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return false
	}
	q.items = append(q.items, items...)
	q.filled.Signal()
	return true
}

// Take waits for items and gives the oldest, as many as weigh no more than most together but at
// least one. After Close it gives what is left, then nil.
func (q *Queue[T]) Take(most int, weight func(T) int) []T {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.items) == 0 {
		if q.closed {
			return nil
		}
		q.filled.Wait()
	}
	n, sum := 0, 0
	for n < len(q.items) {
		sum += weight(q.items[n])
		if n > 0 && sum > most {
			break
		}
		n++
	}
	taken := q.items[:n:n]
	q.items = q.items[n:]
	if len(q.items) == 0 {
		q.items = nil // the array is the taker's now
	} else {
		q.filled.Signal() // there may be another taker
	}
	return taken
}

// Close ends the queue: no more is taken in.
func (q *Queue[T]) Close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.filled.Broadcast()
}
