package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/node"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// servers starts a cluster of some servers, each on a folder of its name in dir, and gives their addresses.
func servers(t *testing.T, dir string, certs *identity.Bundle, names ...string) []string {
	t.Helper()
	var addrs []string
	for i, name := range names {
		n, err := node.Start(node.Config{
			Dir: filepath.Join(dir, name), Name: name, Listen: "127.0.0.1:0", Join: addrs[:min(i, 1)], Profile: "local",
			Slots: perCore, Opener: func(f *sdfs.Store, g *dag.Graph) jobs.Opener { return engine.NewOpener(f, g, false) },
			Certs: certs, ReserveBytes: 1 << 12, SpareBytes: 1, Drain: time.Second, OnFatal: func(err error) { t.Error(name, err) },
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(n.Kill)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := n.WaitReady(ctx); err != nil {
			t.Fatal(err)
		}
		addrs = append(addrs, n.Addr())
	}
	return addrs
}

// TestFileStoreOnCluster drives `rainsql fs` over --connect, command by command, by way of one server and the other.
func TestFileStoreOnCluster(t *testing.T) {
	dir := t.TempDir()
	addrs := servers(t, dir, nil, "n1", "n2")
	t.Chdir(t.TempDir())
	big := strings.Repeat("some text\n", 200_000)
	for name, text := range map[string]string{"a.csv": "n,s\n1,x\n2,y\n", "b.csv": "3,z\n", "c.csv": "4,w\n", "empty": "", "big": big} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	steps := []struct {
		args  string
		input string
		code  int
		out   string // how standard output begins, or all of it, with $ at its end
		errs  string // how standard error begins
	}{
		{args: "fs ls", out: "$"},
		{args: "fs ls no*", code: 1, errs: "no file matches \"no*\"\n"},
		{args: "fs put a.csv t/a.csv"},
		{args: "fs put a.csv t/a.csv", code: 1, errs: `"t/a.csv": the file exists already; -f replaces it`},
		{args: "fs put -f a.csv t/a.csv"},
		{args: "fs put big big"},
		{args: "fs put empty empty"},
		{args: "fs put none.csv x.csv", code: 1, errs: "none.csv: no such file"},
		{args: "fs put . x.csv", code: 1, errs: ".: is a directory"},
		{args: "fs put a.csv x*.csv", code: 1, errs: `"x*.csv": not a valid file name`},
		{args: "fs append b.csv t/a.csv"},
		{args: "fs append - t/new.csv", input: "n\n7\n"},
		{args: "fs multiappend t/a.csv n1=" + here + "/c.csv n2=" + here + "/c.csv", errs: "n1: "},
		{args: "fs multiappend t/a.csv n1=" + here + "/none n2=" + here, code: 1, errs: here + "/none was not appended: n1: " + here + "/none: no such file"},
		{args: "fs multiappend t/a.csv local=c.csv", code: 1, errs: `no node is called "local"; 'rainsql nodes' lists them (n1, n2)`},
		{args: "fs multiappend t/a.csv c.csv", code: 2, errs: `rainsql: "c.csv": write NODE=LOCAL`},
		{args: "fs cat t/a.csv t/new.csv empty", out: "n,s\n1,x\n2,y\n3,z\n4,w\n4,w\nn\n7\n$"},
		{args: "fs cat t/none.csv", code: 1, errs: `"t/none.csv": no such file`},
		{args: "fs locate t/a.csv", out: "offset,bytes,block,position,node,node_position,state\n0,12,"},
		{args: "fs locate none", code: 1, errs: `"none": no such file`},
		{args: "fs merge t/a.csv", errs: "t/a.csv: 4 blocks before, 1 block now\n"},
		{args: "fs merge none", code: 1, errs: `"none": no such file`},
		{args: "fs stat big --format csv", out: "name,bytes,blocks,id,generation,version,created,modified\nbig,2000000,1,"},
		{args: "fs ls -l t/* --format csv", out: "name,bytes,blocks,created,modified\nt/a.csv,24,1,"},
		{args: "fs ls {t/a*,big}", out: "big\nt/a.csv\n$"},
		{args: "fs store", out: "node,state,answers,positions,share,blocks,"},
		{args: "fs store n2", out: "block,position,bytes,file,offset,owner\n"},
		{args: "fs store n3", code: 1, errs: `no node is called "n3"`},
		{args: "fs du", out: "what,count,bytes\nfiles,4,2000028\nblocks,3,\ncopies,"},
		{args: "fs get big big2"},
		{args: "fs get big big2", code: 1, errs: "big2: exists already"},
		{args: "fs get --from n2 t/new.csv -", out: "n\n7\n$"},
		{args: "fs get --from n3 t/new.csv -", code: 1, errs: `no node is called "n3"`},
		{args: "fs mv big t/a.csv", code: 1, errs: `"t/a.csv": the file exists already`},
		{args: "fs mv big large"},
		{args: "fs check", errs: "4 files, 3 blocks, 6 whole copies on 2 nodes, "},
		{args: "fs check --repair --format json", errs: "4 files, 3 blocks, 6 whole copies on 2 nodes, "},
		{args: "fs check --format nonsense", code: 2, errs: "rainsql: unknown format"},
		{args: "fs rm none", code: 1, errs: `"none": no such file`},
		{args: "fs rm -f none"},
		{args: "fs rm t/*"},
		{args: "fs ls", out: "empty\nlarge\n$"},
		{args: "fs ls --data x", code: 2, errs: "rainsql: --data is the embedded store, --connect a cluster's"},
	}
	for i, s := range steps {
		args := append(strings.Fields(s.args), "--connect", addrs[i%2])
		code, out, errs := invoke(t, s.input, args...)
		want, all := strings.CutSuffix(s.out, "$")
		if code != s.code || !strings.HasPrefix(out, want) || all && out != want || !strings.HasPrefix(errs, s.errs) || s.errs == "" && errs != "" {
			t.Errorf("rainsql %s: exit status %d, standard output %q, standard error %q\nwant %d, %q, %q", s.args, code, out, errs, s.code, s.out, s.errs)
		}
	}
	if b, err := os.ReadFile("big2"); string(b) != big {
		t.Errorf("fs get gave %d bytes, %v", len(b), err)
	}
	blocks, _ := filepath.Glob(filepath.Join(dir, "n1", "blocks", "*"))
	if len(blocks) != 1 {
		t.Fatalf("blocks of n1: %v", blocks)
	}
	b, err := os.ReadFile(blocks[0])
	if err != nil {
		t.Fatal(err)
	}
	b[300_000] ^= 4
	if err := os.WriteFile(blocks[0], b, 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := invoke(t, "", "fs", "check", "--connect", addrs[1]); code != 1 || !strings.Contains(out, "\nlarge,"+filepath.Base(blocks[0])+",n1,"+blocks[0]+",") {
		t.Errorf("a damaged copy: %d, %q, %q", code, out, errs)
	}
	if code, out, errs := invoke(t, "", "fs", "check", "--repair", "--connect", addrs[1]); code != 0 {
		t.Errorf("repaired: %d, %q, %q", code, out, errs)
	}
	t.Setenv("RAINSQL_CONNECT", addrs[1]+","+addrs[0])
	if code, out, errs := invoke(t, "", "fs", "cat", "large"); code != 0 || out != big {
		t.Errorf("by the environment: %d, %d bytes, %s", code, len(out), errs)
	}
	if _, out, _ := invoke(t, "", "__completeNoDesc", "fs", "cat", "la"); !strings.HasPrefix(out, "large\n") {
		t.Errorf("Tab: %q", out)
	}
	if code, out, _ := invoke(t, "", "fs", "ls", "--data", t.TempDir()); code != 0 || out != "" {
		t.Errorf("--data counts before the environment: %d, %q", code, out)
	}
	if code, _, errs := invoke(t, "", "fs", "get", "large", "x", "--connect", "127.0.0.1:1", "--wait", "300ms"); code != exitUnreachable || !strings.HasPrefix(errs, "the cluster cannot be reached: ") {
		t.Errorf("nobody there: %d, %s", code, errs)
	}
	if list, err := filepath.Glob("*x*"); len(list) > 0 || err != nil {
		t.Errorf("left behind: %v, %v", list, err)
	}
}

// TestFileStoreRoles: who may read may not write, and only administrators have servers read files of their own.
func TestFileStoreRoles(t *testing.T) {
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
	addrs := servers(t, t.TempDir(), certs, "n1")
	for _, s := range []struct {
		who, args string
		code      int
	}{
		{"writer", "fs put certs/ca.pem a", 0},
		{"reader", "fs put certs/ca.pem b", 1},
		{"reader", "fs get a -", 0},
		{"reader", "fs get --from n1 a -", 0},
		{"reader", "fs locate a", 0},
		{"reader", "fs store", 0},
		{"reader", "fs store n1", 0},
		{"reader", "fs du", 0},
		{"reader", "fs merge a", 1},
		{"reader", "fs check", 1},
		{"writer", "fs check --repair", 0},
		{"writer", "fs multiappend a n1=certs/ca.pem", 1},
		{"boss", "fs multiappend a n1=certs/ca.pem", 0},
	} {
		code, _, errs := invoke(t, "", append(strings.Fields(s.args), "--connect", addrs[0], "--certs", "certs/"+s.who)...)
		if code != s.code || code != 0 && !strings.Contains(errs, "not allowed: this needs the role ") {
			t.Errorf("%s: %s: %d, %s", s.who, s.args, code, errs)
		}
	}
}
