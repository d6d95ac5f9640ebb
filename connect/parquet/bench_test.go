package parquet

import (
	"context"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/local"
)

const flights = "../../../shared/data/flights-3m.parquet"

// BenchmarkFlights reads three columns of three million rows.
func BenchmarkFlights(b *testing.B) {
	if _, err := os.Stat(flights); err != nil {
		b.Skip("shared data is absent: ", err)
	}
	for _, bench := range []struct {
		name string
		cols []connect.Column
	}{
		{"three", []connect.Column{{Index: 1}, {Index: 2}, {Index: 3}}},
		{"all", []connect.Column{{Index: 0}, {Index: 1}, {Index: 2}, {Index: 3}, {Index: 4}}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			for b.Loop() {
				f, err := local.Open(flights, flights)
				if err != nil {
					b.Fatal(err)
				}
				src, err := Open(context.Background(), f, flights, connect.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if rows := drain(b, src, connect.Scan{Columns: bench.cols, Alloc: memory.DefaultAllocator}); rows != 3_000_000 {
					b.Fatal(rows)
				}
				src.Close()
			}
		})
	}
}

// drain reads all splits and counts rows.
func drain(tb testing.TB, src connect.Source, scan connect.Scan) (rows int) {
	tb.Helper()
	splits, err := src.Splits(0)
	if err != nil {
		tb.Fatal(err)
	}
	for _, s := range splits {
		r, err := src.Open(context.Background(), s, scan)
		if err != nil {
			tb.Fatal(err)
		}
		for {
			batch, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				tb.Fatal(err)
			}
			rows += batch.Rows
			batch.Release()
		}
		r.Close()
	}
	return rows
}
