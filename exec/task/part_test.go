package task

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
)

// wayOut is a way that takes everything.
type wayOut struct {
	mu     *sync.Mutex
	failed *error
	early  *int // ended before the part was known to have failed
}

func (wayOut) Send(_ context.Context, m exchange.Message) (op.Flow, error) {
	m.Release()
	return op.More, nil
}

func (wayOut) Stopped() bool { return false }

func (w wayOut) Done() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if *w.failed == nil {
		*w.early++
	}
}

// TestFailed: whoever runs a part knows that it has failed before any of its ways ends, which is how others tell that from the end of the rows.
func TestFailed(t *testing.T) {
	boom := errors.New("boom")
	for name, at := range map[string]func(int, func(error)) error{
		"a task fails": func(split int, _ func(error)) error {
			if split == 50 {
				return boom
			}
			return nil
		},
		"it is ended": func(split int, end func(error)) error {
			if split == 50 {
				end(boom)
			}
			return nil
		},
		"all goes well": func(int, func(error)) error { return nil },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			var mu sync.Mutex
			var failed error
			early := 0
			known := make(chan struct{}) // closed once the part is known to have failed
			part := Part{
				Here: func(stage, _ int) bool { return stage == 0 },
				Away: func(_, _, _ int) exchange.Away { return wayOut{&mu, &failed, &early} },
				Failed: func(err error) {
					mu.Lock()
					defer mu.Unlock()
					failed = err
					close(known)
				},
			}
			src := &numbers{splits: 500, at: func(split int) error {
				if split > 100 && name != "all goes well" { // no task is to come to its end before that
					<-known
				}
				return at(split, cancel)
			}}
			p, err := Start(ctx, pipeline(3, nil, toSink), part, runtimeFor(t, opener{source: src}, nil), &Stats{})
			if err != nil {
				t.Fatal(err)
			}
			err = p.Run(ctx)
			if again := p.Close(); again != nil {
				t.Error(again)
			}
			if name == "all goes well" {
				if err != nil || failed != nil || early != 3 {
					t.Errorf("err = %v, failed %v, %d ways ended", err, failed, early)
				}
				return
			}
			if !errors.Is(err, boom) || !errors.Is(failed, boom) || early != 0 {
				t.Errorf("err = %v, failed %v, %d ways ended before", err, failed, early)
			}
		})
	}
}
