package task

import (
	"testing"
	"time"

	"github.com/rainsql/rainsql/exec/op"
)

// TestCounts: the rows of a source are those that its tasks read, together; what they pass on is what the next stage gets; a task that waits says so.
func TestCounts(t *testing.T) {
	const splits = 200
	src := &numbers{splits: splits}
	var r *Running
	asked := false
	rt := runtimeFor(t, opener{source: src}, func(int64, int) (op.Flow, error) {
		if !asked { // the scans come to where there is no room for more of their rows
			asked = true
			for waited := time.Duration(0); waited < 40*time.Millisecond; time.Sleep(time.Millisecond) {
				for _, c := range r.Counts()[:3] {
					waited = max(waited, c.Waited)
				}
			}
			for _, c := range r.Counts() {
				if c.Over || c.Began.IsZero() || c.Spent <= 0 {
					t.Errorf("while they run: %+v", c)
				}
			}
		}
		return op.More, nil
	})
	r, err := Start(t.Context(), pipeline(3, nil, toCaller), Part{}, rt, &Stats{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range r.Counts() {
		if c != (TaskCount{Stage: c.Stage, Task: c.Task}) {
			t.Errorf("before they run: %+v", c)
		}
	}
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := r.Counts()
	if len(list) != 4 {
		t.Fatalf("%d tasks", len(list))
	}
	var in int64
	var waited time.Duration
	for i, c := range list[:3] {
		if c.Stage != 0 || c.Task != i || c.In != c.Out || !c.Over || c.Spent <= 0 || c.Waited > c.Spent {
			t.Errorf("a scan: %+v", c)
		}
		in, waited = in+c.In, max(waited, c.Waited)
	}
	if in != splits*rowsPerSplit || waited < 40*time.Millisecond {
		t.Errorf("the scans read %d rows, and one waited for %v", in, waited)
	}
	if last := list[3]; last.Stage != 1 || last.Task != 0 || last.In != in || last.Out != in || !last.Over {
		t.Errorf("the result: %+v", last)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
