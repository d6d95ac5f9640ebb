package testcluster

import (
	"bytes"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
)

// TestRemoved: the blocks of a removed file go from all disks, but not while somebody reads it, whoever leads.
func TestRemoved(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		want := random(9, 2<<20)
		put(t, s, "a", want)
		put(t, s, "b", []byte("small"))
		reader := files.Open(c.Client(1, 2, 3))
		defer reader.Close()
		f, err := reader.OpenFile(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"a", "b"} {
			if err := s.Remove(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(3 * time.Minute)
		c.Leader().Kill() // the pins are in its memory
		time.Sleep(3 * time.Minute)
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		if err != nil || !bytes.Equal(got, want) {
			t.Fatal("what is being read has gone: ", err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		for _, server := range c.Servers {
			if server.Node() == nil {
				server.Start()
			}
		}
		took := c.Until("no disk has anything", 2*time.Hour, func() bool { return c.Leader() != nil && c.strays() == 0 })
		t.Logf("gone %v after the reader", took)
	})
}

// TestAbandoned: what a writer wrote that has vanished goes once its lease has ended.
func TestAbandoned(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		cl := c.Client()
		s := files.Open(cl)
		w, err := s.Create(t.Context(), "never", sdfs.MustNotExist)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(random(1, files.ClientBlock+1<<20)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		if c.strays() == 0 {
			t.Fatal("nothing was written yet")
		}
		cl.Close() // it can tell nobody
		took := c.Until("no disk has anything", 2*time.Hour, func() bool { return c.strays() == 0 })
		t.Logf("gone after %v", took)
		_ = w.Abort()
		_ = s.Close()
	})
}

// TestMergedInBackground: many small appends become few blocks, and what is read stays the same.
func TestMergedInBackground(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		var want []byte
		for i := range 600 {
			line := fmt.Appendf(nil, "%d\n", i)
			want = append(want, line...)
			if err := s.Append(t.Context(), "log", line); err != nil {
				t.Fatal(err)
			}
		}
		c.Until("they are merged", 10*time.Minute, func() bool {
			info, err := s.Stat(t.Context(), "log")
			return err == nil && info.Blocks < 100
		})
		if got := get(t, s, "log"); !bytes.Equal(got, want) {
			t.Error("other content")
		}
		c.Until("the small blocks are gone", 3*time.Hour, func() bool { return c.strays() == 0 })
	})
}
