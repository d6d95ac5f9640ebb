package expr

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// A hyperLogLog counts different hashes. While there are few it keeps them all
// and is exact; then it keeps, for each of 4,096 registers, the longest run of
// zeros met, which is right within 1.6 % most of the time.
const (
	hllBits  = 12
	hllRegs  = 1 << hllBits
	hllExact = 256 // hashes kept before the registers are
)

type hyperLogLog struct {
	few  []uint64 // sorted
	regs []byte   // nil while few serves
}

func (h *hyperLogLog) add(x uint64) {
	if h.regs != nil {
		h.set(x)
		return
	}
	i, found := slices.BinarySearch(h.few, x)
	if found {
		return
	}
	h.few = slices.Insert(h.few, i, x)
	if len(h.few) > hllExact {
		h.spread()
	}
}

func (h *hyperLogLog) spread() {
	h.regs = make([]byte, hllRegs)
	for _, x := range h.few {
		h.set(x)
	}
	h.few = nil
}

func (h *hyperLogLog) set(x uint64) {
	run := byte(min(bits.LeadingZeros64(x<<hllBits), 64-hllBits) + 1)
	if r := &h.regs[x>>(64-hllBits)]; run > *r {
		*r = run
	}
}

// count is the estimator of Ertl (2017), which needs no corrections at either end.
func (h *hyperLogLog) count() int64 {
	if h.regs == nil {
		return int64(len(h.few))
	}
	const q = 64 - hllBits
	var hist [q + 2]float64
	for _, r := range h.regs {
		hist[r]++
	}
	const m = float64(hllRegs)
	z := m * hllTau(1-hist[q+1]/m)
	for k := q; k >= 1; k-- {
		z = (z + hist[k]) / 2
	}
	z += m * hllSigma(hist[0]/m)
	return int64(math.Round(m * m / (2 * math.Ln2 * z)))
}

func hllSigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1.0, x
	for {
		x *= x
		old := z
		z += x * y
		y += y
		if z == old {
			return z
		}
	}
}

func hllTau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1.0, 1-x
	for {
		x = math.Sqrt(x)
		old := z
		y /= 2
		z -= (1 - x) * (1 - x) * y
		if z == old {
			return z / 3
		}
	}
}

// bytes is the state: the hashes, eight bytes each, or the registers, one more
// byte than a whole number of hashes.
func (h *hyperLogLog) bytes() []byte {
	if h.regs != nil {
		return append(slices.Clone(h.regs), 1)
	}
	var b []byte
	for _, x := range h.few {
		b = binary.LittleEndian.AppendUint64(b, x)
	}
	return b
}

func (h *hyperLogLog) merge(b []byte) error {
	if len(b) == hllRegs+1 {
		if h.regs == nil {
			h.spread()
		}
		for i, r := range b[:hllRegs] {
			if r > 64-hllBits+1 {
				return errStates
			}
			h.regs[i] = max(h.regs[i], r)
		}
		return nil
	}
	if len(b)%8 != 0 {
		return errStates
	}
	for ; len(b) > 0; b = b[8:] {
		h.add(binary.LittleEndian.Uint64(b))
	}
	return nil
}

func newHyperLogLog(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	f := &folding[hyperLogLog]{mem: mem, size: func(h hyperLogLog) int { return cap(h.few)*8 + len(h.regs) }}
	f.update = func(s []hyperLogLog, groups []uint32, args []arrow.Array) error {
		if err := checkInputs(c, args); err != nil {
			return err
		}
		hashes, valid := make([]uint64, len(groups)), vec.ValidityOf(args[0])
		vec.Hash(args[0], hashes, false)
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].add(hashes[i])
			}
		}
		return nil
	}
	f.merge = mergeBytes(func(h *hyperLogLog, b []byte) error { return h.merge(b) })
	f.state = stateBytes(func(h hyperLogLog) []byte { return h.bytes() })
	f.result = func(mem memory.Allocator, s []hyperLogLog) (arrow.Array, error) {
		return perGroup(mem, c.T, s, func(h hyperLogLog) (int64, bool) { return h.count(), true }), nil
	}
	return f, nil
}

// mergeBytes and stateBytes carry sketches as BYTES.
func mergeBytes[S any](merge func(s *S, b []byte) error) func(s []S, groups []uint32, state []arrow.Array) error {
	return func(s []S, groups []uint32, state []arrow.Array) error {
		if len(state) != 1 || !holds(state[0].DataType(), types.BYTES) {
			return errStates
		}
		r := vec.Strings(state[0])
		for i, g := range groups {
			if r.Null(i) {
				continue
			}
			if err := merge(&s[g], r.At(i)); err != nil {
				return err
			}
		}
		return nil
	}
}

func stateBytes[S any](bytes func(s S) []byte) func(mem memory.Allocator, s []S) ([]arrow.Array, error) {
	return func(mem memory.Allocator, s []S) ([]arrow.Array, error) {
		b := vec.NewViewBuilder(mem, types.BYTES.Arrow(), len(s))
		for _, g := range s {
			b.Append(bytes(g))
		}
		return []arrow.Array{b.Finish()}, nil
	}
}
