package block

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// A sector that the disk cannot read any more is damage, as a wrong checksum is: what stood there has to come from
// another copy, and this one must not count as one.

// readError says from which byte of a file on the disk could not read, and what it said.
type readError struct {
	off int64
	err error
}

func (e *readError) Error() string { return fmt.Sprintf("%s from byte %d on", e.reason(), e.off) }

func (e *readError) Unwrap() error { return e.err }

// reason is without the path, which some disks put into their errors and others do not.
func (e *readError) reason() string {
	var errno syscall.Errno
	if errors.As(e.err, &errno) {
		return "the disk cannot read it: " + errno.Error()
	}
	return "the disk cannot read it: " + e.err.Error()
}

// unreadable tells whether an error of reading a file that is open is one of the disk: EIO, and what else systems say of a sector
// that is bad. What the process has too little of, or may not do, says nothing about the bytes.
func unreadable(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) || notThere(err) || errors.Is(err, fs.ErrPermission) {
		return false
	}
	switch errno {
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ENOBUFS, syscall.EINTR, syscall.EAGAIN, syscall.EBADF, syscall.EINVAL, syscall.EFAULT:
		return false
	}
	return true
}

// readFull fills p. Where the file ends before the error is io.ErrUnexpectedEOF, and where the disk cannot read, the second time
// neither, a *readError.
func readFull(f vfs.File, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	if n < len(p) && unreadable(err) {
		n, err = f.ReadAt(p, off)
	}
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	case unreadable(err):
		return &readError{off + int64(n), err}
	}
	return err
}

// lacking makes a *CorruptError of an error of readFull that says that the bytes from off on are not to be had; others stay as they are.
func lacking(err error, id namespace.BlockID, path string, off int64) error {
	e := &CorruptError{Block: id, Chunk: -1, Path: path, Offset: off}
	var unread *readError
	switch {
	case errors.As(err, &unread):
		e.Offset, e.Reason, e.Err = unread.off, unread.reason(), unread.err
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Reason = "the disk file is cut short"
	default:
		return err
	}
	return e
}

// hole is a region of a segment that the disk cannot read.
type hole struct {
	gap
	err *readError
}

// addHole notes one that was found later. Called with the lock held.
func (s *segment) addHole(h hole) {
	if holeIn(s.holes, h.start, h.end) == nil {
		at, _ := slices.BinarySearchFunc(s.holes, h.start, func(have hole, start int64) int { return cmp.Compare(have.start, start) })
		s.holes = slices.Insert(s.holes, at, h)
	}
}

// holeIn gives the first of some holes that reaches into a stretch, or nil.
func holeIn(holes []hole, start, end int64) *hole {
	for i := range holes {
		if holes[i].start < end && start < holes[i].end {
			return &holes[i]
		}
	}
	return nil
}

// pageBytes is what systems read and write of a file at once: all of a page is lost with one of its sectors.
var pageBytes = int64(os.Getpagesize())

// salvage reads what the disk gives of a file.
type salvage struct {
	f     vfs.File
	data  []byte // all of the file; zeros in the holes
	holes []hole // in order
}

// read reads a stretch. An error is one of other kinds than that the disk cannot read.
func (v *salvage) read(from, to int64) error {
	for from < to {
		n, err := v.f.ReadAt(v.data[from:to], from)
		if from += int64(n); from == to {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if !unreadable(err) {
			return err
		}
		// It stops before the page that it cannot read, or gives nothing at all of a stretch with such a page in it.
		page := from / pageBytes * pageBytes
		end := min(page+pageBytes, to)
		var unread *readError
		err = readFull(v.f, v.data[from:end], from)
		if errors.As(err, &unread) {
			v.lose(page, end, unread)
			from = end
			continue
		}
		if err != nil {
			return err
		}
		half := min(to, (end+to)/2/pageBytes*pageBytes+pageBytes)
		if err := v.read(end, half); err != nil {
			return err
		}
		from = half
	}
	return nil
}

// lose notes that a page cannot be read.
func (v *salvage) lose(start, end int64, err *readError) {
	clear(v.data[start:end])
	if n := len(v.holes); n > 0 && v.holes[n-1].end == start {
		v.holes[n-1].end = end
		return
	}
	v.holes = append(v.holes, hole{gap{start, end}, err})
}

// readAround reads all of a file of a known size that the disk gives. What is in known is not asked for again: a disk that fails
// takes seconds to say so.
func readAround(f vfs.File, size int64, known []hole) ([]byte, []hole, error) {
	v := salvage{f: f, data: make([]byte, size)}
	from := int64(0)
	for _, h := range known {
		if err := v.read(from, h.start); err != nil {
			return nil, nil, err
		}
		v.holes = append(v.holes, h)
		from = h.end
	}
	return v.data, v.holes, v.read(from, size)
}

// readSegment reads all that the disk gives of a segment that has no whole index. What it does not give is reported as a fault, and makes
// the segment a damaged one. While opening.
func (s *Store) readSegment(f vfs.File, seg *segment) ([]byte, error) {
	data, holes, err := readAround(f, seg.size, seg.holes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.disk.Path(seg.name()), err)
	}
	for _, h := range holes {
		if holeIn(seg.holes, h.start, h.end) != nil {
			continue // reported
		}
		seg.damaged = true
		s.faults = append(s.faults, s.holeFault(seg, h))
	}
	seg.holes = holes
	return data, nil
}

func (s *Store) holeFault(seg *segment, h hole) *CorruptError {
	return &CorruptError{Chunk: -1, Path: s.disk.Path(seg.name()), Offset: h.err.off, Reason: h.err.reason(), Err: h.err.err}
}
