package task

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers is a source of splits splits with one batch of rowsPerSplit numbers
// each. at, if set, is called before each batch.
type numbers struct {
	splits int
	length int64 // of each, as far as it says
	mem    memory.Allocator
	at     func(split int) error
	opened atomic.Int64
}

const rowsPerSplit = 100

func (*numbers) Schema() types.Schema { return types.Schema{{Name: "n", Type: types.INT}} }
func (*numbers) Size() int64          { return -1 }
func (*numbers) Close() error         { return nil }

func (s *numbers) Splits(int64) ([]connect.Split, error) {
	out := make([]connect.Split, s.splits)
	for i := range out {
		out[i].Ordinal, out[i].Length = i, s.length
	}
	return out, nil
}

func (s *numbers) Open(_ context.Context, split connect.Split, _ connect.Scan) (connect.Reader, error) {
	s.opened.Add(1)
	return &numbersReader{source: s, split: split.Ordinal}, nil
}

type numbersReader struct {
	source *numbers
	split  int
	done   bool
}

func (r *numbersReader) Next() (*connect.Batch, error) {
	if r.done {
		return nil, io.EOF
	}
	r.done = true
	if r.source.at != nil {
		if err := r.source.at(r.split); err != nil {
			return nil, err
		}
	}
	f := vec.NewFixed[int64](r.source.mem, types.INT.Arrow(), rowsPerSplit)
	for i := range f.Values {
		f.Values[i] = int64(r.split*rowsPerSplit + i)
	}
	return &connect.Batch{Columns: []arrow.Array{f.Finish()}, Rows: rowsPerSplit}, nil
}

func (r *numbersReader) Stats() connect.Stats { return connect.Stats{} }
func (r *numbersReader) Close() error         { return nil }

// memorySink remembers what became of it.
type memorySink struct {
	rows               int
	committed, aborted bool
	failWrite          error
	failCommit         error
}

func (s *memorySink) Write(_ []arrow.Array, rows int) error {
	s.rows += rows
	return s.failWrite
}

func (s *memorySink) Commit() error {
	if s.failCommit == nil {
		s.committed = true
	}
	return s.failCommit
}

func (s *memorySink) Abort() error {
	s.aborted = s.aborted || !s.committed
	return nil
}
func (s *memorySink) Bytes() int64 { return 0 }

type opener struct {
	source *numbers
	sink   *memorySink
}

func (o opener) OpenSource(context.Context, string, connect.Options) (connect.Source, error) {
	return o.source, nil
}

func (opener) StartProgram(context.Context, *connect.Program, memory.Allocator) (connect.Process, error) {
	return nil, errors.ErrUnsupported
}

func (opener) Commit(context.Context) error { return nil }

func (o opener) NewSink(context.Context, string, types.Schema, connect.Options) (connect.Sink, error) {
	return o.sink, nil
}

func (opener) NewShared(context.Context, string, types.Schema, connect.Options, connect.Sharing, []int) (connect.Shared, error) {
	return nil, errors.ErrUnsupported
}

var one = types.Schema{{Name: "n", Type: types.INT}}

// pipeline is a scan in tasks tasks, gathered by split, and what ends it.
func pipeline(tasks int, middle []dag.Spec, end dag.Spec) *dag.Graph {
	scan := &dag.Stage{ID: 0, Tasks: tasks, Outputs: []dag.Edge{{ID: 0, To: 1, Kind: dag.BySplit}}}
	scan.Ops = append(scan.Ops, dag.Op{Spec: &dag.Scan{Path: "n", Stored: one, Columns: []connect.Column{{Index: 0}}, Names: []string{"n"}}})
	for i, m := range middle {
		scan.Ops = append(scan.Ops, dag.Op{Spec: m, Inputs: []int{i}})
	}
	last := &dag.Stage{ID: 1, Tasks: 1, Ops: []dag.Op{
		{Spec: &dag.Receive{Edge: 0, Types: []types.Type{types.INT}}}, {Spec: end, Inputs: []int{0}},
	}}
	g := &dag.Graph{Stages: []*dag.Stage{scan, last}}
	if _, ok := end.(*dag.Result); ok {
		g.Schema = one
	}
	return g
}

var (
	toCaller = &dag.Result{Columns: []int{0}}
	toSink   = &dag.Sink{Path: "out", Columns: []int{0}, Schema: one}
)

// runtimeFor runs over a checked allocator, which must end at zero.
func runtimeFor(t *testing.T, o opener, receive func(first int64, rows int) (op.Flow, error)) *Runtime {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	o.source.mem = mem
	return &Runtime{
		Opener: o,
		Env:    &op.Env{Alloc: mem, Memory: op.NewMemory(0), Eval: &expr.Env{}},
		Result: func(_ context.Context, cols []arrow.Array, rows int) (op.Flow, error) {
			return receive(vec.Values[int64](cols[0])[0], rows)
		},
	}
}

// However the tasks overtake each other, rows arrive in the order of the file.
func TestGatherBySplitKeepsOrder(t *testing.T) {
	for _, tasks := range []int{1, 2, 7} {
		next := int64(0)
		rt := runtimeFor(t, opener{source: &numbers{splits: 200}}, func(first int64, rows int) (op.Flow, error) {
			if first != next {
				t.Errorf("%d tasks: rows from %d come where %d should", tasks, first, next)
			}
			next = first + int64(rows)
			return op.More, nil
		})
		if _, err := Graph(context.Background(), pipeline(tasks, nil, toCaller), rt, &Stats{}); err != nil {
			t.Fatal(err)
		}
		if next != 200*rowsPerSplit {
			t.Errorf("%d tasks: %d rows", tasks, next)
		}
	}
}

// A caller who has enough stops the sources long before their end.
func TestEnoughStopsSources(t *testing.T) {
	src := &numbers{splits: 1_000_000}
	rt := runtimeFor(t, opener{source: src}, func(int64, int) (op.Flow, error) { return op.Enough, nil })
	if _, err := Graph(context.Background(), pipeline(3, nil, toCaller), rt, &Stats{}); err != nil {
		t.Fatal(err)
	}
	if n := src.opened.Load(); n > 1000 {
		t.Errorf("%d splits were opened for one batch", n)
	}
}

// A caller who is slow stops the sources too: what is on its way is bounded.
func TestBackPressure(t *testing.T) {
	src := &numbers{splits: 100_000}
	block, blocked := make(chan struct{}), make(chan struct{}, 1)
	rt := runtimeFor(t, opener{source: src}, func(int64, int) (op.Flow, error) {
		select {
		case blocked <- struct{}{}:
		default:
		}
		<-block
		return op.Enough, nil
	})
	done := make(chan error)
	go func() {
		_, err := Graph(context.Background(), pipeline(4, nil, toCaller), rt, &Stats{})
		done <- err
	}()
	<-blocked
	close(block)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if n := src.opened.Load(); n > 1000 {
		t.Errorf("%d splits were opened while the caller waited", n)
	}
}

func TestFailureEndsEverything(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		at      func(int) error
		receive func(int64, int) (op.Flow, error)
		sink    *memorySink
		end     dag.Spec
		want    string
	}{
		"a source fails": {at: func(split int) error {
			if split == 50 {
				return broken
			}
			return nil
		}, end: toSink, want: "broken"},
		"a source panics": {at: func(split int) error {
			if split == 50 {
				panic("a bug")
			}
			return nil
		}, end: toSink, want: "internal error: a bug"},
		"the caller fails": {receive: func(first int64, _ int) (op.Flow, error) {
			if first > 1000 {
				return op.Enough, broken
			}
			return op.More, nil
		}, end: toCaller, want: "broken"},
		"a sink fails":               {sink: &memorySink{failWrite: broken}, end: toSink, want: "broken"},
		"a sink cannot be committed": {sink: &memorySink{failCommit: broken}, end: toSink, want: "broken"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := c.sink
			if sink == nil {
				sink = &memorySink{}
			}
			rt := runtimeFor(t, opener{source: &numbers{splits: 500, at: c.at}, sink: sink}, c.receive)
			_, err := Graph(context.Background(), pipeline(3, nil, c.end), rt, &Stats{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if c.end == toSink && (sink.committed || !sink.aborted) {
				t.Errorf("the sink was committed: %v, aborted: %v", sink.committed, sink.aborted)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(context.Background())
	sink := &memorySink{}
	src := &numbers{splits: 1_000_000, at: func(split int) error {
		if split == 100 {
			cancel(stop)
		}
		return nil
	}}
	_, err := Graph(ctx, pipeline(2, nil, toSink), runtimeFor(t, opener{source: src, sink: sink}, nil), &Stats{})
	if !errors.Is(err, stop) || sink.committed {
		t.Errorf("error %v, committed %v", err, sink.committed)
	}
}

func TestCommit(t *testing.T) {
	sink := &memorySink{}
	stats := &Stats{}
	rt := runtimeFor(t, opener{source: &numbers{splits: 10}, sink: sink}, nil)
	if _, err := Graph(context.Background(), pipeline(2, []dag.Spec{&dag.Limit{Count: 5000}}, toSink), rt, stats); err != nil {
		t.Fatal(err)
	}
	if !sink.committed || sink.rows != 1000 || len(stats.Written()) != 1 || stats.Written()[0].Rows != 1000 {
		t.Errorf("committed %v with %d rows; reported %v", sink.committed, sink.rows, stats.Written())
	}
}

func TestMemoryLimit(t *testing.T) {
	rt := runtimeFor(t, opener{source: &numbers{splits: 1000}}, func(int64, int) (op.Flow, error) { return op.More, nil })
	rt.Env.Memory = op.NewMemory(100_000)
	sort := &dag.Sort{Keys: []dag.SortKey{{Column: 0, Desc: true}}}
	_, err := Graph(context.Background(), pipeline(2, []dag.Spec{sort}, toCaller), rt, &Stats{})
	var exhausted *op.ExhaustedError
	if !errors.As(err, &exhausted) || exhausted.Limit != 100_000 {
		t.Errorf("error %v", err)
	}
	if used := rt.Env.Memory.Used(); used != 0 {
		t.Errorf("%d bytes are still accounted for", used)
	}
}

// Of several faults the first in the file is reported, whichever task is faster.
func TestFirstFaultWins(t *testing.T) {
	for range 20 {
		reached := make(chan struct{})
		first := true
		src := &numbers{splits: 100, at: func(split int) error {
			switch split {
			case 2:
				if first {
					first = false
					<-reached // let another task meet its fault before
				}
				return errors.New("fault at 2")
			case 3: // few enough splits that no window fills while the other waits
				close(reached)
				return errors.New("fault at 3")
			}
			return nil
		}}
		rt := runtimeFor(t, opener{source: src}, func(int64, int) (op.Flow, error) { return op.More, nil })
		_, err := Graph(context.Background(), pipeline(2, nil, toCaller), rt, &Stats{})
		if err == nil || err.Error() != "fault at 2" {
			t.Fatalf("error %v", err)
		}
	}
}
