package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestFullDisk: the disk of a server fills up. New files are refused with the reason, old ones can be removed, thanks to the
// reserve; all that was acknowledged stays; and with room again, started anew, the server does all there is to do.
func TestFullDisk(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	t.Parallel()
	c := New(t, program(t), Options{Servers: 1, DiskBytes: 90 << 20}) // 64 MB of it are the reserve
	s, cl := c.Servers[0], c.Client()
	propose := func(kind namespace.Kind, name string) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		o, err := cl.Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: kind, Name: name}})
		return errors.Join(err, o.Err)
	}
	name := func(i int) string { return fmt.Sprint(i, strings.Repeat("x", 800)) }
	const before = 20
	for i := range before {
		if err := propose(namespace.Create, name(i)); err != nil {
			t.Fatal(err)
		}
	}
	ballast := fill(t, s.Dir)
	made := before
	var err error
	for ; made < 20000; made++ {
		if err = propose(namespace.Create, name(made)); err != nil {
			break
		}
	}
	t.Logf("%d files, then: %v", made, err)
	if !errors.Is(err, client.ErrUnavailable) || !strings.Contains(err.Error(), "disk of the cluster's leader is full") {
		t.Fatal("a full disk is answered otherwise")
	}
	if err := propose(namespace.Remove, name(0)); err != nil {
		t.Errorf("nothing can be removed: %v", err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	s.Terminate()
	if err := s.Wait(time.Minute); err != nil {
		t.Error(err)
	}
	s.Start()
	c.Settle()
	if err := propose(namespace.Create, name(made)); err != nil {
		t.Errorf("with room again: %v", err)
	}
	for i := range made + 1 {
		if g, err := s.Generation(name(i), false); (g == 1) != (i > 0) || err != nil {
			t.Errorf("file %d: generation %d, %v", i, g, err)
		}
	}
}

// fill takes all room that there is on a disk.
func fill(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := io.Copy(f, zeros{}); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return path
}

// zeros is a source without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
