// Package progress shows on a terminal how far something has come: a line that
// is drawn over again, and gone when it is done.
package progress

import (
	"io"
	"sync"
	"time"

	"github.com/clipperhouse/displaywidth"
)

// Line is text that is drawn over again on the last line of a terminal.
type Line struct {
	w     io.Writer
	o     Options
	text  func(room int) string
	stop  chan struct{}
	once  sync.Once
	ended sync.WaitGroup
}

// Options of a line.
type Options struct {
	After time.Duration // before it is first shown
	Width func() int    // of the terminal, asked each time; nil or 0: not known
}

// every is how often the line is drawn.
const every = 200 * time.Millisecond

// erase takes the line away that the cursor is in.
const erase = "\r\x1b[K"

// Show draws text on w until Close. It is asked for by another goroutine than
// the caller's, one call at a time, with the columns there are for it, 0 if that
// is not known; what is longer is cut. w is not written to once Close has returned.
func Show(w io.Writer, o Options, text func(room int) string) *Line {
	l := &Line{w: w, o: o, text: text, stop: make(chan struct{})}
	l.ended.Go(l.run)
	return l
}

func (l *Line) run() {
	first := time.NewTimer(l.o.After)
	defer first.Stop()
	select {
	case <-l.stop:
		return // never shown
	case <-first.C:
	}
	t := time.NewTicker(every)
	defer t.Stop()
	for {
		l.draw()
		select {
		case <-l.stop:
			l.write(erase)
			return
		case <-t.C:
		}
	}
}

func (l *Line) draw() {
	room := 0
	if l.o.Width != nil {
		// In the last column a terminal would go to the next line, where erase does not reach back; and it writes ^C
		// behind the line when that is pressed.
		room = max(0, l.o.Width()-3)
	}
	s := l.text(room)
	if room > 0 {
		s = displaywidth.TruncateString(s, room, "")
	}
	l.write(erase + s)
}

// write shows what it can: a terminal that is gone is no fault of what is done.
func (l *Line) write(s string) { _, _ = io.WriteString(l.w, s) }

// Close takes the line away and returns when it is gone. It is idempotent, safe
// for concurrent use, and on nil.
func (l *Line) Close() {
	if l != nil {
		l.once.Do(func() { close(l.stop) })
		l.ended.Wait()
	}
}
