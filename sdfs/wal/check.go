package wal

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"path"

	"github.com/rainsql/rainsql/internal/vfs"
)

// Inspection is what was found in a log that is not opened.
type Inspection struct {
	Faults []*DamageError
	Clean  bool // it was closed in order
	Bytes  int64
}

// Inspect reads a log into t as far as it goes and names all damage. It changes nothing.
func Inspect(ctx context.Context, opts Options, t Target) (Inspection, error) {
	r, err := read(ctx, opts.FS, opts.Dir, t)
	if err != nil {
		return Inspection{}, err
	}
	in := Inspection{Faults: r.faults, Clean: r.clean, Bytes: r.bytes}
	if r.markFault != nil {
		in.Faults = append(in.Faults, r.markFault)
	}
	return in, nil
}

// Check reads the files of an open log again. It returns what is damaged, and the bytes read.
func (l *Log) Check(ctx context.Context) ([]*DamageError, int64, error) {
	l.mu.Lock()
	files := append([]logFile(nil), l.files...)
	snap := l.snap
	l.mu.Unlock()
	disk := l.opts.FS
	var faults []*DamageError
	var total int64
	if snap > 0 {
		n, damage, err := checkSnapshot(disk, l.opts.path(fileName(snap, snapSuffix)), snap)
		total += n
		if err != nil {
			return faults, total, err
		}
		if damage != nil && l.isNeeded(snap, snapSuffix) {
			faults = append(faults, damage)
		}
	}
	for _, file := range files {
		if err := ctx.Err(); err != nil {
			return faults, total, err
		}
		name := l.opts.path(fileName(file.start, walSuffix))
		data, err := readAll(disk, name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return faults, total, err
		}
		data = data[:min(int64(len(data)), file.size)] // behind it someone may be writing
		total += int64(len(data))
		end := parseFile(data, func(int64, record) bool { return true })
		start, ok := parseFileHeader(data, fileMagic)
		if !ok || start != file.start {
			end = 0
		}
		if end < file.size && l.isNeeded(file.start, walSuffix) {
			faults = append(faults, &DamageError{Path: disk.Path(name), Offset: end, Reason: "a record's checksum or length is wrong"})
		}
	}
	l.marking.Lock()
	defer l.marking.Unlock()
	_, damage, err := readMark(disk, path.Join(l.opts.Dir, markName), false)
	if damage != nil {
		faults = append(faults, damage)
	}
	return faults, total + 2*markPage, err
}

// isNeeded tells whether a file still is part of the log: a snapshot may have replaced it meanwhile.
func (l *Log) isNeeded(index uint64, suffix string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if suffix == snapSuffix {
		return index == l.snap
	}
	for _, f := range l.files {
		if f.start == index {
			return true
		}
	}
	return false
}

func checkSnapshot(disk vfs.FS, name string, index uint64) (int64, *DamageError, error) {
	f, err := disk.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, &DamageError{Path: disk.Path(name), Reason: "the file is missing"}, nil
	}
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = f.Close() }() // only read
	frames, err := openFrames(f, disk.Path(name), index)
	var n int64
	if err == nil {
		n, err = io.Copy(io.Discard, frames)
	}
	if err == nil {
		err = frames.end()
	}
	var damage *DamageError
	if errors.As(err, &damage) {
		return n, damage, nil
	}
	return n, nil, err
}
