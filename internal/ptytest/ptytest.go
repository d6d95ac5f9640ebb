//go:build unix

// Package ptytest runs a program on a pseudo-terminal and reads its screen, as
// someone who sits before it would. It is for tests, and for drawing pictures of
// what is on the screen.
package ptytest

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// Terminal is a program on a pseudo-terminal. Its methods may be called
// concurrently.
type Terminal struct {
	cmd *exec.Cmd
	tty *os.File
	vt  vt10x.Terminal

	mu      sync.Mutex
	changed chan struct{} // closed, and made anew, when the screen changes
	written int64
	ended   chan struct{}
}

// Start runs a program on a terminal of a size.
func Start(cmd *exec.Cmd, columns, lines int) (*Terminal, error) {
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: uint16(lines), Cols: uint16(columns)})
	if err != nil {
		return nil, err
	}
	t := &Terminal{cmd: cmd, tty: tty, changed: make(chan struct{}), ended: make(chan struct{})}
	t.vt = vt10x.New(vt10x.WithSize(columns, lines), vt10x.WithWriter(tty))
	go t.read()
	return t, nil
}

func (t *Terminal) read() {
	defer close(t.ended)
	buf := make([]byte, 1<<16)
	var f filter
	for {
		n, err := t.tty.Read(buf)
		if n > 0 {
			t.vt.Write(f.pass(buf[:n])) //nolint:errcheck // it cannot fail
			t.mu.Lock()
			t.written += int64(n)
			close(t.changed)
			t.changed = make(chan struct{})
			t.mu.Unlock()
		}
		if err != nil {
			return // the program has closed its end
		}
	}
}

// Type types keys. "\r" is Enter, "\x03" Ctrl-C.
func (t *Terminal) Type(keys string) error {
	_, err := t.tty.WriteString(keys)
	return err
}

// Paste pastes text, marked as such, as terminals do for programs that ask for it.
func (t *Terminal) Paste(text string) error {
	return t.Type("\x1b[200~" + strings.ReplaceAll(text, "\n", "\r") + "\x1b[201~")
}

// Resize changes the size of the terminal.
func (t *Terminal) Resize(columns, lines int) error {
	t.vt.Resize(columns, lines)
	return pty.Setsize(t.tty, &pty.Winsize{Rows: uint16(lines), Cols: uint16(columns)})
}

// Screen is the text on the screen, its lines without blanks at their ends, and
// without blank lines at its end.
func (t *Terminal) Screen() string {
	lines := strings.Split(t.vt.String(), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \x00")
	}
	return strings.TrimRight(strings.Join(lines, "\n"), "\n")
}

// Emulator is the terminal behind the screen, with colours and cursor.
func (t *Terminal) Emulator() vt10x.Terminal { return t.vt }

// Written is how many bytes the program has sent to the terminal.
func (t *Terminal) Written() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.written
}

// Signal sends a signal to the program.
func (t *Terminal) Signal(sig os.Signal) error { return t.cmd.Process.Signal(sig) }

// Patience is how long Wait waits for a screen, far longer than it takes.
const Patience = 30 * time.Second

// Wait waits until the screen is as it should be, and says what it is otherwise.
func (t *Terminal) Wait(what string, ok func(screen string) bool) error {
	deadline := time.NewTimer(Patience)
	defer deadline.Stop()
	for {
		t.mu.Lock()
		changed := t.changed
		t.mu.Unlock()
		if ok(t.Screen()) {
			return nil
		}
		select {
		case <-changed:
		case <-t.ended:
			if ok(t.Screen()) {
				return nil
			}
			return fmt.Errorf("the program ended before %s; the screen:\n%s", what, t.Screen())
		case <-deadline.C:
			return fmt.Errorf("no %s after %s; the screen:\n%s", what, Patience, t.Screen())
		}
	}
}

// Close ends the program, if it still runs, and returns how it ended.
func (t *Terminal) Close() error {
	select {
	case <-t.ended:
	case <-time.After(Patience):
		t.cmd.Process.Kill() //nolint:errcheck // it may have ended meanwhile
	}
	err := t.cmd.Wait()
	t.tty.Close() //nolint:errcheck // nothing is written any more
	<-t.ended
	return err
}

// Kill ends the program at once.
func (t *Terminal) Kill() {
	t.cmd.Process.Kill() //nolint:errcheck // it may have ended
	t.cmd.Wait()         //nolint:errcheck // it was killed
	t.tty.Close()        //nolint:errcheck // nothing is written any more
	<-t.ended
}
