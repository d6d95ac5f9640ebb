//go:build unix

// Command pictures draws the pictures of the README: it sits before a terminal,
// types, and writes down what is on the screen as SVG. `make pictures` runs it.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/rainsql/rainsql/internal/ptytest"
)

// visits is the file that the pictures are about, that of the README.
const visits = `day,page,visitor,ms
2026-01-01,/home,anna,120
2026-01-01,/shop,anna,310
2026-01-01,/home,bert,95
2026-01-02,/home,carl,
2026-01-02,/shop,carl,480
`

// busiest is the query whose plan is shown, over generated traffic signs.
const busiest = `FROM './signs.csv'
FILTER Category = 'Warning'
AGGREGATE count(*) AS signs BY MUTCD
SORT signs DESC
LIMIT 3;
`

// picture is a session to draw.
type picture struct {
	name, title    string
	columns, lines int
	command        []string
	ready          string // what is on the screen when one can type
	steps          []step
}

// step is what is typed, and what is on the screen when it has been done.
type step struct{ keys, shows string }

var pictures = []picture{
	{
		name: "session", title: "A session at the prompt of rainsql", columns: 92, lines: 34,
		command: []string{"rainsql"}, ready: "rainsql>",
		steps: []step{
			{"FROM './visits.csv' LIMIT 2;\r", "2 rows"},
			{"FROM './visits.csv'\rFILTER ms IS NOT NULL\rAGGREGATE count(*) AS visits, max(ms) AS slowest BY page\rSORT slowest DESC;\r", "480"},
			{"FROM './visits.csv' FILTER vi", "FILTER vi"},
			{"\t", "visitor"},
		},
	},
	{
		name: "plan", title: "What the parts of a query did", columns: 118, lines: 34,
		command: []string{"sh"}, ready: "$",
		steps: []step{
			{"cat busiest.rql\r", "LIMIT 3;"},
			{"rainsql explain --analyze -f busiest.rql\r", "stage 2"},
		},
	},
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: pictures RAINSQL FOLDER")
		os.Exit(2)
	}
	for _, p := range pictures {
		if err := p.draw(os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", p.name, err)
			os.Exit(1)
		}
	}
}

// draw runs the session in an empty folder, and writes the last screen.
func (p picture) draw(program, folder string) (err error) {
	program, err = filepath.Abs(program)
	if err != nil {
		return err
	}
	home, err := os.MkdirTemp("", "rainsql-picture-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(home) //nolint:errcheck // below the folder for temporary files
	for name, text := range map[string]string{"visits.csv": visits, "busiest.rql": busiest} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	if out, err := exec.Command(program, "gen", "signs", "--rows", "200000", "-o", filepath.Join(home, "signs.csv")).CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	cmd := exec.Command(p.command[0], p.command[1:]...)
	if p.command[0] == filepath.Base(program) {
		cmd = exec.Command(program, p.command[1:]...)
	}
	cmd.Dir = home
	cmd.Env = []string{"HOME=" + home, "PATH=" + filepath.Dir(program) + ":/usr/bin:/bin", "TERM=xterm-256color", "LC_ALL=C.UTF-8", "PS1=$ "}
	t, err := ptytest.Start(cmd, p.columns, p.lines)
	if err != nil {
		return err
	}
	defer t.Kill()
	shown := func(text string) func(string) bool {
		return func(screen string) bool { return strings.Contains(screen, text) }
	}
	if err := t.Wait("prompt", shown(p.ready)); err != nil {
		return err
	}
	for _, s := range p.steps {
		if err := t.Type(s.keys); err != nil {
			return err
		}
		if err := t.Wait(fmt.Sprintf("%q", s.shows), shown(s.shows)); err != nil {
			return err
		}
		settle(t)
	}
	return os.WriteFile(filepath.Join(folder, p.name+".svg"), []byte(svg(p.title, t.Emulator())), 0o644)
}

// settle waits until the program has been quiet for a while.
func settle(t *ptytest.Terminal) {
	const quiet = 300 * time.Millisecond
	for before := int64(-1); before != t.Written(); {
		before = t.Written()
		time.Sleep(quiet)
	}
}
