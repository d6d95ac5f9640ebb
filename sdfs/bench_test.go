package sdfs

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
)

func openBench(b *testing.B) *Embedded {
	b.Helper()
	s, err := Open(b.Context(), Config{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// BenchmarkAppend is small appends by several writers at once. Beside it BenchmarkRawSync shows what
// the disk gives: an append by one writer takes two fsyncs.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 16, 256} {
		b.Run(fmt.Sprint(writers, "writers"), func(b *testing.B) {
			s := openBench(b)
			line := make([]byte, 100)
			var left atomic.Int64
			left.Store(int64(b.N))
			b.ResetTimer()
			var wg sync.WaitGroup
			for range writers {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						if err := s.Append(b.Context(), "log", line); err != nil {
							b.Error(err)
							return
						}
					}
				})
			}
			wg.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
		})
	}
}

func BenchmarkRawSync(b *testing.B) {
	disk := vfs.OS(b.TempDir())
	f, err := disk.Create("x")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	line := make([]byte, 136)
	b.ResetTimer()
	for i := range b.N {
		if _, err := f.WriteAt(line, int64(i*len(line))); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fsyncs/s")
}

const benchFile = 256 << 20

func BenchmarkPut(b *testing.B) {
	piece := make([]byte, 1<<20)
	b.Run("store", func(b *testing.B) {
		s := openBench(b)
		b.SetBytes(benchFile)
		for b.Loop() {
			w, err := s.Create(b.Context(), "f", Replace)
			if err != nil {
				b.Fatal(err)
			}
			for range benchFile / len(piece) {
				if _, err := w.Write(piece); err != nil {
					b.Fatal(err)
				}
			}
			if err := w.Commit(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("raw", func(b *testing.B) {
		dir := b.TempDir()
		b.SetBytes(benchFile)
		for b.Loop() {
			f, err := os.Create(filepath.Join(dir, "f"))
			if err != nil {
				b.Fatal(err)
			}
			for range benchFile / len(piece) {
				if _, err := f.Write(piece); err != nil {
					b.Fatal(err)
				}
			}
			if err := f.Sync(); err != nil {
				b.Fatal(err)
			}
			f.Close()
		}
	})
}

func BenchmarkGet(b *testing.B) {
	piece := make([]byte, 1<<20)
	read := func(b *testing.B, r io.ReaderAt) {
		b.SetBytes(benchFile)
		for b.Loop() {
			for off := int64(0); off < benchFile; off += int64(len(piece)) {
				if _, err := r.ReadAt(piece, off); err != nil {
					b.Fatal(err)
				}
			}
		}
	}
	b.Run("store", func(b *testing.B) {
		s := openBench(b)
		w, err := s.Create(b.Context(), "f", Replace)
		if err != nil {
			b.Fatal(err)
		}
		for range benchFile / len(piece) {
			if _, err := w.Write(piece); err != nil {
				b.Fatal(err)
			}
		}
		if err := w.Commit(b.Context()); err != nil {
			b.Fatal(err)
		}
		f, err := s.OpenFile(b.Context(), "f")
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		read(b, f)
	})
	b.Run("raw", func(b *testing.B) {
		f, err := os.Create(filepath.Join(b.TempDir(), "f"))
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		for range benchFile / len(piece) {
			if _, err := f.Write(piece); err != nil {
				b.Fatal(err)
			}
		}
		read(b, f)
	})
}
