// Planted proves that the differential tester finds bugs: it plants one at a
// time into a copy of rainsql's sources, builds the tester with it and runs it
// until it reports a difference. Run it in the folder of the module:
//
//	go run ./planted [-n QUERIES] [-seed N] [-only WORDS]
//
// The sources themselves are not touched: go build's -overlay puts the changed
// file in place of the real one.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "planted:", err)
		os.Exit(1)
	}
}

func run() error {
	n := flag.Int("n", 6000, "queries after which a bug counts as not found")
	seed := flag.Uint64("seed", 7, "of the tester")
	only := flag.String("only", "", "plant only bugs whose name has this in it")
	without := flag.String("without", "", "functions to leave out, as of the tester")
	root := flag.String("root", "..", "the folder of rainsql's module")
	flag.Parse()
	dir, err := os.MkdirTemp("", "planted")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // temporary
	t := &trial{dir: dir, root: *root, args: []string{"-n", fmt.Sprint(*n), "-seed", fmt.Sprint(*seed), "-without", *without, "-brief"}}
	fmt.Println("without a bug …")
	clean, err := t.try(bug{}, "-max", "100000")
	if err != nil {
		return err
	}
	fmt.Printf("%d differences that have other causes are passed over\n", len(clean))
	ids := make([]string, 0, len(clean))
	for _, f := range clean {
		ids = append(ids, f.id)
	}
	t.args = append(t.args, "-max", "1", "-pass", strings.Join(ids, ","))
	lost := 0
	for i, b := range bugs {
		if !strings.Contains(b.name, *only) {
			continue
		}
		begin := time.Now()
		found, err := t.try(b)
		result := "NOT FOUND"
		switch {
		case err != nil:
			result = err.Error()
		case len(found) > 0:
			result = fmt.Sprintf("found after %s queries (%s)", found[0].after, found[0].kind)
		}
		if err != nil || len(found) == 0 {
			lost++
		}
		fmt.Printf("%2d  %-62s %-40s %s  %s\n", i+1, b.name, b.file, time.Since(begin).Round(time.Second), result)
	}
	if lost > 0 {
		return fmt.Errorf("%d bugs were not found", lost)
	}
	return nil
}

type trial struct {
	dir, root string
	args      []string
}

// finding is a difference as the tester prints it.
type finding struct{ after, kind, id string }

var reported = regexp.MustCompile(`(?m)^---- difference \d+, after (\d+) queries\ndifference \(([^)]*)\) of query ([0-9:]+)`)

// try builds the tester with a bug and runs it.
func (t *trial) try(b bug, more ...string) ([]finding, error) {
	exe := filepath.Join(t.dir, "difftest")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=1")
	if b.file != "" {
		overlay, err := t.overlay(b)
		if err != nil {
			return nil, err
		}
		build.Args = append(build.Args[:2:2], append([]string{"-overlay", overlay}, build.Args[2:]...)...)
	}
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	run := exec.Command(exe, append(t.args, more...)...)
	var out bytes.Buffer
	run.Stdout, run.Stderr = &out, &out
	err := run.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	if b.feature != "" && strings.Contains(out.String(), "feature "+b.feature+" is off") {
		return nil, fmt.Errorf("needs %s, which rainsql does not have yet", b.feature)
	}
	var all []finding
	for _, m := range reported.FindAllStringSubmatch(out.String(), -1) {
		all = append(all, finding{m[1], m[2], m[3]})
	}
	if len(all) == 0 && !strings.Contains(out.String(), " queries in ") {
		return nil, fmt.Errorf("the tester broke off: %.500s", out.String())
	}
	return all, nil
}

// overlay writes the changed file, and the list that names it.
func (t *trial) overlay(b bug) (string, error) {
	path, err := filepath.Abs(filepath.Join(t.root, b.file))
	if err != nil {
		return "", err
	}
	src, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	if n := strings.Count(string(src), b.old); n != 1 {
		return "", fmt.Errorf("the text to replace is there %d times, not once: mend planted/bugs.go", n)
	}
	changed := filepath.Join(t.dir, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(src), b.old, b.new, 1)), 0o644); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]map[string]string{"Replace": {path: changed}})
	if err != nil {
		return "", err
	}
	overlay := filepath.Join(t.dir, "overlay.json")
	return overlay, os.WriteFile(overlay, text, 0o644)
}
