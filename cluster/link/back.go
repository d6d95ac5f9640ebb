package link

import (
	"sync"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/exec/exchange/frame"
)

// back is what is to be told the producers' end.
type back struct {
	pairs []Pair
	wake  chan struct{} // holds something if there is something to be told

	mu   sync.Mutex
	owed []owed // by pair
	list []int  // of those to whom something is owed
}

type owed struct {
	credit int
	enough bool
	listed bool
}

func newBack(pairs []Pair) *back {
	return &back{pairs: pairs, wake: make(chan struct{}, 1), owed: make([]owed, len(pairs))}
}

// taken is told by the consumer's goroutine of each message that it takes.
func (b *back) taken(i int) {
	b.mu.Lock()
	b.owed[i].credit++
	b.enlist(i)
	b.mu.Unlock()
}

func (b *back) enough(list []int) {
	b.mu.Lock()
	for _, i := range list {
		b.owed[i].enough = true
		b.enlist(i)
	}
	b.mu.Unlock()
}

func (b *back) enlist(i int) {
	if b.owed[i].listed {
		return
	}
	b.owed[i].listed = true
	b.list = append(b.list, i)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// send tells the peer until done is closed or the stream has ended.
func (b *back) send(stream grpc.ServerStream, done chan struct{}) {
	for {
		select {
		case <-b.wake:
		case <-done:
			return
		}
		b.mu.Lock()
		var messages []frame.Message
		for _, i := range b.list {
			o := &b.owed[i]
			m := frame.Message{Producer: b.pairs[i].Producer, Consumer: b.pairs[i].Consumer, Kind: frame.Credit, Split: o.credit}
			if o.enough { // whoever wants no more gives no credit
				m.Kind = frame.Enough
			}
			messages = append(messages, m)
			*o = owed{}
		}
		b.list = b.list[:0]
		b.mu.Unlock()
		for _, m := range messages {
			select {
			case <-done:
				return
			default:
			}
			f, err := new(frame.Encoder).Encode(m)
			if err != nil {
				panic("a frame of credit: " + err.Error())
			}
			err = stream.SendMsg(f)
			f.Release()
			if err != nil {
				return // whoever receives finds out
			}
		}
	}
}
