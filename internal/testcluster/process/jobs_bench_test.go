package process

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/internal/gen"
	"github.com/rainsql/rainsql/internal/testcluster"
)

// BenchmarkJobs runs queries over a gigabyte with the program alone and on three servers, which share this machine's processors, by turns. It tells the
// medians, and the cluster's as a multiple of the other. make bench-jobs.
func BenchmarkJobs(b *testing.B) {
	const rows = 5_300_000 // 1.0 GB as csv
	bin := program(b)
	c := New(b, bin, Options{Servers: 3})
	dir := b.TempDir()
	csv := filepath.Join(dir, "big.csv")
	f, err := os.Create(csv)
	if err == nil {
		err = gen.Signs(f, rows, 1)
	}
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		b.Fatal(err)
	}
	run := func(args ...string) time.Duration {
		b.Helper()
		cmd := exec.Command(bin, args...)
		cmd.Dir = dir
		began := time.Now()
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v: %v\n%s", args, err, out)
		}
		return time.Since(began)
	}
	run("-c", "FROM './big.csv' INTO './big.parquet'")
	cl := c.Client(0)
	s := files.Open(cl)
	for _, name := range []string{"big.csv", "big.parquet"} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			b.Fatal(err)
		}
		testcluster.Put(b, s, name, data)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	for name, query := range map[string]string{
		"count":    "AGGREGATE count(*) AS n",
		"few keys": "AGGREGATE count(*) AS n BY Category SORT n",
		"all keys": "AGGREGATE count(*) AS n BY OBJECTID AGGREGATE sum(n) AS s",
		"filter":   "FILTER Category = 'Warning' AND OBJECTID % 1000 = 7",
		"top":      "SORT OBJECTID DESC LIMIT 10",
	} {
		for _, format := range []string{"csv", "parquet"} {
			b.Run(fmt.Sprintf("%s/%s", format, name), func(b *testing.B) {
				var alone, together []time.Duration
				for range b.N {
					alone = append(alone, run("-c", fmt.Sprintf("FROM './big.%s' %s", format, query)))
					together = append(together, run("--connect", c.Servers[0].Addr(), "-c", fmt.Sprintf("FROM 'big.%s' %s", format, query)))
				}
				slices.Sort(alone)
				slices.Sort(together)
				a, t := alone[len(alone)/2], together[len(together)/2]
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(a.Seconds(), "alone-s")
				b.ReportMetric(t.Seconds(), "cluster-s")
				b.ReportMetric(t.Seconds()/a.Seconds(), "ratio")
			})
		}
	}
}
