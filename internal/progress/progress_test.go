package progress

import (
	"bytes"
	"io"
	"strings"
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
		l := &Line{what: "x", total: tt.total}
		l.Add(tt.done)
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
	if !strings.HasSuffix(b.String(), "\r\x1b[K") {
		t.Errorf("%q", b.String())
	}
	(*Line)(nil).Add(1) // shows nothing
	(*Line)(nil).Close()
}
