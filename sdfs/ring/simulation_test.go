package ring

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// source gives random numbers and nodes, the same ones at each run.
type source struct{ *rand.Rand }

func newSource(seed uint64) source { return source{rand.New(rand.NewPCG(seed, 1))} }

func (s source) nodes(n int) [][16]byte {
	list := make([][16]byte, n)
	for i := range list {
		for k := range list[i] {
			list[i][k] = byte(s.Uint32())
		}
	}
	return list
}

// history is a cluster whose members change: its ring at each epoch, and at which epochs each node was in it.
type history struct {
	rings []*Ring
	came  map[[16]byte]int
	went  map[[16]byte]int
}

// newHistory has as many nodes at every epoch, of which some leave and as many join from one to the next.
func newHistory(rnd source, total, epochs, change int) *history {
	h := &history{came: map[[16]byte]int{}, went: map[[16]byte]int{}}
	in := rnd.nodes(total)
	h.rings = append(h.rings, New(in))
	for e := 1; e < epochs; e++ {
		rnd.Shuffle(len(in), func(i, j int) { in[i], in[j] = in[j], in[i] })
		for i, node := range rnd.nodes(change) {
			h.went[in[i]], h.came[node] = e, e
			in[i] = node
		}
		h.rings = append(h.rings, New(in))
	}
	return h
}

// ask is that of a cluster in which each node is at an epoch of its own, and those that went do not answer.
func (h *history) ask(rnd source, key uint64, stale bool) func([16]byte) (Step, error) {
	return func(node [16]byte) (Step, error) {
		if h.went[node] > 0 {
			return Step{}, errGone
		}
		e := len(h.rings) - 1
		if stale {
			e = h.came[node] + rnd.IntN(len(h.rings)-h.came[node])
		}
		return h.rings[e].View(node, uint64(e), 3).Next(key), nil
	}
}

// TestHops: from any node to the owners of any key in at most log2 n hops, also when each node is at one of eleven
// epochs between which a tenth of the members has changed, and every answer is right for the epoch that it names.
func TestHops(t *testing.T) {
	rnd := newSource(1)
	h := newHistory(rnd, simulated, 11, simulated/200)
	lookups := simulated / 25
	if testing.Short() {
		lookups /= 10
	}
	most := bits.Len(uint(simulated - 1)) // ceil(log2)
	for name, stale := range map[string]bool{"views of one epoch": false, "views of eleven epochs": true} {
		counts := make([]int, MaxAsked)
		sum, old := 0, 0
		now := h.rings[len(h.rings)-1]
		for range lookups {
			key, start := rnd.Uint64(), now.Nodes()[rnd.IntN(len(now.Nodes()))]
			got, err := Lookup(key, start, h.ask(rnd, key, stale))
			if err != nil {
				t.Fatal(err)
			}
			if want := h.rings[got.Epoch].Owners(key, 3); !slices.Equal(got.Owners, want) {
				t.Fatalf("at epoch %d %x belongs to %x, not %x", got.Epoch, key, want, got.Owners)
			}
			if !slices.Equal(got.Owners, now.Owners(key, 3)) {
				old++
			}
			if got.Hops > most {
				t.Errorf("%s: %d hops to %x", name, got.Hops, key)
			}
			counts[got.Hops]++
			sum += got.Hops
		}
		last := len(counts) - 1
		for counts[last] == 0 {
			last--
		}
		t.Logf("%d nodes, %s: %d lookups, hops: mean %.2f, most %d of %d, distribution %v; answers that are no longer true: %d",
			simulated, name, lookups, float64(sum)/float64(lookups), last, most, counts[:last+1], old)
	}
}

// TestBalance: how even the load is with R = 3, of the ring itself and of random blocks on it. In theory a node holds
// 64 times three gaps of exponential width, which is a deviation of 1/√192 of the mean; blocks add their own, 1/√blocks.
func TestBalance(t *testing.T) {
	rnd := newSource(2)
	r := New(rnd.nodes(simulated))
	shares := make([]float64, simulated)
	for i := range r.places {
		arc, _ := r.arc(i)
		k := 0
		for node := range r.walk(i) {
			if shares[node] += arc.Share(); k == 2 {
				break
			}
			k++
		}
	}
	const perNode = 100 // blocks of which a node is the first owner
	held := make([]float64, simulated)
	for range perNode * simulated {
		k := 0
		for node := range r.WalkIndex(rnd.Uint64()) {
			if held[node]++; k == 2 {
				break
			}
			k++
		}
	}
	theory := 1 / math.Sqrt(3*Positions)
	for name, c := range map[string]struct {
		load   []float64
		theory float64
	}{"shares": {shares, theory}, "blocks": {held, math.Sqrt(theory*theory + 1.0/(3*perNode))}} {
		spread, most := spreadOf(c.load)
		t.Logf("%d nodes, %s: deviation/mean %.4f, in theory %.4f; most/mean %.3f", simulated, name, spread, c.theory, most)
		if math.Abs(spread/c.theory-1) > 0.1 || most > 1+6*c.theory {
			t.Errorf("%s: deviation/mean %.4f, in theory %.4f; most/mean %.3f", name, spread, c.theory, most)
		}
	}
}

func spreadOf(load []float64) (deviation, most float64) {
	mean := 0.0
	for _, l := range load {
		mean += l / float64(len(load))
	}
	square := 0.0
	for _, l := range load {
		square += (l - mean) * (l - mean) / float64(len(load))
	}
	return math.Sqrt(square) / mean, slices.Max(load) / mean
}

// TestMovement: what changes hands when members change is what newcomers must hold, or what the leaver held, and
// nothing goes from one node to another that were both there before and after.
func TestMovement(t *testing.T) {
	rnd := newSource(3)
	all := rnd.nodes(simulated + 100)
	before := New(all[:simulated])
	for _, c := range []struct {
		name  string
		after *Ring
	}{
		{"one joins", New(all[:simulated+1])},
		{"100 join", New(all)},
		{"one leaves", New(all[1:simulated])},
		{"100 leave and 100 join", New(all[100:])},
	} {
		moved, ideal := movement(t, before, c.after)
		t.Logf("%d nodes, %s: %.6f of the bytes move, ideal %.6f, over it %.4f", simulated, c.name, moved, ideal, moved/ideal)
		if moved == 0 || moved > 1.05*ideal {
			t.Errorf("%s: %.6f moves, ideal %.6f", c.name, moved, ideal)
		}
	}
}

// movement is which part of all bytes gets a new owner, exactly, and which part must: what the nodes that came must
// hold, and what those that went held where no newcomer takes it over. It looks at each arc of both rings together.
func movement(t *testing.T, before, after *Ring) (moved, ideal float64) {
	t.Helper()
	const copies = 3
	both := New(slices.Concat(before.Nodes(), after.Nodes()))
	for i, p := range both.places {
		arc, some := both.arc(i)
		if !some {
			continue
		}
		old, now := before.Owners(p.at, copies), after.Owners(p.at, copies)
		if slices.Equal(old, now) {
			continue
		}
		lost := 0 // owners that have gone, whose copies somebody must take over
		for _, node := range old {
			if !after.Has(node) {
				lost++
			}
		}
		gained, came := 0, 0
		for _, node := range now {
			if !slices.Contains(old, node) {
				gained++
			}
			if !before.Has(node) {
				came++
			}
		}
		if gained > max(came, lost) {
			t.Fatalf("up to %x %d owners are new, but %d came and %d went", p.at, gained, came, lost)
		}
		moved += float64(gained) * arc.Share() / copies
		ideal += float64(max(came, lost)) * arc.Share() / copies
	}
	return moved, ideal
}
