package docs_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommands runs the blocks of commands (```sh) of the pages that have some,
// each page from top to bottom in an empty folder that is also the home of
// who runs them. What they print, on standard output and standard error, must
// be the ```text below. A block marked "sh fails" must fail, one marked "sh
// setup" is how to get rainsql in the first place, or needs ports that a test may not take, and is not run.
func TestCommands(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program")
	}
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no sh")
	}
	bin := t.TempDir()
	build := exec.Command("go", "build", "-o", filepath.Join(bin, "rainsql"), "../cmd/rainsql")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, name := range []string{"TUTORIAL.md", "ERRORS.md", "../README.md"} {
		t.Run(filepath.Base(name), func(t *testing.T) {
			path, err := filepath.Abs(name)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := readDocument(path)
			if err != nil {
				t.Fatal(err)
			}
			home := t.TempDir()
			ran := 0
			for i, p := range doc.parts {
				switch {
				case p.kind == "file":
					if err := os.WriteFile(filepath.Join(home, p.arg), []byte(p.text), 0o644); err != nil {
						t.Fatal(err)
					}
				case p.kind == "sh" && p.arg != "setup":
					commands(t, name, p, doc.answer(i), home, bin)
					ran++
				}
			}
			if ran == 0 {
				t.Error("the page has no commands")
			}
			if *rewrite {
				if err := doc.write(path); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// commands runs one block.
func commands(t *testing.T, name string, p, answer *part, home, bin string) {
	t.Helper()
	cmd := exec.Command("sh", "-e")
	cmd.Dir = home
	cmd.Stdin = strings.NewReader(p.text)
	cmd.Env = []string{"HOME=" + home, "PATH=" + bin + string(os.PathListSeparator) + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "LC_ALL=C.UTF-8", "TERM=dumb"}
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	switch {
	case err != nil && !errors.As(err, &status):
		t.Fatal(err)
	case (err != nil) != (p.arg == "fails"):
		t.Errorf("%s:%d: %v\n%s%s", name, p.line, err, p.text, out)
		return
	case answer == nil:
		return
	}
	if *rewrite && !same(string(out), answer.text) {
		answer.text = string(out)
	}
	if !same(string(out), answer.text) {
		t.Errorf("%s:%d:\n%s--- got\n%s\n--- want\n%s", name, p.line, p.text, out, answer.text)
	}
}
