package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// invoke runs the program in this process and returns what it said.
func invoke(t *testing.T, stdin string, args ...string) (code int, out, errs string) {
	t.Helper()
	dir := t.TempDir()
	file := func(name, text string) *os.File {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	std := streams{in: file("in", stdin), out: file("out", ""), err: file("err", "")}
	code = run(args, std)
	read := func(f *os.File) string {
		b, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	out, errs = read(std.out), read(std.err)
	if err := std.in.Close(); err != nil {
		t.Fatal(err)
	}
	return code, out, errs
}

const useHint = "run 'rainsql --help' for how to use it\n"

func TestCommandLine(t *testing.T) {
	t.Chdir(t.TempDir())
	write := func(name, text string) {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.csv", "a,b\n1,x\n2,\n")
	write("q.rql", "FROM './a.csv' FILTER a = $n;\n")
	write("let.rql", "LET big = (FROM './a.csv' FILTER a > 1);\n")
	for _, c := range []struct {
		name       string
		stdin      string
		args       []string
		code       int
		out, errs  string
		errsPrefix bool
	}{
		{name: "script", args: []string{"-f", "q.rql", "--param", "n=2"}, out: "a,b\n2,\n"},
		{name: "standard input", stdin: "FROM './a.csv' LIMIT 1", out: "a,b\n1,x\n"},
		{name: "standard input by name", stdin: "FROM './a.csv' LIMIT 1", args: []string{"-f", "-"}, out: "a,b\n1,x\n"},
		{name: "scripts in order, one session", args: []string{"-f", "let.rql", "-c", "FROM big TRANSFORM a"}, out: "a\n2\n"},
		{name: "nothing to run", args: []string{"-c", " -- no statement"}},
		{name: "json", args: []string{"-c", "FROM './a.csv'", "--format", "json"}, out: "[\n{\"a\":1,\"b\":\"x\"},\n{\"a\":2,\"b\":null}\n]\n"},
		{name: "no rows as json", args: []string{"-c", "FROM './a.csv' LIMIT 0", "--format", "json"}, out: "[\n]\n"},
		{name: "jsonl", args: []string{"-c", "FROM './a.csv' LIMIT 1", "--format", "jsonl"}, out: "{\"a\":1,\"b\":\"x\"}\n"},
		{name: "markdown", args: []string{"-c", "FROM './a.csv'", "--format", "markdown"}, out: "| a | b |\n| ---: | --- |\n| 1 | x |\n| 2 |  |\n"},
		{name: "null", args: []string{"-c", "FROM './a.csv'", "--format", "null"}},
		{name: "table", args: []string{"-c", "FROM './a.csv'", "--format", "table"}, out: "" +
			"┌─────┬────────┐\n│   a │ b      │\n│ INT │ STRING │\n├─────┼────────┤\n│   1 │ x      │\n│   2 │ NULL   │\n└─────┴────────┘\n2 rows\n"},
		{name: "into a file", args: []string{"-c", "FROM './a.csv' INTO './b.csv'"}, errs: "wrote 2 rows to ./b.csv\n"},
		{name: "two columns of one name", args: []string{"-c", "FROM './a.csv' TRANSFORM a, a", "--format", "json"}, code: 1,
			errs: "json cannot hold two columns named \"a\"; RENAME one of them, or write csv\n"},
		{name: "a failed query", args: []string{"-c", "FROM './a.csv' TRANSFORM a // (a - 2) AS q"}, code: 1, errsPrefix: true,
			out: "", errs: "./a.csv:3: division by zero"},
		{name: "a script stops at its first failing statement", args: []string{"-c", "TRANSFORM 1 AS x; TRANSFORM CAST('a' || 'b' AS INT) AS y; TRANSFORM 3 AS z", "--format", "jsonl"},
			code: 1, out: "{\"x\":1}\n", errs: "command:1:19: cannot read 'ab' as INT", errsPrefix: true},
		{name: "nothing runs if anything is wrong", args: []string{"-c", "TRANSFORM 1 AS x; FROM './nope.csv'"}, code: 1, errsPrefix: true,
			errs: "command:1:24: no file \"./nope.csv\""},
		{name: "no such script", args: []string{"-f", "nope.rql"}, code: 1, errs: "cannot read the script: open nope.rql: no such file or directory\n"},
		{name: "unknown flag", args: []string{"--formt", "csv"}, code: 2, errs: "rainsql: unknown flag: --formt\n" + useHint},
		{name: "unknown command", args: []string{"frm"}, code: 2, errs: "rainsql: unknown command \"frm\"; to run a script write rainsql -f frm\n" + useHint},
		{name: "two results in one parquet", args: []string{"-c", "FROM './a.csv'; FROM './a.csv'", "-o", "two.parquet"}, code: 1,
			errs: "command:1:17: the script gives several results, and format parquet holds one: end each pipeline with INTO\n"},
		{name: "the format of -o", args: []string{"-c", "FROM './a.csv' FILTER a = 1", "-o", "b.jsonl.gz"}, errs: "wrote 1 row to b.jsonl.gz\n"},
		{name: "and back", args: []string{"-c", "FROM './b.jsonl.gz'"}, out: "a,b\n1,x\n"},
		{name: "-o with a format, and how it is compressed", args: []string{"-c", "FROM './a.csv'; FROM './a.csv' LIMIT 1", "--format", "csv", "-o", "rows.gz"}, errs: "wrote 3 rows to rows.gz\n"},
		{name: "what it holds", args: []string{"-c", "FROM './rows.gz' (format = 'csv') LIMIT 1"}, out: "a,b\n1,x\n"},
		{name: "-o with nothing for it", args: []string{"-c", "LET x = (FROM './a.csv')", "-o", "c.csv"}},
		{name: "-o of no rows that are kept", args: []string{"-c", "FROM './a.csv'", "--format", "null", "-o", "c.csv"}},
		{name: "-o without a format", args: []string{"-c", "FROM './a.csv'", "-o", "rep.xlsx"}, code: 2, errsPrefix: true,
			errs: "rainsql: rep.xlsx: its name does not tell its format; say it: --format csv, or tsv, "},
		{name: "nor an ending", args: []string{"-c", "FROM './a.csv'", "-o", "rep"}, code: 2, errsPrefix: true, errs: "rainsql: rep: its name does not tell"},
		{name: "a script's name mistyped", args: []string{"-f", "lett.rql"}, code: 1,
			errs: "cannot read the script: open lett.rql: no such file or directory; did you mean let.rql?\n"},
		{name: "a script without its ending", args: []string{"-f", "./q"}, code: 1,
			errs: "cannot read the script: open ./q: no such file or directory; did you mean q.rql?\n"},
		{name: "a query that is no argument", args: []string{"FROM './a.csv'"}, code: 2, errs: "rainsql: rainsql takes a query behind -c: rainsql -c \"FROM …\"\n" + useHint},
		{name: "nor of explain", args: []string{"explain", "FROM './a.csv'"}, code: 2,
			errs: "rainsql: rainsql explain takes a query behind -c: rainsql explain -c \"FROM …\"\n" + useHint},
		{name: "nor a script", args: []string{"explain", "q.rql"}, code: 2,
			errs: "rainsql: rainsql explain takes no \"q.rql\"; for a script write rainsql explain -f q.rql\n" + useHint},
		{name: "unknown format", args: []string{"-c", "", "--format", "jsno"}, code: 2, errs: "rainsql: unknown format \"jsno\": did you mean \"json\"?\n" + useHint},
		{name: "half a parameter", args: []string{"-c", "", "--param", "x"}, code: 2, errs: "rainsql: --param \"x\": write --param name=value\n" + useHint},
		{name: "unknown setting", args: []string{"-c", "", "--set", "x=1"}, code: 2, errsPrefix: true, errs: "rainsql: no setting \"x\": there are parallelism"},
		{name: "unknown data set", args: []string{"gen", "sings"}, code: 2, errs: "rainsql: no data set \"sings\": there is signs\n" + useHint},
		{name: "unwritable output", args: []string{"-c", "FROM './a.csv'", "-o", "no/such/x.csv"}, code: 1,
			errs: "no/such/x.csv: its folder does not exist; create it first: mkdir -p no/such\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, out, errs := invoke(t, c.stdin, c.args...)
			if code != c.code {
				t.Errorf("exit status %d, want %d", code, c.code)
			}
			if out != c.out {
				t.Errorf("standard output:\n%s\nwant\n%s", out, c.out)
			}
			if c.errsPrefix {
				errs = errs[:min(len(errs), len(c.errs))]
			}
			if errs != c.errs {
				t.Errorf("standard error:\n%s\nwant\n%s", errs, c.errs)
			}
		})
	}
}

// A query that fails leaves no file behind, whole or half.
func TestFailureLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	text := "a\n" + strings.Repeat("1\n", 100_000) + "0\n"
	if err := os.WriteFile("a.csv", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"-c", "FROM './a.csv' TRANSFORM 1 // a AS q INTO './out.csv'"},
		{"-c", "FROM './a.csv' TEE INTO './tee.jsonl' TRANSFORM 1 // a AS q INTO './out.csv'"},
		{"-c", "FROM './a.csv' TRANSFORM 1 // a AS q", "-o", "out.csv"},
		{"-c", "SET row_limit = 10; FROM './a.csv'", "-o", "out.csv"},
	} {
		if code, _, _ := invoke(t, "", args...); code != exitFailed {
			t.Errorf("%v: exit status %d", args, code)
		}
		left, err := os.ReadDir(".")
		if err != nil {
			t.Fatal(err)
		}
		if len(left) != 1 {
			t.Errorf("%v: left %v", args, left)
		}
	}
}

func TestGenIsTheSameEverywhere(t *testing.T) {
	_, out, _ := invoke(t, "", "gen", "signs", "--rows", "3", "--seed", "7")
	_, again, _ := invoke(t, "", "gen", "signs", "--rows", "5", "--seed", "7")
	if strings.Count(out, "\n") != 4 || !strings.HasPrefix(again, out) {
		t.Errorf("3 rows are not the beginning of 5:\n%s\n%s", out, again)
	}
}

func TestExplainCommand(t *testing.T) {
	code, out, errs := invoke(t, "", "explain", "--set", "parallelism=2", "-c", "FROM range(0, 10) FILTER value > 3 AGGREGATE count(*) AS n")
	want := `-- logical plan
result [n]
└─ aggregate count(*) AS n
   └─ filter value > 3
      └─ range 0 to 10 step 1 [value]

-- optimised plan (partial-aggregation)
result [n]
└─ aggregate in two steps count(*) AS n
   └─ filter value > 3
      └─ range 0 to 10 step 1 [value]

-- stages
stage 0: 1 task
  result #0
  └─ aggregate (whole) count(*) AS n
     └─ filter value > 3
        └─ range 0 to 10 step 1
`
	if code != 0 || out != want || errs != "" {
		t.Errorf("status %d\n%s\n%s\nwant\n%s", code, out, errs, want)
	}
}

// A script may have more statements than a process may have files open.
func TestLongScript(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte("a\n1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	const statements = 3000
	code, out, errs := invoke(t, strings.Repeat("FROM './a.csv';\n", statements), "--format", "csv")
	if code != 0 || errs != "" || strings.Count(out, "\n") != 2*statements {
		t.Errorf("status %d, %d lines, %.200s", code, strings.Count(out, "\n"), errs)
	}
}

// A pipe can be read once: by the query, not by the planning before it.
func TestPipeIsReadOnce(t *testing.T) {
	pipe := func() (path string, done func()) {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteString("a\n1\n2\n"); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("/dev/fd/%d", r.Fd()), func() { _ = r.Close() }
	}
	path, done := pipe()
	defer done()
	code, out, errs := invoke(t, "", "-c", fmt.Sprintf("LET x = (FROM '%s' (format = 'csv')); FROM x AGGREGATE sum(a) AS s", path))
	if code != 0 || out != "s\n3\n" {
		t.Errorf("status %d, %q, %s", code, out, errs)
	}
	path, done = pipe()
	defer done()
	code, out, errs = invoke(t, "", "-c", fmt.Sprintf("LET x = (FROM '%s' (format = 'csv')); FROM x UNION ALL (FROM x) AGGREGATE sum(a) AS s", path))
	if code != 0 || out != "s\n6\n" {
		t.Errorf("status %d, %q, %s", code, out, errs)
	}
	path, done = pipe()
	defer done()
	code, _, errs = invoke(t, "", "-c", fmt.Sprintf("LET x = (FROM '%s' (format = 'csv')); FROM x; FROM x", path))
	if code != exitFailed || !strings.Contains(errs, "can be read only once") {
		t.Errorf("status %d, %s", code, errs)
	}
}
