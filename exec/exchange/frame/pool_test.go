package frame

import (
	"testing"
)

func TestPool(t *testing.T) {
	mem := checked(t)
	p := NewPool(mem, 1<<20)
	a := p.Allocate(100 << 10)
	at := &a[0]
	p.Free(a)
	if mem.CurrentAlloc() != 112<<10 {
		t.Errorf("%d bytes are kept", mem.CurrentAlloc())
	}
	if b := p.Allocate(99 << 10); &b[0] != at || len(b) != 99<<10 {
		t.Errorf("%d other bytes are handed out", len(b))
	} else if b = p.Reallocate(101<<10, b); &b[0] != at || len(b) != 101<<10 {
		t.Errorf("%d other bytes are handed out", len(b))
	} else {
		b[100<<10] = 7
		if b = p.Reallocate(200<<10, b); len(b) != 200<<10 || b[100<<10] != 7 {
			t.Error("what was there is not")
		}
		p.Free(b)
	}
	late := p.Allocate(1 << 20)
	for _, n := range []int{0, 1, minPooled, minPooled + 1, 900 << 10, 900 << 10, maxPooled, maxPooled + 1} {
		p.Free(p.Allocate(n))
		if kept := mem.CurrentAlloc() - 1<<20; kept > 1<<20 {
			t.Errorf("%d bytes are kept", kept)
		}
	}
	p.Close()
	if mem.CurrentAlloc() != 1<<20 {
		t.Errorf("%d bytes are there after the end", mem.CurrentAlloc())
	}
	p.Free(late)
}

func TestClasses(t *testing.T) {
	for n := minPooled; n <= maxPooled; n += 4097 {
		c := classOf(n)
		if c < n || c > n+n/4 || classOf(c) != c || c%64 != 0 {
			t.Fatalf("%d bytes become %d", n, c)
		}
	}
}
