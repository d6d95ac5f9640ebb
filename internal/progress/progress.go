// Package progress shows on a terminal how far something has come: a line that
// is drawn over again, and gone when it is done.
package progress

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/internal/human"
)

// Line is a line of progress in bytes. A nil Line shows nothing. Add may be
// called concurrently.
type Line struct {
	w     io.Writer
	what  string
	total int64 // -1 where the end is not known
	begin time.Time
	done  atomic.Int64
	stop  chan struct{}
	ended sync.WaitGroup
}

// every is how often the line is drawn.
const every = 200 * time.Millisecond

// Start shows a line on w until Close. total is how many bytes there will be,
// -1 if that is not known.
func Start(w io.Writer, what string, total int64) *Line {
	l := &Line{w: w, what: what, total: total, begin: time.Now(), stop: make(chan struct{})}
	l.ended.Go(l.run)
	return l
}

func (l *Line) run() {
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		select {
		case <-l.stop:
			fmt.Fprint(l.w, "\r\x1b[K")
			return
		case <-t.C:
			fmt.Fprintf(l.w, "\r\x1b[K%s", l.text(time.Since(l.begin)))
		}
	}
}

// text is the line after some time.
func (l *Line) text(elapsed time.Duration) string {
	done := l.done.Load()
	rate := human.Bytes(int64(float64(done)/max(elapsed.Seconds(), 1e-3))) + "/s"
	switch {
	case l.total > 0:
		return fmt.Sprintf("%s: %3d%%  %s of %s  %s", l.what, min(100*done/l.total, 100), human.Bytes(done), human.Bytes(l.total), rate)
	default:
		return fmt.Sprintf("%s: %s  %s", l.what, human.Bytes(done), rate)
	}
}

// Add counts n more bytes.
func (l *Line) Add(n int64) {
	if l != nil {
		l.done.Add(n)
	}
}

// Close takes the line away. It is called once.
func (l *Line) Close() {
	if l != nil {
		close(l.stop)
		l.ended.Wait()
	}
}

// Reader returns r counted.
func (l *Line) Reader(r io.Reader) io.Reader {
	if l == nil {
		return r
	}
	return counted{r, l}
}

type counted struct {
	r io.Reader
	l *Line
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.l.Add(int64(n))
	return n, err
}
