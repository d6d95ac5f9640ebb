package files

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
)

// Times of a pin.
const (
	PinTime  = time.Minute // how long the leader keeps one that is not renewed
	pinRenew = 20 * time.Second
)

// pins tells the leader at which index of the log the oldest file is open here: what was given up later is not removed from the disks
// while it is.
type pins struct {
	cl      *client.Client
	session uint64
	ctx     context.Context //nolint:containedctx // of the renewals
	cancel  context.CancelFunc
	work    sync.WaitGroup

	mu     sync.Mutex
	next   uint64
	count  uint64 // of requests
	latest uint64 // the highest index that was heard of
	open   map[uint64]opened
	alive  bool // renew runs
}

// opened is a file that is open, or being opened.
type opened struct {
	index   uint64 // at which it was opened, or no later than which it will be; 0: not known
	settled bool
}

func newPins(cl *client.Client) *pins {
	p := &pins{cl: cl, session: rand.Uint64(), open: map[uint64]opened{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// begin is the opening of one more file, and what to tell the leader with it.
func (p *pins) begin() (uint64, *api.PinRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	p.open[p.next] = opened{index: p.latest} // what it will see is no older
	if !p.alive {
		p.alive = true
		p.work.Go(p.renew)
	}
	return p.next, p.request()
}

// request is what the leader is to know now. Called with the lock held.
func (p *pins) request() *api.PinRequest {
	p.count++
	return &api.PinRequest{Session: p.session, Count: p.count, Index: p.lowest(), End: len(p.open) == 0}
}

// settle notes the index at which a file was opened.
func (p *pins) settle(pin, index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[pin] = opened{index: index, settled: true}
	p.latest = max(p.latest, index)
}

func (p *pins) end(pin uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, pin)
}

// lowest is the lowest index at which a file is open; 0: as the leader has it, for it knows that of the first one that is being opened, and we do
// not yet. Called with the lock held.
func (p *pins) lowest() uint64 {
	low := uint64(0)
	for _, o := range p.open {
		if o.index == 0 {
			return 0
		}
		if low == 0 || o.index < low {
			low = o.index
		}
	}
	return low
}

// renew tells the leader again and again, while anything is open.
func (p *pins) renew() {
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-time.After(pinRenew):
		}
		p.mu.Lock()
		request := p.request()
		p.alive = !request.GetEnd()
		p.mu.Unlock()
		p.tell(p.ctx, request)
		if request.GetEnd() {
			return
		}
	}
}

func (p *pins) tell(ctx context.Context, request *api.PinRequest) {
	ctx, cancel := context.WithTimeout(ctx, pinRenew/2)
	defer cancel()
	_ = p.cl.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) error { // the next time
		_, err := api.NewFilesClient(conn).Pin(ctx, request)
		return err
	})
}

func (p *pins) close() {
	p.cancel()
	p.work.Wait()
	p.mu.Lock()
	alive := p.alive
	clear(p.open)
	request := p.request()
	p.mu.Unlock()
	if alive { // the leader forgets it by itself, too, but later
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p.tell(ctx, request)
	}
}
