package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/sdfs"
)

// errDamaged means that a check found faults, which have been shown.
var errDamaged = errors.New("damaged")

// check reads the whole store, even one too damaged to be opened, and changes
// nothing.
func (f *fsFlags) check(cmd *cobra.Command, _ []string) error {
	if err := f.common.check(); err != nil {
		return err
	}
	line := f.line("check", -1)
	report, err := sdfs.CheckDir(cmd.Context(), f.storeConfig())
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
	t := listing.Texts("file", "block", "disk_file")
	t.Column("offset", types.INT)
	t.Column("fault", types.STRING)
	for _, fault := range report.Faults {
		t.Add(fault.File, fault.Block, fault.Path, fault.Offset, fault.Reason)
	}
	if err := f.show(t); err != nil {
		return err
	}
	return errDamaged
}

// usageRows is what fs du gives.
func usageRows(u sdfs.Usage) [][]any {
	return [][]any{
		{"files", u.Files, u.LogicalBytes},
		{"blocks", u.Blocks, u.DiskBytes},
		{"dead", nil, u.DeadBytes},
		{"log", nil, u.LogBytes},
		{"trash", nil, u.TrashBytes},
		{"memory tier", nil, u.MemoryBytes},
		{"cache", nil, u.CacheBytes},
	}
}
