package wal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// memo gathers what a log holds.
type memo struct{ entries []string }

func (m *memo) Restore(r io.Reader) error {
	data, err := io.ReadAll(r)
	if err == nil {
		m.entries = strings.Split(string(data), ",")
	}
	return err
}

func (m *memo) Apply(index uint64, payload []byte) error {
	m.entries = append(m.entries, fmt.Sprint(index, payload[0]))
	return nil
}

func newLog(t testing.TB, disk *simdisk.Disk) Options {
	t.Helper()
	opts := Options{FS: disk, Dir: "log", FileBytes: 300}
	if err := errors.Join(disk.Mkdir("log"), Create(opts), disk.SyncDir("")); err != nil {
		t.Fatal(err)
	}
	return opts
}

func open(t testing.TB, opts Options) (*Log, *memo) {
	t.Helper()
	m := &memo{}
	l, err := Open(context.Background(), opts, m)
	if err != nil {
		t.Fatal(err)
	}
	return l, m
}

func appendAll(t testing.TB, l *Log, n int) {
	t.Helper()
	for range n {
		if err := l.Append(bytes.Repeat([]byte{byte(l.Last() + 1)}, 40)); err != nil {
			t.Fatal(err)
		}
	}
}

func entries(n int) []string {
	var list []string
	for i := range n {
		list = append(list, fmt.Sprint(i+1, i+1))
	}
	return list
}

func TestReopenAndSnapshot(t *testing.T) {
	disk := simdisk.New()
	opts := newLog(t, disk)
	l, _ := open(t, opts)
	appendAll(t, l, 20)
	if err := l.Append([]byte{21}, []byte{22}); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(true); err != nil {
		t.Fatal(err)
	}
	l, m := open(t, opts)
	if !slices.Equal(m.entries, entries(22)) || !l.WasClean() {
		t.Errorf("read %v", m.entries)
	}
	before := len(disk.Files())
	if err := l.Snapshot(22, func(w io.Writer) error {
		_, err := io.WriteString(w, strings.Join(m.entries, ","))
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if after := len(disk.Files()); after >= before {
		t.Errorf("%d files before the snapshot, %d after: %v", before, after, disk.Files())
	}
	appendAll(t, l, 9)
	if faults, _, err := l.Check(t.Context()); err != nil || len(faults) > 0 {
		t.Error(faults, err)
	}
	disk = disk.Restart(false, 0)
	opts.FS = disk
	l, m = open(t, opts)
	if !slices.Equal(m.entries, entries(31)) || l.WasClean() {
		t.Errorf("after the snapshot: read %v", m.entries)
	}
	if err := l.Close(false); err != nil {
		t.Fatal(err)
	}
}

// TestLastRecord changes the last record of a log in ways that are damage if the record was
// acknowledged, and a torn write if not.
func TestLastRecord(t *testing.T) {
	changes := map[string]func(disk *simdisk.Disk, name string, size int64) error{
		"a bit of the payload": func(d *simdisk.Disk, name string, size int64) error { return d.FlipBit(name, size*8-5) },
		"a bit of the length":  func(d *simdisk.Disk, name string, size int64) error { return d.FlipBit(name, (size-65)*8+1) },
		"cut within": func(d *simdisk.Disk, name string, size int64) error {
			f, err := d.OpenWrite(name)
			return errors.Join(err, f.Truncate(size-9), f.Close())
		},
		"cut away": func(d *simdisk.Disk, name string, size int64) error {
			f, err := d.OpenWrite(name)
			return errors.Join(err, f.Truncate(size-65), f.Close())
		},
	}
	for what, change := range changes {
		for _, acknowledged := range []bool{true, false} {
			disk := simdisk.New()
			opts := newLog(t, disk)
			opts.FileBytes = 1 << 20
			l, _ := open(t, opts)
			appendAll(t, l, 4)
			if !acknowledged { // the process dies before the fsync that would acknowledge it
				disk.SetHook(func(op simdisk.Op) simdisk.Fault { return simdisk.Fault{Stop: op.Kind == "sync"} })
				if err := l.Append(bytes.Repeat([]byte{5}, 40)); !errors.Is(err, simdisk.ErrStopped) {
					t.Fatal(err)
				}
			} else {
				appendAll(t, l, 1)
			}
			disk = disk.Restart(true, 0)
			opts.FS = disk
			const name = "log/0000000000000001.wal"
			e, err := disk.Stat(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := change(disk, name, e.Size); err != nil {
				t.Fatal(err)
			}
			m := &memo{}
			l, err = Open(t.Context(), opts, m)
			var damage *DamageError
			if acknowledged {
				if !errors.As(err, &damage) || damage.Path != name || damage.Offset != e.Size-65 {
					t.Errorf("%s, acknowledged: %v", what, err)
				}
				continue
			}
			if err != nil || !slices.Equal(m.entries, entries(4)) {
				t.Errorf("%s, not acknowledged: %v, %v", what, m.entries, err)
				continue
			}
			appendAll(t, l, 1)
			if err := l.Close(true); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestLaterProof: after a loss of power the mark may be old, but a whole record behind the damaged one
// tells that it had been acknowledged.
func TestLaterProof(t *testing.T) {
	disk := simdisk.New()
	opts := newLog(t, disk)
	opts.FileBytes = 1 << 20
	l, _ := open(t, opts)
	appendAll(t, l, 3)
	disk = disk.Restart(false, 0)
	opts.FS = disk
	if err := disk.FlipBit("log/0000000000000001.wal", (fileHeader+65+60)*8); err != nil {
		t.Fatal(err)
	}
	var damage *DamageError
	if _, err := Open(t.Context(), opts, &memo{}); !errors.As(err, &damage) || damage.Offset != fileHeader+65 {
		t.Errorf("opening: %v", err)
	}
}

func TestFailedSync(t *testing.T) {
	disk := simdisk.New()
	l, _ := open(t, newLog(t, disk))
	disk.SetHook(func(op simdisk.Op) simdisk.Fault {
		if op.Kind == "sync" {
			return simdisk.Fault{Err: syscall.EIO}
		}
		return simdisk.Fault{}
	})
	if err := l.Append([]byte{1}); !errors.Is(err, syscall.EIO) {
		t.Error(err)
	}
	disk.SetHook(nil)
	if err := l.Append([]byte{2}); !errors.Is(err, syscall.EIO) {
		t.Errorf("a log goes on after a failed fsync: %v", err)
	}
	if l.Err() == nil {
		t.Error("no reason is kept")
	}
}

func TestFullDisk(t *testing.T) {
	disk := simdisk.New()
	opts := newLog(t, disk)
	l, _ := open(t, opts)
	appendAll(t, l, 2)
	disk.SetCapacity(disk.Used() + 30)
	if err := l.Append(make([]byte, 40)); !errors.Is(err, syscall.ENOSPC) {
		t.Error(err)
	}
	disk.SetCapacity(0)
	appendAll(t, l, 1)
	if err := l.Close(true); err != nil {
		t.Fatal(err)
	}
	if l, m := open(t, opts); !slices.Equal(m.entries, entries(3)) {
		t.Errorf("read %v", m.entries)
	} else {
		l.Close(true)
	}
}

func FuzzParseFile(f *testing.F) {
	data := appendFileHeader(nil, fileMagic, 1)
	data = appendRecord(data, record{index: 1, payload: []byte("one")})
	data = appendRecord(data, record{index: 2, durable: 1, payload: nil})
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var again []byte
		end := parseFile(data, func(off int64, r record) bool {
			again = appendRecord(again, r)
			return true
		})
		if start := min(fileHeader, len(data)); !bytes.Equal(again, data[start:end]) {
			t.Fatal("a record does not read back as it was written")
		}
		provesDurable(data[end:], 1)
	})
}

func FuzzSnapshotFile(f *testing.F) {
	disk := simdisk.New()
	opts := newLog(f, disk)
	l, _ := open(f, opts)
	if err := l.Snapshot(1, func(w io.Writer) error { _, err := w.Write(make([]byte, 70<<10)); return err }); err != nil {
		f.Fatal(err)
	}
	data, err := readAll(disk, "log/0000000000000001.snap")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		disk := simdisk.New()
		file, err := disk.Create("x.snap")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.WriteAt(data, 0); err != nil {
			t.Fatal(err)
		}
		if _, _, err := checkSnapshot(disk, "x.snap", 1); err != nil {
			t.Fatal(err)
		}
	})
}
