package coordinator

import (
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// TestConfirm: answers count for reads that came before their calls began, in the same term.
func TestConfirm(t *testing.T) {
	servers := []raft.Server{{ID: "me"}, {ID: "a"}, {ID: "b"}, {ID: "c"}, {ID: "d"}, {ID: "x", Suffrage: raft.Nonvoter}}
	at := time.Now()
	before, after := at.Add(-time.Millisecond), at.Add(time.Millisecond)
	c := &confirming{}
	for _, step := range []struct {
		id    raft.ServerID
		term  uint64
		began time.Time
		want  bool
	}{
		{"a", 7, before, false},
		{"b", 7, before, false},
		{"x", 7, after, false}, // has no vote
		{"a", 7, after, false},
		{"a", 7, after, false}, // once is enough
		{"c", 6, after, false}, // of another term
		{"c", 7, at, true},
		{"c", 7, before, true}, // an older answer that comes late takes nothing back
	} {
		c.note(step.id, step.term, step.began)
		if got := c.since("me", 7, at, servers); got != step.want {
			t.Errorf("after %+v: %v", step, got)
		}
	}
	if c.note("a", 8, after); c.since("me", 7, at, servers) {
		t.Error("confirmed for a term that is over")
	}
}
