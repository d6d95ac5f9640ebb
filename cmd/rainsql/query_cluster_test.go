package main

import (
	"os"
	"strings"
	"testing"
)

// TestQueriesOnCluster plans queries over the files of a cluster: what is there, what is refused, and who is asked.
func TestQueriesOnCluster(t *testing.T) {
	addr := servers(t, t.TempDir(), nil, "n1")[0]
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{"a.csv": "n,s\n1,x\n2,y\n", "q.rql": "DESCRIBE 'l/a.csv'", "here.csv": "n\n1\n"} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if code, _, errs := invoke(t, "", "fs", "put", "a.csv", "l/a.csv", "--connect", addr); code != 0 {
		t.Fatal(errs)
	}
	const columns = "column_name,column_type\nn,INT\ns,STRING\n"
	steps := []struct {
		args  []string
		input string
		code  int
		out   string // how standard output begins
		errs  string // what standard error has
	}{
		{args: []string{"-c", "DESCRIBE 'l/a.csv'"}, out: columns},
		{args: []string{"-c", "DESCRIBE 'l/*.csv'"}, out: columns},
		{args: []string{"-f", "q.rql"}, out: columns},
		{input: "\\d 'l/a.csv'\n\\d\n", out: columns + "name,bytes,blocks,created,modified\nl/a.csv,12,1,"},
		{args: []string{"-c", "SHOW FILES", "--format", "jsonl"}, out: `{"name":"l/a.csv","bytes":12,`},
		{args: []string{"explain", "-c", "FROM 'l/a.csv' FILTER n > 1 INTO './x.csv'"}, out: "-- logical plan\n"},
		{args: []string{"-c", "FROM './here.csv'"}, code: 1, errs: `"./here.csv" is on this machine's disk, and the query runs on a cluster`},
		{args: []string{"-c", "SUMMARIZE './here.csv'"}, code: 1, errs: "put it there first: rainsql fs put ./here.csv here.csv"},
		{args: []string{"explain", "-c", "FROM 'here.csv'"}, code: 1, errs: `no file "here.csv" in SDFS`},
		{args: []string{"-c", "SHOW FILES", "--data", "s"}, code: 2, errs: "--data is the embedded store, --connect a cluster's"},
		{args: []string{"explain", "-c", "SHOW FILES", "--data", "s"}, code: 2, errs: "--data is the embedded store, --connect a cluster's"},
		{args: []string{"-c", "SHOW FILES", "--set", "row_limit=x"}, code: 2, errs: "row_limit = x"},
		{args: []string{"-c", "SHOW FILES", "--token", "secret"}, code: 2, errs: "a token is sent over TLS only"},
	}
	for _, s := range steps {
		code, out, errs := invoke(t, s.input, append(s.args, "--connect", addr)...)
		if code != s.code || !strings.HasPrefix(out, s.out) || !strings.Contains(errs, s.errs) || s.errs == "" && errs != "" {
			t.Errorf("rainsql %q: exit status %d, standard output %q, standard error %q\nwant %d, %q, %q", s.args, code, out, errs, s.code, s.out, s.errs)
		}
	}
	t.Setenv("RAINSQL_CONNECT", addr)
	if code, out, errs := invoke(t, "", "-c", "DESCRIBE 'l/a.csv'"); code != 0 || out != columns {
		t.Errorf("by the environment: %d, %q, %s", code, out, errs)
	}
	if code, out, errs := invoke(t, "", "-c", "FROM './here.csv'", "--data", t.TempDir()); code != 0 || out != "n\n1\n" {
		t.Errorf("--data counts before the environment: %d, %q, %s", code, out, errs)
	}
	for _, args := range [][]string{{"-c", "FROM 'l/a.csv'"}, {"explain", "-c", "FROM 'l/a.csv'"}, {}} {
		args = append(args, "--connect", "127.0.0.1:1", "--wait", "300ms")
		if code, _, errs := invoke(t, "SHOW FILES;\n", args...); code != exitUnreachable || !strings.HasPrefix(errs, "the cluster cannot be reached: ") {
			t.Errorf("nobody there: %q: %d, %s", args, code, errs)
		}
	}
	t.Setenv("RAINSQL_CONNECT", "")
	for _, flag := range []string{"--certs=x", "--token=x", "--wait=1s"} {
		if code, _, errs := invoke(t, "", "-c", "SHOW FILES", flag); code != exitUsage || !strings.Contains(errs, "is for a cluster: name one with --connect") {
			t.Errorf("%s: %d, %s", flag, code, errs)
		}
	}
	if code, _, errs := invoke(t, "", "-c", "SHOW FILES", "--connect", ""); code != exitUsage || !strings.Contains(errs, "--connect: write HOST:PORT") {
		t.Errorf("no address: %d, %s", code, errs)
	}
}

func TestServerSlots(t *testing.T) {
	if code, _, errs := invoke(t, "", "server", "--data", t.TempDir(), "--slots", "-1"); code != exitUsage || !strings.Contains(errs, "--slots -1: a node takes one task at least") {
		t.Errorf("%d, %s", code, errs)
	}
}
