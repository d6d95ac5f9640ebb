package arrowipc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxBuffer bounds what one compressed buffer may unpack to.
const maxBuffer = 1 << 30

// zstdDecoder is shared: DecodeAll may be called concurrently. It decodes in
// the goroutine of the caller.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxWindow(maxBuffer))
})

var errSize = errors.New("a buffer does not unpack to the size it declares")

// unpack returns the content of a compressed buffer: its size, then the rest.
// What it declares is compared with what the codec can express.
func unpack(mem memory.Allocator, codec int8, src []byte) (*memory.Buffer, error) {
	if len(src) < 8 {
		return nil, errSize
	}
	n := int64(binary.LittleEndian.Uint64(src))
	src = src[8:]
	ratio := int64(256) // lz4: a byte adds 255 to a length
	if codec == codecZstd {
		ratio = 1 << 15 // four bytes repeat one 128 K times
	}
	if n < 0 || n > maxBuffer || n > 64+int64(len(src))*ratio {
		return nil, fmt.Errorf("a buffer declares that its %d bytes unpack to %d, which they cannot", len(src), n)
	}
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(int(n))
	if err := unpackInto(buf.Bytes(), codec, src); err != nil {
		buf.Release()
		return nil, err
	}
	return buf, nil
}

func unpackInto(dst []byte, codec int8, src []byte) error {
	if codec == codecZstd {
		d, err := zstdDecoder()
		if err != nil {
			return err
		}
		out, err := d.DecodeAll(src, dst[:0:len(dst)])
		if err == nil && (len(out) != len(dst) || len(out) > 0 && &out[0] != &dst[0]) {
			err = errSize
		}
		return err
	}
	r := lz4.NewReader(bytes.NewReader(src))
	if _, err := io.ReadFull(r, dst); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errSize
		}
		return err
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 || err != nil && !errors.Is(err, io.EOF) {
		return errors.Join(errSize, err)
	}
	return nil
}
