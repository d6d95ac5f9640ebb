package exchange

import (
	"context"
	"errors"
	"sync"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Apart says which tasks of an edge run in this process, and how to reach the
// others. The zero value is an edge that is here as a whole. The tasks of a
// forward edge are together, each producer with its consumer.
type Apart struct {
	Producers, Consumers []bool // by task: whether it is here; nil: all are

	// Away gives the way of a producer here to a consumer elsewhere. It is called once for each pair.
	Away func(producer, consumer int) Away
}

func (a Apart) producer(task int) bool { return a.Producers == nil || a.Producers[task] }
func (a Apart) consumer(task int) bool { return a.Consumers == nil || a.Consumers[task] }

// Away is the way of one producer to one consumer in another process. It is used
// by the producer's goroutine only.
type Away interface {
	// Send passes a message on, and owns its batch from then on. It waits while the consumer
	// has no room (see Inlet.Credit), and gives Enough once the consumer wants no more.
	Send(ctx context.Context, m Message) (op.Flow, error)
	// Stopped tells whether the consumer wants no more, as far as is known here.
	Stopped() bool
	// Done says that no more comes. It is called once, and does not wait.
	Done()
}

type away struct{ Away }

func (a away) send(ctx context.Context, m Message) (op.Flow, error) { return a.Send(ctx, m) }
func (a away) isStopped() bool                                      { return a.Stopped() }
func (a away) done()                                                { a.Done() }

// creditShared is how many messages of a producer elsewhere may be on their way to a consumer here that takes those of all in one queue.
const creditShared = 4

// Inlet is where the messages of a producer elsewhere reach a consumer here. It is
// used by one goroutine, but Stopped.
type Inlet struct {
	to    *pipe
	taken func()
	ended bool
}

// Inlet gives, once, the way in of a producer elsewhere to a consumer here; nil where this edge has none such, or has given it. taken is told, by the consumer's
// goroutine, of each message that it takes: the producer may send another then. It must not wait.
func (e *Edge) Inlet(producer, consumer int, taken func()) *Inlet {
	switch {
	case producer < 0 || producer >= e.producers || consumer < 0 || consumer >= e.consumers,
		e.apart.producer(producer) || !e.apart.consumer(consumer), e.spec.Kind == dag.Forward, !e.given.first(producer, consumer):
		return nil
	case e.separate != nil:
		return &Inlet{to: e.separate[consumer][producer], taken: taken}
	}
	return &Inlet{to: e.shared[consumer], taken: taken}
}

// given remembers which ways in were given: two of one producer would end its queue twice.
type given struct {
	mu   sync.Mutex
	ways map[[2]int]bool
}

func (g *given) first(producer, consumer int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	key := [2]int{producer, consumer}
	if g.ways[key] {
		return false
	}
	if g.ways == nil {
		g.ways = map[[2]int]bool{}
	}
	g.ways[key] = true
	return true
}

// Credit is how many messages may be on their way to a consumer at most, of each producer elsewhere.
func (e *Edge) Credit() int { return Credit(e.spec.Kind) }

// Credit is that of every edge of a kind, for who makes the ways before there is an edge.
func Credit(kind dag.Kind) int {
	if isApart(kind) {
		return aheadBatches
	}
	return creditShared
}

// errCredit says that a peer does not keep to the protocol.
var errCredit = errors.New("a producer sends more than there is room for")

// Put hands a message on, and owns its batch from then on. It never waits: more than Credit messages that were not taken are an error.
func (i *Inlet) Put(m Message) error {
	if i.ended {
		m.Release()
		return errors.New("a producer goes on after its end")
	}
	if i.to.isStopped() {
		m.Release()
		return nil
	}
	m.taken = i.taken
	select {
	case i.to.far <- m:
		return nil
	default:
		m.Release()
		return errCredit
	}
}

// End says that the producer has sent all.
func (i *Inlet) End() {
	if !i.ended {
		i.ended = true
		i.to.done()
	}
}

// Stopped is closed once the consumer wants no more.
func (i *Inlet) Stopped() <-chan struct{} { return i.to.stopped }
