package wal

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"

	"github.com/rainsql/rainsql/internal/vfs"
)

// A snapshot file has the header of a log file with its own magic and the index of the last
// entry it holds, then frames of
//
//	length (4) | CRC32C of length and data (4) | data
//
// The last frame has length 0 and holds, as 8 bytes, the total length of the others.
const (
	snapMagic = "RSQLSNP\x01"
	frameSize = 64 << 10
)

// frameWriter cuts what is written to it into frames.
type frameWriter struct {
	f     vfs.File
	off   int64
	total uint64
	buf   []byte // the frame being filled, its header first
}

func newFrames(f vfs.File, index uint64) (*frameWriter, error) {
	w := &frameWriter{f: f, buf: make([]byte, 8, 8+frameSize)}
	return w, w.put(appendFileHeader(nil, snapMagic, index))
}

func (w *frameWriter) put(b []byte) error {
	_, err := w.f.WriteAt(b, w.off)
	w.off += int64(len(b))
	return err
}

func (w *frameWriter) Write(p []byte) (int, error) {
	done := len(p)
	for len(p) > 0 {
		n := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return done - len(p), err
			}
		}
	}
	return done, nil
}

func (w *frameWriter) flush() error {
	n := len(w.buf) - 8
	if n == 0 {
		return nil
	}
	w.total += uint64(n)
	binary.LittleEndian.PutUint32(w.buf, uint32(n))
	binary.LittleEndian.PutUint32(w.buf[4:], frameCRC(w.buf))
	err := w.put(w.buf)
	w.buf = w.buf[:8]
	return err
}

// finish writes the last frame.
func (w *frameWriter) finish() error {
	if err := w.flush(); err != nil {
		return err
	}
	last := binary.LittleEndian.AppendUint64(make([]byte, 8, 16), w.total)
	binary.LittleEndian.PutUint32(last[4:], frameCRC(last))
	return w.put(last)
}

func frameCRC(frame []byte) uint32 {
	return crc32.Update(crc32.Checksum(frame[:4], castagnoli), castagnoli, frame[8:])
}

// frameReader reads what a frameWriter wrote; nothing unchecked leaves it.
type frameReader struct {
	f      vfs.File
	path   string
	off    int64
	total  uint64
	left   []byte
	done   bool
	failed error
}

func openFrames(f vfs.File, path string, index uint64) (*frameReader, error) {
	r := &frameReader{f: f, path: path}
	head := make([]byte, fileHeader)
	if err := r.fill(head); err != nil {
		return nil, err
	}
	if found, ok := parseFileHeader(head, snapMagic); !ok || found != index {
		return nil, &DamageError{Path: path, Reason: "its header is wrong"}
	}
	return r, nil
}

func (r *frameReader) fill(b []byte) error {
	n, err := r.f.ReadAt(b, r.off)
	if n < len(b) && errors.Is(err, io.EOF) {
		return r.damage("it is cut short")
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	r.off += int64(n)
	return nil
}

func (r *frameReader) damage(reason string) error {
	return &DamageError{Path: r.path, Offset: r.off, Reason: reason}
}

func (r *frameReader) Read(p []byte) (int, error) {
	if len(r.left) == 0 && !r.done && r.failed == nil {
		r.failed = r.next()
	}
	if r.failed != nil {
		return 0, r.failed
	}
	if r.done {
		return 0, io.EOF
	}
	n := copy(p, r.left)
	r.left = r.left[n:]
	return n, nil
}

func (r *frameReader) next() error {
	start := r.off
	head := make([]byte, 8)
	if err := r.fill(head); err != nil {
		return err
	}
	n := binary.LittleEndian.Uint32(head)
	size := n
	if n == 0 {
		size = 8
	}
	if n > frameSize {
		r.off = start
		return r.damage("the length of a frame is wrong")
	}
	frame := append(head, make([]byte, size)...)
	if err := r.fill(frame[8:]); err != nil {
		return err
	}
	if frameCRC(frame) != binary.LittleEndian.Uint32(frame[4:]) {
		r.off = start
		return r.damage("the checksum of a frame is wrong")
	}
	if n == 0 {
		r.done = true
		if binary.LittleEndian.Uint64(frame[8:]) != r.total {
			return r.damage("a frame is missing")
		}
		return nil
	}
	r.total += uint64(n)
	r.left = frame[8:]
	return nil
}

// end checks that the file ends with the last frame and that all was read.
func (r *frameReader) end() error {
	var b [1]byte
	if n, err := r.Read(b[:]); n > 0 {
		return r.damage("something follows the snapshot")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	if n, err := r.f.ReadAt(b[:], r.off); n > 0 {
		return r.damage("something follows its end")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
