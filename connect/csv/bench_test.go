package csv_test

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"io"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/internal/gen"
)

func signs(b *testing.B, rows int64) []byte {
	b.Helper()
	var buf bytes.Buffer
	if err := gen.Signs(&buf, rows, 1); err != nil {
		b.Fatal(err)
	}
	return buf.Bytes()
}

// BenchmarkScan reads traffic signs on one core: none, two and all of twenty columns.
func BenchmarkScan(b *testing.B) {
	data := signs(b, 100_000)
	run := func(name string, cols ...int) {
		b.Run(name, func(b *testing.B) {
			src, err := csv.Open(context.Background(), conntest.File{Data: data}, "signs.csv", "csv", connect.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer src.Close()
			scan := connect.Scan{Alloc: memory.DefaultAllocator}
			for _, c := range cols {
				scan.Columns = append(scan.Columns, connect.Column{Index: c})
			}
			splits, _ := src.Splits(0)
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				for _, s := range splits {
					drain(b, src, s, scan)
				}
			}
		})
	}
	run("columns=0")
	run("columns=2", 6, 8)
	run("columns=20", 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19)
}

func drain(b *testing.B, src connect.Source, s connect.Split, scan connect.Scan) {
	r, err := src.Open(context.Background(), s, scan)
	if err != nil {
		b.Fatal(err)
	}
	defer r.Close()
	for {
		batch, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			b.Fatal(err)
		}
		batch.Release()
	}
}

// BenchmarkEncodingCSV is what the standard library takes for the same.
func BenchmarkEncodingCSV(b *testing.B) {
	data := signs(b, 100_000)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		r := stdcsv.NewReader(bytes.NewReader(data))
		r.ReuseRecord = true
		for {
			if _, err := r.Read(); err != nil {
				break
			}
		}
	}
}
