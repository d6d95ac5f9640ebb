package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/identity"
)

// masked is a listing with its times, and the columns that count them, as words.
func masked(text string) string {
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT[0-9:.]+Z`).ReplaceAllString(text, "TIME")
	return regexp.MustCompile(`,\d+\.\d+`).ReplaceAllString(text, ",X")
}

// TestJobCommands runs queries and drives the commands that look at them, by way of one server and the other.
func TestJobCommands(t *testing.T) {
	addrs := servers(t, t.TempDir(), nil, "n1", "n2")
	t.Chdir(t.TempDir())
	if err := os.WriteFile("a.csv", []byte("n,s\n1,x\n2,y\n3,x\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	on := func(i int, args ...string) (code int, out, errs string) {
		t.Helper()
		return invoke(t, "", append(args, "--connect", addrs[i])...)
	}
	if code, _, errs := on(0, "fs", "put", "a.csv", "a.csv"); code != 0 {
		t.Fatal(errs)
	}
	if code, out, errs := on(1, "jobs"); code != 0 || out != "id,status,user,submitted,seconds,attempts,slots,gateway,rows,reason,query\n" {
		t.Fatalf("%d, %q, %s", code, out, errs)
	}
	if code, out, errs := on(0, "-c", "FROM 'a.csv'\n  AGGREGATE count(*) AS n BY s"); code != 0 || out != "s,n\nx,2\ny,1\n" {
		t.Fatalf("%d, %q, %s", code, out, errs)
	}
	if code, _, errs := on(1, "-c", "FROM 'a.csv' TRANSFORM cast(s AS INT) AS bad"); code != 1 {
		t.Fatalf("%d, %s", code, errs)
	}
	_, list, _ := on(0, "jobs", "--format", "csv")
	rows := strings.Split(list, "\n")
	if len(rows) != 4 {
		t.Fatal(list)
	}
	first, _, _ := strings.Cut(rows[1], ",")
	second, _, _ := strings.Cut(rows[2], ",")
	want := "id,status,user,submitted,seconds,attempts,slots,gateway,rows,reason,query\n" +
		first + ",done,anyone,TIME,X,1,0,n1,2,,FROM 'a.csv' AGGREGATE count(*) AS n BY s\n" +
		second + ",failed,anyone,TIME,X,1,0,n2,,"
	if got := masked(list); !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ",FROM 'a.csv' TRANSFORM cast(s AS INT) AS bad\n") {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	steps := []struct {
		args string
		code int
		out  string // what standard output has, with its times masked
		errs string // how standard error begins
	}{
		{args: "job show " + first, out: "\nstatus     done\nuser       anyone\nsubmitted  TIME\nbegan      TIME\nended      TIME\n"},
		{args: "job show " + first, out: "\ngateway    n1\nrows       2\nquery      FROM 'a.csv'\n             AGGREGATE count(*) AS n BY s\n┌"},
		{args: "job show " + second, out: "\nstatus     failed\n"},
		{args: "job show --format csv " + first, out: "stage,tasks,ended,nodes,rows_in,rows_out,bytes,seconds,waiting,skew,operators\n0,1,1,n1,3,2,16,X,X,X,\"scan 'a.csv' (csv) [s] · aggregate (whole) count(*) AS n by s · result s, n\"\n"},
		{args: "job show --tasks --format csv " + first, out: "id,stage,task,node,state,since,rows_in,rows_out,bytes,seconds,waited_seconds\n" + first + ".0.0,0,0,n1,ended,TIME,"},
		{args: "job show 12345", code: 1, errs: "no job 12345 in the cluster; 'rainsql jobs' lists those that it knows\n"},
		{args: "job show x", code: 2, errs: `rainsql: "x": a job is named by its number; 'rainsql jobs' lists them`},
		{args: "job show", code: 2, errs: "rainsql: write rainsql job show ID"},
		{args: "job show --format nonsense " + first, code: 2, errs: "rainsql: unknown format"},
		{args: "job cancel " + first, code: 1, errs: "job " + first + " has ended already: it is done\n"},
		{args: "job cancel " + second, code: 1, errs: "job " + second + " has ended already, it failed: "},
		{args: "job cancel 12345", code: 1, errs: "no job 12345 in the cluster"},
		{args: "tasks", out: "id,job,attempt,stage,task,node,since,rows_in,rows_out,bytes,waited_seconds,operators\n"},
		{args: "tasks 12345", code: 1, errs: "no job 12345 in the cluster"},
		{args: "task kill 12345.0.0", code: 1, errs: "nothing was killed: there is no job 12345\n"},
		{args: "task kill " + first + ".0.0", code: 1, errs: "nothing was killed: job " + first + " does not run: it is done\n"},
		{args: "task kill 17", code: 2, errs: `rainsql: "17": a task is named JOB.STAGE.TASK, such as 17.2.0; 'rainsql tasks' lists them`},
		{args: "task kill 17.-1.0", code: 2, errs: `rainsql: "17.-1.0": a task is named JOB.STAGE.TASK`},
	}
	for i, s := range steps {
		code, out, errs := on(i%2, strings.Fields(s.args)...)
		if code != s.code || !strings.Contains(masked(out), s.out) || !strings.HasPrefix(errs, s.errs) || s.errs == "" && errs != "" {
			t.Errorf("rainsql %s: exit status %d, standard output %q, standard error %q\nwant %d, %q, %q", s.args, code, masked(out), errs, s.code, s.out, s.errs)
		}
	}
	t.Setenv("RAINSQL_CONNECT", addrs[1])
	for args, want := range map[string]string{"job show": second + "\n" + first + "\n:", "job cancel": ":", "tasks": ":", "task kill": ":"} {
		_, out, _ := invoke(t, "", append(append([]string{"__completeNoDesc"}, strings.Fields(args)...), "")...)
		if !strings.HasPrefix(out, want) {
			t.Errorf("Tab behind %s: %q, not %q", args, out, want)
		}
	}
}

// TestJobRoles: who may read may look, who may write may cancel, and only administrators kill.
func TestJobRoles(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range []string{"cert ca", "cert node n1", "cert client reader", "cert client writer --role write", "cert client boss --role admin"} {
		if code, _, errs := invoke(t, "", strings.Fields(args)...); code != 0 {
			t.Fatal(args, errs)
		}
	}
	certs, err := identity.Load("certs/n1", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	addr := servers(t, t.TempDir(), certs, "n1")[0]
	for _, s := range []struct{ who, args, errs string }{
		{"reader", "jobs", ""},
		{"reader", "tasks", ""},
		{"reader", "job show 7", "no job 7 "},
		{"reader", "job cancel 7", "not allowed: this needs the role write, and reader has read"},
		{"writer", "job cancel 7", "no job 7 "},
		{"writer", "task kill 7.0.0", "not allowed: this needs the role admin, and writer has write"},
		{"boss", "task kill 7.0.0", "nothing was killed: there is no job 7"},
	} {
		code, _, errs := invoke(t, "", append(strings.Fields(s.args), "--connect", addr, "--certs", "certs/"+s.who)...)
		if fmt.Sprint(code) != map[bool]string{true: "0", false: "1"}[s.errs == ""] || !strings.HasPrefix(errs, s.errs) {
			t.Errorf("%s: %s: %d, %s", s.who, s.args, code, errs)
		}
	}
}
