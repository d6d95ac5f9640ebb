package op

import (
	"errors"
	"testing"
)

// TestMemoryReport adds what other nodes have measured to what is measured here, without a budget for it.
func TestMemoryReport(t *testing.T) {
	m := NewMemory(100)
	a := m.Account("sort")
	if err := errors.Join(a.Set(60), a.Set(40)); err != nil {
		t.Fatal(err)
	}
	a.Spill(5)
	m.Report(1000, 2000, 300)
	m.Report(1000, 3000, 400)
	if m.Used() != 1040 || m.Peak() != 3060 || m.Spilled() != 405 || m.Limit() != 100 {
		t.Errorf("used %d, peak %d, spilled %d of %d", m.Used(), m.Peak(), m.Spilled(), m.Limit())
	}
	if err := a.Set(90); err != nil {
		t.Errorf("what others hold counts here: %v", err)
	}
	if err := a.Set(101); !errors.As(err, new(*ExhaustedError)) {
		t.Errorf("101 of 100 bytes: %v", err)
	}
}
