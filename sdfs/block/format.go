package block

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Chunk is the stretch of a block that one checksum covers, in bytes.
const Chunk = 64 << 10

// MaxSmall is the most bytes of a block that may go into a segment.
const MaxSmall = 4 * Chunk

// All numbers on disk are little-endian, all checksums CRC32C.
//
// A segment holds small blocks:
//
//	header: magic (8) | number (8) | checksum (4)
//	record: magic (4) | length (4) | id (16) | checksum of the block (4) | checksum of the record's
//	        other fields (4) | checksum of each chunk (4 each) | the block
//	index:  for each record: id (16) | offset (8) | length (4)
//	end:    offset of the index (8) | checksum of index and offset (4) | magic (8)
//
// Index and end are written when the segment is full. A large block has a file of its own:
//
//	the block | checksum of each chunk (4 each) | id (16) | length (8) | checksum of the block (4)
//	| checksum of all after the block (4) | magic (8)
const (
	segMagic      = "RSQSEG\x00\x01"
	segEndMagic   = "RSQSEGE\x01"
	recMagic      = "RSQB"
	ownMagic      = "RSQBLK\x00\x01"
	segHeader     = 8 + 8 + 4
	recHeader     = 4 + 4 + 16 + 4 + 4
	segIndexEntry = 16 + 8 + 4
	segEnd        = 8 + 4 + 8
	ownEnd        = 16 + 8 + 4 + 4 + 8
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var le = binary.LittleEndian

func chunksOf(length uint32) int { return (int(length) + Chunk - 1) / Chunk }

// recordSize is the bytes that a small block takes in a segment.
func recordSize(length uint32) int64 {
	return recHeader + 4*int64(chunksOf(length)) + int64(length)
}

func encodeSegHeader(number uint64) []byte {
	b := le.AppendUint64([]byte(segMagic), number)
	return le.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func validSegHeader(b []byte, number uint64) bool {
	return len(b) >= segHeader && string(b[:segHeader]) == string(encodeSegHeader(number))
}

// encodeRecord gives the record of a small block.
func encodeRecord(id namespace.BlockID, data []byte) ([]byte, namespace.Block) {
	blk := namespace.Block{ID: id, Length: uint32(len(data)), CRC: crc32.Checksum(data, castagnoli)}
	b := make([]byte, 0, recordSize(blk.Length))
	b = append(b, recMagic...)
	b = le.AppendUint32(b, blk.Length)
	b = append(b, id[:]...)
	b = le.AppendUint32(b, blk.CRC)
	b = append(b, 0, 0, 0, 0)
	for start := 0; start < len(data); start += Chunk {
		b = le.AppendUint32(b, crc32.Checksum(data[start:min(start+Chunk, len(data))], castagnoli))
	}
	le.PutUint32(b[28:], headCRC(b))
	return append(b, data...), blk
}

func headCRC(head []byte) uint32 {
	return crc32.Update(crc32.Checksum(head[:28], castagnoli), castagnoli, head[recHeader:])
}

// parseRecord reads a record's head, without looking at the block; false if data does not begin with one.
func parseRecord(data []byte) (namespace.Block, bool) {
	if len(data) < recHeader || string(data[:4]) != recMagic {
		return namespace.Block{}, false
	}
	blk := namespace.Block{Length: le.Uint32(data[4:]), ID: namespace.BlockID(data[8:24]), CRC: le.Uint32(data[24:])}
	if blk.Length == 0 || blk.Length > MaxSmall {
		return namespace.Block{}, false
	}
	head := recHeader + 4*chunksOf(blk.Length)
	if len(data) < head || headCRC(data[:head]) != le.Uint32(data[28:]) {
		return namespace.Block{}, false
	}
	return blk, true
}

// badChunk checks a record whose head parseRecord accepts. It gives the first chunk whose
// checksum is wrong, or -1.
func badChunk(rec []byte, blk namespace.Block) int {
	sums := rec[recHeader:]
	data := rec[recHeader+4*chunksOf(blk.Length):]
	for i := range chunksOf(blk.Length) {
		part := data[i*Chunk : min((i+1)*Chunk, len(data))]
		if crc32.Checksum(part, castagnoli) != le.Uint32(sums[4*i:]) {
			return i
		}
	}
	return -1
}

// located is a block and where its record begins in a segment.
type located struct {
	blk namespace.Block // without CRC, where it comes from an index
	off int64
}

func encodeSegEnd(records []located, off int64) []byte {
	b := make([]byte, 0, len(records)*segIndexEntry+segEnd)
	for _, r := range records {
		b = append(b, r.blk.ID[:]...)
		b = le.AppendUint64(b, uint64(r.off))
		b = le.AppendUint32(b, r.blk.Length)
	}
	b = le.AppendUint64(b, uint64(off))
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, segEndMagic...)
}

// parseSegEnd gives where the index of a full segment begins; size is that of the file.
func parseSegEnd(end []byte, size int64) (int64, bool) {
	if len(end) != segEnd || string(end[12:]) != segEndMagic {
		return 0, false
	}
	off := int64(le.Uint64(end))
	ok := off >= segHeader && off <= size-segEnd && (size-segEnd-off)%segIndexEntry == 0
	return off, ok
}

// parseIndex reads the index with the end behind it, which together begin at off.
func parseIndex(data []byte, off int64) ([]located, bool) {
	if len(data) < segEnd {
		return nil, false
	}
	list, end := data[:len(data)-segEnd], data[len(data)-segEnd:]
	if crc32.Checksum(data[:len(data)-12], castagnoli) != le.Uint32(end[8:]) || len(list)%segIndexEntry != 0 {
		return nil, false
	}
	records := make([]located, 0, len(list)/segIndexEntry)
	for ; len(list) > 0; list = list[segIndexEntry:] {
		r := located{off: int64(le.Uint64(list[16:]))}
		r.blk.ID, r.blk.Length = namespace.BlockID(list[:16]), le.Uint32(list[24:])
		if r.blk.Length == 0 || r.blk.Length > MaxSmall || r.off < segHeader || r.off > off-recordSize(r.blk.Length) {
			return nil, false
		}
		records = append(records, r)
	}
	return records, true
}

// footer is what follows a large block in its file.
type footer struct {
	blk  namespace.Block
	sums []byte // 4 a chunk
}

func (f footer) sum(chunk int) uint32 { return le.Uint32(f.sums[4*chunk:]) }

func encodeFooter(blk namespace.Block, sums []byte) []byte {
	b := append(make([]byte, 0, len(sums)+ownEnd), sums...)
	b = append(b, blk.ID[:]...)
	b = le.AppendUint64(b, uint64(blk.Length))
	b = le.AppendUint32(b, blk.CRC)
	b = le.AppendUint32(b, crc32.Checksum(b, castagnoli))
	return append(b, ownMagic...)
}

// footerSize is the bytes after a large block of the given length.
func footerSize(length uint32) int64 { return 4*int64(chunksOf(length)) + ownEnd }

// parseFooter reads what follows a block of the given length.
func parseFooter(b []byte, length uint32) (footer, bool) {
	n := 4 * chunksOf(length)
	if int64(len(b)) != footerSize(length) || string(b[len(b)-8:]) != ownMagic ||
		crc32.Checksum(b[:len(b)-12], castagnoli) != le.Uint32(b[len(b)-12:]) || le.Uint64(b[n+16:]) != uint64(length) {
		return footer{}, false
	}
	return footer{
		blk:  namespace.Block{ID: namespace.BlockID(b[n : n+16]), Length: length, CRC: le.Uint32(b[n+24:])},
		sums: b[:n:n],
	}, true
}

// lengthOf gives the length of the block in a file of the given size, which its footer must confirm.
func lengthOf(size int64) (uint32, bool) {
	rest := size - ownEnd
	if rest < 1+4 || rest > namespace.MaxBlock+4*namespace.MaxBlock/Chunk {
		return 0, false
	}
	// length + 4*ceil(length/Chunk) = rest has at most one solution.
	length := rest - 4*((rest+Chunk+3)/(Chunk+4))
	if length < 1 || length+4*int64(chunksOf(uint32(length))) != rest {
		return 0, false
	}
	return uint32(length), true
}
