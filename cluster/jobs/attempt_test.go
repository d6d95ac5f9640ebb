package jobs

import (
	"errors"
	"testing"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// TestAttemptTakes: an attempt has done its work when all parts have done theirs, and not when all have ended.
func TestAttemptTakes(t *testing.T) {
	a, b, c := state.ID{1}, state.ID{2}, state.ID{3}
	over := func(server state.ID, end api.PartEnd) event {
		return event{server: server, said: &api.PartResponse{What: &api.PartResponse_Over{Over: &api.PartOver{End: end}}}}
	}
	const (
		runs = -1
		done = api.PartEnd_DONE
		lost = api.PartEnd_SURROUNDINGS
		bad  = api.PartEnd_QUERY
	)
	for name, tc := range map[string]struct {
		events []event
		want   api.PartEnd // after the last
	}{
		"two of three":                  {[]event{over(a, done), over(b, done)}, runs},
		"all":                           {[]event{over(a, done), over(b, done), over(c, done)}, done},
		"one fails":                     {[]event{over(a, done), over(b, bad)}, bad},
		"one fails, and the others end": {[]event{over(b, lost), over(a, done), over(c, done)}, runs}, // who is to blame is still waited for
		"one is lost that had done its": {[]event{over(a, done), {server: a, err: errors.New("broken")}}, lost},
		"one tells twice":               {[]event{over(a, done), over(a, done), over(b, done)}, runs},
		"one tells how far it has come": {[]event{{server: a, said: &api.PartResponse{What: &api.PartResponse_Progress{Progress: &api.Progress{Rows: 1}}}}}, runs},
	} {
		at := &attempt{parts: map[state.ID]*reached{a: {}, b: {}, c: {}}}
		var end *api.PartOver
		for _, e := range tc.events {
			end = at.take(e)
		}
		got := api.PartEnd(runs)
		if end != nil {
			got = end.GetEnd()
		}
		if got != tc.want {
			t.Errorf("%s: %v, not %v", name, got, tc.want)
		}
	}
}
