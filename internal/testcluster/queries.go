package testcluster

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/sdfs"
)

// Queries runs a test, in a bubble, with the file store of a cluster of n servers and an engine whose queries run there.
func Queries(t *testing.T, n int, test func(t *testing.T, s *sdfs.Store, cfg engine.Config)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := New(t, n)
		defer c.Close()
		cl := c.Client()
		s := files.Open(cl)
		defer func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, s, engine.Config{Parallelism: 4, SplitBytes: 16, Files: s, Remote: true, Run: query.Runner(cl)})
	})
}

// Put makes a file of a store.
func Put(t testing.TB, s *sdfs.Store, name string, data []byte) {
	t.Helper()
	w, err := s.Create(context.Background(), name, sdfs.Replace)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Commit(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
}
