// Package pager shows what is longer than the screen in a program made for it,
// such as less.
package pager

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/rainsql/rainsql/connect"
)

// ErrLeft is the reader's leaving the pager before the end, which ends a query
// and is no fault.
var ErrLeft = fmt.Errorf("the pager was left: %w", connect.ErrEnough)

// command is what pages: $RAINSQL_PAGER, $PAGER, or less, which cuts long lines
// and lets its reader move sideways. "" is nothing.
func command() string {
	for _, name := range []string{"RAINSQL_PAGER", "PAGER"} {
		if v, ok := os.LookupEnv(name); ok {
			return v
		}
	}
	return "less"
}

// Pager is a running pager. It is written to by one goroutine.
type Pager struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	done   func()
	failed bool
}

// Start begins a pager on a terminal; nil if there is none to be had. It is
// asked to end when ctx ends. aside is called while it has the terminal, and
// what that returns when it has not any more; nil: nothing is called.
func Start(ctx context.Context, screen *os.File, aside func() (done func())) *Pager {
	line := command()
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil
	}
	if _, err := exec.LookPath(words[0]); err != nil {
		return nil
	}
	cmd := exec.CommandContext(ctx, "sh", "-c", line) // a pager may be a pipeline
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.Env = os.Environ()
	for _, v := range []struct{ name, value string }{{"LESS", "-SR"}, {"LESSCHARSET", "utf-8"}} {
		if os.Getenv(v.name) == "" {
			cmd.Env = append(cmd.Env, v.name+"="+v.value)
		}
	}
	cmd.Stdout, cmd.Stderr = screen, screen
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	p := &Pager{cmd: cmd, in: in, done: func() {}}
	if aside != nil {
		p.done = aside()
	}
	return p
}

// Write implements io.Writer. Once the reader has left it returns ErrLeft.
func (p *Pager) Write(b []byte) (int, error) {
	n, err := p.in.Write(b)
	if err != nil {
		return n, ErrLeft
	}
	return n, nil
}

// Close waits until the reader has left.
func (p *Pager) Close() error {
	defer p.done()
	p.in.Close() //nolint:errcheck // the pager may be gone
	p.failed = p.cmd.Wait() != nil
	return nil
}

// Show shows a text in a pager, and reports whether that could be done.
func Show(ctx context.Context, screen *os.File, aside func() (done func()), text string) bool {
	p := Start(ctx, screen, aside)
	if p == nil {
		return false
	}
	_, err := io.WriteString(p, text)
	p.Close() //nolint:errcheck // it gives none
	return err != nil || !p.failed
}
