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

	mu    sync.Mutex
	next  uint64
	open  map[uint64]uint64 // index at which each was opened; 0: not known yet
	alive bool              // renew runs
}

func newPins(cl *client.Client) *pins {
	p := &pins{cl: cl, session: rand.Uint64(), open: map[uint64]uint64{}}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// begin is the opening of one more file, and what to tell the leader with it.
func (p *pins) begin() (uint64, *api.PinRequest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	request := &api.PinRequest{Session: p.session, Index: p.lowest()}
	p.open[p.next] = 0
	if !p.alive {
		p.alive = true
		p.work.Go(p.renew)
	}
	return p.next, request
}

// settle notes the index at which it was opened.
func (p *pins) settle(pin, index uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open[pin] = index
}

func (p *pins) end(pin uint64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.open, pin)
}

// lowest is the lowest index at which a file is open; 0: none is.
func (p *pins) lowest() uint64 {
	low := uint64(0)
	for _, index := range p.open {
		if index != 0 && (low == 0 || index < low) {
			low = index
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
		request := &api.PinRequest{Session: p.session, Index: p.lowest()}
		if len(p.open) == 0 {
			request.End = true
			p.alive = false
		}
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
	_ = p.cl.Call(ctx, false, func(ctx context.Context, conn *grpc.ClientConn) error { // the next time
		_, err := api.NewFilesClient(conn).Pin(ctx, request)
		return err
	})
}

func (p *pins) close() {
	p.cancel()
	p.work.Wait()
	p.mu.Lock()
	alive := p.alive
	p.mu.Unlock()
	if alive { // the leader forgets it by itself, too, but later
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		p.tell(ctx, &api.PinRequest{Session: p.session, End: true})
	}
}
