package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestFileStore drives `rainsql fs` through a store, command by command.
func TestFileStore(t *testing.T) {
	t.Chdir(t.TempDir())
	t.Setenv("XDG_DATA_HOME", filepath.Join(t.TempDir(), "data"))
	for name, text := range map[string]string{"a.csv": "n,s\n1,x\n2,y\n", "b.csv": "3,z\n", "c.csv": "4,w\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	steps := []struct {
		args  string
		input string
		code  int
		out   string
		errs  string // how standard error begins
	}{
		{args: "fs ls"},
		{args: "fs ls no*", code: 1, errs: "no file matches \"no*\"\n"},
		{args: "fs put a.csv t/a.csv"},
		{args: "fs put a.csv t/a.csv", code: 1, errs: `"t/a.csv": the file exists already; -f replaces it`},
		{args: "fs put -f a.csv t/a.csv"},
		{args: "fs put none.csv x.csv", code: 1, errs: "none.csv: no such file"},
		{args: "fs put a.csv ./x.csv", code: 1, errs: `"./x.csv": not a valid file name`},
		{args: "fs append b.csv t/a.csv"},
		{args: "fs append - t/new.csv", input: "n\n7\n"},
		{args: "fs multiappend t/a.csv local=c.csv"},
		{args: "fs multiappend t/a.csv n1=c.csv", code: 2, errs: "rainsql: no node \"n1\": the embedded store has one, local; --connect names a cluster\n"},
		{args: "fs cat t/a.csv t/new.csv", out: "n,s\n1,x\n2,y\n3,z\n4,w\nn\n7\n"},
		{args: "fs merge t/a.csv", errs: "t/a.csv: 3 blocks before, 1 block now\n"},
		{args: "-c FROM~'t/a.csv'~AGGREGATE~sum(n)~AS~n~INTO~'t/sum.csv'", errs: "wrote 1 row to t/sum.csv\n"},
		{args: "fs cat t/sum.csv", out: "n\n10\n"},
		{args: "fs ls", out: "t/a.csv\nt/new.csv\nt/sum.csv\n"},
		{args: "fs ls t/{a,sum}.csv", out: "t/a.csv\nt/sum.csv\n"},
		{args: "fs mv t/sum.csv t/a.csv", code: 1, errs: `"t/a.csv": the file exists already`},
		{args: "fs mv t/sum.csv sum.csv"},
		{args: "fs get sum.csv ."},
		{args: "fs get sum.csv sum.csv", code: 1, errs: "sum.csv: exists already"},
		{args: "fs get -f t/a.csv sum.csv"},
		{args: "fs get t/new.csv -", out: "n\n7\n"},
		{args: "fs get gone.csv -", code: 1, errs: `"gone.csv": no such file`},
		{args: "fs rm gone.csv", code: 1, errs: `"gone.csv": no such file`},
		{args: "fs rm -f gone.csv"},
		{args: "fs rm t/*", out: ""},
		{args: "fs ls", out: "sum.csv\n"},
		{args: "fs check", errs: "1 file, 1 block, "},
		{args: "fs check --repair", code: 2, errs: "rainsql: --repair gets copies from other nodes"},
		{args: "fs get --from local sum.csv -", out: "n\n10\n"},
		{args: "fs get --from n1 sum.csv -", code: 2, errs: "rainsql: no node \"n1\": the embedded store has one, local"},
		{args: "fs store n1", code: 2, errs: "rainsql: no node \"n1\": the embedded store has one, local"},
		{args: "fs locate gone.csv", code: 1, errs: `"gone.csv": no such file`},
		{args: "--data x fs ls --connect 127.0.0.1:1", code: 2, errs: "rainsql: --data is the embedded store, --connect a cluster's"},
		{args: "fs ls --token x", code: 2, errs: "rainsql: --token is for a cluster: name one with --connect"},
		{args: "fs ls --connect nowhere", code: 2, errs: "rainsql: --connect nowhere: write HOST:PORT"},
		{args: "fs ls --format nonsense", code: 2, errs: "rainsql: "},
		{args: "fs put a.csv", code: 2, errs: "rainsql: write rainsql fs put LOCAL NAME"},
		{args: "fs pot a.csv x", code: 2, errs: "rainsql: fs has no command \"pot\""},
		{args: "--progress maybe fs put a.csv x", code: 2, errs: "rainsql: unknown --progress \"maybe\""},
	}
	for _, s := range steps {
		args := strings.Fields(s.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "~", " ")
		}
		code, out, errs := invoke(t, s.input, args...)
		if code != s.code || out != s.out || !strings.HasPrefix(errs, s.errs) || s.errs == "" && errs != "" {
			t.Errorf("rainsql %s: exit status %d, standard output %q, standard error %q\nwant %d, %q, %q", s.args, code, out, errs, s.code, s.out, s.errs)
		}
	}
	if b, err := os.ReadFile("sum.csv"); string(b) != "n,s\n1,x\n2,y\n3,z\n4,w\n" {
		t.Errorf("fs get gave %q, %v", b, err)
	}
}

// A second process is told who has the store, and what is damaged is named.
func TestFileStoreDamage(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(t.TempDir())
	text := strings.Repeat("some text\n", 50_000)
	if err := os.WriteFile("a.txt", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, _, errs := invoke(t, "", "--data", dir, "fs", "put", "a.txt", "a.txt"); code != 0 {
		t.Fatal(errs)
	}
	blocks, _ := filepath.Glob(filepath.Join(dir, "blocks", "*"))
	if len(blocks) != 1 {
		t.Fatalf("blocks: %v", blocks)
	}
	b, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	b[300_000] ^= 4
	if err := os.WriteFile(blocks[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	code, out, _ := invoke(t, "", "--data", dir, "fs", "check")
	if code != 1 || !strings.Contains(out, "a.txt,") || !strings.Contains(out, filepath.Base(blocks[0])) {
		t.Errorf("check: exit status %d, %q", code, out)
	}
	code, out, errs := invoke(t, "", "--data", dir, "-c", "FROM 'a.txt' AGGREGATE count(*) AS n")
	if code != 1 || out != "" || !strings.Contains(errs, "a.txt") || !strings.Contains(errs, filepath.Base(blocks[0])) {
		t.Errorf("query: exit status %d, %q, %q", code, out, errs)
	}
}
