package main

import (
	"os"
	"runtime/debug"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/engine"
)

func TestHelp(t *testing.T) {
	for _, c := range []struct {
		args     []string
		code     int
		out, err string // the beginning of each, or what is in it
	}{
		{[]string{"help"}, exitDone, "rainsql runs RQL", ""},
		{[]string{"help", "fs", "put"}, exitDone, "Copy a local file", ""},
		{[]string{"help", "filter"}, exitDone, "FILTER\n══════\n", ""},
		{[]string{"help", "order", "by"}, exitDone, "SORT\n════\n", ""},
		{[]string{"help", "substr"}, exitDone, "substring(STRING, INT, INT) -> STRING", ""},
		{[]string{"help", "memory_limit"}, exitDone, "rainsql --set memory_limit=", ""},
		{[]string{"help", "topics"}, exitDone, "Statements\n──────────\n", ""},
		{[]string{"help", "explain"}, exitDone, "'rainsql help EXPLAIN' tells about it in the language", ""},
		{[]string{"help", "EXPLAIN"}, exitDone, "EXPLAIN ANALYZE", ""},
		{[]string{"help", "filtre"}, exitUsage, "", "rainsql: no help on \"filtre\": did you mean FILTER? 'rainsql help topics' lists what there is\n"},
		{[]string{"help", "versio"}, exitUsage, "", "rainsql: no help on \"versio\": did you mean version"},
		{[]string{"help", "qqqqqq"}, exitUsage, "", "rainsql: no help on \"qqqqqq\"; 'rainsql help topics' lists what there is\n"},
		{[]string{"completion", "tcsh"}, exitUsage, "", "rainsql: completion takes the name of a shell: bash, zsh or fish\n"},
		{[]string{"completion", "bash"}, exitDone, "__start_rainsql", ""},
		{[]string{"completion", "zsh"}, exitDone, "#compdef rainsql", ""},
		{[]string{"completion", "fish"}, exitDone, "complete -c rainsql", ""},
	} {
		code, out, errs := invoke(t, "", c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.HasPrefix(errs, c.err) {
			t.Errorf("%v: status %d\n%s%s", c.args, code, out, errs)
		}
	}
}

// What stands on no terminal is at most 79 columns wide.
func TestUsageWidth(t *testing.T) {
	root := newRoot(&common{std: streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}})
	for _, c := range append([]*cobra.Command{root}, below(root)...) {
		args := append(strings.Fields(c.CommandPath())[1:], "--help")
		code, out, errs := invoke(t, "", args...)
		if code != exitDone || errs != "" || !strings.Contains(out, "Usage:\n  "+c.CommandPath()) {
			t.Errorf("%v: status %d\n%s%s", args, code, out, errs)
		}
		for line := range strings.Lines(out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > plainWidth {
				t.Errorf("%v: %d columns: %s", args, n, line)
			}
		}
	}
	_, out, _ := invoke(t, "", "fs", "put", "--help")
	if !strings.Contains(out, "Usage:\n  rainsql fs put LOCAL NAME [flags]\n") || !strings.Contains(out, "\nFlags of every command:\n      --data ") {
		t.Error(out)
	}
}

// TestCompletion asks as the scripts of the shells do.
func TestCompletion(t *testing.T) {
	t.Chdir(t.TempDir())
	store := func(args ...string) {
		t.Helper()
		if code, out, errs := invoke(t, "x\n1\n", args...); code != exitDone {
			t.Fatalf("%v: %s%s", args, out, errs)
		}
	}
	store("--data", "s", "fs", "put", "-", "visits/jan.csv")
	store("--data", "s", "fs", "put", "-", "visits/feb.csv")
	store("--data", "s", "fs", "put", "-", "other.csv")
	ask := func(words ...string) string {
		_, out, _ := invoke(t, "", append([]string{"__completeNoDesc"}, words...)...)
		return strings.ReplaceAll(strings.TrimSuffix(out, "\n"), "\n", " ")
	}
	const (
		files = ":0" // what a shell does by itself
		only  = ":4" // no files
	)
	for _, c := range []struct {
		words []string
		want  string
	}{
		{[]string{"f"}, "fmt fs " + only},
		{[]string{"--format", "j"}, "table csv tsv json jsonl markdown arrow parquet null " + only}, // the shell chooses
		{[]string{"explain", "--format", ""}, "text json dot " + only},
		{[]string{"fs", "ls", "--format", ""}, "table csv tsv json jsonl markdown arrow parquet null " + only},
		{[]string{"--progress", ""}, "auto on off " + only},
		{[]string{"--set", "m"}, "memory_limit= :6"},
		{[]string{"--param", ""}, only},
		{[]string{"--data", ""}, ":16"},
		{[]string{"-f", ""}, files},
		{[]string{"-o", ""}, files},
		{[]string{"fmt", ""}, files},
		{[]string{"gen", ""}, "signs " + only},
		{[]string{"completion", ""}, "bash zsh fish " + only},
		{[]string{"help", "subs"}, "substring " + only},
		{[]string{"help", "fs", "me"}, "merge " + only},
		{[]string{"--data", "s", "fs", "cat", "v"}, "visits/feb.csv visits/jan.csv " + only},
		{[]string{"--data", "s", "fs", "rm", "other.csv", "vis"}, "visits/feb.csv visits/jan.csv " + only},
		{[]string{"--data", "s", "fs", "put", ""}, files},
		{[]string{"--data", "s", "fs", "put", "a.csv", "o"}, "other.csv " + only},
		{[]string{"--data", "s", "fs", "put", "a.csv", "other.csv", ""}, only},
		{[]string{"--data", "s", "fs", "get", "other.csv", ""}, files},
		{[]string{"--data", "none", "fs", "cat", ""}, only},
	} {
		if got := ask(c.words...); got != c.want {
			t.Errorf("%q: got %q, want %q", c.words, got, c.want)
		}
	}
	if _, err := os.Stat("none"); err == nil {
		t.Error("Tab made a store")
	}
	c := common{data: "s"}
	e := engine.New(engine.Config{Store: c.storeConfig()})
	if _, err := e.Store(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := ask("--data", "s", "fs", "cat", ""); got != only {
		t.Errorf("while the store is held: %q", got)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _ := invoke(t, "", "version"); code != exitDone || !strings.HasPrefix(out, "rainsql ") || !strings.Contains(out, "\n  go ") {
		t.Errorf("status %d: %s", code, out)
	}
	if code, out, _ := invoke(t, "", "--version"); code != exitDone || !strings.HasPrefix(out, "rainsql ") || strings.Count(out, "\n") != 1 {
		t.Errorf("status %d: %s", code, out)
	}
	info := &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123abc"}, {Key: "vcs.modified", Value: "true"}, {Key: "vcs.time", Value: "2026-01-31T10:00:00Z"},
		{Key: "-tags", Value: "x"}, {Key: "CGO_ENABLED", Value: "0"}, {Key: "-trimpath", Value: "true"},
	}, Deps: []*debug.Module{{Path: "github.com/apache/arrow-go/v18", Version: "v18.8.0"}}}
	got := describe("", info).String()
	for _, want := range []string{"rainsql v1.2.3\n", " 0123abc, with changes\n", " 2026-01-31T10:00:00Z\n", " go1.26.8 for ", " v18.8.0\n", "static, without cgo, trimmed paths, tags x\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is not in\n%s", want, got)
		}
	}
	if got := describe("v9", info).version; got != "v9" {
		t.Errorf("the linker said v9, not %s", got)
	}
	if got := describe("", &debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}).version; got != "dev" {
		t.Errorf("without a version it is dev, not %s", got)
	}
}
