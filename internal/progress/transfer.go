package progress

import (
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/internal/human"
)

// Transfer is a line of progress in bytes. A nil Transfer shows nothing. Add
// may be called concurrently.
type Transfer struct {
	*Line
	what  string
	begin time.Time
	total atomic.Int64 // -1 where the end is not known
	done  atomic.Int64
}

// Start shows a line on w until Close. total is how many bytes there will be,
// -1 if that is not known.
func Start(w io.Writer, what string, total int64) *Transfer {
	t := &Transfer{what: what, begin: time.Now()}
	t.total.Store(total)
	t.Line = Show(w, Options{}, func(int) string { return t.text(time.Since(t.begin)) })
	return t
}

// text is the line after some time.
func (t *Transfer) text(elapsed time.Duration) string {
	done, total := t.done.Load(), t.total.Load()
	rate := human.Bytes(int64(float64(done)/max(elapsed.Seconds(), 1e-3))) + "/s"
	switch {
	case total > 0:
		return fmt.Sprintf("%s: %3d%%  %s of %s  %s", t.what, min(100*done/total, 100), human.Bytes(done), human.Bytes(total), rate)
	default:
		return fmt.Sprintf("%s: %s  %s", t.what, human.Bytes(done), rate)
	}
}

// Add counts n more bytes.
func (t *Transfer) Add(n int64) {
	if t != nil {
		t.done.Add(n)
	}
}

// Set says how many bytes there were so far, and how many there will be.
func (t *Transfer) Set(done, total int64) {
	if t != nil {
		t.done.Store(done)
		t.total.Store(total)
	}
}

// Close takes the line away. It is idempotent.
func (t *Transfer) Close() {
	if t != nil {
		t.Line.Close()
	}
}

// Reader returns r counted.
func (t *Transfer) Reader(r io.Reader) io.Reader {
	if t == nil {
		return r
	}
	return counted{r, t}
}

type counted struct {
	r io.Reader
	t *Transfer
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.t.Add(int64(n))
	return n, err
}
