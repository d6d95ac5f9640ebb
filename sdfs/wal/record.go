package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Layout of a log file: a header, then records. All numbers are little-endian.
//
//	header: magic (8) | index of the first record (8) | CRC32C of these (4)
//	record: length of the payload (4) | CRC32C of all the rest (4) | kind (1) | index (8) | durable (8) | payload
//
// durable is the highest index known to be on disk as the record was written: a later
// record thereby proves that earlier ones had been acknowledged.
const (
	fileMagic    = "RSQLWAL\x01"
	fileHeader   = 8 + 8 + 4
	recordHeader = 4 + 4 + 1 + 8 + 8
	kindEntry    = 1
)

// MaxPayload is the most bytes in a record.
const MaxPayload = 64 << 20

// DamageError says that a file of the log is not what was written to it.
type DamageError struct {
	Path   string // on disk
	Offset int64  // in bytes
	Reason string
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at byte %d: %s", e.Path, e.Offset, e.Reason)
}

type record struct {
	index, durable uint64
	payload        []byte
}

func appendFileHeader(b []byte, magic string, index uint64) []byte {
	start := len(b)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint64(b, index)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

// parseFileHeader gives the index in the header of a log file or snapshot.
func parseFileHeader(data []byte, magic string) (uint64, bool) {
	if len(data) < fileHeader || string(data[:8]) != magic ||
		crc32.Checksum(data[:16], castagnoli) != binary.LittleEndian.Uint32(data[16:]) {
		return 0, false
	}
	return binary.LittleEndian.Uint64(data[8:]), true
}

func appendRecord(b []byte, r record) []byte {
	start := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(r.payload)))
	b = append(b, 0, 0, 0, 0, kindEntry)
	b = binary.LittleEndian.AppendUint64(b, r.index)
	b = binary.LittleEndian.AppendUint64(b, r.durable)
	b = append(b, r.payload...)
	binary.LittleEndian.PutUint32(b[start+4:], recordCRC(b[start:]))
	return b
}

func recordCRC(rec []byte) uint32 {
	return crc32.Update(crc32.Checksum(rec[:4], castagnoli), castagnoli, rec[8:])
}

// parseRecord reads the record at the start of data; n is its size, 0 if there is no whole one.
func parseRecord(data []byte) (r record, n int) {
	if len(data) < recordHeader {
		return record{}, 0
	}
	size := int64(binary.LittleEndian.Uint32(data)) + recordHeader
	if size > MaxPayload+recordHeader || size > int64(len(data)) || data[8] != kindEntry {
		return record{}, 0
	}
	data = data[:size]
	if recordCRC(data) != binary.LittleEndian.Uint32(data[4:]) {
		return record{}, 0
	}
	return record{
		index:   binary.LittleEndian.Uint64(data[9:]),
		durable: binary.LittleEndian.Uint64(data[17:]),
		payload: data[recordHeader:],
	}, int(size)
}

// parseFile reads the records of a log file and hands each with its offset to fn, until one
// is not whole or fn does not want it. It gives the offset where it stopped.
func parseFile(data []byte, fn func(off int64, r record) bool) int64 {
	off := min(int64(fileHeader), int64(len(data)))
	for off < int64(len(data)) {
		r, n := parseRecord(data[off:])
		if n == 0 || !fn(off, r) {
			break
		}
		off += int64(n)
	}
	return off
}

// provesDurable tells whether data, which does not begin with a whole record, holds one further
// on that was written when the record of the given index was known to be on disk.
func provesDurable(data []byte, index uint64) bool {
	for i := 1; i+recordHeader <= len(data); i++ {
		at := binary.LittleEndian.Uint64(data[i+9:])
		durable := binary.LittleEndian.Uint64(data[i+17:])
		if data[i+8] != kindEntry || at <= index || durable < index || durable >= at {
			continue // spares the checksum at nearly every byte
		}
		if _, n := parseRecord(data[i:]); n > 0 {
			return true
		}
	}
	return false
}
