package block

import (
	"fmt"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

func openBench(b *testing.B) *Store {
	b.Helper()
	disk := vfs.OS(b.TempDir())
	for _, dir := range Dirs() {
		must(b, disk.Mkdir(dir))
	}
	s := openAll(b, Options{FS: disk, SegmentBytes: 64 << 20, BlockBytes: 64 << 20, CacheBytes: 64 << 20, MemoryBytes: 64 << 20})
	b.Cleanup(func() { must(b, s.Close()) })
	return s
}

// BenchmarkPutAll puts groups of blocks of 1 KB, one group after the other.
func BenchmarkPutAll(b *testing.B) {
	for _, size := range []int{1, 100} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			s := openBench(b)
			data := dataOf(1, 1000)
			small := make([]Small, size)
			b.ReportAllocs()
			for b.Loop() {
				for i := range small {
					small[i] = Small{NewID(), data}
				}
				if _, err := s.PutAll(b.Context(), small); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "blocks/s")
		})
	}
}

// BenchmarkIDs looks at parts of the ring, of different widths, in a store of a million blocks.
func BenchmarkIDs(b *testing.B) {
	s := &Store{}
	for range 1_000_000 {
		s.index.set(NewID(), place{length: 1, claimed: true})
	}
	for _, width := range []uint64{1 << 48, 1 << 54, 1 << 58, 0} {
		name := "all"
		if width > 0 {
			name = fmt.Sprintf("1of%d", 1<<63/width*2)
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			from, n := uint64(0), 0
			for b.Loop() {
				for range s.IDs(from, from+width) {
					n++
				}
				from += 0x9e3779b97f4a7c15
			}
			b.ReportMetric(float64(n)/float64(b.N), "ids")
		})
	}
}

func BenchmarkCheckSums(b *testing.B) {
	sums := make([]uint32, 1024)
	blk := namespace.Block{Length: 64 << 20}
	for b.Loop() {
		CheckSums(blk, sums)
	}
}
