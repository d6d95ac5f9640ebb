package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
)

func holder(n byte) state.Holder { return state.Holder{Node: state.ID{15: n}, Incarnation: 1} }

func node(n byte, slots int, status state.Status) *state.Node {
	return &state.Node{ID: state.ID{15: n}, Incarnation: 1, Slots: slots, Status: status, Joined: uint64(n)}
}

func queued(id uint64, width int) *state.Job {
	return &state.Job{ID: id, Width: width, Status: state.Queued, Gateway: holder(1)}
}

func running(id uint64, on ...byte) *state.Job {
	j := &state.Job{ID: id, Width: len(on), Status: state.Running, Gateway: holder(1)}
	for _, n := range on {
		j.Slots = append(j.Slots, holder(n))
	}
	return j
}

// TestNext: expectations worked by hand from docs/jobs.md, "Slots".
func TestNext(t *testing.T) {
	three := []*state.Node{node(1, 2, state.Active), node(2, 2, state.Active), node(3, 2, state.Active)}
	avoiding := queued(10, 2)
	avoiding.Avoid = []state.Holder{holder(2)}
	ended := running(5)
	ended.Status = state.Done
	for _, tc := range []struct {
		name string
		v    View
		want string
	}{
		{"nothing to do", View{Nodes: three, Jobs: []*state.Job{ended}}, ""},
		{"spread over servers in turn", View{Nodes: three, Jobs: []*state.Job{queued(10, 4)}}, "10: 1 2 3 1"},
		{"all there are", View{Nodes: three, Jobs: []*state.Job{queued(10, 64)}}, "10: 1 2 3 1 2 3"},
		{"those with most room first", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 2), queued(10, 2)}}, "10: 3 2"},
		{"its share is enough", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 2), queued(10, 6)}}, "10: 3 2 3"},
		{"less than its share is not", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 2, 2), queued(10, 6)}}, ""},
		{"what it can use is less than its share", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 2, 2, 3), queued(10, 1)}}, "10: 3"},
		{"none overtakes", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 2, 2, 3), queued(10, 3), queued(11, 1)}}, ""},
		{"full", View{Nodes: three, Jobs: []*state.Job{running(8, 1, 2, 3), running(9, 1, 2, 3), queued(10, 1)}}, ""},
		{"not those that leave, are down, pending or held dead", View{
			Nodes: []*state.Node{node(1, 2, state.Leaving), node(2, 2, state.Down), node(3, 2, state.Pending), node(4, 2, state.Active), node(5, 2, state.Active)},
			Dead:  map[state.ID]bool{{15: 5}: true}, Jobs: []*state.Job{queued(10, 6)},
		}, "10: 4 4"},
		{"not the one that failed it", View{Nodes: three, Jobs: []*state.Job{avoiding}}, "10: 1 3"},
		{"though all others are full", View{Nodes: three, Jobs: []*state.Job{running(9, 1, 1, 3, 3), avoiding}}, ""},
		{"unless there is no other", View{Nodes: three[1:2], Jobs: []*state.Job{avoiding}}, "10: 2 2"},
		{"a server without slots", View{Nodes: []*state.Node{node(1, 0, state.Active)}, Jobs: []*state.Job{queued(10, 1)}}, ""},
		{"its gateway is gone, but not for long", View{Now: time.Unix(109, 0), Nodes: three, Jobs: []*state.Job{running(10, 1)}, Lost: map[uint64]time.Time{10: time.Unix(100, 0)}}, ""},
		{"its gateway is gone", View{Now: time.Unix(110, 0), Nodes: three, Jobs: []*state.Job{running(10, 1)}, Lost: map[uint64]time.Time{10: time.Unix(100, 0)}}, "10 ends"},
		{"what has no gateway waits, and keeps nobody waiting", View{Now: time.Unix(109, 0), Nodes: three, Jobs: []*state.Job{queued(10, 2), queued(11, 2)}, Lost: map[uint64]time.Time{10: time.Unix(100, 0)}}, "11: 1 2"},
	} {
		step, ok := Next(tc.v)
		got := ""
		switch {
		case ok && len(step.Slots) == 0:
			got = fmt.Sprintf("%d ends", step.Job)
		case ok:
			got = fmt.Sprintf("%d:", step.Job)
			for _, h := range step.Slots {
				got += fmt.Sprint(" ", h.Node[15])
			}
		}
		if got != tc.want || strings.HasSuffix(got, "ends") != (step.Reason != "") {
			t.Errorf("%s: %q, not %q (%q)", tc.name, got, tc.want, step.Reason)
		}
	}
}
