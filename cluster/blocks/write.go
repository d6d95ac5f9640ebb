package blocks

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Writer writes one large block to as many servers as it should be on. A server that fails, or keeps it waiting, is given up;
// when the block is complete, others get it in its stead from those that have it. It is used by one goroutine.
type Writer struct {
	p     *Placed
	ctx   context.Context //nolint:containedctx // of the whole block: Write is an io.Writer's
	head  Head
	blk   namespace.Block
	buf   *piece
	lanes []*lane
	done  chan *lane // lanes that have ended
}

// piece is a part of a block on its way to several servers.
type piece struct {
	data  []byte
	users atomic.Int32
}

var pieces = sync.Pool{New: func() any { return &piece{data: make([]byte, 0, messageBytes)} }}

func (c *piece) release() {
	if c.users.Add(-1) == 0 {
		c.data = c.data[:0]
		pieces.Put(c)
	}
}

// lane is the way to one server. Its goroutine sends what is in the queue, and then, told how the block ends, finishes.
type lane struct {
	node  state.ID
	queue chan *piece
	end   chan namespace.Block // has room for one; closed without: the block is given up
	done  chan struct{}
	quit  context.CancelFunc
	slow  bool // given up: it kept the writer waiting

	holder state.Holder // once done
	err    error
}

// queueLength is how many pieces may wait for one server: 4 MB.
const queueLength = 8

// NewBlock begins a block under a lease.
func (p *Placed) NewBlock(ctx context.Context, h Head) (*Writer, error) {
	v := p.View()
	h.Epoch = v.Epoch()
	w := &Writer{p: p, ctx: ctx, head: h, blk: namespace.Block{ID: block.NewID()}, done: make(chan *lane, v.Needed())}
	for id := range v.Targets(position(w.blk)) {
		if len(w.lanes) == v.Needed() {
			break
		}
		w.lanes = append(w.lanes, p.newLane(ctx, v, id, h, w.blk.ID, w.done))
	}
	if len(w.lanes) == 0 {
		return nil, fmt.Errorf("%w: none is active", ErrTooFew)
	}
	return w, nil
}

func (p *Placed) newLane(ctx context.Context, v *View, id state.ID, h Head, blk namespace.BlockID, done chan<- *lane) *lane {
	l := &lane{node: id, queue: make(chan *piece, queueLength), end: make(chan namespace.Block, 1), done: make(chan struct{})}
	ctx, l.quit = context.WithCancel(ctx)
	go func() {
		l.run(ctx, p, v, h, blk)
		close(l.done)
		done <- l // has room for all
	}()
	return l
}

func (l *lane) run(ctx context.Context, p *Placed, v *View, h Head, blk namespace.BlockID) {
	defer l.quit()
	t, err := p.open(ctx, v, l.node, h, blk)
	for c := range l.queue {
		if err == nil {
			if err = t.send(c.data); err != nil {
				t.abort()
			}
		}
		c.release()
	}
	if b, ok := <-l.end; err == nil {
		if !ok {
			t.abort()
			err = context.Canceled
		} else {
			l.holder, err = t.finish(b)
		}
	}
	l.err = err
}

// Room is how many bytes the block still takes.
func (w *Writer) Room() int64 {
	n := int64(namespace.MaxBlock) - int64(w.blk.Length)
	if w.buf != nil {
		n -= int64(len(w.buf.data))
	}
	return n
}

// Write adds bytes, at most Room of them.
func (w *Writer) Write(p []byte) (int, error) {
	if int64(len(p)) > w.Room() {
		return 0, fmt.Errorf("%d bytes more than the block takes", int64(len(p))-w.Room())
	}
	for n := len(p); ; {
		if len(p) == 0 {
			return n, nil
		}
		if w.buf == nil {
			w.buf = pieces.Get().(*piece)
		}
		m := min(len(p), cap(w.buf.data)-len(w.buf.data))
		w.buf.data = append(w.buf.data, p[:m]...)
		p = p[m:]
		if len(w.buf.data) == cap(w.buf.data) {
			if err := w.flush(); err != nil {
				return n - len(p), err
			}
		}
	}
}

// flush sends what was gathered to all servers that are still in.
func (w *Writer) flush() error {
	c := w.buf
	w.buf = nil
	if c == nil || len(c.data) == 0 {
		return w.failed()
	}
	w.blk.CRC = crc32.Update(w.blk.CRC, castagnoli, c.data)
	w.blk.Length += uint32(len(c.data))
	c.users.Store(1)
	defer c.release()
	var slow *time.Timer
	for _, l := range w.lanes {
		if l.slow {
			continue
		}
		c.users.Add(1)
		select {
		case l.queue <- c:
			continue
		default:
		}
		if slow == nil {
			slow = time.NewTimer(w.p.slow)
			defer slow.Stop()
		}
		select {
		case l.queue <- c:
		case <-slow.C:
			slow.Reset(time.Millisecond) // the time is over for the others, too
			l.slow = true
			l.quit()
			c.release()
		case <-w.ctx.Done():
			c.release()
			return w.ctx.Err()
		}
	}
	return w.failed()
}

// failed tells that no server is left that takes the block.
func (w *Writer) failed() error {
	for _, l := range w.lanes {
		select {
		case <-l.done:
		default:
			if !l.slow {
				return nil
			}
		}
	}
	return fmt.Errorf("%w: %s", ErrTooFew, w.complaints())
}

func (w *Writer) complaints() string {
	v := w.p.View()
	var said []string
	for _, l := range w.lanes {
		select {
		case <-l.done:
			if l.err != nil {
				said = append(said, fmt.Sprintf("%s: %v", v.Name(l.node), l.err))
			}
		default:
			said = append(said, fmt.Sprintf("%s: it has not answered for %v", v.Name(l.node), w.p.slow))
		}
	}
	return strings.Join(said, "; ")
}

// Finish completes the block and tells who has it: as many servers as must, or the error matches ErrTooFew.
func (w *Writer) Finish() (namespace.Block, []state.Holder, error) {
	err := w.flush()
	w.close(err == nil)
	if err != nil {
		return namespace.Block{}, nil, err
	}
	holders, err := w.collect()
	if err != nil {
		return namespace.Block{}, nil, err
	}
	if len(holders) == 0 {
		return namespace.Block{}, nil, fmt.Errorf("%w: %s", ErrTooFew, w.complaints())
	}
	before := w.p.log.State()
	holders, err = w.p.standIn(w.ctx, w.head, w.blk, holders, w.tried())
	if errors.Is(err, ErrTooFew) && !errors.Is(err, ErrFull) {
		holders, err = w.p.ensurePatiently(w.ctx, w.head, w.blk, holders, before, err)
	}
	return w.blk, holders, err
}

// collect waits for the servers, and no longer than is fair once one has the block, from which others can get it.
func (w *Writer) collect() ([]state.Holder, error) {
	var holders []state.Holder
	patience := time.NewTimer(w.p.slow)
	defer patience.Stop()
	over := false
	for ended := 0; ended < len(w.lanes) && !(over && len(holders) > 0); {
		select {
		case l := <-w.done:
			ended++
			if l.err == nil {
				holders = append(holders, l.holder)
			}
		case <-patience.C:
			over = true
		case <-w.ctx.Done():
			return nil, w.ctx.Err()
		}
	}
	for _, l := range w.lanes {
		select {
		case <-l.done:
		default:
			l.slow = true
			l.quit()
		}
	}
	return holders, nil
}

func (w *Writer) tried() map[state.ID]bool {
	tried := map[state.ID]bool{}
	for _, l := range w.lanes {
		tried[l.node] = true
	}
	return tried
}

// close ends the lanes, which then finish or give up.
func (w *Writer) close(finish bool) {
	for _, l := range w.lanes {
		close(l.queue)
		if finish && !l.slow {
			l.end <- w.blk
		} else {
			l.quit()
			close(l.end)
		}
	}
}

// Abort gives the block up.
func (w *Writer) Abort() {
	if w.buf != nil {
		w.buf.users.Store(1)
		w.buf.release()
		w.buf = nil
	}
	w.close(false)
}

// standIn has further servers get a block from those that have it, until enough active ones do.
func (p *Placed) standIn(ctx context.Context, h Head, b namespace.Block, holders []state.Holder, tried map[state.ID]bool) ([]state.Holder, error) {
	v := p.View()
	var from []state.ID
	good := 0
	for _, n := range holders {
		from = append(from, n.Node)
		tried[n.Node] = true
		if v.counts(n) {
			good++
		}
	}
	var errs []error
	for id := range v.Targets(position(b)) {
		if good >= v.Needed() {
			return holders, nil
		}
		if tried[id] {
			continue
		}
		tried[id] = true
		n, err := p.fetchSoon(ctx, v, id, h, b, from)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", v.Name(id), err))
			continue
		}
		holders = append(holders, n)
		if v.counts(n) {
			good++
		}
	}
	if good >= v.Needed() {
		return holders, nil
	}
	err := fmt.Errorf("%w: %d of %d have it", ErrTooFew, good, v.Needed())
	if len(errs) > 0 { // else the others were too slow
		err = fmt.Errorf("%w: %w", err, errors.Join(errs...))
	}
	return holders, err
}

// membersWait is how long a writer whose block some servers have waits for the others: those that are dead are down in the log by then, and
// fewer copies are asked for.
const membersWait = 20 * time.Second

// ensurePatiently is Ensure once the members are others than before: to give up would be to write the block once more somewhere.
func (p *Placed) ensurePatiently(ctx context.Context, h Head, b namespace.Block, holders []state.Holder, before *state.State, why error) ([]state.Holder, error) {
	err := why
	for end := time.Now().Add(membersWait); errors.Is(err, ErrTooFew) && p.membersChange(ctx, before, end); {
		before = p.log.State()
		holders, err = p.Ensure(ctx, h, b, holders)
	}
	return holders, err
}

// membersChange waits until the members are others than before, or some time has come. It tells whether it is worth trying again.
func (p *Placed) membersChange(ctx context.Context, before *state.State, end time.Time) bool {
	for time.Now().Before(end) {
		if !p.log.State().SameMembers(before) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(100 * time.Millisecond):
		}
	}
	return false
}

// fetchSoon is fetch, for a writer that waits: a server that is slow is passed over.
func (p *Placed) fetchSoon(ctx context.Context, v *View, id state.ID, h Head, b namespace.Block, from []state.ID) (state.Holder, error) {
	const rate = 4 << 20 // bytes a second that it must do
	ctx, cancel := context.WithTimeout(ctx, p.slow+time.Duration(b.Length)*time.Second/rate)
	defer cancel()
	return p.fetch(ctx, v, id, h, b, from)
}

// Ensure sees to it that enough active servers have a block that some had, after servers have gone or joined, and tells
// who they are. Servers of earlier starts do not count.
func (p *Placed) Ensure(ctx context.Context, h Head, b namespace.Block, holders []state.Holder) ([]state.Holder, error) {
	v := p.View()
	active := slices.DeleteFunc(slices.Clone(holders), func(n state.Holder) bool { return !v.counts(n) })
	return p.standIn(ctx, h, b, active, map[state.ID]bool{})
}

// EnsureAll is Ensure for blocks that the same servers have.
func (p *Placed) EnsureAll(ctx context.Context, h Head, list []namespace.Block, holders []state.Holder) ([]state.Holder, error) {
	var common []state.Holder
	for i, b := range list {
		n, err := p.Ensure(ctx, h, b, holders)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			common = n
		}
		common = slices.DeleteFunc(common, func(c state.Holder) bool { return !slices.Contains(n, c) })
	}
	return common, nil
}
