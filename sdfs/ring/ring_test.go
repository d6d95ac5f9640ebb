package ring

import (
	"encoding/binary"
	"math"
	"testing"
)

func nodes(n int) [][16]byte {
	list := make([][16]byte, n)
	for i := range list {
		binary.BigEndian.PutUint32(list[i][:], uint32(i+1))
	}
	return list
}

// TestOwners: the owners are distinct, the same whatever the order of the members, and only what a node that
// leaves owned changes hands.
func TestOwners(t *testing.T) {
	all := nodes(10)
	r := New(all)
	back := append([][16]byte{}, all...)
	for i, j := 0, len(back)-1; i < j; i, j = i+1, j-1 {
		back[i], back[j] = back[j], back[i]
	}
	other, less := New(back), New(all[1:])
	for i := range uint64(2000) {
		at := i * (math.MaxUint64 / 2000)
		own := r.Owners(at, 3)
		if len(own) != 3 || own[0] == own[1] || own[1] == own[2] || own[0] == own[2] {
			t.Fatalf("%x: %v", at, own)
		}
		same := other.Owners(at, 3)
		for k := range own {
			if same[k] != own[k] {
				t.Fatalf("%x depends on the order of the members", at)
			}
		}
		if own[0] != all[0] && less.Owners(at, 1)[0] != own[0] {
			t.Fatalf("%x moved though its owner stayed", at)
		}
	}
	if got := len(New(all[:2]).Owners(5, 3)); got != 2 {
		t.Errorf("of two nodes %d own", got)
	}
	if len(New(nil).Owners(5, 3)) != 0 {
		t.Error("an empty ring has owners")
	}
}

func TestShares(t *testing.T) {
	sum := 0.0
	for n, s := range New(nodes(20)).Shares() {
		if s < 0.02 || s > 0.09 { // 0.05 with a deviation of 0.05/√64
			t.Errorf("%x owns %v", n[:4], s)
		}
		sum += s
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("shares add up to %v", sum)
	}
}
