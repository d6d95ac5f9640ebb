package shell

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
)

// errPagerLeft is the reader's leaving the pager before the end.
var errPagerLeft = errors.New("the pager was left")

// pagerCommand is the program that pages: $RAINSQL_PAGER, $PAGER, or less, which
// cuts long lines and lets its reader move sideways.
func pagerCommand() []string {
	for _, name := range []string{"RAINSQL_PAGER", "PAGER"} {
		if v, ok := os.LookupEnv(name); ok {
			return strings.Fields(v)
		}
	}
	return []string{"less"}
}

// page begins a pager for one result; nil if there is none to be had.
func (s *Shell) page() io.WriteCloser {
	args := pagerCommand()
	if len(args) == 0 {
		return nil
	}
	path, err := exec.LookPath(args[0])
	if err != nil {
		return nil
	}
	cmd := exec.Command(path, args[1:]...)
	cmd.Env = os.Environ()
	for _, v := range []struct{ name, value string }{{"LESS", "-SR"}, {"LESSCHARSET", "utf-8"}} {
		if os.Getenv(v.name) == "" {
			cmd.Env = append(cmd.Env, v.name+"="+v.value)
		}
	}
	cmd.Stdout, cmd.Stderr = s.cfg.Screen, s.cfg.Screen
	in, err := cmd.StdinPipe()
	if err != nil || cmd.Start() != nil {
		return nil
	}
	s.paged = true
	return &pager{cmd: cmd, in: in, done: s.cfg.Paging()}
}

// pager is a running pager.
type pager struct {
	cmd  *exec.Cmd
	in   io.WriteCloser
	done func()
}

func (p *pager) Write(b []byte) (int, error) {
	n, err := p.in.Write(b)
	if err != nil {
		return n, errPagerLeft
	}
	return n, nil
}

// Close waits until the reader has left.
func (p *pager) Close() error {
	defer p.done()
	p.in.Close() //nolint:errcheck // the pager may be gone
	p.cmd.Wait() //nolint:errcheck // how it ended tells nothing of the result
	return nil
}
