package scan

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"

	"github.com/rainsql/rainsql/connect"
)

// ReadError returns what tells a user that reading the file display failed. An
// input may have told it better already.
func ReadError(err error, display string) error {
	if told := (*connect.Error)(nil); errors.As(err, &told) {
		return connect.WithFile(err, display)
	}
	return &connect.Error{File: display, Msg: "read failed: " + err.Error(), Err: err}
}

// ReadHead reads up to n bytes from off on; eof tells that the file ends with them.
func ReadHead(in Input, off int64, n int) (head []byte, eof bool, err error) {
	if size := in.Size(); size >= 0 {
		n = int(min(int64(n), size-off+1))
	}
	head = make([]byte, n)
	got, err := in.ReadAt(head, off)
	if errors.Is(err, io.EOF) {
		return head[:got], true, nil
	}
	return head[:got], false, err
}

// TextStart returns where the text of a file begins, behind a byte order mark,
// or an error if this is not text that can be read.
func TextStart(in Input, display string) (int64, error) {
	head, _, err := ReadHead(in, 0, enoughHead)
	if err != nil {
		return 0, ReadError(err, display)
	}
	bom, err := CheckHead(head, display)
	return int64(bom), err
}

// enoughHead is how much of a file is looked at for signs that it is no text.
const enoughHead = 4096

// BOM is the mark of UTF-8 that some programs put before the first byte.
var BOM = []byte("\xEF\xBB\xBF")

// CheckHead looks at the first bytes of what should be text. It returns how
// long a byte order mark is, which is not part of the text, or an error if
// this is not text that can be read.
func CheckHead(head []byte, display string) (bom int, err error) {
	switch {
	case bytes.HasPrefix(head, BOM):
		bom = len(BOM)
	case bytes.HasPrefix(head, []byte("\xFF\xFE")), bytes.HasPrefix(head, []byte("\xFE\xFF")):
		return 0, &connect.Error{File: display, Msg: "is UTF-16 text", Hint: "convert it first: iconv -f UTF-16 -t UTF-8"}
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return 0, &connect.Error{File: display, Msg: "is compressed with gzip", Hint: "say so: its name ends in .gz, or (format = 'csv.gz')"}
	case bytes.HasPrefix(head, []byte("\x28\xB5\x2F\xFD")):
		return 0, &connect.Error{File: display, Msg: "is compressed with zstd", Hint: "say so: its name ends in .zst, or (format = 'csv.zst')"}
	case bytes.HasPrefix(head, []byte("PAR1")):
		return 0, &connect.Error{File: display, Msg: "is a Parquet file", Hint: "format = 'parquet' says so"}
	}
	if i := bytes.IndexByte(head[:min(len(head), enoughHead)], 0); i >= 0 {
		line := int64(bytes.Count(head[:i], []byte{'\n'})) + 1
		return 0, &connect.Error{File: display, Line: line, Msg: "holds NUL bytes, so it is not text", Hint: "give its true format: (format = '…')"}
	}
	return bom, nil
}

// BeginLines is Walker.Begin for formats whose rows are lines: pos is where the
// first begins, 0 if none does.
func BeginLines(c Chunk) (b Begun, pos int) {
	b.High = high(c.Data)
	if c.Mid {
		if pos = bytes.IndexByte(c.Data, '\n') + 1; pos == 0 {
			b.Start = -1
		} else {
			b.Start = pos
		}
	}
	return b, pos
}

// high reports whether data has a byte beyond ASCII.
func high(data []byte) bool {
	var or uint64
	for len(data) >= 8 {
		or |= binary.LittleEndian.Uint64(data)
		data = data[8:]
	}
	for _, c := range data {
		or |= uint64(c)
	}
	return or&0x8080808080808080 != 0
}
