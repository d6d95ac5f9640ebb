package sdfs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// long asks for every operation with every variant and many seeds, which takes minutes.
var long = os.Getenv("SDFS_LONG") != ""

// tiny makes everything happen that needs size otherwise: several blocks, full segments, log files,
// snapshots, merges and compaction.
func tiny(disk *simdisk.Disk) Config {
	return Config{
		FS: disk, BlockBytes: 128 << 10, SmallBytes: 4 << 10, SegmentBytes: 12 << 10, LogBytes: 3 << 10, ReserveBytes: 8 << 10,
		MergeBlocks: 8, CacheBytes: 1 << 20, MemoryBytes: 16 << 10,
	}
}

// contents is a model of a store: what is in each file.
type contents map[string]string

// text is n bytes that differ from name to name.
func text(name string, n int) string {
	var seed [32]byte
	copy(seed[:], name)
	b := make([]byte, n)
	_, _ = rand.NewChaCha8(seed).Read(b)
	return string(b)
}

// step is one change, with what it makes of the model.
type step struct {
	name string
	do   func(ctx context.Context, s *Embedded) error
	then func(c contents)
}

func write(ctx context.Context, s *Embedded, name, content string, mode Mode) (*Writer, error) {
	w, err := s.Create(ctx, name, mode)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write([]byte(content)); err != nil {
		_ = w.Abort()
		return nil, err
	}
	return w, nil
}

func putStep(name, content string, mode Mode) step {
	return step{"put " + name, func(ctx context.Context, s *Embedded) error {
		w, err := write(ctx, s, name, content, mode)
		if err != nil {
			return err
		}
		return w.Commit(ctx)
	}, func(c contents) {
		if mode != Append {
			c[name] = ""
		}
		c[name] += content
	}}
}

func appendStep(name, content string) step {
	return step{"append " + name, func(ctx context.Context, s *Embedded) error {
		return s.Append(ctx, name, []byte(content))
	}, func(c contents) { c[name] += content }}
}

// workload is the steps of the crash tests.
func workload() []step {
	steps := []step{
		putStep("big", text("big", 300<<10), MustNotExist),
		putStep("small", text("small", 1000), Replace),
		putStep("empty", "", Replace),
	}
	for i := range 9 {
		steps = append(steps, appendStep("log", text(fmt.Sprint("log", i), 300+i)))
	}
	steps = append(steps,
		step{"commit", func(ctx context.Context, s *Embedded) error {
			var list []*Writer
			for name, n := range map[string]int{"m/1": 140 << 10, "m/2": 500} {
				w, err := write(ctx, s, name, text(name, n), Replace)
				if err != nil {
					return err
				}
				list = append(list, w)
			}
			w, err := write(ctx, s, "log", "more", Append)
			if err != nil {
				return err
			}
			return s.Commit(ctx, append(list, w)...)
		}, func(c contents) {
			c["m/1"], c["m/2"] = text("m/1", 140<<10), text("m/2", 500)
			c["log"] += "more"
		}},
		step{"pieces", func(ctx context.Context, s *Embedded) error {
			var list []*Writer
			piece := func(w *Writer, err error, content string) error {
				if err == nil {
					list = append(list, w)
					_, err = w.Write([]byte(content))
				}
				if err == nil && len(list)%2 == 1 {
					err = w.End()
				}
				return err
			}
			w, err := s.CreatePiece(ctx, "m/1", 2)
			if err = piece(w, err, text("tail", 70<<10)); err != nil {
				return err
			}
			w, err = s.Create(ctx, "m/1", Append)
			if err = piece(w, err, text("head", 10)); err != nil {
				return err
			}
			w, err = s.CreatePart(ctx, Folder{Name: "m/", Mode: Append}, 1, ".csv")
			if err = piece(w, err, text("part", 900)); err != nil {
				return err
			}
			return s.Commit(ctx, list...)
		}, func(c contents) {
			c["m/1"] += text("head", 10) + text("tail", 70<<10)
			c["m/part-00001.csv"] = text("part", 900)
		}},
		step{"folder", func(ctx context.Context, s *Embedded) error {
			w, err := s.CreatePart(ctx, Folder{Name: "m/"}, 0, ".csv")
			if err == nil {
				_, err = w.Write([]byte("only"))
			}
			if err != nil {
				return err
			}
			return w.Commit(ctx)
		}, func(c contents) {
			delete(c, "m/1")
			delete(c, "m/2")
			delete(c, "m/part-00001.csv")
			c["m/part-00000.csv"] = "only"
		}},
		step{"merge", func(ctx context.Context, s *Embedded) error { return s.Merge(ctx, "log") }, func(contents) {}},
		step{"rename", func(ctx context.Context, s *Embedded) error { return s.Rename(ctx, "small", "s/renamed") },
			func(c contents) {
				c["s/renamed"] = c["small"]
				delete(c, "small")
			}},
		putStep("big", text("bigger", 200<<10), Replace),
		step{"remove", func(ctx context.Context, s *Embedded) error { return s.Remove(ctx, "s/renamed") },
			func(c contents) { delete(c, "s/renamed") }},
		putStep("log", text("tail", 5<<10), Append),
	)
	for i := range 24 {
		steps = append(steps, appendStep("many", text(fmt.Sprint("many", i), 700)))
	}
	steps = append(steps,
		step{"remove", func(ctx context.Context, s *Embedded) error { return s.Remove(ctx, "many") },
			func(c contents) { delete(c, "many") }},
		putStep("log", text("new log", 2000), Replace),
	)
	return steps
}

const (
	parWriters = 4
	parAppends = 4
)

// played is what is known of a store after a run that was stopped.
type played struct {
	acked contents
	maybe contents // if not nil, this may be what is there instead
	lines [parWriters]int
}

// play runs the workload until something fails.
func play(s *Embedded) (played, error) {
	ctx := context.Background()
	p := played{acked: contents{}}
	for _, st := range workload() {
		after := maps.Clone(p.acked)
		st.then(after)
		if err := st.do(ctx, s); err != nil {
			p.maybe = after
			return p, fmt.Errorf("%s: %w", st.name, err)
		}
		p.acked = after
	}
	var wg sync.WaitGroup
	var errs [parWriters]error
	for w := range parWriters {
		wg.Go(func() {
			for i := range parAppends {
				if errs[w] = s.Append(ctx, "par", fmt.Appendf(nil, "%d:%d\n", w, i)); errs[w] != nil {
					return
				}
				p.lines[w]++
			}
		})
	}
	wg.Wait()
	return p, errors.Join(errs[:]...)
}

// readAllFiles gives what is in a store, read in pieces of two sizes.
func readAllFiles(s *Embedded) (contents, error) {
	list, err := s.List(context.Background(), "")
	if err != nil {
		return nil, err
	}
	c := contents{}
	for _, info := range list {
		f, err := s.OpenFile(context.Background(), info.Name)
		if err != nil {
			return nil, err
		}
		whole := make([]byte, f.Size())
		if _, err := f.ReadAt(whole, 0); err != nil {
			return nil, fmt.Errorf("%s: %w", info.Name, err)
		}
		piece := make([]byte, 5000)
		for off := 0; off < len(whole); off += len(piece) {
			piece = piece[:min(len(piece), len(whole)-off)]
			if _, err := f.ReadAt(piece, int64(off)); err != nil {
				return nil, fmt.Errorf("%s: %w", info.Name, err)
			}
			if string(piece) != string(whole[off:off+len(piece)]) {
				return nil, fmt.Errorf("%s: two reads differ", info.Name)
			}
		}
		c[info.Name] = string(whole)
		if err := f.Close(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

var errLine = errors.New("a line is out of order or torn")

// verify compares a reopened store with what is known of it.
func (p played) verify(s *Embedded) error {
	got, err := readAllFiles(s)
	if err != nil {
		return err
	}
	par := got["par"]
	delete(got, "par")
	if !maps.Equal(got, p.acked) && (p.maybe == nil || !maps.Equal(got, p.maybe)) {
		return fmt.Errorf("the store holds %s, acknowledged was %s, under way %s", sizes(got), sizes(p.acked), sizes(p.maybe))
	}
	var seen [parWriters]int
	for line := range strings.Lines(par) {
		var w, i int
		if _, err := fmt.Sscanf(line, "%d:%d\n", &w, &i); err != nil || i != seen[w] {
			return fmt.Errorf("par holds %q: line %d of writer %d, %w", par, i, w, errors.Join(errLine, err))
		}
		seen[w]++
	}
	for w := range seen {
		if seen[w] < p.lines[w] || seen[w] > p.lines[w]+1 {
			return fmt.Errorf("writer %d was told of %d lines, there are %d", w, p.lines[w], seen[w])
		}
	}
	report, err := s.Check(context.Background(), nil)
	if err != nil {
		return err
	}
	if len(report.Faults) > 0 || len(report.Orphans) > 0 {
		return fmt.Errorf("faults %v, orphans %v", report.Faults, report.Orphans)
	}
	return nil
}

func sizes(c contents) string {
	if c == nil {
		return "nothing"
	}
	var b strings.Builder
	for name, content := range c {
		fmt.Fprintf(&b, "%s(%d) ", name, len(content))
	}
	return b.String()
}

// reopen opens the disk, compares, and tries that it takes more; then the same after a loss of
// power, for what was seen once must stay.
func (p played) reopen(disk *simdisk.Disk) error {
	ctx := context.Background()
	for round := range 2 {
		if round > 0 {
			disk = disk.Restart(false, 0)
		}
		s, err := Open(ctx, tiny(disk))
		if err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
		if err := p.verify(s); err != nil {
			return errors.Join(fmt.Errorf("round %d: %w", round, err), s.Close())
		}
		if p.maybe != nil { // it stays as it was found
			if p.acked, err = readAllFiles(s); err != nil {
				return errors.Join(err, s.Close())
			}
			delete(p.acked, "par")
			p.maybe = nil
		}
		if err := s.Append(ctx, "zzz", []byte("after")); err != nil {
			return errors.Join(fmt.Errorf("append: %w", err), s.Close())
		}
		if err := s.Remove(ctx, "zzz"); err != nil {
			return errors.Join(fmt.Errorf("remove: %w", err), s.Close())
		}
		if err := s.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	return nil
}

// faultKinds are the ways to die at an operation.
var faultKinds = map[string]simdisk.Fault{
	"before": {Stop: true},
	"after":  {Stop: true, Done: true},
	"torn":   {Stop: true, Tear: 13},
	"torn4k": {Stop: true, Tear: 4096},
	"end":    {Stop: true, Tear: -1}, // all but the last byte
}

// at makes a hook that strikes at the n-th operation that changes something.
func at(n int, f simdisk.Fault) func(simdisk.Op) simdisk.Fault {
	count := 0
	return func(op simdisk.Op) simdisk.Fault {
		if op.Mutates() {
			count++
			if count == n {
				if f.Tear < 0 {
					f.Tear = max(0, op.Len+f.Tear)
				}
				return f
			}
		}
		return simdisk.Fault{}
	}
}

// mutations counts the operations of a whole run that change something.
func mutations(t *testing.T) int {
	t.Helper()
	count := 0
	disk := simdisk.New()
	disk.SetHook(func(op simdisk.Op) simdisk.Fault {
		if op.Mutates() {
			count++
		}
		return simdisk.Fault{}
	})
	p := runOn(t, disk)
	if p.maybe != nil {
		t.Fatal("the workload failed without faults")
	}
	if err := p.reopen(disk.Restart(false, 0)); err != nil {
		t.Fatal(err)
	}
	return count
}

// runOn plays the workload on a disk whose hook may stop it.
func runOn(t *testing.T, disk *simdisk.Disk) played {
	t.Helper()
	p := played{acked: contents{}}
	s, err := Open(context.Background(), tiny(disk))
	if err != nil {
		if !errors.Is(err, simdisk.ErrStopped) {
			t.Fatal(err)
		}
		return p
	}
	p, err = play(s)
	if err != nil && !errors.Is(err, simdisk.ErrStopped) {
		t.Error(err)
	}
	_ = s.Close() // fails where the process was stopped
	return p
}

func TestCrashAnywhere(t *testing.T) {
	total := mutations(t)
	kinds := []string{"before", "after", "torn", "torn4k", "end"}
	stride, seeds := 3, []uint64{0, 1}
	if long {
		stride, seeds = 1, []uint64{0, 1, 2, 3, 4, 5, 6, 7}
	}
	t.Logf("%d operations change something", total)
	for n := 1; n <= total; n += stride {
		for i, kind := range kinds {
			if !long && i != n/stride%len(kinds) {
				continue
			}
			disk := simdisk.New()
			disk.SetHook(at(n, faultKinds[kind]))
			p := runOn(t, disk)
			disk.Stop()
			if err := p.reopen(disk.Restart(true, 0)); err != nil {
				t.Errorf("stopped at %d (%s), killed: %v", n, kind, err)
			}
			for _, seed := range seeds {
				if seed != 0 {
					seed += uint64(n) * 100
				}
				if err := p.reopen(disk.Restart(false, seed)); err != nil {
					t.Errorf("stopped at %d (%s), power lost, seed %d: %v", n, kind, seed, err)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
}

// TestCrashInRecovery stops the process again while it opens what a first crash left.
func TestCrashInRecovery(t *testing.T) {
	total := mutations(t)
	stride, inner := max(1, total/12), 3
	if long {
		stride, inner = max(1, total/200), 1
	}
	for n := 1; n <= total; n += stride {
		disk := simdisk.New()
		disk.SetHook(at(n, faultKinds["after"]))
		p := runOn(t, disk)
		for m := 1; ; m += inner {
			second := disk.Restart(m%2 == 0, uint64(m))
			second.SetHook(at(m, faultKinds[[]string{"before", "after", "torn"}[m%3]]))
			s, err := Open(context.Background(), tiny(second))
			if err == nil {
				err = s.Close()
			}
			if err == nil {
				break // it took fewer operations than m
			}
			if err := p.reopen(second.Restart(m%4 < 2, uint64(m))); err != nil {
				t.Fatalf("stopped at %d and at %d of the recovery: %v", n, m, err)
			}
		}
	}
}

// TestIOErrors fails each operation in turn, be it for want of space, which some systems notice
// at an fsync only. What was acknowledged must be there, in the same
// process and after reopening; a failed fsync ends all writing, with the reason.
func TestIOErrors(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		t.Run(errno.Error(), func(t *testing.T) { testIOErrors(t, errno) })
	}
}

func testIOErrors(t *testing.T, errno syscall.Errno) {
	all := 0
	{
		disk := simdisk.New()
		runOn(t, disk)
		all = disk.Ops()
	}
	stride := 7 // shifts with every change of the workload: SDFS_LONG=1 tries all
	if long {
		stride = 1
	}
	for n := 1; n <= all; n += stride {
		disk := simdisk.New()
		var injected atomic.Pointer[simdisk.Op] // the operation may be one of the background's
		disk.SetHook(func(op simdisk.Op) simdisk.Fault {
			if op.N != n {
				return simdisk.Fault{}
			}
			injected.Store(&op)
			return simdisk.Fault{Err: errno, Tear: 5}
		})
		s, err := Open(context.Background(), tiny(disk))
		p := played{acked: contents{}}
		if err == nil {
			p, err = play(s)
			if err != nil && !errors.Is(err, errno) {
				t.Errorf("operation %d: the error does not name its cause: %v", n, err)
			}
			if s.local.failure() != nil {
				if err := s.Append(context.Background(), "x", []byte("x")); !errors.Is(err, ErrReadOnly) || !errors.Is(err, errno) {
					t.Errorf("operation %d: a write after a failed fsync: %v", n, err)
				}
			}
			disk.SetHook(nil)
			got, rerr := readAllFiles(s)
			delete(got, "par")
			_ = s.Close() // may fail with what was injected; ends the background, which may have met it
			failed := value(&injected)
			if rerr != nil || !maps.Equal(got, p.acked) && !maps.Equal(got, p.maybe) {
				t.Errorf("operation %d (%+v): the store holds %s, acknowledged was %s: %v", n, failed, sizes(got), sizes(p.acked), rerr)
			}
			// Without space for a new log file the old one is gone on with.
			temporary := errno == syscall.ENOSPC && strings.HasSuffix(failed.Path, ".wal.tmp")
			if strings.HasSuffix(failed.Kind, "sync") && !temporary && (strings.HasPrefix(failed.Path, "log/") || strings.HasPrefix(failed.Path, "segments/")) && s.local.failure() == nil {
				t.Errorf("operation %d: %+v failed, yet writing goes on", n, failed)
			}
		} else if !errors.Is(err, errno) {
			t.Errorf("operation %d: opening: %v", n, err)
		}
		if err := p.reopen(disk.Restart(true, 0)); err != nil {
			t.Errorf("operation %d (%+v), killed: %v", n, value(&injected), err)
		}
		if err := p.reopen(disk.Restart(false, uint64(n))); err != nil {
			t.Errorf("operation %d (%+v), power lost: %v", n, value(&injected), err)
		}
		if t.Failed() {
			return
		}
	}
}

// value is what p points to, or nothing where the operation was never reached.
func value[T any](p *atomic.Pointer[T]) (v T) {
	if at := p.Load(); at != nil {
		v = *at
	}
	return v
}
