package ring

import "testing"

func BenchmarkNew(b *testing.B) {
	all := newSource(1).nodes(simulated)
	b.ReportAllocs()
	for b.Loop() {
		New(all)
	}
}

func BenchmarkOwners(b *testing.B) {
	rnd := newSource(1)
	r := New(rnd.nodes(simulated))
	b.ReportAllocs()
	for b.Loop() {
		r.Owners(rnd.Uint64(), 3)
	}
}

func BenchmarkWalkAll(b *testing.B) {
	rnd := newSource(1)
	r := New(rnd.nodes(simulated))
	b.ReportAllocs()
	for b.Loop() {
		for range r.WalkIndex(rnd.Uint64()) {
		}
	}
}

func BenchmarkRanges(b *testing.B) {
	all := newSource(1).nodes(simulated)
	r := New(all)
	b.ReportAllocs()
	for b.Loop() {
		r.Ranges(all[0], 3)
	}
}

func BenchmarkView(b *testing.B) {
	all := newSource(1).nodes(simulated)
	r := New(all)
	b.ReportAllocs()
	for b.Loop() {
		r.View(all[0], 1, 3)
	}
}

func BenchmarkNext(b *testing.B) {
	rnd := newSource(1)
	all := rnd.nodes(simulated)
	v := New(all).View(all[0], 1, 3)
	b.ReportMetric(float64(v.Len()), "positions")
	b.ReportAllocs()
	for b.Loop() {
		v.Next(rnd.Uint64())
	}
}

// BenchmarkLookup takes views of a thousand nodes, which fit into memory.
func BenchmarkLookup(b *testing.B) {
	rnd := newSource(1)
	all := rnd.nodes(1000)
	r := New(all)
	of := map[[16]byte]*View{}
	for _, node := range all {
		of[node] = r.View(node, 1, 3)
	}
	b.ReportAllocs()
	for b.Loop() {
		key := rnd.Uint64()
		if _, err := Lookup(key, all[rnd.IntN(len(all))], views(of, key)); err != nil {
			b.Fatal(err)
		}
	}
}
