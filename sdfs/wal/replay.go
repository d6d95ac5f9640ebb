package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/internal/vfs"
)

// Target is what a log is read into. Its methods are called one at a time.
type Target interface {
	// Restore takes a snapshot. It reads r to its end.
	Restore(r io.Reader) error
	// Apply takes an entry. payload is the target's only during the call. An error
	// means that the entry cannot be understood.
	Apply(index uint64, payload []byte) error
}

// replay is what was found in a log's folder.
type replay struct {
	snaps, wals []uint64 // as the files' names say, rising
	strays      []string // files that a crash left
	clean       bool     // the log was closed in order
	state       bool     // there is a file that tells
	mark        mark
	last        uint64 // index of the last whole record
	end         int64  // where it ends in the last file
	size        int64  // of the last file
	unsure      []byte // whole records at its end, behind the mark: they may not be on disk yet
	bytes       int64  // of records behind the snapshot
	faults      []*DamageError
	markFault   *DamageError
}

const (
	walSuffix  = ".wal"
	snapSuffix = ".snap"
	tmpSuffix  = ".tmp"
)

func fileName(index uint64, suffix string) string { return fmt.Sprintf("%016x%s", index, suffix) }

// read reads the newest snapshot and the records behind it into t. It changes nothing on
// disk. Damage is gathered in faults: t then holds what comes before the first of them.
func read(ctx context.Context, disk vfs.FS, dir string, t Target) (*replay, error) {
	r := &replay{}
	list, err := disk.List(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range list {
		name, isWal := strings.CutSuffix(e.Name, walSuffix)
		name, isSnap := strings.CutSuffix(name, snapSuffix)
		index, err := strconv.ParseUint(name, 16, 64)
		switch {
		case e.Name == closedName || e.Name == runningName:
			r.state = true
			r.clean = r.clean || e.Name == closedName
		case strings.HasSuffix(e.Name, tmpSuffix):
			r.strays = append(r.strays, e.Name)
		case isWal && err == nil:
			r.wals = append(r.wals, index)
		case isSnap && err == nil:
			r.snaps = append(r.snaps, index)
		}
	}
	if r.mark, r.markFault, err = readMark(disk, path.Join(dir, markName), r.clean); err != nil {
		return nil, err
	}
	if !r.state && r.markFault == nil {
		r.markFault = &DamageError{Path: disk.Path(path.Join(dir, closedName)), Reason: "the file is missing"}
	}
	if n := len(r.snaps); n > 0 {
		r.last = r.snaps[n-1]
		if err := r.readSnapshot(disk, dir, t); err != nil {
			return nil, err
		}
	}
	first := 0 // the log file that holds the record behind the snapshot
	for i, start := range r.wals {
		if start <= r.last+1 {
			first = i
		}
	}
	for i := first; i < len(r.wals); i++ {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.readFile(disk, dir, i, i == first, t); err != nil {
			return nil, err
		}
	}
	if len(r.wals) == 0 {
		r.damage(disk.Path(dir), 0, "the log file behind the snapshot is missing")
	}
	if r.last < r.mark.index && len(r.faults) == 0 {
		r.damage(disk.Path(path.Join(dir, fileName(r.wals[len(r.wals)-1], walSuffix))), r.end,
			fmt.Sprintf("it ends with entry %d, but entry %d was acknowledged", r.last, r.mark.index))
	}
	return r, nil
}

func (r *replay) damage(path string, off int64, reason string) {
	r.faults = append(r.faults, &DamageError{Path: path, Offset: off, Reason: reason})
}

func (r *replay) readSnapshot(disk vfs.FS, dir string, t Target) error {
	name := path.Join(dir, fileName(r.last, snapSuffix))
	f, err := disk.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	frames, err := openFrames(f, disk.Path(name), r.last)
	if err == nil {
		err = t.Restore(frames)
	}
	if err == nil {
		err = frames.end()
	}
	if frames != nil && frames.failed != nil {
		err = frames.failed // whatever the target made of it
	} else if frames != nil && err != nil {
		err = &DamageError{Path: disk.Path(name), Offset: frames.off, Reason: err.Error()} // the target could not read it
	}
	var damage *DamageError
	if errors.As(err, &damage) {
		r.faults = append(r.faults, damage)
		return nil
	}
	return err
}

// readFile reads the log file i.
func (r *replay) readFile(disk vfs.FS, dir string, i int, isFirst bool, t Target) error {
	name := path.Join(dir, fileName(r.wals[i], walSuffix))
	where := disk.Path(name)
	data, err := readAll(disk, name)
	if errors.Is(err, fs.ErrNotExist) {
		r.damage(where, 0, "the file vanished while the log was read")
		return nil
	}
	if err != nil {
		return err
	}
	start, ok := parseFileHeader(data, fileMagic)
	if !ok || start != r.wals[i] {
		r.damage(where, 0, "its header is wrong")
		return nil
	}
	expect := r.last + 1
	if isFirst && start <= expect {
		expect = start // records that the snapshot holds already
	}
	if start != expect {
		r.damage(where, 0, fmt.Sprintf("it begins with entry %d, but entry %d should follow: a log file is missing or cut short", start, expect))
		expect = start
	}
	reason := "a record's checksum or length is wrong"
	r.size = int64(len(data))
	sure := int64(fileHeader)
	r.end = parseFile(data, func(off int64, rec record) bool {
		if rec.index != expect {
			reason = fmt.Sprintf("entry %d stands where entry %d belongs", rec.index, expect)
			return false
		}
		expect++
		if rec.index <= r.mark.index {
			sure = off + recordHeader + int64(len(rec.payload))
		}
		if rec.index <= r.last {
			return true
		}
		r.last = rec.index
		r.bytes += recordHeader + int64(len(rec.payload))
		if len(r.faults) == 0 { // what follows a gap has no meaning
			if err := t.Apply(rec.index, rec.payload); err != nil {
				r.damage(where, off, fmt.Sprintf("entry %d cannot be understood (a newer version may have written it): %v", rec.index, err))
			}
		}
		return true
	})
	r.unsure = data[min(sure, r.end):r.end]
	if r.end == r.size {
		return nil
	}
	isLast := i == len(r.wals)-1
	if !isLast || expect <= r.mark.index || provesDurable(data[r.end:], expect) {
		r.damage(where, r.end, reason)
	}
	return nil
}

func readAll(disk vfs.FS, name string) ([]byte, error) {
	f, err := disk.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	data := make([]byte, size)
	n, err := f.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return slices.Clip(data[:n]), nil
}
