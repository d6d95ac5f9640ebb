package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/testcluster/history"
	"github.com/rainsql/rainsql/sdfs"
)

// TestFiles hurts five servers with files on them, in each way that those must stand.
func TestFiles(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	t.Parallel()
	c := New(t, program(t), Options{Servers: 5, Args: []string{"--evict-after", "20s"}})
	k := &keeper{want: map[string][]byte{}}
	for _, fault := range []struct {
		name string
		do   func(t *testing.T, c *Cluster, k *keeper)
	}{
		{"KillTwo", k.killTwo},
		{"KillAll", k.killAll},
		{"Flipped", k.flipped},
		{"Wiped", k.wiped},
		{"Churn", k.churn},
	} {
		if !t.Run(fault.name, func(t *testing.T) { again(t, func(t *testing.T) { fault.do(t, c.in(t), k) }) }) {
			return // what follows would meet a cluster that is hurt already
		}
	}
}

// keeper knows what the files hold that were acknowledged.
type keeper struct {
	want map[string][]byte
	runs int
}

// store is the file store by way of some servers.
func store(t *testing.T, c *Cluster, which ...int) *sdfs.Store {
	t.Helper()
	s := files.Open(c.Client(which...))
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// put writes some files of all sizes.
func (k *keeper) put(t *testing.T, s *sdfs.Store) {
	t.Helper()
	k.runs++
	for i, size := range []int{1, 100, 200_000, 300_000, 5 << 20, 20 << 20} {
		name := fmt.Sprintf("run%d/%d", k.runs, i)
		data := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{byte(k.runs), byte(i)}).Read(data)
		if err := putAll(t.Context(), s, name, data); err != nil {
			t.Fatal(name, err)
		}
		k.want[name] = data
		if k.runs > 3 { // of many runs the disk would fill up
			old := fmt.Sprintf("run%d/%d", k.runs-3, i)
			if err := s.Remove(t.Context(), old); err != nil {
				t.Error(err)
			}
			delete(k.want, old)
		}
	}
}

func putAll(ctx context.Context, s *sdfs.Store, name string, data []byte) error {
	w, err := s.Create(ctx, name, sdfs.Replace)
	if err != nil {
		return err
	}
	if _, err := w.Write(data); err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Commit(ctx)
}

// reads checks that all files are whole.
func (k *keeper) reads(t *testing.T, s *sdfs.Store) {
	t.Helper()
	for name, want := range k.want {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		got, err := readFile(ctx, s, name)
		cancel()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %d bytes of %d: %v", name, len(got), len(want), err)
		}
	}
}

func readFile(ctx context.Context, s *sdfs.Store, name string) ([]byte, error) {
	f, err := s.OpenFile(ctx, name)
	if err != nil {
		return nil, err
	}
	data := make([]byte, f.Size())
	if _, err := f.ReadAt(data, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, errors.Join(err, f.Close())
	}
	return data, f.Close()
}

// appending has four writers append while something happens, and checks what came of it.
func appending(t *testing.T, c *Cluster, meanwhile func()) {
	t.Helper()
	l := history.NewLines()
	name := fmt.Sprint("log", rand.Uint64())
	var writers sync.WaitGroup
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	for w := range 4 {
		s := store(t, c)
		writers.Go(func() {
			if err := l.Write(ctx, s, name, w, 100, func() { time.Sleep(rand.N(40 * time.Millisecond)) }); err != nil {
				t.Error(err)
			}
		})
	}
	time.Sleep(time.Second)
	meanwhile()
	writers.Wait()
	s := store(t, c)
	text, err := readFile(ctx, s, name)
	if err == nil {
		err = l.Check(string(text))
	}
	if err != nil {
		t.Error(err)
	}
	done, unknown := l.Count()
	t.Logf("%d appends acknowledged, %d of unknown outcome", done, unknown)
	if err := s.Remove(ctx, name); err != nil {
		t.Error(err)
	}
}

// killTwo: any two at once, the leader among them: all files can be read at once, and written as soon as there is a leader.
func (k *keeper) killTwo(t *testing.T, c *Cluster, _ *keeper) {
	s := store(t, c)
	k.put(t, s)
	appending(t, c, func() {
		leader, other := victims(c)
		leader.Kill()
		other.Kill()
		began := time.Now()
		k.reads(t, s)
		within(t, "two killed, all files read after", time.Since(began), 15*time.Second)
		k.put(t, s)
		leader.Start()
		other.Start()
	})
	c.Settle()
	k.reads(t, s)
}

// killAll: all at once.
func (k *keeper) killAll(t *testing.T, c *Cluster, _ *keeper) {
	s := store(t, c)
	appending(t, c, func() {
		k.put(t, s)
		var kills sync.WaitGroup
		for _, one := range c.Servers {
			kills.Go(one.Kill)
		}
		kills.Wait()
		began := time.Now()
		for _, one := range c.Servers {
			one.Start()
		}
		c.Settle()
		within(t, "all killed and started, ready after", time.Since(began), 20*time.Second)
		k.reads(t, s)
	})
}

// flipped: bits are flipped in the disk files of two servers: what is read is what was written, and the copies are made anew.
func (k *keeper) flipped(t *testing.T, c *Cluster, _ *keeper) {
	s := store(t, c)
	k.put(t, s)
	n := 0
	for _, one := range c.Servers[:2] {
		paths, err := filepath.Glob(filepath.Join(one.Dir, "blocks", "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			if !strings.Contains(filepath.Base(path), ".") {
				flip(t, path)
				n++
			}
		}
	}
	began := time.Now()
	for i := range c.Servers {
		k.reads(t, store(t, c, i))
	}
	c.Until("the copies are made anew", time.Minute, func() string {
		for _, one := range c.Servers[:2] {
			bad, err := filepath.Glob(filepath.Join(one.Dir, "bad", "*"))
			if err != nil || len(bad) == 0 {
				return fmt.Sprint(one.Name, ": no copy was found to be bad: ", err)
			}
		}
		return ""
	})
	t.Logf("%d copies damaged, read and found after %v", n, time.Since(began))
}

// flip changes a byte of a disk file.
func flip(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	at := rand.Int64N(info.Size())
	one := make([]byte, 1)
	if _, err := f.ReadAt(one, at); err != nil {
		t.Fatal(err)
	}
	one[0] ^= 1 << rand.IntN(8)
	if _, err := f.WriteAt(one, at); err != nil {
		t.Fatal(err)
	}
}

// wiped: a server that has lost its disk comes back as a new one, and gets what belongs to it.
func (k *keeper) wiped(t *testing.T, c *Cluster, _ *keeper) {
	s := store(t, c)
	k.put(t, s)
	one := c.Others(c.Leader(), c.Servers[0])[0] // the others have no --join to the first themselves
	st, err := one.Status()
	if err != nil {
		t.Fatal(err)
	}
	old := idText(st)
	one.Kill()
	c.Until("it is down", patience, func() string {
		for _, n := range c.Leader().Nodes() {
			if fmt.Sprintf("%x", n.GetId()) == old && n.GetStatus() == state.Down.String() {
				return ""
			}
		}
		return "it is not"
	})
	if err := os.RemoveAll(one.Dir); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	one.Start()
	c.Settle()
	within(t, "a new disk, ready after", time.Since(began), time.Minute)
	blocks, err := filepath.Glob(filepath.Join(one.Dir, "blocks", "*"))
	if err != nil || len(blocks) == 0 {
		t.Errorf("%d blocks, %v", len(blocks), err)
	}
	k.reads(t, s)
}

// churn: a server joins and another leaves while files are written and read, and at the end there are as many copies of each block as should be.
func (k *keeper) churn(t *testing.T, c *Cluster, _ *keeper) {
	s := store(t, c, 0)
	k.put(t, s)
	appending(t, c, func() {
		c.add(c.added)
		newcomer := c.Servers[len(c.Servers)-1]
		newcomer.Start()
		c.Settle()
		k.reads(t, s)
		k.put(t, s)
		gone := c.Servers[1+slices.IndexFunc(c.Servers[1:], (*Server).Running)] // the one that has been there longest, but the first
		st, err := gone.Status()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		o, err := c.Client(0).Propose(ctx, state.Entry{Kind: state.Leave, Node: state.ID(st.GetId())})
		if err = errors.Join(err, o.Err); err != nil {
			t.Fatal(err)
		}
		if err := gone.Wait(time.Minute); err != nil {
			t.Error(err)
		}
		gone.left = true
		k.reads(t, s)
		k.put(t, s)
	})
	c.Settle()
	k.reads(t, s)
	r := files.Connect(c.Client(0))
	defer r.Close()
	c.Until("there are three good copies of each block, and no others", 2*time.Minute, func() string {
		faults, report, err := r.Check(t.Context(), false, nil)
		if err != nil {
			return err.Error()
		}
		if len(faults) > 0 || report.GetSurplus() > 0 {
			return fmt.Sprint(faults, report)
		}
		return ""
	})
}
