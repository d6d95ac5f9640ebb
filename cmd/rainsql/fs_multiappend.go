package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/sdfs"
)

const multiappendText = `Has each node append the file LOCAL of its own disk to NAME, all at once, each
as one append: whole or not at all, in whatever order they come. A relative
path is taken from where the node's server was started. It takes the role
admin: the file may be any that the server can read. What each appended is
told; if one fails the others count all the same, and the exit status is 1.

The embedded store has one node, local.`

// appendix is a file that a node is to append.
type appendix struct {
	node, path string
	id         state.ID // of the node, in a cluster
}

// multiappend appends files at once, each as one append: each whole, in any order.
func (f *fsFlags) multiappend(cmd *cobra.Command, args []string) error {
	name := args[0]
	var list []appendix
	for _, a := range args[1:] {
		node, path, ok := strings.Cut(a, "=")
		if !ok || node == "" || path == "" {
			return usagef("%q: write NODE=LOCAL", a)
		}
		list = append(list, appendix{node: node, path: path})
	}
	clustered, err := f.clustered(cmd)
	if err != nil {
		return err
	}
	for _, a := range list {
		if clustered {
			break
		}
		if err := embeddedNode(a.node); err != nil {
			return err
		}
	}
	if err := sdfs.CheckName(name); err != nil {
		return err
	}
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		if clustered {
			for i, a := range list {
				if list[i].id, err = s.node(ctx, a.node); err != nil {
					return err
				}
			}
		}
		errs := make([]error, len(list))
		said := make([]string, len(list))
		var all sync.WaitGroup
		for i, a := range list {
			all.Go(func() {
				if said[i], errs[i] = f.appendOne(ctx, s, a, name); errs[i] != nil {
					errs[i] = fmt.Errorf("%s was not appended: %w", a.path, errs[i])
				}
			})
		}
		all.Wait()
		for _, text := range said {
			if text != "" {
				fmt.Fprintln(f.std.err, text)
			}
		}
		return errors.Join(errs...)
	})
}

// appendOne has one node append its file, and gives what to tell of it.
func (f *fsFlags) appendOne(ctx context.Context, s *fileStore, a appendix, name string) (string, error) {
	if s.remote == nil {
		return "", f.upload(ctx, s, a.path, name, sdfs.Append)
	}
	n, err := s.remote.AppendLocal(ctx, a.id, a.path, name)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s: %s appended, %s", a.node, a.path, human.Bytes(n)), nil
}
