package progress

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestText(t *testing.T) {
	for _, tt := range []struct {
		total, done int64
		elapsed     time.Duration
		want        string
	}{
		{10_000_000_000, 2_500_000_000, 5 * time.Second, "x:  25%  2.5GB of 10GB  500MB/s"},
		{-1, 1234, time.Second, "x: 1.2KB  1.2KB/s"},
		{0, 0, 0, "x: 0B  0B/s"},
		{10, 20, time.Second, "x: 100%  20B of 10B  20B/s"}, // a file that grew
	} {
		l := &Transfer{what: "x"}
		l.Set(tt.done-1, tt.total)
		l.Add(1)
		if got := l.text(tt.elapsed); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

// Whatever was drawn, the line is gone at the end.
func TestCloseClears(t *testing.T) {
	var b bytes.Buffer
	l := Start(&b, "x", 4)
	if _, err := io.ReadAll(l.Reader(strings.NewReader("text"))); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if got := b.String(); got != "" && !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("%q", b.String())
	}
	(*Transfer)(nil).Add(1) // shows nothing
	(*Transfer)(nil).Close()
}

// syncBuffer is a terminal that tells what it has got.
type syncBuffer struct {
	mu    sync.Mutex
	text  strings.Builder
	drawn chan struct{} // closed after the first write
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.text.Len() == 0 {
		close(b.drawn)
	}
	return b.text.Write(p)
}

func TestShow(t *testing.T) {
	b := &syncBuffer{drawn: make(chan struct{})}
	l := Show(b, Options{Width: func() int { return 9 }}, func(int) string { return "12345日本" })
	<-b.drawn
	l.Close()
	l.Close()
	// Three columns stay free, for ^C and the last one, and half a character is not shown.
	if got := b.text.String(); !strings.HasPrefix(got, "\r\x1b[K12345\r") || !strings.HasSuffix(got, "12345\r\x1b[K") {
		t.Errorf("%q", got)
	}

	early := &syncBuffer{drawn: make(chan struct{})}
	Show(early, Options{After: time.Hour}, func(int) string { return "x" }).Close()
	if early.text.Len() > 0 {
		t.Errorf("%q was shown before its time", early.text.String())
	}
	(*Line)(nil).Close()
}

func TestQuery(t *testing.T) {
	for _, tt := range []struct {
		q    Query
		room int
		want string
	}{
		{Query{Elapsed: 2300 * time.Millisecond, Rows: 1_150_000, Bytes: 310e6, Done: 310e6, Total: 740e6, Memory: 120e6}, 0,
			"   41%  1.1M rows  310MB of 740MB  500K rows/s  2.3s  memory 120MB  spilled 0B"},
		{Query{Elapsed: 65 * time.Second, Rows: 65, Bytes: 1234, Total: -1, Spilled: 5e9}, 54,
			"  65 rows  1.2KB  1 rows/s  1m05s  memory 0B"},
		{Query{Total: 10, Done: 20}, 80, // a file that grew
			"  100%  0 rows  10B of 10B  0 rows/s  0.0s  memory 0B  spilled 0B"},
	} {
		if got := tt.q.Text(tt.room); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
