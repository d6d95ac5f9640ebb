package testcluster

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestTwoLeases: a writer whose first block's lease has ended, and whose second block has another, is told that its file came to nothing.
func TestTwoLeases(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		data := random(1, files.ClientBlock+400_000)
		w, err := s.Create(t.Context(), "big", sdfs.MustNotExist)
		if err == nil {
			_, err = w.Write(data[:files.ClientBlock])
		}
		if err != nil {
			t.Fatal(err)
		}
		c.Until("the first block is stored", time.Minute, func() bool { return c.strays() == 3 })
		lead := c.Leader().Node().Coordinator()
		for _, id := range lead.State().Files().Leases() {
			e := state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.LeaseClose, Lease: id}}
			if _, _, err := lead.Propose(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(11 * time.Minute) // the writer has tried to renew it: the second block has another
		if _, err = w.Write(data[files.ClientBlock:]); err == nil {
			err = w.Commit(t.Context())
		}
		if _, serr := s.Stat(t.Context(), "big"); !errors.Is(err, namespace.ErrLeaseEnded) || !errors.Is(serr, sdfs.ErrNotFound) {
			t.Errorf("%v; and then: %v", err, serr)
		}
	})
}

// TestReadyWhenFilled: a server that joins is active no sooner than it has what belongs to it.
func TestReadyWhenFilled(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		filesOf(t, s, 1, 12)
		x := c.Add("x")
		x.Start()
		x.Disk().SetCapacity(x.Disk().Used() + 1000) // no room for blocks
		id := x.Node().ID()
		var st *state.State
		active := func() bool {
			st = c.Leader().Node().Coordinator().State()
			n, known := st.Node(id)
			return known && n.Status == state.Active
		}
		time.Sleep(time.Minute)
		if active() {
			t.Fatalf("it is active, with %+v", x.Node().Upkeep().Standing())
		}
		x.Disk().SetCapacity(0)
		c.Until("it is active", 2*time.Minute, active)
		var v blocks.Views
		owned := 0
		for name, f := range st.Files().Files("") {
			for _, b := range f.Blocks.All() {
				if !slices.Contains(v.Of(st).Owners(block.Position(b.ID)), [16]byte(id)) {
					continue
				}
				owned++
				if !x.Node().Blocks().Local().Has(b) {
					t.Errorf("%s: block %s is not there", name, b.ID)
				}
			}
		}
		if owned == 0 {
			t.Error("nothing belongs to it")
		}
	})
}
