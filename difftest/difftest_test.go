package main

import (
	"bytes"
	"testing"

	"github.com/rainsql/rainsql/difftest/both"
)

// TestAgainstDuckDB runs some 1,500 random queries, always the same: a test does
// not fail by chance. New ones are for make differential.
func TestAgainstDuckDB(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, seed := range []uint64{1, 2, 3} {
		var out bytes.Buffer
		res, err := both.Run(both.Options{Queries: 500, Seed: seed, MaxDiffs: 3, Workers: 2, Out: &out})
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

// TestOnCluster runs some of them on three servers, too.
func TestOnCluster(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := both.StartCluster(t.TempDir(), 3)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	var out bytes.Buffer
	res, err := both.Run(both.Options{Queries: 250, Seed: 4, MaxDiffs: 3, Workers: 2, Cluster: c, Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range res.Reports {
		t.Errorf("%s", r)
	}
	if res.Agreed < res.Queries/2 {
		t.Errorf("of %d queries only %d could be compared", res.Queries, res.Agreed)
	}
}
