package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
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
	exitInterrupted = 130
)

// usageError is wrong use of the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// errInterrupted is the cause of a context that Ctrl-C ended.
var errInterrupted = errors.New("interrupted")

// run is the program: it returns the exit status.
func run(args []string, std streams) int {
	ctx, cancel := interruptible()
	defer cancel()
	cmd := newRoot(std)
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
		fmt.Fprintf(std.err, "rainsql: %s\nrun 'rainsql --help' for how to use it\n", firstLine(err))
		return exitUsage
	}
	fmt.Fprintln(std.err, err)
	return exitFailed
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// interruptible returns a context that the first Ctrl-C (or SIGTERM, SIGHUP) ends; a second leaves at once.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(context.Background())
	ch := make(chan os.Signal, 2)
	signal.Notify(ch, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	signal.Ignore(syscall.SIGPIPE) // a reader who left is an error of Write, after which nothing is left behind
	go func() {
		if _, ok := <-ch; !ok {
			return
		}
		cancel(errInterrupted)
		if _, ok := <-ch; ok {
			os.Exit(exitInterrupted)
		}
	}()
	return ctx, func() {
		signal.Stop(ch)
		close(ch)
		cancel(nil)
	}
}

func newRoot(std streams) *cobra.Command {
	c := &common{std: std}
	q := &queryFlags{common: c}
	root := &cobra.Command{
		Use:   "rainsql [-f FILE | -c TEXT]…",
		Short: "Run RQL over files: answers and pipelines in one binary",
		Long: `rainsql runs RQL, a small declarative language, over files.

  rainsql -c "FROM './logs.csv' FILTER status >= 500 LIMIT 10"
  rainsql -f query.rql
  rainsql explain -f query.rql

Without -f and -c it reads a script from standard input, statement by statement
when that is a terminal. Rows go to standard output, everything else to
standard error. docs/LANGUAGE.md describes the language.`,
		Args:          noArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE:          func(cmd *cobra.Command, _ []string) error { return q.run(cmd.Context()) },
	}
	q.register(root, true)
	c.register(root)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddCommand(newExplain(c), newFS(c), newFmt(std), newGen(std), newVersion(std))
	return root
}

func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if cmd.Parent() == nil {
		return usagef("unknown command %q; to run a script write rainsql -f %s", args[0], args[0])
	}
	return usagef("%s takes no %q", cmd.CommandPath(), args[0])
}

// terminal reports whether a file is a terminal.
func terminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
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
