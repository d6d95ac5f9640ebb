package op

import (
	"fmt"
	"sync/atomic"

	"github.com/rainsql/rainsql/internal/human"
)

// Memory is a query's budget on a node, shared by all of its tasks. It is safe
// for concurrent use.
type Memory struct {
	limit int64
	used  atomic.Int64
	peak  atomic.Int64
	spill atomic.Int64
}

// NewMemory returns a budget of limit bytes; 0 is without limit.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Used is what accounts hold now, in bytes.
func (m *Memory) Used() int64 { return m.used.Load() }

// Peak is the most they have held.
func (m *Memory) Peak() int64 { return m.peak.Load() }

// Spilled is how many bytes were written to disk for want of memory.
func (m *Memory) Spilled() int64 { return m.spill.Load() }

// ExhaustedError says that a query needs more than its memory_limit.
type ExhaustedError struct {
	Operator string
	Holds    int64 // what the operator holds, in bytes
	Limit    int64
}

// Error says what to do about it.
func (e *ExhaustedError) Error() string {
	return fmt.Sprintf("the query needs more than memory_limit = %s: its %s holds %s; raise it with SET memory_limit, or filter earlier",
		human.Bytes(e.Limit), e.Operator, human.Bytes(e.Holds))
}

// Account is what one operator holds of the budget. It is used by its task's
// goroutine only.
type Account struct {
	memory   *Memory
	operator string
	held     int64
}

// Account opens an account for an operator, named in errors.
func (m *Memory) Account(operator string) *Account { return &Account{memory: m, operator: operator} }

// Set says how many bytes the operator now holds. It fails with an
// *ExhaustedError when the query's budget does not allow it.
func (a *Account) Set(bytes int64) error {
	if a == nil || a.memory == nil {
		return nil
	}
	delta := bytes - a.held
	used := a.memory.used.Add(delta)
	a.held = bytes
	for peak := a.memory.peak.Load(); used > peak && !a.memory.peak.CompareAndSwap(peak, used); {
		peak = a.memory.peak.Load()
	}
	if delta > 0 && a.memory.limit > 0 && used > a.memory.limit {
		return &ExhaustedError{Operator: a.operator, Holds: bytes, Limit: a.memory.limit}
	}
	return nil
}

// Add says that the operator holds so many bytes more (or fewer).
func (a *Account) Add(bytes int64) error {
	if a == nil {
		return nil
	}
	return a.Set(a.held + bytes)
}

// Spill says that the operator has written so many bytes to disk.
func (a *Account) Spill(bytes int64) {
	if a != nil && a.memory != nil {
		a.memory.spill.Add(bytes)
	}
}

// Close gives everything back. It is idempotent, and safe on nil.
func (a *Account) Close() {
	if a != nil {
		_ = a.Set(0)
	}
}
