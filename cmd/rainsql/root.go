package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/internal/render"
)

// streams are the process's standard files.
type streams struct {
	in       *os.File
	out, err *os.File
}

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitUnreachable = 3
	exitInterrupted = 130
)

// usageError is wrong use of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// run is the program: it returns the exit status.
func run(args []string, std streams) int {
	ctx, sig := catchSignals()
	defer sig.stop()
	c := &common{std: std, signals: sig}
	cmd := newRoot(c)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) { // a shell asks, for Tab
		completions(cmd, c)
	}
	cmd.SetArgs(args)
	cmd.SetIn(std.in)
	cmd.SetOut(std.out)
	cmd.SetErr(std.err)
	err := cmd.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitDone
	case errors.Is(err, errInterrupted):
		fmt.Fprintln(std.err, "interrupted")
		return exitInterrupted
	case errors.Is(err, errBrokenPipe):
		return exitFailed // the reader has what it wanted; saying so would be noise
	case errors.Is(err, errDiffers):
		return exitFailed // the difference was shown
	case errors.Is(err, errDamaged):
		return exitFailed // the damage was shown
	case errors.As(err, &usageError{}), strings.HasPrefix(err.Error(), "unknown command"):
		fmt.Fprintf(std.err, "rainsql: %s\nrun 'rainsql --help' for how to use it\n", std.shown(firstLine(err)))
		return exitUsage
	}
	fmt.Fprintln(std.err, std.shown(err.Error()))
	if errors.Is(err, client.ErrUnreachable) {
		return exitUnreachable
	}
	return exitFailed
}

// shown is the text of an error for standard error. A terminal is not acted on
// by what names and files hold.
func (s streams) shown(text string) string {
	if !terminal(s.err) {
		return text
	}
	columns, _ := screenSize(s.err)
	return render.Wrap(render.Clean(text), columns)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func newRoot(c *common) *cobra.Command {
	std := c.std
	q := &queryFlags{common: c}
	version := false
	root := &cobra.Command{
		Use:   "rainsql [-f FILE | -c TEXT]…",
		Short: "Run RQL over files: answers and pipelines in one binary",
		Long: `rainsql runs RQL, a small declarative language, over files.

  rainsql -c "FROM './logs.csv' FILTER status >= 500 LIMIT 10"
  rainsql -f query.rql
  rainsql explain -f query.rql

Without -f and -c it is a prompt on a terminal, and reads a script from
standard input elsewhere. With --connect queries run on a cluster, over the
files that 'rainsql fs put' has put there. Rows go to standard output,
everything else to standard error. 'rainsql help tutorial' is where to begin,
and 'rainsql help topics' lists what else there is to read.`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if version {
				return tellVersion(std, false)
			}
			return q.run(cmd)
		},
	}
	q.register(root, true)
	c.register(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	// Cobra's own --version brings text/template, with which the linker keeps
	// every method of every type: a third more program.
	root.Flags().BoolVar(&version, "version", false, "tell the version; 'rainsql version' tells more")
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetUsageFunc(std.usage)
	root.SetHelpCommand(newHelp(std, c.signals))
	root.AddCommand(newExplain(c), newFS(c), newFmt(std), newGen(std), newVersion(std), newCompletion(std), newServer(c), newCert(std))
	root.AddCommand(newClusterCommands(std)...)
	root.AddCommand(newJobCommands(std)...)
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return nil
	case cmd.Flags().Lookup("command") == nil:
		return usagef("%s takes no %q", cmd.CommandPath(), args[0])
	case strings.ContainsFunc(args[0], unicode.IsSpace):
		return usagef("%s takes a query behind -c: %s -c \"FROM …\"", cmd.CommandPath(), cmd.CommandPath())
	case cmd.HasParent():
		return usagef("%s takes no %q; for a script write %s -f %s", cmd.CommandPath(), args[0], cmd.CommandPath(), args[0])
	}
	return usagef("unknown command %q; to run a script write rainsql -f %s", args[0], args[0])
}

// terminal reports whether a file is a terminal.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// regular reports whether a file is one on a disk.
func regular(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// errBrokenPipe is a reader of standard output that has left.
var errBrokenPipe = errors.New("broken pipe")

// standardOut marks a broken pipe, which ends a query and is no fault.
type standardOut struct{ w io.Writer }

func (s standardOut) Write(p []byte) (int, error) {
	n, err := s.w.Write(p)
	if err != nil && isBrokenPipe(err) {
		return n, errBrokenPipe
	}
	if err != nil {
		err = fmt.Errorf("standard output cannot be written: %w", err)
	}
	return n, err
}
