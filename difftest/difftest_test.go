package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/rainsql/rainsql/difftest/both"
)

// TestAgainstDuckDB runs some 1,500 random queries: some always the same,
// some that nobody has run before.
func TestAgainstDuckDB(t *testing.T) {
	t.Chdir(t.TempDir())
	fresh := uint64(time.Now().UnixNano())%1_000_000 + 1
	for _, seed := range []uint64{1, 2, fresh} {
		t.Logf("seed %d", seed)
		var out bytes.Buffer
		res, err := both.Run(both.Options{Queries: 500, Seed: seed, MaxDiffs: 3, Workers: 2, Out: &out, Duration: 15 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res.Reports {
			t.Errorf("%s", r)
		}
		if res.Agreed < res.Queries/2 {
			t.Errorf("seed %d: of %d queries only %d could be compared", seed, res.Queries, res.Agreed)
		}
	}
}
