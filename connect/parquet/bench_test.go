package parquet

import (
	"context"
	"errors"
	"io"
	"os"
	"strconv"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
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

// million makes a million rows of what files mostly hold.
func million(b *testing.B) (types.Schema, []arrow.Array) {
	const rows = 1_000_000
	mem := memory.DefaultAllocator
	id, price := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, rows), vec.NewFixed[float64](mem, arrow.PrimitiveTypes.Float64, rows)
	city, note := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows), vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows)
	for i := range rows {
		id.Values[i], price.Values[i] = int64(i), float64(i*7919%100_003)/100
		city.AppendString([]string{"Aachen", "Berlin", "Chemnitz", "Frankfurt am Main"}[i*31%4])
		note.AppendString("note number " + strconv.Itoa(i*7919%1_000_003))
	}
	cols := []arrow.Array{id.Finish(), price.Finish(), city.Finish(), note.Finish()}
	b.Cleanup(func() { vec.ReleaseAll(cols) })
	return types.Schema{{Name: "id", Type: types.INT}, {Name: "price", Type: types.FLOAT}, {Name: "city", Type: types.STRING}, {Name: "note", Type: types.STRING}}, cols
}

// BenchmarkMillion writes and reads a million rows of four columns.
func BenchmarkMillion(b *testing.B) {
	schema, cols := million(b)
	data := writeTable(b, schema, cols, 8192, 0)
	b.Run("write", func(b *testing.B) {
		b.ReportMetric(float64(len(data)), "file-bytes")
		for b.Loop() {
			writeTable(b, schema, cols, 8192, 0)
		}
	})
	b.Run("read", func(b *testing.B) {
		src := open(b, data, connect.Options{})
		for b.Loop() {
			if rows := drain(b, src, connect.Scan{Columns: conntest.Columns(src), Alloc: memory.DefaultAllocator}); rows != 1_000_000 {
				b.Fatal(rows)
			}
		}
	})
}
