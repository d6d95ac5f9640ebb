package expr

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestNth(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for size := range 400 {
		for _, spread := range []int{1, 3, 1000} {
			vals := make([]int, size+1)
			for i := range vals {
				vals[i] = r.IntN(spread)
			}
			if size%3 == 0 {
				slices.Sort(vals)
			}
			want := slices.Sorted(slices.Values(vals))
			k := r.IntN(len(vals))
			if got := nth(vals, k); got != want[k] {
				t.Fatalf("%d of %v: %d, want %d", k, vals, got, want[k])
			}
			if k+1 < len(vals) {
				if got := nth(vals, k+1); got != want[k+1] {
					t.Fatalf("%d after it: %d, want %d", k+1, got, want[k+1])
				}
			}
		}
	}
}
