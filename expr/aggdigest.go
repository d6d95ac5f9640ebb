package expr

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// A digest is a merging t-digest: values are gathered into at most about a
// hundred centroids, fine at both ends and coarse in the middle. Up to
// digestBuffer values it holds them all.
type digest struct {
	cents    []centroid // those before sorted ascend; the rest is yet to be merged in
	sorted   int
	min, max float64
}

type centroid struct{ mean, weight float64 }

const (
	digestSize   = 100
	digestBuffer = 4 * digestSize
)

func (d *digest) add(c centroid) {
	if math.IsNaN(c.mean) || !(c.weight > 0) {
		return
	}
	if len(d.cents) == 0 {
		d.min, d.max = c.mean, c.mean
	}
	d.min, d.max = min(d.min, c.mean), max(d.max, c.mean)
	d.cents = append(d.cents, c)
	if len(d.cents) >= digestBuffer {
		d.compress()
	}
}

func (d *digest) sort() {
	if d.sorted < len(d.cents) {
		slices.SortFunc(d.cents, func(a, b centroid) int { return vec.CompareFloats(a.mean, b.mean) })
		d.sorted = len(d.cents)
	}
}

// compress joins neighbours as far as the scale function k1 allows.
func (d *digest) compress() {
	d.sort()
	total := 0.0
	for _, c := range d.cents {
		total += c.weight
	}
	k := func(q float64) float64 { return digestSize / (2 * math.Pi) * math.Asin(2*min(q, 1)-1) }
	out := d.cents[:1]
	before := 0.0
	low := k(0)
	for _, c := range d.cents[1:] {
		last := &out[len(out)-1]
		w := last.weight + c.weight
		if k((before+w)/total)-low <= 1 {
			last.mean += (c.mean - last.mean) * c.weight / w
			last.weight = w
			continue
		}
		before += last.weight
		low = k(before / total)
		out = append(out, c)
	}
	d.cents, d.sorted = out, len(out)
}

// quantile interpolates between the middles of the centroids.
func (d *digest) quantile(q float64) (float64, bool) {
	if len(d.cents) == 0 {
		return 0, false
	}
	d.sort()
	total := 0.0
	for _, c := range d.cents {
		total += c.weight
	}
	at := q * (total - 1) // as quantile_cont counts: from the first value to the last
	prev, prevAt, before := d.min, 0.0, 0.0
	for _, c := range d.cents {
		mid := before + (c.weight-1)/2
		if at <= mid {
			return lerp(prev, c.mean, prevAt, mid, at), true
		}
		prev, prevAt = c.mean, mid
		before += c.weight
	}
	return lerp(prev, d.max, prevAt, total-1, at), true
}

func lerp(a, b, from, to, at float64) float64 {
	if to <= from || a == b {
		return b
	}
	return a + (b-a)*(at-from)/(to-from)
}

func (d digest) bytes() []byte {
	if len(d.cents) == 0 {
		return nil
	}
	b := make([]byte, 0, 16+16*len(d.cents))
	put := func(v float64) { b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v)) }
	put(d.min)
	put(d.max)
	for _, c := range d.cents {
		put(c.mean)
		put(c.weight)
	}
	return b
}

func (d *digest) merge(b []byte) error {
	if len(b) == 0 {
		return nil
	}
	if len(b)%16 != 0 || len(b) < 32 {
		return errStates
	}
	get := func(i int) float64 { return math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:])) }
	lo, hi := get(0), get(1)
	for i := 2; i < len(b)/8; i += 2 {
		d.add(centroid{get(i), get(i + 1)})
	}
	if len(d.cents) > 0 {
		d.min, d.max = min(d.min, lo), max(d.max, hi)
	}
	return nil
}

func newDigest(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	q, err := quantileOf(c)
	if err != nil {
		return nil, err
	}
	f := &folding[digest]{mem: mem, size: func(d digest) int { return cap(d.cents) * 16 }}
	f.update = func(s []digest, groups []uint32, args []arrow.Array) error {
		if err := checkInputs(c, args); err != nil {
			return err
		}
		vals, valid := vec.Values[float64](args[0]), vec.ValidityOf(args[0])
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].add(centroid{vals[i], 1})
			}
		}
		return nil
	}
	f.merge = mergeBytes(func(d *digest, b []byte) error { return d.merge(b) })
	f.state = stateBytes(func(d digest) []byte { return d.bytes() })
	f.result = func(mem memory.Allocator, s []digest) (arrow.Array, error) {
		return perGroup(mem, c.T, s, func(d digest) (float64, bool) { return d.quantile(q) }), nil
	}
	return f, nil
}
