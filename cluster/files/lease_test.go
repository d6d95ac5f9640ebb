package files

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/rainsql/rainsql/cluster/blocks"
)

// TestLeaseBegins: whenever the renewal looks at a lease, it finds one that was just opened in use, until whoever opened it is done and for a while
// after that.
func TestLeaseBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLeases(nil)
		defer l.cancel()
		if h := l.begin(5, 9); h != (blocks.Head{Lease: 5, Index: 9}) || l.idle(5) {
			t.Fatalf("%+v, and it counts as idle", h)
		}
		l.give(5)
		if l.idle(5) {
			t.Fatal("it counts as idle as soon as it was used")
		}
		if h, ok := l.takeCurrent(); !ok || h.Lease != 5 {
			t.Fatalf("another gets %+v", h)
		}
		time.Sleep(2 * leaseRenew)
		if l.idle(5) {
			t.Error("it is idle, with a user left")
		}
		l.give(5)
		if !l.idle(5) {
			t.Error("it is in use, and nobody uses it")
		}
		if h, ok := l.takeCurrent(); ok {
			t.Errorf("a lease that is about to be closed is taken: %+v", h)
		}
	})
}
