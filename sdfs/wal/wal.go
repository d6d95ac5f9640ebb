// Package wal is the log of the file store: entries made durable in groups,
// snapshots of what they add up to, and the reading of both on opening. It knows
// nothing of what entries mean.
package wal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"sync"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
)

// Options says where a log is and when it begins a new file.
type Options struct {
	FS        vfs.FS
	Dir       string
	FileBytes int64 // a log file that is longer is followed by a new one; 0: 16 MB
}

func (o Options) path(name string) string { return path.Join(o.Dir, name) }

// Log is an open log. Append and Close are for one goroutine at a time; the
// other methods may run along with them and with each other.
type Log struct {
	opts      Options
	markFault *DamageError
	wasClean  bool

	f    vfs.File // the newest file
	last uint64   // index of the last record
	mark markFile

	mu      sync.Mutex // guards what follows
	files   []logFile  // rising; the last is f
	snap    uint64     // index of the newest snapshot, 0: none
	snapLen int64      // its size in bytes
	bytes   int64      // of records behind it
	failed  error      // why nothing can be written any more
	marking sync.Mutex // held while the mark is written or read
}

type logFile struct {
	start uint64 // index of its first record
	size  int64  // of what is durable
}

// Create makes the folder's first log file and its mark. The folder is there and holds no log;
// what an earlier Create cut short has left is replaced.
func Create(opts Options) error {
	if err := newFile(opts, 1); err != nil {
		return err
	}
	if err := newMark(opts.FS, opts.path(markName), mark{}); err != nil {
		return err
	}
	f, err := opts.FS.Create(opts.path(closedName))
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return err
	}
	return opts.FS.SyncDir(opts.Dir)
}

// newFile makes a log file whose name never stands for less than a whole header. The name is durable
// after a SyncDir. On an error there is no such file.
func newFile(opts Options, start uint64) error {
	name := opts.path(fileName(start, walSuffix))
	tmp := name + tmpSuffix
	if err := opts.FS.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := opts.FS.Create(tmp)
	if err != nil {
		return err
	}
	if _, err = f.WriteAt(appendFileHeader(nil, fileMagic, start), 0); err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = opts.FS.Rename(tmp, name)
	}
	if err != nil {
		_ = opts.FS.Remove(tmp) // else the next opening does it
	}
	return err
}

// Open reads a log into t and makes it ready for more. A torn write at its end, which was
// never acknowledged, is cut off; any other damage is a *DamageError.
func Open(ctx context.Context, opts Options, t Target) (*Log, error) {
	if opts.FileBytes <= 0 {
		opts.FileBytes = 16 << 20
	}
	r, err := read(ctx, opts.FS, opts.Dir, t)
	if err != nil {
		return nil, err
	}
	if len(r.faults) > 0 {
		return nil, r.faults[0]
	}
	l := &Log{opts: opts, markFault: r.markFault, wasClean: r.clean, last: r.last, bytes: r.bytes}
	if n := len(r.snaps); n > 0 {
		l.snap = r.snaps[n-1]
		if e, err := opts.FS.Stat(opts.path(fileName(l.snap, snapSuffix))); err == nil {
			l.snapLen = e.Size
		}
	}
	if err := l.settle(r); err != nil {
		return nil, err
	}
	for _, start := range r.wals {
		e, err := opts.FS.Stat(opts.path(fileName(start, walSuffix)))
		if err != nil {
			return nil, errors.Join(err, l.Close(false))
		}
		l.files = append(l.files, logFile{start: start, size: e.Size})
	}
	l.clean()
	return l, nil
}

// settle opens the newest file, cuts it to its whole records, and opens the mark.
func (l *Log) settle(r *replay) error {
	disk := l.opts.FS
	for _, name := range r.strays {
		if err := disk.Remove(l.opts.path(name)); err != nil {
			return err
		}
	}
	if err := l.setRunning(r); err != nil {
		return err
	}
	if r.markFault != nil {
		if err := newMark(disk, l.opts.path(markName), mark{index: r.last}); err != nil {
			return err
		}
	}
	m, err := disk.OpenWrite(l.opts.path(markName))
	if err != nil {
		return err
	}
	l.mark = markFile{f: m, turn: r.mark.turn}
	if l.f, err = disk.OpenWrite(l.opts.path(fileName(r.wals[len(r.wals)-1], walSuffix))); err != nil {
		return errors.Join(err, m.Close())
	}
	if r.end < r.size {
		err = l.f.Truncate(r.end)
	}
	// Whole records behind the mark may not be on disk yet: the process may have been killed
	// before their fsync. They are taken as written, so they must be durable from now on. They are written
	// once more, for if that fsync failed, the system has them in memory and takes them for written: a mere
	// fsync would succeed without them.
	if err == nil && len(r.unsure) > 0 {
		_, err = l.f.WriteAt(r.unsure, r.end-int64(len(r.unsure)))
	}
	if err == nil {
		err = l.f.Sync()
	}
	if err == nil {
		err = l.mark.move(l.last)
	}
	if err != nil {
		return errors.Join(err, l.f.Close(), m.Close())
	}
	return nil
}

// setRunning says, before anything is written, that the log was not closed in order. It makes the
// names durable that an earlier process gave, too.
func (l *Log) setRunning(r *replay) error {
	disk := l.opts.FS
	var err error
	switch {
	case r.clean:
		err = disk.Rename(l.opts.path(closedName), l.opts.path(runningName))
	case !r.state:
		var f vfs.File
		if f, err = disk.Create(l.opts.path(runningName)); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		return err
	}
	return disk.SyncDir(l.opts.Dir)
}

// MarkDamage is what was wrong with the mark on opening, or nil. The log was read all
// the same, and the mark made anew.
func (l *Log) MarkDamage() *DamageError { return l.markFault }

// WasClean tells whether the log had been closed in order before it was opened.
func (l *Log) WasClean() bool { return l.wasClean }

// Last is the index of the last record.
func (l *Log) Last() uint64 { return l.last }

// Bytes is the size of the records behind the newest snapshot, which opening has to read.
func (l *Log) Bytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bytes
}

// SnapshotBytes is the size of the newest snapshot.
func (l *Log) SnapshotBytes() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.snapLen
}

// Err is why the log takes no more records, or nil.
func (l *Log) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.failed
}

// fail stops all writing for good: what is on disk is unknown after a failed fsync.
func (l *Log) fail(what string, err error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed == nil {
		l.failed = fmt.Errorf("%s: %w", what, err)
	}
	return l.failed
}

// Append adds records with the indexes Last()+1 on, all in one write and one fsync; they are
// durable when it returns. Where the disk is full the error matches syscall.ENOSPC, nothing was added and
// a later Append may succeed, unless Err then tells of a failure: after any other error, and where the want of
// space comes out at the fsync only, the log takes nothing more, and the records may or may not be found on reopening.
func (l *Log) Append(payloads ...[]byte) error {
	if err := l.Err(); err != nil {
		return err
	}
	l.mu.Lock()
	size := l.files[len(l.files)-1].size
	l.mu.Unlock()
	if size > l.opts.FileBytes {
		err := l.rotate()
		if failed := l.Err(); failed != nil {
			return failed
		}
		if err == nil {
			size = fileHeader
		} // without space for a new file the old one does as well
	}
	total := 0
	for _, p := range payloads {
		if len(p) > MaxPayload {
			return fmt.Errorf("an entry of %d bytes is too large for the log (at most %d)", len(p), MaxPayload)
		}
		total += recordHeader + len(p)
	}
	buf := make([]byte, 0, total)
	for i, p := range payloads {
		buf = appendRecord(buf, record{index: l.last + 1 + uint64(i), durable: l.last, payload: p})
	}
	if _, err := l.f.WriteAt(buf, size); err != nil {
		if !errors.Is(err, syscall.ENOSPC) {
			return l.fail("writing the log", err)
		}
		// What was written of it must not be found after a loss of power: the caller hears that nothing was.
		terr := l.f.Truncate(size)
		if terr == nil {
			terr = l.f.Sync()
		}
		if terr != nil {
			return l.fail("writing the log", terr)
		}
		return err
	}
	if err := l.f.Sync(); err != nil {
		return l.fail("making the log durable", err)
	}
	l.last += uint64(len(payloads))
	l.mu.Lock()
	l.files[len(l.files)-1].size = size + int64(total)
	l.bytes += int64(total)
	l.mu.Unlock()
	l.marking.Lock()
	defer l.marking.Unlock()
	if err := l.mark.move(l.last); err != nil {
		// The records are durable, so they count; but without the mark damage could pass for a torn write.
		_ = l.fail("writing the log's mark", err)
	}
	return nil
}

// rotate begins a new file, unless the newest is empty. The log has not failed where there is only no
// space for one.
func (l *Log) rotate() error {
	if err := l.Err(); err != nil {
		return err
	}
	start := l.last + 1
	l.mu.Lock()
	newest := l.files[len(l.files)-1].start
	l.mu.Unlock()
	if newest == start {
		return nil
	}
	if err := newFile(l.opts, start); err != nil {
		if errors.Is(err, syscall.ENOSPC) {
			return err
		}
		return l.fail("beginning a new log file", err)
	}
	// The file has its name now: going on with the one before would break the sequence.
	err := l.opts.FS.SyncDir(l.opts.Dir)
	var f vfs.File
	if err == nil {
		f, err = l.opts.FS.OpenWrite(l.opts.path(fileName(start, walSuffix)))
	}
	if err != nil {
		return l.fail("beginning a new log file", err)
	}
	_ = l.f.Close() // all of it is synced
	l.f = f
	l.mu.Lock()
	l.files = append(l.files, logFile{start: start, size: fileHeader})
	l.mu.Unlock()
	l.clean() // the file before may have been needed for being the newest only
	return nil
}

// Snapshot has write put down the state after the entry of the given index, makes it durable, and
// then removes the log files and snapshots that it replaces. One at a time.
func (l *Log) Snapshot(index uint64, write func(io.Writer) error) error {
	if err := l.Err(); err != nil {
		return err
	}
	name := l.opts.path(fileName(index, snapSuffix))
	tmp := name + tmpSuffix
	size, err := l.writeSnapshot(tmp, index, write)
	if err != nil {
		_ = l.opts.FS.Remove(tmp) // else the next opening does it
		return err
	}
	if err := l.opts.FS.Rename(tmp, name); err != nil {
		_ = l.opts.FS.Remove(tmp)
		return err
	}
	if err := l.opts.FS.SyncDir(l.opts.Dir); err != nil {
		return l.fail("making a snapshot durable", err)
	}
	l.mu.Lock()
	l.snap, l.snapLen = index, size
	l.bytes = 0
	for _, f := range l.files {
		if f.start > index {
			l.bytes += f.size - fileHeader
		}
	}
	l.mu.Unlock()
	l.clean()
	return nil
}

func (l *Log) writeSnapshot(tmp string, index uint64, write func(io.Writer) error) (int64, error) {
	if err := l.opts.FS.Remove(tmp); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return 0, err
	}
	f, err := l.opts.FS.Create(tmp)
	if err != nil {
		return 0, err
	}
	frames, err := newFrames(f, index)
	if err == nil {
		err = write(frames)
	}
	if err == nil {
		err = frames.finish()
	}
	if err == nil {
		if err = f.Sync(); err != nil {
			err = l.fail("making a snapshot durable", err)
		}
	}
	return frames.off, errors.Join(err, f.Close())
}

// clean removes what the newest snapshot replaces. What cannot be removed now is next time.
func (l *Log) clean() {
	l.mu.Lock()
	snap := l.snap
	l.mu.Unlock()
	if snap == 0 {
		return
	}
	list, err := l.opts.FS.List(l.opts.Dir)
	if err != nil {
		return
	}
	for _, e := range list {
		if path.Ext(e.Name) == snapSuffix && e.Name < fileName(snap, snapSuffix) {
			_ = l.opts.FS.Remove(l.opts.path(e.Name))
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	keep := 0
	for i, f := range l.files {
		if f.start <= snap+1 {
			keep = i
		}
	}
	for len(l.files) > 1 && keep > 0 {
		err := l.opts.FS.Remove(l.opts.path(fileName(l.files[0].start, walSuffix)))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return
		}
		l.files = slices.Delete(l.files, 0, 1)
		keep--
	}
}

// Close ends the log. With clean, and unless writing has failed, the mark then tells that it was
// closed in order.
func (l *Log) Close(clean bool) error {
	var err error
	if clean && l.Err() == nil {
		l.marking.Lock()
		err = l.mark.seal(l.last)
		l.marking.Unlock()
		if err == nil { // should a loss of power undo it, damage at the end may pass for a torn write, no more
			err = l.opts.FS.Rename(l.opts.path(runningName), l.opts.path(closedName))
		}
	}
	return errors.Join(err, l.f.Close(), l.mark.f.Close())
}
