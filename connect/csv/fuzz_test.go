package csv_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/expr/types"
)

// reference parts a file into rows the slow and obvious way, byte by byte. ok
// is false where quotes stand in the wrong place.
func reference(data string) (rows [][]string, ok bool) {
	data = strings.TrimPrefix(data, "\xEF\xBB\xBF")
	var row []string
	for i := 0; i < len(data) || row != nil; {
		field, quoted := "", false
		if i < len(data) && data[i] == '"' {
			quoted = true
			for i++; ; i++ {
				if i >= len(data) {
					return nil, false
				}
				if data[i] == '"' {
					if i+1 >= len(data) || data[i+1] != '"' {
						i++
						break
					}
					i++
				}
				field += data[i : i+1]
			}
		} else {
			for i < len(data) && data[i] != ',' && data[i] != '\n' {
				if data[i] == '"' {
					return nil, false
				}
				field += data[i : i+1]
				i++
			}
		}
		end := i >= len(data) || data[i] == '\n'
		if end && !quoted {
			field = strings.TrimSuffix(field, "\r")
		}
		if quoted && !end && data[i] == '\r' && (i+1 == len(data) || data[i+1] == '\n') {
			end = true
			i++
		}
		if field == "" && !quoted {
			field = conntest.Null
		}
		row = append(row, field)
		switch {
		case end:
			rows = append(rows, row)
			row = nil
		case data[i] != ',':
			return nil, false
		}
		i++
	}
	return rows, true
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{
		"a,b\n1,2\n", "a\n\n\"x\"\"y\"\r\n", "a,b\n\"1\n,\",2\r\n,\"\"", "a,b\n\"1\"x,2\n", "\xEF\xBB\xBFa\n1", "a,b\n1\n\"\",\"\"\"\"\n", "a,b\n1,\r\n\r\n\r\r\n",
	} {
		f.Add(s, uint16(3))
	}
	f.Fuzz(func(t *testing.T, data string, split uint16) {
		if len(data) > 2000 {
			return
		}
		ctx := context.Background()
		src, err := csv.Open(ctx, conntest.File{Data: []byte(data)}, "f", "csv", connect.Options{})
		if err != nil {
			return
		}
		src.Close()
		// All columns as bytes: how rows and fields are found, not what types they have.
		o := connect.Options{}
		for _, c := range src.Schema() {
			o.Columns = append(o.Columns, types.Field{Name: c.Name, Type: types.BYTES})
		}
		src, err = csv.Open(ctx, conntest.File{Data: []byte(data)}, "f", "csv", o)
		if err != nil {
			t.Fatal(err)
		}
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		whole, err := conntest.ReadRaw(src, 0, alloc)
		parts, partErr := conntest.ReadRaw(src, int64(split%97)+1, alloc)
		n, countErr := conntest.Read(src, int64(split%31)+1, alloc, nil, 0)
		src.Close()
		alloc.AssertSize(t, 0)
		if (err == nil) != (partErr == nil) || (err == nil) != (countErr == nil) {
			t.Fatalf("whole: %v; in parts: %v; counted: %v", err, partErr, countErr)
		}
		want, ok := reference(data)
		if err != nil {
			if ok && !slices.ContainsFunc(want, func(r []string) bool { return len(r) != len(want[0]) }) {
				t.Fatalf("error %v for %q", err, want)
			}
			return
		}
		if !ok {
			t.Fatalf("read what the reference refuses: %q", whole)
		}
		width := len(want[0])
		want = slices.DeleteFunc(want[1:], func(r []string) bool { return width > 1 && len(r) == 1 && r[0] == conntest.Null })
		if !slices.EqualFunc(whole, want, slices.Equal) || !slices.EqualFunc(parts, want, slices.Equal) || n.Count != len(want) {
			t.Fatalf("whole %q\nparts %q\ncount %d\nwant %q", whole, parts, n.Count, want)
		}
	})
}
