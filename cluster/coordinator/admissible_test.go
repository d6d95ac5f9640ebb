package coordinator

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestAdmissible: an entry has the time of its client, unless that is far ahead, or now; of a batch each part has.
func TestAdmissible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now().UnixMicro()
		of := func(client uint64, at int64) state.Entry {
			return state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Create, Name: "a", Client: client, Time: at}}
		}
		batch := func(parts ...state.Entry) state.Entry { return state.Entry{Kind: state.Batch, Batch: parts} }
		c := &Coordinator{machine: newMachine(nil, nil)}
		for _, tc := range []struct {
			name  string
			entry state.Entry
			skew  int64
			want  []int64 // times of its parts; nil: it is refused
		}{
			{"behind", of(1, now-1e9), 0, []int64{now - 1e9}},
			{"as far ahead as may be", of(1, now+ClockSlack), 0, []int64{now + ClockSlack}},
			{"further", of(1, now+ClockSlack+1), 0, nil},
			{"the leader's clock is behind", of(1, now+ClockSlack+1), 1, []int64{now + ClockSlack + 1}},
			{"not to be repeated", of(0, 5), 0, []int64{now}},
			{"a batch", batch(of(1, now+ClockSlack), of(0, 5)), 0, []int64{now + ClockSlack, now}},
			{"the second of a batch is ahead", batch(of(1, now), of(2, now+ClockSlack+1)), 0, nil},
		} {
			c.skew.Store(tc.skew)
			err := c.admissible(&tc.entry)
			if (tc.want == nil) != errors.Is(err, ErrClock) {
				t.Errorf("%s: %v", tc.name, err)
			}
			for i, at := range tc.want {
				part := tc.entry
				if part.Kind == state.Batch {
					part = part.Batch[i]
				}
				if part.Files.Time != at {
					t.Errorf("%s: part %d has time %d, now is %d", tc.name, i, part.Files.Time, now)
				}
			}
		}
		c.machine.state, _ = state.Apply(state.New(), 1, of(0, now+1e9)) // log time does not go back
		for at, ok := range map[int64]bool{now + 1e9 + ClockSlack: true, now + 1e9 + ClockSlack + 1: false} {
			if e := of(1, at); (c.admissible(&e) == nil) != ok {
				t.Errorf("%d ahead of log time: it is %v that it is admitted", at-now-1e9, !ok)
			}
		}
	})
}
