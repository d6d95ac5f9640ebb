package namespace

import (
	"errors"
	"testing"
)

// TestTwoLeases: blocks that were written under several leases are named while all of them are open, and not once any has ended.
func TestTwoLeases(t *testing.T) {
	create := Entry{Kind: Create, Name: "a", Client: 1, Seq: 1, Lease: 7, Leases: []uint64{8, 9}, Blocks: []Block{blk(1, 10), blk(2, 20), blk(3, 30)}}
	commit := Entry{Kind: Commit, Client: 1, Seq: 1, Lease: 7, Leases: []uint64{8, 9}, List: []Entry{{Kind: Create, Name: "a", Blocks: create.Blocks}}}
	for _, e := range []Entry{create, commit} {
		for _, ended := range []uint64{0, 7, 8, 9} {
			s := New()
			apply := func(e Entry) error {
				data, err := Encode(e)
				if err == nil {
					e, err = Decode(data)
				}
				if err != nil {
					t.Fatal(err)
				}
				var res Result
				s, res = Apply(s, s.Index()+1, e)
				return res.Err
			}
			for id := range uint64(3) {
				if err := apply(Entry{Kind: LeaseOpen, Lease: 7 + id, Until: 1000}); err != nil {
					t.Fatal(err)
				}
			}
			want := error(nil)
			if ended > 0 {
				want = ErrLeaseEnded
				if err := apply(Entry{Kind: LeaseClose, Lease: ended}); err != nil {
					t.Fatal(err)
				}
			}
			if err := apply(e); !errors.Is(err, want) || (s.Len() == 1) != (want == nil) {
				t.Errorf("kind %d, %d has ended: %v, and %d files", e.Kind, ended, err, s.Len())
			}
			if ended == 0 {
				continue
			}
			again := e // with the blocks of the lease that has ended written once more
			if again.Leases = []uint64{17 - ended}; ended == 7 {
				again.Lease, again.Leases = 8, []uint64{9}
			}
			if err := apply(again); err != nil {
				t.Errorf("kind %d, sent again under the leases that are open: %v", e.Kind, err)
			}
		}
	}
}
