package testcluster

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
)

// TestQuery: a query over a file of the cluster gives what it should, by way of any server.
func TestQuery(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		cl := c.Client(1)
		s := files.Open(cl)
		defer s.Close()
		var text strings.Builder
		text.WriteString("n,word\n")
		for i := range 20000 {
			fmt.Fprintf(&text, "%d,w%d\n", i, i%7)
		}
		put(t, s, "numbers.csv", []byte(text.String()))
		cfg := engine.Config{Parallelism: 4, SplitBytes: 10000, Files: s, Remote: true, Run: query.Runner(cl)}
		for _, src := range []string{
			"FROM 'numbers.csv' AGGREGATE count(*) AS n, sum(n) AS s",
			"FROM 'numbers.csv' AGGREGATE sum(n) AS s GROUP BY word SORT word",
			"FROM 'numbers.csv' FILTER n % 5000 = 1",
			"FROM 'numbers.csv' SORT n DESC LIMIT 3",
		} {
			out, err := enginetest.Run(t, cfg, nil, "test.rql", src)
			t.Log(src, "\n", out, err)
		}
	})
}
