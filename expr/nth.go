package expr

import (
	"cmp"
	"slices"
)

// nth orders vals so far that the k-th smallest stands at k, none before it is
// greater, and none behind it smaller: quickselect (Hoare's FIND), with a sort
// of what is left where its luck runs out. NaN must not be among them.
func nth[T cmp.Ordered](vals []T, k int) T {
	lo, hi := 0, len(vals)-1
	for rounds := 0; hi-lo > 32; rounds++ {
		if rounds > 60 {
			break // partitions keep missing: the sort's worst case is the better one
		}
		pivot := median(vals[lo], vals[lo+(hi-lo)/2], vals[hi])
		i, j := lo, hi
		for i <= j {
			for vals[i] < pivot {
				i++
			}
			for vals[j] > pivot {
				j--
			}
			if i <= j {
				vals[i], vals[j] = vals[j], vals[i]
				i++
				j--
			}
		}
		switch {
		case k <= j:
			hi = j
		case k >= i:
			lo = i
		default:
			return vals[k]
		}
	}
	slices.Sort(vals[lo : hi+1])
	return vals[k]
}

func median[T cmp.Ordered](a, b, c T) T { return max(min(a, b), min(max(a, b), c)) }
