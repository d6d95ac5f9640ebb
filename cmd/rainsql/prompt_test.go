//go:build unix

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/hinshun/vt10x"

	"github.com/rainsql/rainsql/internal/ptytest"
)

// asProgram makes the test binary be rainsql, so that tests can run it on a
// terminal of its own.
const asProgram = "RAINSQL_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
	}
	os.Exit(m.Run())
}

// sitting is someone at a terminal, in a folder and a home of their own.
type sitting struct {
	*testing.T
	*ptytest.Terminal
	dir string
}

// sit starts rainsql on a terminal. dir is "" for a new home with visits.csv.
func sit(t *testing.T, dir string, columns, lines int, env ...string) *sitting {
	t.Helper()
	if dir == "" {
		dir = t.TempDir()
		csv := "day,page,ms\n2026-01-01,/home,120\n2026-01-01,/shop,310\n2026-01-02,/home,\n2026-01-02,/shop,480\n"
		if err := os.WriteFile(filepath.Join(dir, "visits.csv"), []byte(csv), 0o600); err != nil {
			t.Fatal(err)
		}
		numbers := "n\n"
		for i := range 1000 {
			numbers += fmt.Sprintln(i)
		}
		if err := os.WriteFile(filepath.Join(dir, "numbers.csv"), []byte(numbers), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program)
	cmd.Dir = dir
	cmd.Env = append([]string{asProgram + "=1", "HOME=" + dir, "TERM=xterm-256color", "PATH=" + os.Getenv("PATH")}, env...)
	term, err := ptytest.Start(cmd, columns, lines)
	if err != nil {
		if _, none := os.Stat("/dev/ptmx"); none == nil {
			t.Fatal(err)
		}
		t.Skipf("this machine has no pseudo-terminal: %v", err)
	}
	t.Cleanup(term.Kill)
	s := &sitting{t, term, dir}
	s.sees("rainsql>")
	return s
}

func (s *sitting) types(keys string) {
	s.Helper()
	if err := s.Type(keys); err != nil {
		s.Fatal(err)
	}
}

// sees waits until the screen shows a text.
func (s *sitting) sees(text string) {
	s.Helper()
	s.until(fmt.Sprintf("sight of %q", text), func(screen string) bool { return strings.Contains(screen, text) })
}

// prompted waits until a text is above a new, empty prompt.
func (s *sitting) prompted(text string) {
	s.Helper()
	s.until(fmt.Sprintf("prompt below %q", text), func(screen string) bool {
		return strings.Contains(screen, text) && strings.HasSuffix(screen, "\nrainsql>")
	})
}

func (s *sitting) until(what string, ok func(string) bool) {
	s.Helper()
	if err := s.Wait(what, ok); err != nil {
		s.Fatal(err)
	}
}

// leaves ends the session with keys, and checks that it ends well.
func (s *sitting) leaves(keys string) {
	s.Helper()
	s.types(keys)
	if err := s.Close(); err != nil {
		s.Errorf("left with %v; the screen:\n%s", err, s.Screen())
	}
}

const (
	enter = "\r"
	tab   = "\t"
	ctrlC = "\x03"
	ctrlD = "\x04"
	ctrlR = "\x12"
	up    = "\x1b[A"
)

// A whole session, and the next one, which remembers it.
func TestPromptSession(t *testing.T) {
	s := sit(t, "", 80, 30)

	s.types("FROM './visits.csv'" + enter + "FILTER ms > 200" + enter + "SORT ms DESC;" + enter)
	s.prompted("2 rows in ")
	for _, line := range []string{
		"rainsql> FROM './visits.csv'", "      -> FILTER ms > 200", "      -> SORT ms DESC;",
		"│ day        │ page   │  ms │", "│ 2026-01-02 │ /shop  │ 480 │", "│ 2026-01-01 │ /shop  │ 310 │",
	} {
		s.sees(line)
	}

	s.types("FROM './vis" + tab)
	s.until("completed name", func(screen string) bool { return strings.HasSuffix(screen, "\nrainsql> FROM './visits.csv'") })
	s.types("AGGR" + tab)
	s.sees("FROM './visits.csv' AGGREGATE")
	s.types("sum(m" + tab)
	s.sees("column  INT")
	s.types(tab + ") AS total;" + enter)
	s.prompted("│   910 │")

	s.types("FROM './visits.csv' FILTER mss = 1;" + enter)
	s.prompted("no column \"mss\"")
	s.sees("^^^ did you mean \"ms\"?")

	s.types("FROM './numbers.csv' CROSS JOIN './numbers.csv' AS b CROSS JOIN './numbers.csv' AS c CROSS JOIN './numbers.csv' AS d AGGREGATE count(*);" + enter)
	s.sees("rows/s")
	s.types(ctrlC)
	s.prompted("interrupted")
	if strings.Contains(s.Screen(), "rows/s") {
		t.Errorf("progress is left on the screen:\n%s", s.Screen())
	}

	s.types("LET slow = (FROM './visits.csv' FILTER ms > 200);" + enter + "FROM slow AGGREGATE count(*) AS n;" + enter)
	s.prompted("│   2 │")
	s.leaves("exit" + enter)

	s = sit(t, s.dir, 80, 30)
	s.types(up + up)
	s.sees("rainsql> FROM slow AGGREGATE count(*) AS n;")
	s.types(ctrlC)
	s.types(ctrlR + "sort ms")
	s.sees("search: sort ms")
	s.sees("      -> FILTER ms > 200")
	s.types(enter)
	s.prompted("2 rows in ")
	s.leaves(ctrlD)
}

// Pasting writes the screen once, and a key what it changes.
func TestPromptPaste(t *testing.T) {
	s := sit(t, "", 80, 24)
	script := "FROM './visits.csv'\n" + strings.Repeat("FILTER ms > 1 -- with a remark beside it, as they have\n", 198) + "AGGREGATE count(*) AS n"
	before := s.Written()
	if err := s.Paste(script); err != nil {
		t.Fatal(err)
	}
	s.sees("row 200 of 200")
	if n := s.Written() - before; n > 24*80*2 {
		t.Errorf("a paste of 200 lines took %d bytes to show", n)
	}
	before = s.Written()
	s.types(";")
	s.sees("AGGREGATE count(*) AS n;")
	if n := s.Written() - before; n > 200 {
		t.Errorf("a key took %d bytes to show", n)
	}
	s.types(enter)
	s.prompted("│   3 │")

	if err := s.Paste("FROM './visits.csv'\nLIMIT 1;\n\\timing\n"); err != nil {
		t.Fatal(err)
	}
	s.sees("      -> \\timing")
	s.types(ctrlC)
	s.sees("\\timing^C")
	s.leaves(ctrlD)
}

// A million rows neither flood the terminal nor stall it; neither does a pager
// that is left after a few of them.
func TestPromptMillionRows(t *testing.T) {
	s := sit(t, "", 80, 24, "RAINSQL_PAGER=head -n 3")
	million := "FROM './numbers.csv' CROSS JOIN './numbers.csv' AS b;"
	s.types(`\pager off` + enter)
	s.prompted("the pager is off")
	before := s.Written()
	s.types(million + enter)
	s.prompted("1,000,000 rows (40 shown)")
	if n := s.Written() - before; n > 1<<16 {
		t.Errorf("a million rows took %d bytes to show", n)
	}
	s.types(`\pager auto` + enter + "FROM './numbers.csv' AS a CROSS JOIN './numbers.csv' AS c;" + enter)
	s.prompted("(20 shown)")
	s.leaves(ctrlD)
}

// A command may be given while a statement is not finished, which then goes on.
func TestPromptCommandInStatement(t *testing.T) {
	s := sit(t, "", 80, 24)
	s.types("FROM './visits.csv'" + enter + `\timing on` + enter)
	s.sees("timing is on")
	s.until("statement that goes on", func(screen string) bool {
		return strings.HasSuffix(screen, "timing is on\nrainsql> FROM './visits.csv'\n      ->")
	})
	s.types("exit" + enter)
	s.sees(`the statement has no ; yet: Ctrl-C gives it up, \q leaves`)
	s.types("AGGREGATE count(*) AS n;" + enter)
	s.prompted("│   4 │")
	s.types("FROM './visits.csv'" + enter)
	s.leaves(`\q` + enter)
}

// Leaving the pager ends its result, not the script, and whoever ends the
// program ends the pager.
func TestPromptPager(t *testing.T) {
	s := sit(t, "", 80, 24, "RAINSQL_PAGER=head -n 3")
	s.types("FROM './numbers.csv' CROSS JOIN './numbers.csv' AS b; FROM './visits.csv' INTO './copy.csv';" + enter)
	s.prompted("wrote 4 rows to ./copy.csv")
	s.leaves(ctrlD)

	// The pager writes where it runs, so that the test knows when it does.
	s = sit(t, "", 80, 24, "RAINSQL_PAGER=echo paging; exec sleep 1000")
	s.types("FROM './numbers.csv';" + enter)
	s.sees("paging")
	if err := s.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var exit *exec.ExitError
	if err := s.Close(); !errors.As(err, &exit) || exit.ExitCode() != exitInterrupted {
		t.Errorf("it ended with %v", err)
	}
}

// Ctrl-C is for the program that \! runs, not for rainsql.
func TestPromptShell(t *testing.T) {
	s := sit(t, "", 80, 24)
	s.types(`\! echo waiting; exec cat` + enter)
	s.sees("\nwaiting")
	s.types(ctrlC)
	s.prompted("signal: interrupt")
	s.leaves(ctrlD)
}

// Results go to a file whole, input by input, or not at all.
func TestPromptOutput(t *testing.T) {
	s := sit(t, "", 80, 24)
	s.types(`\o out.csv` + enter + "FROM './visits.csv' AGGREGATE count(*) AS n;" + enter + "FROM './visits.csv' TRANSFORM CAST(page AS INT);" + enter)
	s.prompted("cannot read '/home' as INT")
	s.types("FROM './visits.csv' LIMIT 1 TRANSFORM ms;" + enter + `\o visits.parquet` + enter)
	s.types("FROM './visits.csv' LIMIT 1;" + enter + "FROM './visits.csv' LIMIT 2;" + enter)
	s.prompted("holds a result already")
	s.types(`\o` + enter + `FROM './visits.parquet' AGGREGATE count(*) AS rows;` + enter)
	s.prompted("│    1 │")
	b, err := os.ReadFile(filepath.Join(s.dir, "out.csv"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), "n\n4\nms\n120\n"; got != want {
		t.Errorf("out.csv holds %q, not %q", got, want)
	}
	s.leaves(ctrlD)
}

// The screen is drawn anew for its new size, while editing and after it.
func TestPromptResize(t *testing.T) {
	s := sit(t, "", 80, 24, "RAINSQL_PAGER=")
	s.types("FROM './visits.csv' FILTER ms > 100 AND page = '/shop'")
	s.sees("page = '/shop'")
	if err := s.Resize(40, 20); err != nil {
		t.Fatal(err)
	}
	s.sees("rainsql> FROM './visits.csv' FILTER ms >\n          100 AND page = '/shop'")
	s.types(" TRANSFORM *, repeat(page, 20) AS long;" + enter)
	s.prompted("2 rows, 4 columns (3 shown)")
	for _, line := range strings.Split(s.Screen(), "\n") {
		if strings.HasPrefix(line, "┌") && len([]rune(line)) > 40 {
			t.Errorf("wider than the screen: %s", line)
		}
	}
	s.sees("…")
	s.leaves(ctrlD)
}

// What is on the screen without colours, or without a terminal that can draw.
func TestPromptPlain(t *testing.T) {
	for _, env := range []string{"NO_COLOR=1", "TERM=dumb"} {
		s := sit(t, "", 80, 24, env)
		s.types("FROM './visits.csv'" + enter + "AGGREGATE count(*) AS n;" + enter)
		s.prompted("│   4 │")
		s.types("FROM './visits.csv'" + enter)
		s.sees("      ->")
		s.types(ctrlC)
		s.prompted("^C")
		s.types("FROM nowhere;" + enter)
		s.prompted("no source \"nowhere\"")
		view := s.Emulator()
		columns, lines := view.Size()
		for y := range lines {
			for x := range columns {
				if g := view.Cell(x, y); g.FG != vt10x.DefaultFG || g.BG != vt10x.DefaultBG {
					t.Fatalf("%s: %q at %d, %d has a colour", env, g.Char, x, y)
				}
			}
		}
		s.leaves(ctrlD)
	}
}
