//go:build unix

package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/ptytest"
)

// onScreen starts rainsql with arguments on a terminal.
func onScreen(t *testing.T, dir string, columns, lines int, env []string, args ...string) *ptytest.Terminal {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	cmd.Env = append([]string{asProgram + "=1", "HOME=" + dir, "TERM=xterm-256color"}, env...)
	term, err := ptytest.Start(cmd, columns, lines)
	if err != nil {
		if _, none := os.Stat("/dev/ptmx"); none == nil {
			t.Fatal(err)
		}
		t.Skipf("this machine has no pseudo-terminal: %v", err)
	}
	return term
}

// While a query runs its progress stands on the terminal; with the answer it is gone.
func TestProgressOnTerminal(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	w, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 1 << 20
	written := make(chan error, 1)
	go func() {
		_, err := io.WriteString(w, "n\n"+strings.Repeat("1\n", rows))
		written <- err
	}()
	term := onScreen(t, dir, 70, 24, nil, "-c", "FROM './pipe.csv' AGGREGATE count(*) AS rows, sum(n) AS total")
	defer term.Kill()
	if err := term.Wait("progress", func(s string) bool { return strings.Contains(s, "rows/s  ") }); err != nil {
		t.Fatal(err)
	}
	if line := term.Screen(); strings.Contains(line, "%") || strings.Contains(line, "\n") {
		t.Errorf("the end of a pipe is not known, and one line is enough:\n%s", line)
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := term.Wait("answer", func(s string) bool { return strings.Contains(s, "1 row in ") }); err != nil {
		t.Fatal(err)
	}
	const want = `┌─────────┬─────────┐
│    rows │   total │
│     INT │     INT │
├─────────┼─────────┤
│ 1048576 │ 1048576 │
└─────────┴─────────┘
1 row in `
	if got := term.Screen(); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}

// A table is no wider than the terminal, and never colours where that is not wished.
func TestTableOnTerminal(t *testing.T) {
	query := "FROM range(100) TRANSFORM value AS number, repeat('long ', 50) AS text, value / 2 AS half"
	term := onScreen(t, t.TempDir(), 40, 60, []string{"NO_COLOR=1"}, "-c", query)
	defer term.Kill()
	if err := term.Wait("answer", func(s string) bool { return strings.Contains(s, "100 rows (40 shown) in ") }); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(term.Screen(), "\n")
	for i, want := range map[int]string{
		0:  "┌────────┬─────────────────────┬───────┐",
		1:  "│ number │ text                │  half │",
		4:  "│      0 │ long long long lon… │   0.0 │",
		23: "│     19 │ long long long lon… │   9.5 │",
		24: "│   ·    │          ·          │   ·   │",
		27: "│     80 │ long long long lon… │  40.0 │",
		47: "└────────┴─────────────────────┴───────┘",
	} {
		if len(lines) != 49 || lines[i] != want {
			t.Fatalf("line %d should be\n%s\nof\n%s", i, want, term.Screen())
		}
	}
	for y := range 49 {
		for x := range 40 {
			if cell := term.Emulator().Cell(x, y); cell.Mode != 0 {
				t.Fatalf("%q at %d, %d has an attribute", cell.Char, x, y)
			}
		}
	}
}

// What is longer than the screen goes to a pager; plans and errors
// are broken between words.
func TestTextOnTerminal(t *testing.T) {
	for _, c := range []struct {
		name  string
		env   string
		args  []string
		lines int // of the screen
		want  string
	}{
		{"a long topic", "PAGER=head -n 3", []string{"help", "filter"}, 10, "FILTER\n══════"},
		{"a topic that fits", "PAGER=head -n 3", []string{"help", "time_limit"}, 24, "More under `SET`"},
		{"no pager", "PAGER=", []string{"help", "filter"}, 10, "kind =\n      'pome' AND kg > 7\n"},
		{"plan", "", []string{"explain", "-c", "FROM range(10) TRANSFORM value + 1000 AS thousand, value + 1001 AS more"}, 30, "\n└─ project value + 1000 AS thousand,\n     value + 1001 AS more\n   └─ range 0 to 10 step 1 [value]\n\n-- optimised plan\n"},
		{"plan for programs", "", []string{"explain", "--format", "dot", "-c", "FROM range(10) FILTER value > 1 AND value < 7"}, 30, "range 0 to 10 step 1\"];\n"},
		{"error", "", []string{"-c", "FROM range(10) FILTER valu > 1"}, 24, "command:1:23: no column \"valu\" in range\n  1 | FROM range(10) FILTER valu > 1\n    |                       ^^^^ did you\n      mean \"value\"?"},
		{"usage", "", []string{"--help"}, 90, "\n      --timer\n                tell wall time,\n                rows and bytes read\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			term := onScreen(t, t.TempDir(), 40, c.lines, []string{"NO_COLOR=1", "PATH=" + os.Getenv("PATH"), c.env}, c.args...)
			defer term.Kill()
			if err := term.Wait(c.name, func(s string) bool { return strings.Contains(s, c.want) }); err != nil {
				t.Fatal(err)
			}
			if c.env == "PAGER=head -n 3" && c.lines == 10 && strings.Count(term.Screen(), "\n") > 3 {
				t.Errorf("not paged:\n%s", term.Screen())
			}
		})
	}
}
