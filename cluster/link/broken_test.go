package link

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// TestBroken cuts the connections in the midst of it: both ends say so, and nothing is left.
func TestBroken(t *testing.T) {
	for _, from := range []string{"wire", "server"} {
		t.Run(from, func(t *testing.T) {
			w := newWorld(t, dag.Edge{Kind: dag.Hash, Keys: []int{0}}, 4, 4, 2, types.INT)
			values := make([]int64, 50_000)
			for i := range values {
				values[i] = int64(i) * 7
			}
			var work sync.WaitGroup
			errs := make([]error, w.producers)
			for i, s := range w.senders() {
				work.Go(func() {
					defer s.Close()
					for errs[i] == nil {
						b := numbers(w.mem, -1, values...)
						var flow op.Flow
						flow, errs[i] = s.Send(t.Context(), b)
						b.Release()
						if flow == op.Enough && errs[i] == nil {
							errs[i] = io.EOF
						}
					}
				})
			}
			for c := range w.consumers {
				p := w.processes[w.at(c)]
				work.Go(func() {
					r := p.edge.Receiver(c)
					defer r.Stop()
					for {
						m, err := r.Next(p.ctx)
						if err != nil {
							return
						}
						m.Release()
					}
				})
			}
			for w.processes[0].sent.Frames.Load() < 50 {
				time.Sleep(time.Millisecond)
			}
			if from == "wire" {
				w.processes[0].wires.cut()
			} else {
				w.processes[1].server.Stop()
			}
			told, _ := w.processes[0].errors(1, 0)
			_, served := w.processes[1].errors(0, 1)
			for _, err := range []error{told[0], served[0]} {
				e := (*Error)(nil)
				if !errors.As(err, &e) || e.Peer.IsZero() {
					t.Errorf("err = %v", err)
				}
			}
			if c := status.Code(told[0]); c != codes.Unavailable {
				t.Errorf("told %v of code %s", told[0], c)
			}
			for _, p := range w.processes {
				p.cancel(errors.New("the attempt has ended"))
			}
			work.Wait()
			if errs[0] == nil || !errors.As(errs[0], new(*Error)) || !errors.As(errs[2], new(*Error)) {
				t.Errorf("producers end with %v", errs)
			}
			w.close()
		})
	}
}

// TestNobody: a node that does not answer.
func TestNobody(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 2, 1, 2, types.INT)
	_ = w.processes[0].listener.Close()
	s := w.processes[1].edge.Sender(1)
	b := numbers(w.mem, -1, 1)
	defer b.Release()
	_, err := s.Send(t.Context(), b)
	if e := (*Error)(nil); !errors.As(err, &e) || e.Peer != node(0) || status.Code(err) != codes.Unavailable {
		t.Errorf("err = %v", err)
	}
	told, _ := w.processes[1].errors(1, 0)
	if told[0] != err { //nolint:errorlint // the same
		t.Errorf("told %v", told)
	}
	s.Close()
	if again := w.processes[1].outs[0].Close(); again != err { //nolint:errorlint // the same
		t.Errorf("closing gives %v", again)
	}
}
