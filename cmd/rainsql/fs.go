package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/sdfs"
)

// fsFlags are the flags of `rainsql fs`.
type fsFlags struct {
	*common
	cluster clusterFlags
	format  string
	force   bool
	long    bool
	repair  bool
	from    string
}

func newFS(c *common) *cobra.Command {
	f := &fsFlags{common: c, cluster: clusterFlags{std: c.std}}
	c.names = f.names
	cmd := &cobra.Command{
		Use:   "fs",
		Short: "Put files into the file store, and look at what is there",
		Long: `The file store (SDFS) keeps files by name; a query reads and writes them by
their bare names: FROM 'logs/today.jsonl'. It lies in the folder --data, which
one process at a time holds, or, with --connect, on the servers of a cluster.

A pattern has * ? [a-z] {a,b} within a part of a name, and ** across its parts.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("fs has no command %q; 'rainsql fs --help' lists them", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f.cluster.where(cmd.PersistentFlags(), "HOST:PORT of one or more nodes of a cluster, whose files are meant (default $RAINSQL_CONNECT; without either the embedded store)")
	add := func(use, short string, least, most int, run func(cmd *cobra.Command, args []string) error) *cobra.Command {
		sub := &cobra.Command{Use: use, Short: short, Args: between(least, most), RunE: run}
		cmd.AddCommand(sub)
		return sub
	}
	put := add("put LOCAL NAME", "Copy a local file (- is standard input) into the store", 2, 2, f.put)
	put.Flags().BoolVarP(&f.force, "force", "f", false, "replace a file of that name")
	get := add("get NAME LOCAL", "Copy a file of the store to a local one (- is standard output)", 2, 2, f.get)
	get.Flags().BoolVarP(&f.force, "force", "f", false, "replace a local file of that name")
	get.Flags().StringVar(&f.from, "from", "", "node whose copies alone are read, to see whether they are there and whole")
	add("cat NAME…", "Write files to standard output", 1, -1, f.cat)
	add("append LOCAL NAME", "Append a local file, or - for standard input, to a stored one", 2, 2, f.append)
	add("multiappend NAME NODE=LOCAL…", "Have nodes append files of their own disks, all at once", 2, -1, f.multiappend).Long = multiappendText
	ls := add("ls [PATTERN]", "List the files", 0, 1, f.ls)
	ls.Flags().BoolVarP(&f.long, "long", "l", false, "with size, blocks and time")
	f.formatFlag(ls)
	f.formatFlag(add("stat NAME", "Describe a file", 1, 1, f.stat))
	locate := add("locate NAME", "List the blocks of a file and where their copies are", 1, 1, f.locate)
	locate.Long = locateText
	f.formatFlag(locate)
	store := add("store [NODE]", "List what each node holds, or the blocks that one holds", 0, 1, f.store)
	store.Long = storeText
	f.formatFlag(store)
	add("mv FROM TO", "Give a file another name", 2, 2, f.mv)
	rm := add("rm NAME…", "Remove files; a pattern removes all that it matches", 1, -1, f.rm)
	rm.Flags().BoolVarP(&f.force, "force", "f", false, "say nothing of names that are not there")
	add("merge NAME", "Join the small blocks of a file that many appends made", 1, 1, f.merge)
	check := add("check", "Read everything there is and tell what is damaged", 0, 0, f.check)
	check.Long = checkText
	check.Flags().BoolVar(&f.repair, "repair", false, "have nodes get the copies that lack (with --connect)")
	f.formatFlag(check)
	f.formatFlag(add("du", "Tell how much space the store takes", 0, 0, f.du))
	return cmd
}

func (f *fsFlags) formatFlag(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.format, "format", "", "table, csv, json, … as for queries")
}

func between(least, most int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) < least || most >= 0 && len(args) > most {
			return usagef("write %s", cmd.UseLine())
		}
		return nil
	}
}

// show writes a listing in the format asked for.
func (f *fsFlags) show(t listing.Table) error { return showListing(f.std, &f.format, t) }

func (f *fsFlags) ls(cmd *cobra.Command, args []string) error {
	pattern := ""
	if len(args) > 0 {
		pattern = args[0]
	}
	files, err := f.find(cmd, pattern)
	if err != nil {
		return err
	}
	if len(files) == 0 && pattern != "" {
		return fmt.Errorf("no file matches %q", pattern)
	}
	if f.long || f.format != "" {
		return f.show(engine.FileListing(files))
	}
	for _, info := range files {
		if _, err := fmt.Fprintln(standardOut{f.std.out}, info.Name); err != nil {
			return err
		}
	}
	return nil
}

func (f *fsFlags) stat(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		info, err := s.Stat(ctx, args[0])
		if err != nil {
			return err
		}
		var t listing.Table
		for _, c := range []string{"name", "bytes", "blocks", "id", "generation", "version", "created", "modified"} {
			typ := types.INT
			switch c {
			case "name":
				typ = types.STRING
			case "created", "modified":
				typ = types.TIMESTAMP
			}
			t.Column(c, typ)
		}
		t.Add(info.Name, info.Size, info.Blocks, info.ID, info.Generation, info.Version, info.Created, info.Modified)
		return f.show(t)
	})
}

func (f *fsFlags) mv(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error { return s.Rename(ctx, args[0], args[1]) })
}

func (f *fsFlags) rm(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		for _, name := range args {
			names := []string{name}
			if _, err := s.Stat(ctx, name); err != nil && connect.HasPattern(name) {
				found, err := engine.Find(ctx, s.Store, name)
				if err != nil {
					return err
				}
				names = nil
				for _, info := range found {
					names = append(names, info.Name)
				}
				if len(names) == 0 && !f.force {
					return fmt.Errorf("no file matches %q", name)
				}
			}
			for _, n := range names {
				if err := s.Remove(ctx, n); err != nil && !(f.force && errors.Is(err, sdfs.ErrNotFound)) {
					return err
				}
			}
		}
		return nil
	})
}

func (f *fsFlags) merge(cmd *cobra.Command, args []string) error {
	return f.with(cmd, func(ctx context.Context, s *fileStore) error {
		before, after, err := s.merge(ctx, args[0])
		if err != nil {
			return err
		}
		fmt.Fprintf(f.std.err, "%s: %s before, %s now\n", args[0], human.Count(before, "block"), human.Count(after, "block"))
		return nil
	})
}

// merge merges a file, where its blocks are, and tells how many there were and are.
func (s *fileStore) merge(ctx context.Context, name string) (before, after int64, err error) {
	if s.remote != nil {
		return s.remote.Merge(ctx, name)
	}
	was, err := s.Stat(ctx, name)
	if err == nil {
		err = s.Merge(ctx, name)
	}
	if err != nil {
		return 0, 0, err
	}
	is, err := s.Stat(ctx, name)
	return int64(was.Blocks), int64(is.Blocks), err
}
