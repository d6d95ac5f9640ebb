package testcluster

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// call is an operation on one file, and what came of it.
type call struct {
	kind namespace.Kind // 0: look
	name string
}

type answer struct {
	unknown    bool // it may have been applied, then or later
	err        error
	generation uint64 // that look found; 0: no file
}

// files is what the namespace promises of one name: its generation, 0 for none.
var files = porcupine.Model{
	Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
		byName := map[string][]porcupine.Operation{}
		for _, op := range history {
			name := op.Input.(call).name
			byName[name] = append(byName[name], op)
		}
		var parts [][]porcupine.Operation
		for _, p := range byName {
			parts = append(parts, p)
		}
		return parts
	},
	Init: func() any { return uint64(0) },
	Step: func(s, in, out any) (bool, any) {
		generation, c, a := s.(uint64), in.(call), out.(answer)
		next, want := generation, error(nil)
		switch c.kind {
		case 0:
			return a.generation == generation, s
		case namespace.Create:
			if next = 1; generation > 0 {
				next, want = generation, namespace.ErrExists
			}
		case namespace.Replace:
			next = generation + 1
		case namespace.Remove:
			if next = 0; generation == 0 {
				want = namespace.ErrNotFound
			}
		}
		return a.unknown || errors.Is(a.err, want) && (want != nil || a.err == nil), next
	},
}

// TestLinearizable: clients create, replace, remove and look at a few files through any server, while servers are
// killed and links are cut at random. What they saw must fit one order of events.
func TestLinearizable(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		ctx, cancel := context.WithCancel(t.Context())
		var mu sync.Mutex
		var history []porcupine.Operation
		var work sync.WaitGroup
		for id := range 4 {
			cl := c.Client(id, (id+1)%5)
			rnd := rand.New(rand.NewPCG(7, uint64(id)))
			work.Go(func() {
				for ctx.Err() == nil {
					op := porcupine.Operation{ClientId: id, Call: time.Now().UnixNano()}
					in := call{kind: []namespace.Kind{0, 0, namespace.Create, namespace.Replace, namespace.Remove}[rnd.IntN(5)], name: fmt.Sprint("f", rnd.IntN(3))}
					out, counts := ask(t, cl, in, time.Duration(200+rnd.IntN(4000))*time.Millisecond)
					op.Input, op.Output, op.Return = in, out, time.Now().UnixNano()
					if out.unknown {
						op.Return = math.MaxInt64
					}
					if counts {
						mu.Lock()
						history = append(history, op)
						mu.Unlock()
					}
					time.Sleep(time.Duration(rnd.IntN(300)) * time.Millisecond)
				}
			})
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		for range 12 {
			a, b := rnd.IntN(5), rnd.IntN(5)
			switch rnd.IntN(3) {
			case 0:
				c.Servers[a].Kill()
				if b != a {
					c.Servers[b].Kill()
				}
			case 1:
				var x, y []int
				for i := range 5 {
					if i == a || i == b {
						x = append(x, i)
					} else {
						y = append(y, i)
					}
				}
				c.Net.Partition(c.Hosts(x...), c.Hosts(y...))
			case 2:
				if l := c.Leader(); l != nil {
					l.Kill()
				}
			}
			time.Sleep(time.Duration(1+rnd.IntN(8)) * time.Second)
			c.Net.Heal()
			for _, s := range c.Servers {
				if s.Node() == nil {
					s.Start()
				}
			}
			time.Sleep(time.Duration(1+rnd.IntN(5)) * time.Second)
		}
		cancel()
		work.Wait()
		unknown := 0
		for _, op := range history {
			if op.Output.(answer).unknown {
				unknown++
			}
		}
		t.Logf("%d operations, %d of unknown outcome", len(history), unknown)
		if len(history) < 300 {
			t.Errorf("only %d operations", len(history))
		}
		if !porcupine.CheckOperations(files, history) {
			t.Error("the history is not linearizable")
		}
	})
}

// ask does an operation, and tells whether it says anything.
func ask(t *testing.T, cl *client.Client, in call, patience time.Duration) (answer, bool) {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if in.kind == 0 {
		resp, err := cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_File{File: in.name}})
		if err != nil {
			return answer{}, false
		}
		var a answer
		for _, f := range resp.GetFiles() {
			a.generation = f.GetGeneration()
		}
		return a, true
	}
	o, err := cl.Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: in.kind, Name: in.name}})
	switch {
	case err == nil:
		return answer{err: o.Err}, true
	case errors.Is(err, client.ErrUnknown):
		return answer{unknown: true}, true
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrUnreachable):
		return answer{}, false
	}
	t.Error(in, err)
	return answer{}, false
}
