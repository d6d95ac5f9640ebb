package place

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// large is 10,000 nodes, of which some join, some leave, and some are down.
func large() []Member {
	list := make([]Member, 10000)
	for i := range list {
		list[i] = Member{ID: id(i + 1), Incarnation: 1, Status: Active, Ring: true}
		switch i % 20 {
		case 3:
			list[i].Status, list[i].Ring = Pending, false
		case 5:
			list[i].Status, list[i].Leaves = Leaving, true
		case 7:
			list[i].Status = Down
		}
	}
	return list
}

// BenchmarkNew makes two rings, since some join and leave.
func BenchmarkNew(b *testing.B) {
	list := large()
	b.ReportAllocs()
	for b.Loop() {
		New(1, list, 3)
	}
}

// BenchmarkNext is what it costs when only a status has changed.
func BenchmarkNext(b *testing.B) {
	list := large()
	m := New(1, list, 3)
	list = slices.Clone(list)
	list[0].Status = Down
	b.ReportAllocs()
	for b.Loop() {
		m.Next(1, list)
	}
}

func BenchmarkTargets(b *testing.B) {
	m := New(1, large(), 3)
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for range m.Targets(rand.Uint64()) {
			if n++; n == 3 {
				break
			}
		}
	}
}

func BenchmarkReaders(b *testing.B) {
	m := New(1, large(), 3)
	b.ReportAllocs()
	for b.Loop() {
		m.Readers(rand.Uint64(), id(1))
	}
}
