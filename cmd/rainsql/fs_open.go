package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/sdfs"
)

// fileStore is what the commands of fs work on: the embedded store or a cluster's.
type fileStore struct {
	*sdfs.Store
	embedded *sdfs.Embedded // nil: it is a cluster's
	remote   *files.Remote  // nil: it is the embedded one
	client   *client.Client // of the cluster
}

// localNode is what the one node of the embedded store is called.
const localNode = "local"

// clustered tells whether the commands work on a cluster.
func (f *fsFlags) clustered(cmd *cobra.Command) (bool, error) {
	if err := f.common.check(); err != nil {
		return false, err
	}
	if f.format != "" {
		if err := render.Check(f.format); err != nil { // before a check of hours
			return false, usageError{err}
		}
	}
	return f.cluster.meant(cmd)
}

// with runs something on the store, and closes it.
func (f *fsFlags) with(cmd *cobra.Command, run func(context.Context, *fileStore) error) (err error) {
	clustered, err := f.clustered(cmd)
	if err != nil {
		return err
	}
	ctx := cmd.Context()
	if clustered {
		return f.withCluster(ctx, run)
	}
	e := f.engine()
	defer func() { err = errors.Join(err, e.Close()) }()
	s, err := e.Store(ctx)
	if err != nil {
		return err
	}
	return run(ctx, &fileStore{Store: s.Store, embedded: s})
}

func (f *fsFlags) withCluster(ctx context.Context, run func(context.Context, *fileStore) error) error {
	cl, r, err := f.cluster.store(ctx)
	if err != nil {
		return err
	}
	defer cl.Close()
	defer r.Close() //nolint:errcheck // it is open
	return f.cluster.explain(ctx, run(ctx, &fileStore{Store: r.Store, remote: r, client: cl}))
}

// node finds the server that a name, or the beginning of an id, means. One that is down is none.
func (s *fileStore) node(ctx context.Context, text string) (state.ID, error) {
	resp, err := s.client.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
	if err != nil {
		return state.ID{}, err
	}
	id, err := findNode(resp.GetNodes(), text, true)
	if err != nil {
		var names []string
		for _, n := range resp.GetNodes() {
			if n.GetStatus() != state.Evicted.String() {
				names = append(names, n.GetName())
			}
		}
		slices.Sort(names)
		return id, fmt.Errorf("%w (%s)", err, strings.Join(names, ", "))
	}
	for _, n := range resp.GetNodes() {
		if state.ID(n.GetId()) == id && n.GetStatus() == state.Down.String() {
			return id, fmt.Errorf("node %s is down", n.GetName())
		}
	}
	return id, nil
}

// embeddedNode refuses what is no node of the embedded store.
func embeddedNode(text string) error {
	if text != localNode {
		return usagef("no node %q: the embedded store has one, %s; --connect names a cluster", text, localNode)
	}
	return nil
}

// names lists the files whose names begin so, for Tab, which shows no errors and waits for no one.
func (f *fsFlags) names(cmd *cobra.Command, word string) []string {
	clustered, err := f.clustered(cmd)
	if err != nil {
		return nil
	}
	var list []sdfs.Info
	if clustered {
		f.cluster.wait = time.Second
		err = f.withCluster(cmd.Context(), func(ctx context.Context, s *fileStore) error {
			list, err = s.List(ctx, word+"**")
			return err
		})
	} else {
		e := f.engine()
		list, err = e.Files(cmd.Context(), "")
		err = errors.Join(err, e.Close())
	}
	if err != nil {
		return nil
	}
	var names []string
	for _, info := range list {
		if strings.HasPrefix(info.Name, word) {
			names = append(names, info.Name)
		}
	}
	return names
}

// find lists the files that a pattern means. Looking makes no embedded store where there is none.
func (f *fsFlags) find(cmd *cobra.Command, pattern string) (list []sdfs.Info, err error) {
	clustered, err := f.clustered(cmd)
	if err != nil {
		return nil, err
	}
	if !clustered {
		e := f.engine()
		list, err = e.Files(cmd.Context(), pattern)
		return list, errors.Join(err, e.Close())
	}
	err = f.withCluster(cmd.Context(), func(ctx context.Context, s *fileStore) error {
		list, err = engine.Find(ctx, s.Store, pattern)
		return err
	})
	return list, err
}
