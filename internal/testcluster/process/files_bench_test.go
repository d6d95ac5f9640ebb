package process

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
)

// BenchmarkFiles measures the file store of three servers on this machine, whose disk and processors they share: put and get
// of a file beside what the disk writes and a copy on the disk takes, appends of 100 bytes with one and many writers, and what a server
// whose disk is empty gets from the others. make bench-files.
func BenchmarkFiles(b *testing.B) {
	c := New(b, program(b), Options{Servers: 3})
	const size = 256 << 20
	data := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	open := func(b *testing.B) *sdfs.Store {
		cl := c.Client(0)
		s := files.Open(cl)
		b.Cleanup(func() {
			_ = s.Close()
			cl.Close()
		})
		return s
	}
	b.Run("disk", func(b *testing.B) { // what one copy on this disk takes, synced
		b.SetBytes(size)
		for range b.N {
			writeDisk(b, data, size)
		}
	})
	b.Run("put", func(b *testing.B) {
		s := open(b)
		b.SetBytes(size)
		for i := range b.N {
			putFile(b, s, fmt.Sprint("put/", i), data, size)
		}
	})
	b.Run("get", func(b *testing.B) {
		s := open(b)
		putFile(b, s, "get", data, size)
		b.SetBytes(size)
		b.ResetTimer()
		for range b.N {
			f, err := s.OpenFile(b.Context(), "get")
			if err != nil {
				b.Fatal(err)
			}
			if n, err := io.CopyBuffer(onlyWriter{io.Discard}, io.NewSectionReader(f, 0, f.Size()), make([]byte, 1<<20)); err != nil || n != size {
				b.Fatal(n, err)
			}
			_ = f.Close()
		}
	})
	for _, writers := range []int{1, 8, 64, 256} {
		b.Run(fmt.Sprint("append/writers=", writers), func(b *testing.B) {
			stores := make([]*sdfs.Store, min(writers, 8))
			for i := range stores {
				stores[i] = open(b)
			}
			b.ResetTimer()
			appendAll(b, stores, writers)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

// BenchmarkRefill measures how fast a server whose disk is empty gets what belongs to it from three others.
func BenchmarkRefill(b *testing.B) {
	c := New(b, program(b), Options{Servers: 3, Args: []string{"--repair-mb", "100000"}})
	s := files.Open(c.Client(0))
	b.Cleanup(func() { _ = s.Close() })
	data := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(data)
	for i := range 4 {
		putFile(b, s, fmt.Sprint(i), data, 256<<20)
	}
	var bytes int64
	for range b.N {
		b.StopTimer()
		one := c.Servers[2]
		one.Kill()
		c.Until("it is down", time.Minute, func() string { // until then its name is taken
			for _, n := range c.Servers[0].Nodes() {
				if n.GetName() == one.Name && n.GetStatus() == "active" {
					return "it is not"
				}
			}
			return ""
		})
		if err := os.RemoveAll(one.Dir); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		one.Start()
		c.Until("it has what belongs to it", time.Minute, func() string { // it is not ready before
			if st, err := one.Status(); err != nil || !st.GetReady() {
				return "not yet"
			}
			return ""
		})
		b.StopTimer()
		paths, err := filepath.Glob(filepath.Join(one.Dir, "blocks", "*"))
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range paths {
			if info, err := os.Stat(p); err == nil {
				bytes += info.Size()
			}
		}
	}
	b.ReportMetric(float64(bytes)/1e6/b.Elapsed().Seconds(), "MB/s")
}

type onlyWriter struct{ io.Writer }

func putFile(b *testing.B, s *sdfs.Store, name string, data []byte, size int) {
	b.Helper()
	w, err := s.Create(b.Context(), name, sdfs.Replace)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < size; n += len(data) {
		if _, err := w.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Commit(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// appendAll appends b.N times in all.
func appendAll(b *testing.B, stores []*sdfs.Store, writers int) {
	b.Helper()
	line := make([]byte, 100)
	var work sync.WaitGroup
	for w := range writers {
		work.Go(func() {
			for i := w; i < b.N; i += writers {
				if err := stores[w%len(stores)].Append(context.Background(), fmt.Sprint("log", writers), line); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	work.Wait()
}
