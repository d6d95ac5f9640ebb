package testcluster

import (
	"fmt"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
)

// TestManyWriters: a program that has more files open for writing than a server takes streams of one connection still reads,
// and writes them.
func TestManyWriters(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client(0))
		defer s.Close()
		want := random(1, 1<<20)
		put(t, s, "in", want)
		data := random(2, 257<<10) // no small block
		var open []*sdfs.Writer
		for i := range 260 {
			w, err := s.Create(t.Context(), fmt.Sprint("out/", i), sdfs.Replace)
			if err == nil {
				_, err = w.Write(data)
			}
			if err != nil {
				t.Fatal(i, err)
			}
			open = append(open, w)
		}
		done := make(chan []byte, 1)
		go func() { done <- get(t, s, "in") }()
		select {
		case got := <-done:
			if string(got) != string(want) {
				t.Error("other content")
			}
		case <-time.After(time.Minute):
			t.Error("nothing was read in a minute")
		}
		for i, w := range open {
			if i%50 == 0 {
				if err := w.Commit(t.Context()); err != nil {
					t.Error(err)
				}
				continue
			}
			_ = w.Abort()
		}
		if got := get(t, s, "out/250"); string(got) != string(data) {
			t.Error("other content was written")
		}
	})
}
