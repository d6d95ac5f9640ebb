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
	here  measured // by the accounts
	away  measured // on other nodes, as Report has it
}

type measured struct{ used, peak, spill atomic.Int64 }

// NewMemory returns a budget of limit bytes; 0 is without limit.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit} }

// Limit is the budget in bytes; 0 is without limit.
func (m *Memory) Limit() int64 { return m.limit }

// Used is what accounts hold now, in bytes, and what Report said.
func (m *Memory) Used() int64 { return m.here.used.Load() + m.away.used.Load() }

// Peak is the most they have held, and what Report said.
func (m *Memory) Peak() int64 { return m.here.peak.Load() + m.away.peak.Load() }

// Spilled is how many bytes were written to disk for want of memory, and what Report said.
func (m *Memory) Spilled() int64 { return m.here.spill.Load() + m.away.spill.Load() }

// Report says what was measured on other nodes, all together, in place of what
// it said before. It does not count towards the budget, which is of this node.
func (m *Memory) Report(used, peak, spilled int64) {
	m.away.used.Store(used)
	m.away.peak.Store(peak)
	m.away.spill.Store(spilled)
}

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
	used := a.memory.here.used.Add(delta)
	a.held = bytes
	for peak := a.memory.here.peak.Load(); used > peak && !a.memory.here.peak.CompareAndSwap(peak, used); {
		peak = a.memory.here.peak.Load()
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
		a.memory.here.spill.Add(bytes)
	}
}

// Close gives everything back. It is idempotent, and safe on nil.
func (a *Account) Close() {
	if a != nil {
		_ = a.Set(0)
	}
}
