package engine_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"syscall"
	"testing"

	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// query reads one file of the store and writes three, in one step.
const query = `
FROM 'in.csv'
TEE INTO 'all.jsonl'
FILTER n % 2 = 0
TEE INTO 'log.csv' (mode = 'append')
TRANSFORM n AS even
INTO 'out.csv';`

const setup = `
FROM range(1000) TRANSFORM value AS n, 'row ' || value AS s INTO 'in.csv';
FROM range(3) TRANSFORM value AS n, 'old' AS s INTO 'log.csv';
TRANSFORM 'old' AS even INTO 'out.csv';`

// quiet is a handler that drops everything.
type quiet struct{}

func (quiet) Rows(types.Schema) (connect.Sink, error) {
	return render.New(io.Discard, "null", nil, render.Options{})
}
func (quiet) Text(string) error   { return nil }
func (quiet) Notice(string)       {}
func (quiet) Done(engine.Summary) {}

func store(disk *simdisk.Disk) engine.Config {
	return engine.Config{Parallelism: 2, Store: sdfs.Config{FS: disk, SmallBytes: 2 << 10, BlockBytes: 64 << 10, SegmentBytes: 16 << 10, ReserveBytes: 8 << 10}}
}

func script(disk *simdisk.Disk, text string) error { return run(store(disk), text) }

func run(cfg engine.Config, text string) error {
	e := engine.New(cfg)
	err := e.NewSession(nil).Run(context.Background(), "test.rql", text, quiet{})
	return errors.Join(err, e.Close())
}

// contents reads all files of a store.
func contents(t *testing.T, disk *simdisk.Disk) map[string]string {
	t.Helper()
	s, err := sdfs.Open(context.Background(), store(disk).Store)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	list, err := s.List(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, info := range list {
		f, err := s.OpenFile(context.Background(), info.Name)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, f.Size())
		if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%s: %v", info.Name, err)
		}
		all[info.Name] = string(b)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	report, err := s.Check(context.Background(), nil)
	if err != nil || len(report.Faults) > 0 {
		t.Errorf("check: %v, %v", report.Faults, err)
	}
	return all
}

// prepared is a disk with the files that the query reads and replaces.
func prepared(t *testing.T) *simdisk.Disk {
	t.Helper()
	disk := simdisk.New()
	if err := script(disk, setup); err != nil {
		t.Fatal(err)
	}
	return disk.Restart(true, 0)
}

// A query INTO the store is killed, or the power goes, at every change that it
// makes to the disk: then all of its files are there, or none.
func TestQueryIntoSurvivesCrashes(t *testing.T) {
	surviveCrashes(t, func(disk *simdisk.Disk) error { return script(disk, query) })
}

// So it is where two tasks write each file, and the parts of a folder.
func TestSharedSinksSurviveCrashes(t *testing.T) {
	surviveCrashes(t, func(disk *simdisk.Disk) error {
		cfg := store(disk)
		cfg.SplitBytes = 1 << 10
		return run(cfg, strings.Replace(query, "TRANSFORM", "TEE INTO 'parts/' (format = 'csv') TRANSFORM", 1))
	})
}

// surviveCrashes stops a query at every change of the disk.
func surviveCrashes(t *testing.T, query func(*simdisk.Disk) error) {
	disk := prepared(t)
	before := together(contents(t, prepared(t)))
	from := disk.Ops()
	if err := query(disk); err != nil {
		t.Fatal(err)
	}
	last := disk.Ops()
	after := together(contents(t, disk.Restart(false, 0))) // what was acknowledged is durable
	if maps.Equal(before, after) || !strings.HasPrefix(after["log.csv"], before["log.csv"]) || len(after) < len(before)+1 {
		t.Fatalf("the query did not write what it should: %d files", len(after))
	}
	seen := map[string]int{}
	for at := from + 1; at <= last; at++ {
		for variant := range 3 {
			disk := prepared(t)
			mutates := true
			disk.SetHook(func(op simdisk.Op) simdisk.Fault {
				if op.N != at {
					return simdisk.Fault{}
				}
				mutates = op.Mutates()
				return simdisk.Fault{Stop: true, Done: variant == 1, Tear: op.Len / 2}
			})
			err := query(disk)
			if !mutates {
				break // a process that dies while it reads leaves what one leaves that dies a moment later
			}
			got := together(contents(t, disk.Restart(variant == 0, uint64(variant-1)*uint64(at))))
			switch {
			case maps.Equal(got, after):
				seen["after"]++
			case err == nil:
				t.Errorf("operation %d, variant %d: acknowledged, but not all there", at, variant)
			case maps.Equal(got, before):
				seen["before"]++
			default:
				t.Errorf("operation %d, variant %d: something half-done is there: %v", at, variant, sizes(got))
			}
		}
	}
	if seen["before"] < 10 || seen["after"] < 3 {
		t.Errorf("the crashes did not cover both sides: %v", seen)
	}
}

// together makes one file of the parts of a folder, whose rows are shared out by chance.
func together(files map[string]string) map[string]string {
	var lines []string
	for name, text := range files {
		if strings.HasPrefix(name, "parts/") {
			_, rows, _ := strings.Cut(text, "\n")
			lines = append(lines, strings.Split(rows, "\n")...)
			delete(files, name)
		}
	}
	if slices.Sort(lines); len(lines) > 0 {
		files["parts"] = strings.Trim(strings.Join(lines, "\n"), "\n")
	}
	return files
}

func sizes(files map[string]string) (list []string) {
	for name, text := range files {
		list = append(list, fmt.Sprintf("%s: %d bytes", name, len(text)))
	}
	return list
}

// On a full disk a query fails with a message that says so, nothing half-done
// is there, and reading goes on.
func TestQueryIntoFullDisk(t *testing.T) {
	disk := prepared(t)
	before := contents(t, prepared(t))
	disk.SetCapacity(disk.Used() + 1000)
	err := script(disk, query)
	if err == nil || !strings.Contains(err.Error(), "full") || !errors.Is(err, sdfs.ErrNoSpace) && !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
	if err := script(disk, "FROM 'in.csv' AGGREGATE sum(n) AS n; FROM 'log.csv'"); err != nil {
		t.Errorf("reading from a full disk: %v", err)
	}
	disk.SetCapacity(0)
	if got := contents(t, disk); !maps.Equal(got, before) {
		t.Errorf("something half-done is there: %v", sizes(got))
	}
	if err := script(disk, query); err != nil {
		t.Errorf("with room again: %v", err)
	}
}
