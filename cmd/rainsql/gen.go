package main

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/internal/gen"
)

func newGen(std streams) *cobra.Command {
	var rows int64
	var seed uint64
	var out string
	cmd := &cobra.Command{
		Use:       "gen signs [--rows N] [--seed S] [-o FILE]",
		Short:     "Make data to try things on, the same for the same seed",
		ValidArgs: []string{"signs"},
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usagef("gen takes the name of a data set: signs")
			}
			if args[0] != "signs" {
				return usagef("no data set %q: there is signs", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			if rows < 0 {
				return usagef("--rows %d is negative", rows)
			}
			if out == "" {
				return gen.Signs(standardOut{std.out}, rows, seed)
			}
			return toFile(out, func(w io.Writer) error { return gen.Signs(w, rows, seed) })
		},
	}
	cmd.Flags().Int64Var(&rows, "rows", 1000, "how many rows")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "of the random numbers")
	cmd.Flags().StringVarP(&out, "output", "o", "", "the file to write (default standard output)")
	return cmd
}

// toFile writes a file that appears whole or not at all.
func toFile(path string, write func(io.Writer) error) error {
	f, err := local.Create(path, path, connect.Replace)
	if err != nil {
		return err
	}
	if err := write(f); err != nil {
		return errors.Join(err, f.Abort())
	}
	return f.Commit()
}
