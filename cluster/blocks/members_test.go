package blocks

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// moving is a log that goes on.
type moving struct {
	mu sync.Mutex
	s  *state.State
}

func (m *moving) State() *state.State {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.s
}

func (m *moving) WaitApplied(ctx context.Context, index uint64) (*state.State, error) {
	return still{m.State()}.WaitApplied(ctx, index)
}

// TestMembersChange: a writer that finds too few servers goes on as soon as the log holds the dead one down, be that while it writes or
// later, and gives up where that does not come.
func TestMembersChange(t *testing.T) {
	for name, tc := range map[string]struct {
		after time.Duration // after the writer has found out, that the log does; below 0: never
		wait  time.Duration // at most
		ok    bool
	}{
		"meanwhile": {0, 0, true},
		"later":     {5 * time.Second, 5*time.Second + 200*time.Millisecond, true},
		"never":     {-1, membersWait + 200*time.Millisecond, false},
	} {
		for _, n := range []int{small, large} {
			synctest.Test(t, func(t *testing.T) {
				log := &moving{s: twoServers(t).s}
				down := func() {
					log.mu.Lock()
					defer log.mu.Unlock()
					log.s, _ = state.Apply(log.s, log.s.Index()+1, state.Entry{Kind: state.MarkDown, Node: state.ID{2}, Incarnation: 1})
				}
				local, err := OpenLocal(t.Context(), LocalConfig{FS: simdisk.New(), Self: state.Holder{Node: state.ID{1}, Incarnation: 1}, Log: log})
				if err != nil {
					t.Fatal(err)
				}
				defer local.Close()
				dial := func(string) (grpc.ClientConnInterface, error) {
					switch {
					case tc.after == 0:
						down()
					case tc.after > 0:
						time.AfterFunc(tc.after, down)
					}
					return nil, errors.New("it is dead")
				}
				p := NewPlaced(PlacedConfig{Local: local, Views: &Views{}, Dial: dial, Logger: zap.NewNop()})
				_, data := of(n)
				began := time.Now()
				if n == small {
					_, _, err = p.PutSmall(t.Context(), Head{}, [][]byte{data})
				} else {
					var w *Writer
					if w, err = p.NewBlock(t.Context(), Head{}); err != nil {
						t.Fatal(err)
					}
					if _, err = w.Write(data); err == nil {
						_, _, err = w.Finish()
					}
				}
				if took := time.Since(began); (err == nil) != tc.ok || took > tc.wait || err != nil && !errors.Is(err, ErrTooFew) {
					t.Errorf("%s, %d bytes: after %v: %v", name, n, took, err)
				}
			})
		}
	}
}
