// Package codec packs and unpacks pages. What comes out of a page is written
// into memory whose size the caller has set, never more: a page cannot make it
// allocate by what it claims.
package codec

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/s2"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

var names = [...]string{"uncompressed", "snappy", "gzip", "lzo", "brotli", "lz4", "zstd", "lz4_raw"}

// Check returns an error that names the codec if Unpack does not know it.
func Check(c meta.Codec) error {
	switch c {
	case meta.Uncompressed, meta.Snappy, meta.Gzip, meta.Brotli, meta.Zstd, meta.LZ4, meta.LZ4Raw:
		return nil
	case meta.LZO:
		return fmt.Errorf("is compressed with %s, which cannot be read", names[c])
	}
	return fmt.Errorf("is compressed with an unknown codec (%d)", c)
}

// MaxUnpacked is the most bytes that packed ones can plausibly become: what
// each format can express, with room to spare.
func MaxUnpacked(c meta.Codec, packed int) int64 {
	ratio := int64(1)
	switch c {
	case meta.Snappy: // three bytes copy 64
		ratio = 32
	case meta.LZ4, meta.LZ4Raw: // a byte adds 255 to a length
		ratio = 256
	case meta.Gzip:
		ratio = 1100
	case meta.Zstd: // four bytes repeat one 128 K times
		ratio = 1 << 15
	case meta.Brotli: // a block of a few bytes repeats one 16 M times
		ratio = 1 << 22
	case meta.Uncompressed:
		return int64(packed)
	}
	return 64 + int64(packed)*ratio
}

// zstdDecoder is shared: DecodeAll may be called concurrently. It decodes in
// the goroutine of the caller.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(256<<20))
})

// MaxPage is the most bytes that a page may unpack to.
const MaxPage = 256 << 20

var errSize = errors.New("does not unpack to the size it declares")

// Unpack fills dst exactly with what src holds.
func Unpack(c meta.Codec, dst, src []byte) error {
	switch c {
	case meta.Uncompressed:
		if len(src) != len(dst) {
			return errSize
		}
		copy(dst, src)
		return nil
	case meta.Snappy:
		n, err := s2.DecodedLen(src)
		if err != nil {
			return err
		}
		if n != len(dst) {
			return errSize
		}
		_, err = s2.Decode(dst, src)
		return err
	case meta.Zstd:
		d, err := zstdDecoder()
		if err != nil {
			return err
		}
		out, err := d.DecodeAll(src, dst[:0:len(dst)])
		if err == nil && (len(out) != len(dst) || len(out) > 0 && &out[0] != &dst[0]) {
			err = errSize
		}
		return err
	case meta.LZ4Raw:
		if len(dst) == 0 {
			return nil
		}
		return rawLZ4(dst, src)
	case meta.LZ4:
		if hadoopLZ4(dst, src) == nil {
			return nil
		}
		return rawLZ4(dst, src) // as some programs wrote it
	case meta.Gzip:
		z, err := gzip.NewReader(bytes.NewReader(src))
		if err != nil {
			return err
		}
		return fill(dst, z)
	case meta.Brotli:
		return fill(dst, brotli.NewReader(bytes.NewReader(src)))
	}
	return Check(c)
}

func rawLZ4(dst, src []byte) error {
	n, err := lz4.UncompressBlock(src, dst)
	if err == nil && n != len(dst) {
		err = errSize
	}
	return err
}

// hadoopLZ4 unpacks what Hadoop's library wrote, before there was LZ4_RAW: how
// much comes, then blocks that make it up, each after its packed size.
func hadoopLZ4(dst, src []byte) error {
	left := uint32(0)
	number := func() (n uint32) {
		if len(src) >= 4 {
			n, src = binary.BigEndian.Uint32(src), src[4:]
		}
		return n
	}
	for len(dst) > 0 {
		for left == 0 {
			if len(src) < 8 {
				return errSize
			}
			left = number()
		}
		size := number()
		if uint64(size) > uint64(len(src)) || uint64(left) > uint64(len(dst)) {
			return errSize
		}
		n, err := lz4.UncompressBlock(src[:size], dst[:left])
		if err != nil || n == 0 {
			return errors.Join(errSize, err)
		}
		dst, src, left = dst[n:], src[size:], left-uint32(n)
	}
	if len(src) > 0 {
		return errSize
	}
	return nil
}

// fill reads dst and then the end, where checksums are.
func fill(dst []byte, r io.Reader) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errSize
		}
		return err
	}
	var more [1]byte
	n, err := io.ReadFull(r, more[:])
	switch {
	case n > 0:
		return errSize
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

// Pack appends src to dst, packed with snappy.
func Pack(dst, src []byte) []byte {
	at := len(dst)
	need := s2.MaxEncodedLen(len(src))
	if cap(dst)-at < need {
		grown := make([]byte, at, at+need)
		copy(grown, dst)
		dst = grown
	}
	out := s2.EncodeSnappy(dst[at:at+need], src)
	return dst[:at+len(out)]
}
