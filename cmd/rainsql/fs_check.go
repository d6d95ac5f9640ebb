package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// errDamaged means that a check found faults, which have been shown.
var errDamaged = errors.New("damaged")

const checkText = `Reads everything there is from disk and lists what is wrong. Of the embedded
store that is all: nothing is changed.

Of a cluster each node reads all that it holds, and the answers are held
against what the files are made of. Listed are copies that are damaged, and
blocks that have too few whole ones. A damaged copy is taken out of use, as
whenever one is met, and the nodes by themselves get another in its place.
--repair does not wait for that: it has nodes get the copies that lack, and the
exit status is 0 if nothing is wrong any more.`

// faultTable is what fs check gives.
func faultTable() listing.Table {
	t := listing.Texts("file", "block", "node", "disk_file")
	t.Column("offset", types.INT)
	t.Column("fault", types.STRING)
	t.Column("repaired", types.STRING)
	return t
}

func (f *fsFlags) check(cmd *cobra.Command, _ []string) error {
	clustered, err := f.clustered(cmd)
	switch {
	case err != nil:
		return err
	case clustered:
		return f.withCluster(cmd.Context(), f.checkCluster)
	case f.repair:
		return usagef("--repair gets copies from other nodes, and the embedded store has none: name a cluster with --connect")
	}
	return f.checkEmbedded(cmd.Context())
}

// checkEmbedded reads the whole store, even one too damaged to be opened.
func (f *fsFlags) checkEmbedded(ctx context.Context) error {
	line := f.line("check", -1)
	report, err := sdfs.CheckDir(ctx, f.storeConfig())
	line.Close()
	if err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "%s, %s, %s read; %s\n", human.Count(int64(report.Files), "file"), human.Count(report.Blocks, "block"),
		human.Bytes(report.Bytes), human.Count(int64(len(report.Faults)), "fault"))
	if len(report.Orphans) > 0 {
		fmt.Fprintf(f.std.err, "%s that nothing names; the next use of the store removes them\n", human.Count(int64(len(report.Orphans)), "disk file"))
	}
	if len(report.Faults) == 0 {
		return nil
	}
	t := faultTable()
	for _, fault := range report.Faults {
		t.Add(fault.File, fault.Block, localNode, fault.Path, fault.Offset, fault.Reason, "no")
	}
	if err := f.show(t); err != nil {
		return err
	}
	return errDamaged
}

// checkCluster has the nodes read all they hold.
func (f *fsFlags) checkCluster(ctx context.Context, s *fileStore) error {
	line := f.line("check", -1)
	faults, report, err := s.remote.Check(ctx, f.repair, line.Set)
	line.Close()
	if err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "%s, %s, %s on %s, %s read; %s\n", human.Count(report.GetFiles(), "file"), human.Count(report.GetBlocks(), "block"),
		human.Count(report.GetCopies(), "whole copy"), human.Count(report.GetServers(), "node"), human.Bytes(report.GetBytes()),
		human.Count(int64(len(faults)), "fault"))
	if down := report.GetDown(); len(down) > 0 {
		fmt.Fprintf(f.std.err, "not asked, because down: %s\n", strings.Join(down, ", "))
	}
	if n := report.GetSurplus(); n > 0 {
		fmt.Fprintf(f.std.err, "%s where they do not belong, until their owners have them\n", human.Count(n, "copy"))
	}
	if n := report.GetOrphans(); n > 0 {
		fmt.Fprintf(f.std.err, "%s of blocks that no file names, or did not when the check began; the nodes remove what nobody can want\n", human.Count(n, "copy"))
	}
	if len(faults) == 0 {
		return nil
	}
	t := faultTable()
	left := 0
	for _, fault := range faults {
		repaired := "yes"
		if !fault.GetRepaired() {
			repaired = "no"
			left++
		}
		var block, path, off any
		if id := fault.GetBlock(); len(id) == len(namespace.BlockID{}) {
			block = namespace.BlockID(id)
		}
		if fault.GetPath() != "" {
			path, off = fault.GetPath(), fault.GetOffset()
		}
		t.Add(orNull(fault.GetFile()), block, orNull(fault.GetNode()), path, off, fault.GetReason(), repaired)
	}
	if err := f.show(t); err != nil {
		return err
	}
	if f.repair && left == 0 {
		return nil
	}
	return errDamaged
}

// orNull is a text, or NULL for none.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
