package task

import (
	"reflect"
	"sync"
	"testing"

	"github.com/rainsql/rainsql/exec/exchange"
)

func TestSnapshots(t *testing.T) {
	a := Snapshot{Bytes: 1, Rows: 2, Made: 3, Skipped: 4, Nulled: 5, Pruned: 6, Covered: 7, Total: 8, Written: []Written{{Path: "a", Rows: 9}}}
	b := Snapshot{Bytes: 10, Rows: 20, Made: 30, Skipped: 40, Nulled: 50, Pruned: 60, Covered: 70, Total: 80, Endless: true, Written: []Written{{Path: "b", Rows: 90}}}
	want := Snapshot{
		Bytes: 11, Rows: 22, Made: 33, Skipped: 44, Nulled: 55, Pruned: 66, Covered: 77, Total: 88, Endless: true,
		Written: []Written{{Path: "a", Rows: 9}, {Path: "b", Rows: 90}},
	}
	if got := a.Add(b); !reflect.DeepEqual(got, want) {
		t.Errorf("the sum is %+v, not %+v", got, want)
	}
	if got := (Snapshot{}).Add(Snapshot{}); !reflect.DeepEqual(got, Snapshot{}) {
		t.Errorf("nothing and nothing is %+v", got)
	}
	var stats Stats
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for range 100 {
				_ = stats.Snapshot()
			}
		})
	}
	for range 100 {
		stats.Set(a)
		stats.Set(want)
	}
	readers.Wait()
	if got := stats.Snapshot(); !reflect.DeepEqual(got, want) {
		t.Errorf("set to %+v, the stats say %+v", want, got)
	}
	if done, total := stats.Covered(); done != 77 || total != -1 {
		t.Errorf("covered %d of %d", done, total)
	}
	stats.Set(a)
	if done, total := stats.Covered(); done != 7 || total != 8 || len(stats.Written()) != 1 {
		t.Errorf("covered %d of %d, written %v", done, total, stats.Written())
	}
}

// nowhere is where a part that does not run has no need to send to.
type nowhere struct{ exchange.Away }

func (nowhere) Done() {}

// TestPartsAddUp starts a graph in two parts: what there is to read is counted by one of them, though both find the same splits.
func TestPartsAddUp(t *testing.T) {
	g := pipeline(4, nil, toCaller)
	rt := runtimeFor(t, opener{source: &numbers{splits: 7, length: 10}}, nil)
	var sum Snapshot
	for part := range 2 {
		stats := &Stats{}
		r, err := Start(t.Context(), g, Part{
			Here: func(_, task int) bool { return task%2 == part },
			Away: func(int, int, int) exchange.Away { return nowhere{} },
		}, rt, stats)
		if err != nil {
			t.Fatal(err)
		}
		sum = sum.Add(stats.Snapshot())
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if sum.Total != 70 || sum.Endless {
		t.Errorf("%d bytes are to be read, not 70: %+v", sum.Total, sum)
	}
}
