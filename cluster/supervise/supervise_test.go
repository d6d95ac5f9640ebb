package supervise

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
)

var epoch = time.UnixMicro(1e15)

// parse reads a cluster, a word a node: its number, then a letter for its status (p a l d e), V for a vote, n
// for a place in raft without one, D if what it had is elsewhere, x if SWIM holds it dead, X if it has for an hour, r, R or Q if it refuses for 0.1, 1 or 6 s, b if it is behind, m if its address has
// changed, s if a step about it has failed. The leader is the one with '*'.
func parse(t *testing.T, text string, voters int) View {
	t.Helper()
	v := View{Now: epoch, Dead: map[state.ID]time.Time{}, Refused: map[state.ID]time.Time{}, Behind: map[state.ID]bool{}, Skip: map[state.ID]bool{}, Voters: voters, DownAfter: 5 * time.Second, EvictAfter: time.Minute}
	for _, word := range strings.Fields(text) {
		n := &state.Node{ID: state.ID{15: word[0] - '0'}, Addr: "a", Joined: uint64(word[0])}
		for _, c := range word[1:] {
			switch c {
			case 'p', 'a', 'l', 'd', 'e':
				n.Status = state.Status(strings.IndexRune(" palde", c))
			case 'V', 'n':
				v.Servers = append(v.Servers, Server{ID: n.ID, Addr: "a", Voter: c == 'V'})
			case 'x':
				v.Dead[n.ID] = epoch.Add(-10 * time.Second)
			case 'X':
				v.Dead[n.ID] = epoch.Add(-time.Hour)
			case 'r':
				v.Refused[n.ID] = epoch.Add(-100 * time.Millisecond)
			case 'R':
				v.Refused[n.ID] = epoch.Add(-time.Second)
			case 'Q':
				v.Refused[n.ID] = epoch.Add(-6 * time.Second)
			case 'm':
				n.Addr = "b"
			case 's':
				v.Skip[n.ID] = true
			case 'b':
				v.Behind[n.ID] = true
			case 'D':
				n.Drained = true
			case '*':
				v.Self = n.ID
			default:
				t.Fatalf("%q", word)
			}
		}
		v.Nodes = append(v.Nodes, n)
	}
	return v
}

func TestNext(t *testing.T) {
	for _, tc := range []struct {
		cluster string
		most    int
		want    string
	}{
		{"1aV*", 5, "-"},
		{"1aV* 2p", 5, "admit 2"},
		{"1aV* 2pn", 5, "-"},
		{"1aV* 2an", 5, "-"}, // two voters would stand the loss of neither
		{"1aV* 2an 3an", 5, "promote 2"},
		{"1aV* 2anb 3an", 5, "promote 3"},
		{"1aV* 2aV 3an", 5, "promote 3"},
		{"1aV* 2aV 3aV", 5, "-"},
		{"1aV* 2aV 3aV 4an", 5, "-"},
		{"1aV* 2aV 3aV 4an 5an", 5, "promote 4"},
		{"1aV* 2aV 3aV 4an 5an", 3, "-"},
		{"1aV* 2aV 3aV 4aV 5aV", 3, "demote 5"},
		{"1aV* 2aV 3aVx", 5, "mark down 3"},
		{"1aV* 2aV 3aVr", 5, "-"},
		{"1aV* 2aV 3aVR", 5, "mark down 3"},
		{"1aV* 2aV 3dVR", 5, "-"},
		{"1aV* 2aV 3dVQ", 5, "-"},             // nor is it evicted
		{"1aV* 2aV 3dVR 4an", 5, "-"},         // it may just be starting anew, and keeps its vote
		{"1aV* 2aV 3dVQ 4an", 5, "promote 4"}, // not for longer
		{"1aV* 2aV 3dV", 5, "mark up 3"},
		{"1aV* 2aV 3dVx", 5, "-"}, // keeps its vote until another takes its place
		{"1aV* 2aV 3dVx 4an", 5, "promote 4"},
		{"1aV* 2aV 3dVx 4aV", 5, "demote 3"},
		{"1aV* 2aV 3dV", 5, "mark up 3"},
		{"1aV* 2aV 3dVX", 5, "evict 3"},
		{"1aV* 2aV 3aVm", 5, "promote 3"},
		{"1aV* 2aV 3anm", 5, "admit 3"},
		{"1aV* 2aV 3aV 4p 5en", 5, "admit 4"},
		{"1aV* 2aV 3aV 4ps 5en", 5, "remove 5"}, // what fails does not hold up the rest
		{"1aV* 2aV 3dVxs 4aV 5en", 5, "remove 5"},
		{"1aV* 2aV 3eV", 5, "demote 3"},
		{"1aV* 2aV 3en", 5, "demote 2"}, // two servers are left: one votes
		{"1aV* 2an 3en", 5, "remove 3"},
		{"1aV* 2aV 3lV", 5, "demote 3"},
		{"1aV* 2aV 3ln", 5, "demote 2"},
		{"1aV* 2an 3ln", 5, "-"}, // it has something yet
		{"1aV* 2an 3lnD", 5, "evict 3"},
		{"1lV* 2aV 3aV", 5, "hand over 2"},
		{"1lV* 2an", 5, "promote 2"},
		{"1aV* 2aV 3aV 4dnx 5an", 5, "-"}, // of four that can vote, three do
		{"1aV* 2aV 3aV 4dnx 5aV", 5, "demote 5"},
		{"1aV* 2aV 3aV 4dVx 5dVx", 5, "-"}, // three of five go on
		{"1aV* 2aV 3aV 4dVx 5dVx 6an", 5, "promote 6"},
	} {
		got := "-"
		if step, ok := Next(parse(t, tc.cluster, tc.most)); ok {
			got = fmt.Sprint(step.What, " ", step.Node[15])
		}
		if got != tc.want {
			t.Errorf("%s, at most %d: %s, want %s", tc.cluster, tc.most, got, tc.want)
		}
	}
}
