package ring

import (
	"errors"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

var errGone = errors.New("does not answer")

// views asks nodes for what their views say of a key; one without a view does not answer.
func views(of map[[16]byte]*View, key uint64) func([16]byte) (Step, error) {
	return func(node [16]byte) (Step, error) {
		if v := of[node]; v != nil {
			return v.Next(key), nil
		}
		return Step{}, errGone
	}
}

// TestView: a node knows its positions' neighbours and fingers, worked out here from the positions of all, and names
// owners that are right or none.
func TestView(t *testing.T) {
	all := nodes(30)
	r := New(all)
	var places []uint64
	for _, node := range all {
		places = append(places, plainPlaces(node)...)
	}
	nextTo := func(at uint64) uint64 {
		way := uint64(math.MaxUint64)
		for _, p := range places {
			way = min(way, p-at)
		}
		return at + way
	}
	beforeOf := func(at uint64) uint64 {
		way := uint64(math.MaxUint64)
		for _, p := range places {
			way = min(way, at-1-p)
		}
		return at - 1 - way
	}
	for _, node := range [][16]byte{all[0], all[17], nodes(31)[30]} {
		v := r.View(node, 7, 3)
		knows := func(at uint64) bool {
			return slices.ContainsFunc(v.known, func(k known) bool { return k.At == at })
		}
		for _, p := range plainPlaces(node) {
			for i := range 64 {
				if at := nextTo(p + 1<<i); !knows(at) {
					t.Fatalf("%x does not know finger %d of %x, which is at %x", node[:4], i, p, at)
				}
			}
			for at, i := nextTo(p+1), 0; i < 6; at, i = nextTo(at+1), i+1 {
				if !knows(at) {
					t.Fatalf("%x does not know the successor %d of %x", node[:4], i, p)
				}
			}
			if before := beforeOf(p); !knows(before) {
				t.Fatalf("%x does not know the predecessor of %x, which is at %x", node[:4], p, before)
			}
		}
		named := 0
		for _, key := range keysOf(all, 1) {
			step := v.Next(key)
			if step.Owners != nil {
				named++
				if !slices.Equal(step.Owners, plainOwners(all, key, 3)) {
					t.Errorf("%x names %x as owners of %x", node[:4], step.Owners, key)
				}
			}
			for i, p := range step.Ask {
				if p.Node == node || i > 0 && key-p.At <= key-step.Ask[i-1].At || slices.ContainsFunc(step.Ask[:i], func(q Position) bool { return q.Node == p.Node }) {
					t.Errorf("%x says to ask %x about %x", node[:4], step.Ask, key)
				}
			}
			if step.Epoch != 7 || (step.Owners == nil) == (len(step.Ask) == 0) {
				t.Errorf("%x says %v of %x", node[:4], step, key)
			}
		}
		if named == 0 {
			t.Errorf("%x names no owners at all", node[:4])
		}
	}
}

// TestLookup in rings of all small sizes, from each node, and from one that is about to join.
func TestLookup(t *testing.T) {
	for n := 1; n <= 12; n++ {
		all := nodes(n + 1)
		in, r := all[:n], New(all[:n])
		of := map[[16]byte]*View{}
		for _, node := range all {
			of[node] = r.View(node, uint64(n), 3)
		}
		for _, key := range keysOf(in, uint64(n)) {
			want := plainOwners(in, key, 3)
			for _, start := range all {
				got, err := Lookup(key, start, views(of, key))
				if err != nil || got.Epoch != uint64(n) || !slices.Equal(got.Owners, want) {
					t.Fatalf("%d nodes: %x from %x on: %+v, %v", n, key, start[:4], got, err)
				}
			}
		}
	}
}

// TestLookupFails: nobody there, nobody who answers, and views of a ring of no nodes.
func TestLookupFails(t *testing.T) {
	all := nodes(40)
	r := New(all)
	for name, c := range map[string]struct {
		of     map[[16]byte]*View
		failed bool
	}{
		"nobody answers":         {map[[16]byte]*View{}, true},
		"only the first answers": {map[[16]byte]*View{all[0]: r.View(all[0], 1, 3)}, true},
		"the ring is empty":      {map[[16]byte]*View{all[0]: New(nil).View(all[0], 1, 3)}, false},
	} {
		lost := 0
		for key := range uint64(64) {
			key <<= 58
			_, err := Lookup(key, all[0], views(c.of, key))
			if err == nil {
				continue // the first one may know
			}
			lost++
			if !errors.Is(err, ErrLost) || errors.Is(err, errGone) != c.failed {
				t.Errorf("%s: %v", name, err)
			}
		}
		if lost == 0 {
			t.Errorf("%s, and yet all is found", name)
		}
	}
}

// TestLookupEnds whatever is answered: nonsense too is asked of MaxAsked nodes at most, and of none twice.
func TestLookupEnds(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	all := nodes(1000)
	for range 200 {
		asked := map[[16]byte]bool{}
		_, err := Lookup(rnd.Uint64(), all[0], func(node [16]byte) (Step, error) {
			if asked[node] {
				t.Fatalf("%x is asked twice", node[:4])
			}
			if asked[node] = true; len(asked) > MaxAsked {
				t.Fatalf("%d nodes are asked", len(asked))
			}
			if rnd.IntN(4) == 0 {
				return Step{}, errGone
			}
			var step Step
			for range 1 + rnd.IntN(5) {
				step.Ask = append(step.Ask, Position{rnd.Uint64(), all[rnd.IntN(len(all))]})
			}
			return step, nil
		})
		if !errors.Is(err, ErrLost) {
			t.Fatal(err)
		}
	}
}

// TestLookupPastTheGone: owners are found, down ones among them, though the n nodes before the key are gone.
func TestLookupPastTheGone(t *testing.T) {
	all := nodes(60)
	r := New(all)
	every := map[[16]byte]*View{}
	for _, node := range all {
		every[node] = r.View(node, 1, 3)
	}
	for _, key := range keysOf(all, 9) {
		of := maps.Clone(every)
		for at := key; len(of) > len(all)-3; {
			p, _ := r.Predecessor(at)
			at = p.At
			delete(of, p.Node)
		}
		want := plainOwners(all, key, 3)
		for start := range of {
			got, err := Lookup(key, start, views(of, key))
			if err != nil || !slices.Equal(got.Owners, want) {
				t.Fatalf("%x from %x on: %+v, %v", key, start[:4], got, err)
			}
		}
	}
}
