package arrowipc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/rainsql/rainsql/connect/arrowipc/internal/flat"
)

// Limits of one message.
const (
	maxMetadata = 64 << 20
	maxBody     = 1 << 40
)

// Kinds of message.
const (
	schemaMessage     = 1
	dictionaryMessage = 2
	batchMessage      = 3
)

// message is the head of a message and where its body lies.
type message struct {
	kind     int8
	version  int16
	header   flat.Table
	buf      *flat.Buffer
	body     int64 // where it begins
	bodySize int64
}

// next is where the next message begins.
func (m *message) next() int64 { return m.body + m.bodySize }

// readMessage reads the head of the message at off. It returns nil at the end
// of the stream, marked or not.
func readMessage(in input, off int64) (*message, error) {
	size, at, err := messageSize(in, off)
	if err != nil || size == 0 {
		return nil, err
	}
	if size < 0 || size > maxMetadata || !in.fits(at, int64(size)) {
		return nil, fmt.Errorf("a message declares %d bytes of metadata", size)
	}
	b, err := in.bytes(at, int(size))
	if err != nil {
		return nil, notMissing(err)
	}
	buf := flat.New(b)
	root := buf.Root()
	m := &message{
		kind: root.Int8(1, 0), version: root.Int16(0, 0), header: root.Table(2), buf: buf,
		body: at + int64(size), bodySize: root.Int64(3, 0),
	}
	switch {
	case buf.Err() != nil:
		return nil, buf.Err()
	case m.version < 3 || m.version > 4: // V4 and V5
		return nil, fmt.Errorf("a message has version %d of the metadata, which cannot be read", m.version+1)
	case m.bodySize < 0 || m.bodySize > maxBody || m.body > math.MaxInt64-m.bodySize || !in.fits(m.body, m.bodySize):
		return nil, fmt.Errorf("a message declares a body of %d bytes", m.bodySize)
	}
	return m, nil
}

func notMissing(err error) error {
	if errors.Is(err, errNothing) {
		return errEnd
	}
	return err
}

// messageSize reads the length of a message's metadata, and where that begins.
// The marker before the length is not there in old files.
func messageSize(in input, off int64) (size int32, at int64, err error) {
	b, err := in.bytes(off, 4)
	if errors.Is(err, errNothing) {
		return 0, off, nil // streams may just end
	}
	if err != nil {
		return 0, off, err
	}
	off += 4
	if binary.LittleEndian.Uint32(b) == 0xffffffff {
		if b, err = in.bytes(off, 4); err != nil {
			return 0, off, notMissing(err)
		}
		off += 4
	}
	return int32(binary.LittleEndian.Uint32(b)), off, nil
}

// batchHead is what a message says of a record batch.
type batchHead struct {
	rows     int64
	nodes    flat.Vector
	buffers  flat.Vector
	variadic flat.Vector
	codec    int8 // -1: not compressed
	old      bool // version 4 of the metadata
	body     int64
	bodySize int64
}

// Codecs of bodies.
const (
	noCodec   = -1
	codecLZ4  = 0
	codecZstd = 1
)

func newBatchHead(m *message, t flat.Table) (*batchHead, error) {
	h := &batchHead{
		rows: t.Int64(0, 0), nodes: t.Vector(1, 16), buffers: t.Vector(2, 16), variadic: t.Vector(4, 8),
		codec: noCodec, old: m.version == 3, body: m.body, bodySize: m.bodySize,
	}
	if c := t.Table(3); !c.IsZero() {
		h.codec = c.Int8(0, 0)
		if h.codec != codecLZ4 && h.codec != codecZstd || c.Int8(1, 0) != 0 {
			return nil, fmt.Errorf("a record batch is compressed with codec %d, which cannot be read", h.codec)
		}
	}
	switch {
	case m.buf.Err() != nil:
		return nil, m.buf.Err()
	case t.IsZero():
		return nil, errors.New("a record batch has no header")
	case h.rows < 0 || h.rows > math.MaxInt32:
		return nil, fmt.Errorf("a record batch declares %d rows", h.rows)
	}
	for i := range h.buffers.Len() {
		off, n := h.buffers.Int64(i, 0), h.buffers.Int64(i, 8)
		if off < 0 || n < 0 || off > h.bodySize || n > h.bodySize-off {
			return nil, errors.New("a buffer lies outside of its record batch")
		}
	}
	return h, nil
}
