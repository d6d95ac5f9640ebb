package scan

import (
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestPoolClasses(t *testing.T) {
	last := -1
	for n := smallest; n <= largest; n += 13 {
		i, size, ok := class(n)
		if !ok || size < n || size > n+n/4+4 || i < 0 || i >= classes || i < last {
			t.Fatalf("class(%d) = %d, %d, %v after %d", n, i, size, ok, last)
		}
		if j, again, _ := class(size); j != i || again != size {
			t.Fatalf("class(%d) = %d, %d, but of %d it is %d, %d", n, i, size, size, j, again)
		}
		last = i
	}
}

func TestPoolGivesEverythingBack(t *testing.T) {
	checked := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer checked.AssertSize(t, 0)
	p := &pool{Allocator: checked}
	rnd := rand.New(rand.NewPCG(1, 2))
	var held []*memory.Buffer
	for range 500 {
		b := memory.NewResizableBuffer(p)
		b.Resize(1 + rnd.IntN(20_000))
		b.Bytes()[0] = 42
		b.Resize(1 + rnd.IntN(40_000))
		if b.Bytes()[0] != 42 {
			t.Fatal("content lost as a buffer grew")
		}
		if held = append(held, b); len(held) > 10 {
			held[0].Release()
			held = held[1:]
		}
	}
	p.close()
	for _, b := range held {
		b.Release()
	}
}
