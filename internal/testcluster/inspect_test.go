package testcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// holders are the servers that have a copy of a block, as Locate tells it.
func holders(c *Cluster, at *api.LocateResponse) []*Server {
	var list []*Server
	for _, copy := range at.GetCopies() {
		for _, s := range c.Servers {
			if s.Name == copy.GetName() && (copy.GetState() == files.CopyHere || copy.GetState() == files.CopyExtra) {
				list = append(list, s)
			}
		}
	}
	return list
}

// damage flips a bit of a server's copy of a large block.
func damage(t *testing.T, s *Server, at *api.LocateResponse) {
	t.Helper()
	if err := s.Disk().FlipBit("blocks/"+namespace.BlockID(at.GetBlock().GetId()).String(), 8*100_000+3); err != nil {
		t.Fatal(s.Name, err)
	}
}

// states counts the copies of a block by what is with them.
func states(at *api.LocateResponse) map[string]int {
	n := map[string]int{}
	for _, c := range at.GetCopies() {
		n[c.GetState()]++
	}
	return n
}

// TestLocate: every block is at its three owners, in the order of the ring; of a server that is dead nobody knows.
func TestLocate(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client())
		defer r.Close()
		put(t, r.Store, "big", random(1, 33<<20))
		for range 3 {
			if err := r.Append(t.Context(), "log", []byte("line\n")); err != nil {
				t.Fatal(err)
			}
		}
		for name, blocks := range map[string]int{"big": 3, "log": 3} {
			list, err := r.Locate(t.Context(), name)
			if err != nil || len(list) != blocks {
				t.Fatalf("%s: %d blocks, %v", name, len(list), err)
			}
			off := int64(0)
			for _, at := range list {
				if at.GetOffset() != off || states(at)[files.CopyHere] != 3 || len(at.GetCopies()) != 3 {
					t.Errorf("%s, at %d: %v", name, off, at)
				}
				off += int64(at.GetBlock().GetLength())
				last := uint64(0)
				for _, copy := range at.GetCopies() {
					if behind := copy.GetPosition() - at.GetPosition(); copy.Position == nil || behind < last {
						t.Errorf("%s: the positions of the owners do not rise: %v", name, at)
					} else {
						last = behind
					}
				}
			}
		}
		if _, err := r.Locate(t.Context(), "none"); !errors.Is(err, sdfs.ErrNotFound) {
			t.Errorf("no such file: %v", err)
		}
		list, err := r.Locate(t.Context(), "big")
		if err != nil {
			t.Fatal(err)
		}
		holders(c, list[0])[0].Kill()
		if list, err = r.Locate(t.Context(), "big"); err != nil || states(list[0])[files.CopyUnknown] != 1 || states(list[0])[files.CopyHere] != 2 {
			t.Errorf("with a server dead: %v, %v", list, err)
		}
	})
}

// TestHeld: what servers hold, together, is what the files are made of, three times.
func TestHeld(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(2))
		defer r.Close()
		put(t, r.Store, "big", random(1, 33<<20))
		put(t, r.Store, "small", []byte("small"))
		found := map[string]int{}
		for _, s := range c.Servers {
			list, err := r.Held(t.Context(), s.Node().ID())
			if err != nil {
				t.Fatal(err)
			}
			for _, b := range list {
				found[b.GetFile()]++
				if !b.GetOwner() {
					t.Errorf("%s has %v, and does not own it", s.Name, b)
				}
			}
		}
		if found["big"] != 9 || found["small"] != 3 || len(found) != 2 {
			t.Errorf("copies of blocks by file: %v", found)
		}
		c.Servers[4].Kill()
		u, err := r.Servers(t.Context())
		if err != nil || u.GetFiles() != 2 || u.GetBlocks() != 4 || u.GetBytes() != 33<<20+5 || len(u.GetServers()) != 5 {
			t.Fatalf("%v, %v", u, err)
		}
		share, blocks := 0.0, int64(0)
		for i, s := range u.GetServers() {
			if (s.GetUsage() != nil) != (i < 4) || s.GetName() != c.Servers[i].Name || s.GetPositions() != 64 {
				t.Errorf("%v", s)
			}
			share += s.GetShare()
			blocks += s.GetUsage().GetBlocks()
		}
		if share < 0.999 || share > 1.001 || blocks < 12-4 || blocks > 12 {
			t.Errorf("shares of %v, %d blocks", share, blocks)
		}
	})
}

// checked runs a check.
func checked(t *testing.T, r *files.Remote, repair bool) ([]*api.FileFault, *api.FilesCheckReport) {
	t.Helper()
	faults, report, err := r.Check(t.Context(), repair, func(done, total int64) {
		if done > total {
			t.Errorf("%d bytes of %d", done, total)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return faults, report
}

// TestCheck: damage to one and to two copies of three is found, named and mended, damage to all of them is told; a check finds no fault in
// a store that is well, and what is read is always right.
func TestCheck(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(0))
		defer r.Close()
		big := random(1, 20<<20)
		put(t, r.Store, "big", big)
		put(t, r.Store, "other", random(2, 1<<20))
		put(t, r.Store, "small", []byte("small"))
		faults, report := checked(t, r, false)
		if len(faults) > 0 || report.GetBlocks() != 4 || report.GetCopies() != 12 || report.GetFiles() != 3 || report.GetServers() != 5 || report.GetBytes() != 3*(21<<20+5) {
			t.Fatalf("all is well, and the check says %v, %v", faults, report)
		}
		list, err := r.Locate(t.Context(), "big")
		if err != nil {
			t.Fatal(err)
		}
		for _, copies := range []int{1, 2} {
			hurt := holders(c, list[0])[:copies]
			for _, s := range hurt {
				damage(t, s, list[0])
			}
			faults, _ := checked(t, r, true)
			if len(faults) < copies {
				t.Fatalf("%d copies damaged: %v", copies, faults)
			}
			for _, s := range hurt {
				if !slices.ContainsFunc(faults, func(f *api.FileFault) bool {
					return f.GetNode() == s.Name && f.GetFile() == "big" && strings.Contains(f.GetPath(), "blocks/") && f.GetOffset() > 0 && f.GetRepaired()
				}) {
					t.Errorf("%s: not found: %v", s.Name, faults)
				}
			}
			if faults, _ := checked(t, r, false); len(faults) > 0 {
				t.Errorf("after the repair: %v", faults)
			}
			if got := get(t, r.Store, "big"); !bytes.Equal(got, big) {
				t.Error("the file has changed")
			}
		}
		for _, s := range holders(c, list[0]) {
			damage(t, s, list[0])
		}
		faults, _ = checked(t, r, true)
		if !slices.ContainsFunc(faults, func(f *api.FileFault) bool {
			return f.GetFile() == "big" && !f.GetRepaired() && strings.Contains(f.GetReason(), "no whole copy any more")
		}) {
			t.Errorf("a block that is lost: %v", faults)
		}
		began := time.Now()
		var corrupt *sdfs.CorruptError
		f, err := r.OpenFile(t.Context(), "big")
		if err == nil {
			err = f.CopyTo(t.Context(), func([]byte) error { return nil })
			f.Close()
		}
		if !errors.As(err, &corrupt) || corrupt.File != "big" || time.Since(began) > 10*time.Second {
			t.Errorf("reading it: %v after %v", err, time.Since(began))
		}
	})
}

// TestCheckWhileChanging: files that come, grow, are merged and go while a check runs are no faults.
func TestCheckWhileChanging(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(0))
		defer r.Close()
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		defer work.Wait()
		defer cancel()
		for _, name := range []string{"a", "b", "c"} {
			s := files.Open(c.Client())
			work.Go(func() {
				defer s.Close()
				for i := 0; ctx.Err() == nil; i++ {
					_ = s.Append(ctx, name, []byte("line\n"))
					switch i % 20 {
					case 10:
						_ = s.Merge(ctx, name)
					case 19:
						_ = s.Remove(ctx, name)
					}
				}
			})
		}
		for range 10 {
			if faults, _ := checked(t, r, false); len(faults) > 0 {
				t.Errorf("%v", faults)
			}
		}
	})
}

// TestCheckWhileMoving: blocks that move to a server that joins, and away from one that leaves, are no faults.
func TestCheckWhileMoving(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client())
		defer r.Close()
		for i := range 20 {
			put(t, r.Store, fmt.Sprint("f", i), random(uint64(i), 300<<10))
		}
		check := func() {
			for range 15 {
				faults, report := checked(t, r, false)
				if len(faults) > 0 || report.GetBlocks() != 20 {
					t.Errorf("%v, %v", faults, report)
				}
				time.Sleep(300 * time.Millisecond)
			}
		}
		c.Add("n6").Start()
		check()
		if o, err := c.Client().Propose(t.Context(), state.Entry{Kind: state.Leave, Node: c.Servers[0].Node().ID()}); err != nil || o.Err != nil {
			t.Fatal(err, o.Err)
		}
		check()
	})
}

// TestCheckWithoutServer: while a server is dead the copies that are left are counted, and a repair has others stand in.
func TestCheckWithoutServer(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client())
		defer r.Close()
		put(t, r.Store, "big", random(1, 1<<20))
		list, err := r.Locate(t.Context(), "big")
		if err != nil {
			t.Fatal(err)
		}
		holders(c, list[0])[0].Kill()
		time.Sleep(30 * time.Second) // now the log says so
		faults, _ := checked(t, r, false)
		if len(faults) != 1 || faults[0].GetReason() != "it has 2 whole copies of 3" || faults[0].GetRepaired() {
			t.Errorf("%v", faults)
		}
		if faults, _ = checked(t, r, true); len(faults) != 1 || !faults[0].GetRepaired() {
			t.Errorf("repaired: %v", faults)
		}
		if list, err = r.Locate(t.Context(), "big"); err != nil || states(list[0])[files.CopyExtra] != 1 {
			t.Errorf("%v, %v", list, err)
		}
	})
}

// TestFrom: what a server gives is its own copy, or nothing.
func TestFrom(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(3))
		defer r.Close()
		for name, data := range map[string][]byte{"big": random(1, 3<<20), "small": []byte("small")} {
			put(t, r.Store, name, data)
			list, err := r.Locate(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			have := holders(c, list[0])
			for _, s := range c.Servers {
				var got bytes.Buffer
				err := copyFrom(t, r, s, name, &got)
				switch has := slices.Contains(have, s); {
				case has && (err != nil || !bytes.Equal(got.Bytes(), data)):
					t.Errorf("%s from %s: %d bytes, %v", name, s.Name, got.Len(), err)
				case !has && (err == nil || !strings.Contains(err.Error(), s.Name+": block ")):
					t.Errorf("%s from %s, which has it not: %v", name, s.Name, err)
				}
			}
			if name == "big" {
				damage(t, have[1], list[0])
				if err := copyFrom(t, r, have[1], name, &bytes.Buffer{}); err == nil {
					t.Error("a damaged copy was given")
				}
			}
		}
	})
}

func copyFrom(t *testing.T, r *files.Remote, s *Server, name string, to *bytes.Buffer) error {
	t.Helper()
	from := r.From(s.Node().ID())
	defer from.Close()
	f, err := from.OpenFile(t.Context(), name)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.CopyTo(t.Context(), func(p []byte) error {
		to.Write(p)
		return nil
	})
}

// TestAppendLocal: servers append files of their own disks, each whole, all at once.
func TestAppendLocal(t *testing.T) {
	dir := t.TempDir()
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(1))
		defer r.Close()
		parts := [][]byte{random(1, 100), random(2, 300<<10), random(3, 5<<20), nil, random(4, 1)}
		var work sync.WaitGroup
		for i, s := range c.Servers {
			path := filepath.Join(dir, s.Name)
			if err := os.WriteFile(path, parts[i], 0o600); err != nil {
				t.Fatal(err)
			}
			work.Go(func() {
				if n, err := r.AppendLocal(t.Context(), s.Node().ID(), path, "all"); err != nil || n != int64(len(parts[i])) {
					t.Errorf("%s: %d bytes, %v", s.Name, n, err)
				}
			})
		}
		work.Wait()
		got := get(t, r.Store, "all")
		for i, p := range parts {
			if !bytes.Contains(got, p) {
				t.Errorf("what %s appended is not there in one piece", c.Servers[i].Name)
			}
		}
		if len(got) != len(slices.Concat(parts...)) {
			t.Errorf("%d bytes", len(got))
		}
		for path, want := range map[string]string{dir: "n3: " + dir + ": it is not a regular file", dir + "/none": "n3: " + dir + "/none: no such file or directory"} {
			if _, err := r.AppendLocal(t.Context(), c.Servers[2].Node().ID(), path, "all"); err == nil || err.Error() != want {
				t.Errorf("%s: %v", path, err)
			}
		}
		c.Servers[2].Kill()
		cl := c.Client(0)
		short := files.Connect(cl)
		defer short.Close()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := short.AppendLocal(ctx, state.ID{1}, "x", "all"); !errors.Is(err, client.ErrUnavailable) {
			t.Errorf("a server that nobody knows: %v", err)
		}
	})
}

// TestRemoteMerge: a server merges for a client.
func TestRemoteMerge(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(4))
		defer r.Close()
		for range 5 {
			if err := r.Append(t.Context(), "log", []byte("line\n")); err != nil {
				t.Fatal(err)
			}
		}
		before, after, err := r.Merge(t.Context(), "log")
		if err != nil || before != 5 || after != 1 || string(get(t, r.Store, "log")) != strings.Repeat("line\n", 5) {
			t.Errorf("%d blocks, then %d, %v", before, after, err)
		}
		if _, _, err := r.Merge(t.Context(), "none"); !errors.Is(err, sdfs.ErrNotFound) {
			t.Errorf("no such file: %v", err)
		}
	})
}

// TestTransferSurvivesServer: a client that was told of one server goes on by way of the others when that is killed, in the midst of a file.
func TestTransferSurvivesServer(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		cl := c.Client(0)
		if err := cl.Discover(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := files.Open(cl)
		defer s.Close()
		big := random(1, 40<<20)
		w, err := s.Create(t.Context(), "big", sdfs.MustNotExist)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(big); i += 1 << 20 {
			if i == 20<<20 {
				c.Servers[0].Kill()
			}
			if _, err := w.Write(big[i : i+1<<20]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Servers[0].Start()
		c.Settle()
		f, err := s.OpenFile(t.Context(), "big")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		var got bytes.Buffer
		err = f.CopyTo(t.Context(), func(p []byte) error {
			if got.Len() == 10<<20 {
				for _, s := range c.Servers[:2] {
					s.Kill()
				}
			}
			got.Write(p)
			return nil
		})
		if err != nil || !bytes.Equal(got.Bytes(), big) {
			t.Errorf("%d bytes, %v", got.Len(), err)
		}
	})
}
