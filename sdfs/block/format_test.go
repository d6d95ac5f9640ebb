package block

import (
	"bytes"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

func TestLengthOf(t *testing.T) {
	for _, length := range []uint32{1, 2, Chunk - 1, Chunk, Chunk + 1, 7*Chunk - 3, 7 * Chunk, 100*Chunk + 5, namespace.MaxBlock - 1, namespace.MaxBlock} {
		if got, ok := lengthOf(int64(length) + footerSize(length)); !ok || got != length {
			t.Errorf("a block of %d bytes is taken for one of %d (%t)", length, got, ok)
		}
	}
	for _, size := range []int64{0, ownEnd, ownEnd + 4, Chunk + 1 + 4 + ownEnd, namespace.MaxBlock * 2} {
		if got, ok := lengthOf(size); ok {
			t.Errorf("a file of %d bytes is taken for a block of %d", size, got)
		}
	}
}

// segmentOf is the bytes of a full segment with blocks of these sizes.
func segmentOf(sizes ...int) ([]byte, []located) {
	data := encodeSegHeader(1)
	var records []located
	for i, n := range sizes {
		rec, blk := encodeRecord(namespace.BlockID{byte(i + 1)}, bytes.Repeat([]byte{byte(i)}, n))
		records = append(records, located{blk: blk, off: int64(len(data))})
		data = append(data, rec...)
	}
	return append(data, encodeSegEnd(records, int64(len(data)))...), records
}

func TestParseSegment(t *testing.T) {
	data, records := segmentOf(10, Chunk+5, 1, 300)
	body := records[3].off + recordSize(300)
	l := parseSegment(data[:body], 1)
	if !slices.Equal(l.records, records) || len(l.gaps) > 0 {
		t.Errorf("found %v, gaps %v", l.records, l.gaps)
	}
	// A damaged head hides its own record only.
	bad := slices.Clone(data[:body])
	bad[records[1].off+9] ^= 1
	l = parseSegment(bad, 1)
	if want := []located{records[0], records[2], records[3]}; !slices.Equal(l.records, want) ||
		!slices.Equal(l.gaps, []gap{{records[1].off, records[2].off}}) {
		t.Errorf("behind damage: found %v, gaps %v", l.records, l.gaps)
	}
	off, ok := parseSegEnd(data[len(data)-segEnd:], int64(len(data)))
	if !ok || off != body {
		t.Fatalf("the index is at %d (%t), want %d", off, ok, body)
	}
	index, ok := parseIndex(data[off:], off)
	for i := range index {
		index[i].blk.CRC = records[i].blk.CRC
	}
	if !ok || !slices.Equal(index, records) {
		t.Errorf("the index says %v (%t)", index, ok)
	}
}

func FuzzSegment(f *testing.F) {
	data, _ := segmentOf(10, Chunk+5, 1)
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		size := int64(len(data))
		at := int64(min(segHeader, len(data)))
		l := parseSegment(data, 1)
		for _, r := range l.records {
			if r.off < at || r.off+recordSize(r.blk.Length) > size {
				t.Fatalf("a record at %d overlaps or ends outside", r.off)
			}
			at = r.off + recordSize(r.blk.Length)
			badChunk(data[r.off:at], r.blk)
		}
		if len(data) >= segEnd {
			if off, ok := parseSegEnd(data[len(data)-segEnd:], size); ok {
				if index, ok := parseIndex(data[off:], off); ok {
					for _, r := range index {
						if r.off+recordSize(r.blk.Length) > off {
							t.Fatal("the index points behind the records")
						}
					}
				}
			}
		}
	})
}

func FuzzFooter(f *testing.F) {
	f.Add(encodeFooter(namespace.Block{Length: Chunk + 1}, make([]byte, 8)), uint32(Chunk+1))
	f.Fuzz(func(t *testing.T, data []byte, length uint32) {
		length = length%namespace.MaxBlock + 1
		foot, ok := parseFooter(data, length)
		if !ok {
			return
		}
		if !bytes.Equal(encodeFooter(foot.blk, foot.sums), data) {
			t.Fatal("a footer does not read back as it was written")
		}
		foot.sum(chunksOf(length) - 1)
	})
}
