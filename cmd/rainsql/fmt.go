package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/parser/format"
)

// errDiffers ends fmt -d where a difference was shown: exit status 1, with no more to say.
var errDiffers = errors.New("files differ")

func newFmt(std streams) *cobra.Command {
	f := &formatter{std: std}
	cmd := &cobra.Command{
		Use:   "fmt [-w] [-d] [FILE…]",
		Short: "Write scripts in their canonical form",
		Long: `fmt writes scripts in their canonical form: one verb a line, canonical verbs,
reserved words in upper case. It changes how a script looks, not what it does.

Without FILE, or for -, it formats standard input. The result goes to standard
output, unless -w or -d says otherwise.`,
		RunE: func(_ *cobra.Command, args []string) error { return f.run(args) },
	}
	cmd.Flags().BoolVarP(&f.write, "write", "w", false, "rewrite the files, each whole or not at all")
	cmd.Flags().BoolVarP(&f.diff, "diff", "d", false, "show the difference instead; exit 1 if there is any")
	return cmd
}

// formatter is the fmt command with its flags.
type formatter struct {
	std     streams
	write   bool
	diff    bool
	differs bool // some text was not in its canonical form
}

// run formats every file, those behind one that fails too.
func (f *formatter) run(files []string) error {
	if len(files) == 0 {
		files = []string{"-"}
	}
	var failed []error
	for _, file := range files {
		if file == "-" && f.write {
			return usagef("fmt -w rewrites files, and standard input is none")
		}
	}
	for _, file := range files {
		err := f.file(file)
		if errors.Is(err, errBrokenPipe) {
			return err
		}
		if err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 && f.diff && f.differs {
		return errDiffers
	}
	return errors.Join(failed...)
}

func (f *formatter) file(file string) error {
	name, src, err := f.read(file)
	if err != nil {
		return err
	}
	text, err := format.Source(name, src)
	if err != nil {
		return err
	}
	changed := text != src
	f.differs = f.differs || changed
	if changed && f.write {
		if err := toFile(file, func(w io.Writer) error { _, err := io.WriteString(w, text); return err }); err != nil {
			return err
		}
	}
	switch {
	case f.diff:
		text = format.Diff(name, name+" (formatted)", src, text)
	case f.write:
		return nil
	}
	_, err = io.WriteString(standardOut{f.std.out}, text)
	return err
}

// read returns a file's text and the name by which messages call it.
func (f *formatter) read(file string) (name, text string, err error) {
	if file == "-" {
		b, err := io.ReadAll(f.std.in)
		if err != nil {
			return "", "", fmt.Errorf("standard input cannot be read: %w", err)
		}
		return "stdin", string(b), nil
	}
	b, err := os.ReadFile(file)
	if err != nil {
		return "", "", fmt.Errorf("cannot read the script: %w", err)
	}
	return file, string(b), nil
}
