// Package history has clients change and look at a few files of a cluster, names and contents, writes down what they asked and were
// answered, and checks with porcupine that it is linearizable: that it fits one order of events.
package history

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// History is what happened. It is safe for concurrent use.
type History struct {
	mu    sync.Mutex
	ops   []porcupine.Operation
	wrong []error // answers that no cluster may give
}

// files is how many names clients share.
const files = 3

// call is an operation on one file, and answer what came of it.
type call struct {
	kind namespace.Kind // 0: look
	name string
}

type answer struct {
	unknown    bool // it may have been applied, then or later
	err        error
	generation uint64 // that look found; 0: no file
}

// model is what the namespace promises of one name: its generation, 0 for none.
var model = porcupine.Model{
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

// Work has one client, id of its own, do what seed says until ctx ends: it creates, replaces, removes and looks, some
// of it with little patience, so that there are outcomes that it does not know.
func (h *History) Work(ctx context.Context, cl *client.Client, id int, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, uint64(id)))
	kinds := []namespace.Kind{0, 0, namespace.Create, namespace.Replace, namespace.Remove}
	for ctx.Err() == nil {
		in := call{kind: kinds[rnd.IntN(len(kinds))], name: fmt.Sprint("h", rnd.IntN(files))}
		h.do(cl, id, in, time.Duration(200+rnd.IntN(4000))*time.Millisecond)
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration(rnd.IntN(300)) * time.Millisecond):
		}
	}
}

// do does an operation, which the end of Work does not cut short, and notes it if it says anything.
func (h *History) do(cl *client.Client, id int, in call, patience time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	op := porcupine.Operation{ClientId: id, Input: in, Call: time.Now().UnixNano()}
	out, says, err := ask(ctx, cl, in)
	op.Output, op.Return = out, time.Now().UnixNano()
	if out.unknown {
		op.Return = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err != nil {
		h.wrong = append(h.wrong, fmt.Errorf("%v %s: %w", in.kind, in.name, err))
	}
	if says {
		h.ops = append(h.ops, op)
	}
}

func ask(ctx context.Context, cl *client.Client, in call) (a answer, says bool, err error) {
	if in.kind == 0 {
		resp, err := cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_File{File: in.name}})
		for _, f := range resp.GetFiles() {
			a.generation = f.GetGeneration()
		}
		return a, err == nil, nil // a read that came to nothing says nothing
	}
	o, err := cl.Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: in.kind, Name: in.name}})
	switch {
	case err == nil:
		return answer{err: o.Err}, true, nil
	case errors.Is(err, client.ErrUnknown):
		return answer{unknown: true}, true, nil
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrUnreachable):
		return a, false, nil
	}
	return a, false, err
}

// Count is how many operations say something, and of how many of them the outcome is not known.
func (h *History) Count() (all, unknown int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, op := range h.ops {
		if op.Output.(answer).unknown {
			unknown++
		}
	}
	return len(h.ops), unknown
}

// Check tells what is wrong with the history. It gives up after some minutes of looking for an order.
func (h *History) Check() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.wrong) > 0 {
		return errors.Join(h.wrong...)
	}
	return judge(porcupine.CheckOperationsTimeout(model, h.ops, 5*time.Minute), len(h.ops))
}

func judge(result porcupine.CheckResult, ops int) error {
	switch result {
	case porcupine.Illegal:
		return fmt.Errorf("these %d operations fit no order of events: the history is not linearizable", ops)
	case porcupine.Unknown:
		return fmt.Errorf("no order of events was found in time for these %d operations; there may be one", ops)
	}
	return nil
}
