package csv

import (
	"bytes"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/scan"
)

// firstRow parts the first row of data into its fields, slowly and carefully.
// ok is false where data does not hold the whole row and is not the last of
// the file; next is where the second row begins.
func (d *dialect) firstRow(data []byte, last bool) (fields []string, next int, ok bool, err error) {
	line := int64(1)
	for i := 0; ; {
		var field []byte
		if d.quoting && i < len(data) && data[i] == d.quote {
			open := line
			n, closed := d.quotedEnd(data[i+1:])
			if !closed {
				if !last {
					return nil, 0, false, nil
				}
				return nil, 0, false, &connect.Error{Line: open, Msg: "a quote that opens here is never closed", Hint: "close it; quote = '' turns quoting off"}
			}
			field = d.unescape(nil, data[i+1:i+1+n])
			line += int64(bytes.Count(field, []byte{'\n'}))
			i += n + 2
		} else {
			n := bytes.IndexAny(data[i:], string([]byte{d.sep, '\n'}))
			if n < 0 {
				n = len(data) - i
			}
			field = bytes.TrimSuffix(data[i:i+n], []byte{'\r'})
			if n < len(data)-i && data[i+n] == d.sep {
				field = data[i : i+n]
			}
			if d.quoting && bytes.IndexByte(field, d.quote) >= 0 {
				return nil, 0, false, &connect.Error{Line: line, Msg: "a quote opens within a field", Hint: "double a quote inside a quoted field; quote = '' turns quoting off"}
			}
			i += n
		}
		fields = append(fields, string(field))
		if bytes.HasPrefix(data[i:], []byte("\r\n")) || last && string(data[i:]) == "\r" {
			i++
		}
		switch {
		case i >= len(data):
			return fields, len(data), last, nil
		case data[i] == '\n':
			return fields, i + 1, true, nil
		case data[i] != d.sep:
			return nil, 0, false, &connect.Error{Line: line, Msg: "text follows a closing quote within a field", Hint: "double a quote inside a quoted field; quote = '' turns quoting off"}
		}
		i++
	}
}

// quotedEnd returns the length of quoted content, up to the quote that closes it.
func (d *dialect) quotedEnd(b []byte) (n int, closed bool) {
	for i := 0; i < len(b); i++ {
		if b[i] != d.quote {
			continue
		}
		if i+1 < len(b) && b[i+1] == d.quote {
			i++
			continue
		}
		return i, true
	}
	return 0, false
}

// readFirstRow reads the first row of a file and where the second begins.
func (d *dialect) readFirstRow(in scan.Input, display string) (fields []string, from, next int64, err error) {
	for n := 64 << 10; ; n *= 4 {
		head, eof, err := scan.ReadHead(in, 0, n)
		if err != nil {
			return nil, 0, 0, scan.ReadError(err, display)
		}
		bom, err := scan.CheckHead(head, display)
		if err != nil {
			return nil, 0, 0, err
		}
		if eof && len(head) == bom {
			return nil, int64(bom), int64(bom), nil
		}
		fields, next, ok, err := d.firstRow(head[bom:], eof)
		if err != nil {
			return nil, 0, 0, connect.WithFile(err, display)
		}
		if i := bytes.IndexByte(head, '\r'); ok && i >= 0 && i < len(head)-1 && bytes.IndexByte(head, '\n') < 0 {
			return nil, 0, 0, &connect.Error{File: display, Line: 1, Msg: "its lines end in CR alone", Hint: "convert it first: tr '\\r' '\\n'"}
		}
		if ok {
			return fields, int64(bom), int64(bom + next), nil
		}
		if n >= scan.MaxRow {
			return nil, 0, 0, &connect.Error{File: display, Line: 1, Msg: "the first row does not end within 64 MB", Hint: "a quote may be left open; quote = '' turns quoting off"}
		}
	}
}
