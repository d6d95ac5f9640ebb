package write

import (
	"container/heap"
	"fmt"
	"math"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
)

// mostHeld is how many bytes of text wait, of all tasks here, for what comes
// before them; of more than that some begin a piece of their own.
const mostHeld = 16 << 20

// ordered puts the text of this process's tasks, split by split, into pieces
// that are as long as they can be: a piece goes on with the split behind its
// last one, whichever task has that. A split that another process has ends it.
//
// No task waits for another: which one is late only says how many pieces there
// are. What a piece holds is in order whatever happens.
type ordered struct {
	*made
	most int // mostHeld

	mu      sync.Mutex
	moved   sync.Cond
	reached map[int]int    // of each task that goes on: what it has of the splits before is here
	runs    map[int]*run   // by split
	loose   runs           // those that no piece goes on with, and some that one has by now
	growing map[int]*piece // by the split that it goes on with
	over    []*piece       // to be ended
	held    int            // bytes of texts
	busy    int            // pieces that are being written
	ending  int            // pieces that are being ended
	spare   [][]byte       // buffers
	err     error          // what failed first
}

// run is the text of a split that was not written yet.
type run struct {
	split, task int
	texts       [][]byte
	ended       bool
}

// news reports that there is something to do about it.
func (r *run) news() bool { return len(r.texts) > 0 || r.ended }

// piece is one that grows.
type piece struct {
	out  Piece // nil: nothing was written yet
	from int   // its first split
	busy bool
}

func newOrdered(m *made, tasks []int) *ordered {
	o := &ordered{made: m, most: mostHeld, reached: map[int]int{}, runs: map[int]*run{}, growing: map[int]*piece{}}
	o.moved.L = &o.mu
	for _, t := range tasks {
		o.reached[t] = 0
	}
	return o
}

// hand takes text of a split, with its end if that has come. The buffer is not the task's any more.
func (o *ordered) hand(task, split int, text []byte, ended bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	r := o.runs[split]
	if at, ok := o.reached[task]; o.err == nil && (!ok || split < at || r != nil && r.task != task) {
		o.err = fmt.Errorf("internal: task %d writes rows of split %d out of order", task, split)
	}
	if o.err != nil {
		return o.err
	}
	if r == nil {
		r = &run{split: split, task: task}
		o.runs[split] = r
		if o.growing[split] == nil {
			heap.Push(&o.loose, r)
		}
	}
	if len(text) > 0 {
		r.texts = append(r.texts, text)
		o.held += cap(text)
	}
	r.ended = ended
	o.reached[task] = split
	if ended {
		o.reached[task]++
	}
	o.work()
	for o.err == nil && o.held > o.most && o.busy > 0 { // for a disk
		o.moved.Wait()
		o.work()
	}
	o.retire()
	return o.err
}

// done says that a task has no more rows.
func (o *ordered) done(task int) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.reached, task)
	o.work()
	o.retire()
	return o.err
}

// buffer gives a task a buffer to fill.
func (o *ordered) buffer() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	if last := len(o.spare) - 1; last >= 0 {
		b := o.spare[last]
		o.spare = o.spare[:last]
		return b[:0]
	}
	return newBuffer()
}

// work writes what can be written. It is called with the lock, and lets go of it while it writes.
func (o *ordered) work() {
	for o.err == nil {
		r, p := o.pick()
		if r == nil {
			return
		}
		texts, ended := r.texts, r.ended
		r.texts = nil
		p.busy = true
		o.busy++
		o.mu.Unlock()
		err := o.write(p, texts)
		o.mu.Lock()
		o.busy--
		p.busy = false
		for _, t := range texts {
			o.held -= cap(t)
			if cap(t) >= bufferBytes && len(o.spare) < len(o.reached) {
				o.spare = append(o.spare, t)
			}
		}
		o.fail(err)
		if ended {
			delete(o.runs, r.split)
			delete(o.growing, r.split)
			if o.growing[r.split+1] == nil {
				o.growing[r.split+1] = p
			} else { // there too much had waited for this one
				o.over = append(o.over, p)
			}
		}
		o.moved.Broadcast()
	}
}

// pick finds a run to write, and the piece that goes on with it. A run begins a
// piece if no piece will come to it, or if too much waits.
func (o *ordered) pick() (*run, *piece) {
	for at, p := range o.growing {
		if r := o.runs[at]; r != nil && r.news() && !p.busy {
			return r, p
		}
	}
	for len(o.loose) > 0 {
		r := o.loose[0]
		if o.growing[r.split] != nil || o.runs[r.split] != r {
			heap.Pop(&o.loose)
			continue
		}
		alone := r.split <= o.low() && o.runs[r.split-1] == nil
		if !r.news() || !alone && (o.held <= o.most || o.busy > 0) {
			return nil, nil
		}
		heap.Pop(&o.loose)
		p := &piece{from: r.split}
		o.growing[r.split] = p
		return r, p
	}
	return nil, nil
}

// low is a split before which no task has anything more.
func (o *ordered) low() int {
	least := math.MaxInt
	for _, at := range o.reached {
		least = min(least, at)
	}
	return least
}

// write appends texts to a piece, which begins where its first split has any.
func (o *ordered) write(p *piece, texts [][]byte) (err error) {
	if p.out == nil && len(texts) > 0 {
		if p.from == 0 && o.First != nil {
			p.out = o.First // nothing comes between the header and the first split
		} else if p.out, err = o.begin(int64(p.from)); err != nil {
			return err
		}
	}
	for _, t := range texts {
		if _, err := p.out.Write(t); err != nil {
			return err
		}
	}
	return nil
}

// mostEnding is how many pieces of a process may be on their way to becoming
// durable, which takes the time of a disk or more, while others are written.
// More would only share that disk, and each would take longer than its writer
// may wait for.
const mostEnding = 1

// retire ends pieces that nothing more comes to, in the background. After the
// last task it waits for all ends.
func (o *ordered) retire() {
	low := o.low()
	for at, p := range o.growing {
		if at < low && o.runs[at] == nil && !p.busy {
			delete(o.growing, at)
			o.over = append(o.over, p)
		}
	}
	for o.err == nil && len(o.over) > 0 {
		p := o.over[0]
		if o.over = o.over[1:]; p.out == nil {
			continue
		}
		o.waitForEnds(mostEnding - 1)
		o.ending++
		go func() {
			err := p.out.End()
			o.mu.Lock()
			defer o.mu.Unlock()
			o.ending--
			o.fail(err)
			o.moved.Broadcast()
		}()
	}
	if len(o.reached) == 0 {
		o.waitForEnds(0)
	}
}

// waitForEnds waits until no more than so many pieces are ending.
func (o *ordered) waitForEnds(most int) {
	for o.ending > most {
		o.moved.Wait()
	}
}

func (o *ordered) fail(err error) {
	if err != nil && o.err == nil {
		o.err = err
	}
}

// Abort implements connect.Shared.
func (o *ordered) Abort() error {
	o.mu.Lock()
	o.waitForEnds(0)
	o.mu.Unlock()
	return o.made.Abort()
}

// Task implements connect.Shared.
func (o *ordered) Task(task int) (connect.Share, error) {
	r, err := o.rows()
	if err != nil {
		return nil, err
	}
	return &orderedTask{rows: r, o: o, task: task, split: -1}, nil
}

// Commit implements connect.Shared.
func (o *ordered) Commit() error {
	o.mu.Lock()
	left := len(o.runs) + len(o.reached)
	err := o.err
	o.mu.Unlock()
	if err == nil && left > 0 {
		err = fmt.Errorf("internal: a file of which %d pieces or tasks are left", left)
	}
	if err != nil {
		return err
	}
	return o.commit()
}

// orderedTask is the share of a task.
type orderedTask struct {
	rows
	o     *ordered
	task  int
	split int // whose rows were the last; -1: it has ended
}

// Write implements connect.Share.
func (t *orderedTask) Write(cols []arrow.Array, n, split int) error {
	if t.split >= 0 && split != t.split {
		if err := t.EndSplit(t.split); err != nil {
			return err
		}
	}
	t.split = split
	return t.add(cols, n, func() error { return t.hand(false) })
}

// hand passes on what the buffer holds. Where that is little it is copied, so that what waits is no larger than it is.
func (t *orderedTask) hand(ended bool) error {
	text := t.buf
	if len(text) >= bufferBytes/2 {
		t.buf = t.o.buffer()
	} else {
		text = append([]byte(nil), text...)
		t.buf = t.buf[:0]
	}
	return t.o.hand(t.task, t.split, text, ended)
}

// EndSplit implements connect.Share.
func (t *orderedTask) EndSplit(split int) error {
	if t.split >= 0 && t.split != split {
		if err := t.EndSplit(t.split); err != nil {
			return err
		}
	}
	t.split = split
	err := t.hand(true)
	t.split = -1
	return err
}

// End implements connect.Share.
func (t *orderedTask) End() error {
	if t.split >= 0 {
		if err := t.EndSplit(t.split); err != nil {
			return err
		}
	}
	t.buf = nil
	return t.o.done(t.task)
}

// runs is a heap: the one of the lowest split comes first.
type runs []*run

// Len implements heap.Interface.
func (r runs) Len() int { return len(r) }

// Less implements heap.Interface.
func (r runs) Less(i, j int) bool { return r[i].split < r[j].split }

// Swap implements heap.Interface.
func (r runs) Swap(i, j int) { r[i], r[j] = r[j], r[i] }

// Push implements heap.Interface.
func (r *runs) Push(x any) { *r = append(*r, x.(*run)) }

// Pop implements heap.Interface.
func (r *runs) Pop() any {
	last := len(*r) - 1
	x := (*r)[last]
	(*r)[last] = nil
	*r = (*r)[:last]
	return x
}
