package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/identity"
)

// TestCert makes an authority, a node and a client, command by command.
func TestCert(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, s := range []struct {
		args string
		code int
		out  string // how standard output begins
		errs string // how standard error begins
	}{
		{args: "cert node n1", code: 1, errs: "certs holds no certificate authority"},
		{args: "cert ca", errs: "wrote certs; keep it safe. Next: rainsql cert node NAME"},
		{args: "cert ca", code: 1, errs: "certs holds a certificate authority already"},
		{args: "cert node n1 --host db.example,10.0.0.1 --host ::2", errs: "wrote certs/n1; copy it to that machine and start it with: rainsql server --certs FOLDER\n"},
		{args: "cert node n1", code: 1, errs: "certs/n1/ca.pem is there already"},
		{args: "cert node n2 --out elsewhere/n2", errs: "wrote elsewhere/n2; "},
		{args: "cert client ann --role write", errs: "wrote certs/ann; use it with --certs FOLDER"},
		{args: "cert client bob", errs: "wrote certs/bob; "},
		{args: "cert client n1", code: 1, errs: "certs/n1/ca.pem is there already"},
		{args: "cert show certs/n1", out: "name,role,valid_until\nn1,node,2"},
		{args: "cert show --format csv certs/ann", out: "name,role,valid_until\nann,write,2"},
		{args: "cert show --format json elsewhere/n2", out: "[\n{\"name\":\"n2\",\"role\":\"node\",\"valid_until\":\"2"},
		{args: "cert show certs/bob", out: "name,role,valid_until\nbob,read,2"},
		{args: "cert show certs", code: 1, errs: "certs holds neither node.pem nor client.pem"},
		{args: "cert show --format nonsense certs/n1", code: 2, errs: "rainsql: "},
		{args: "cert node ../n3", code: 2, errs: `rainsql: "../n3" is no name`},
		{args: "cert node n3 --host db:7400", code: 2, errs: `rainsql: "db:7400" is no host`},
		{args: "cert client eve --role node", code: 2, errs: `rainsql: there is no role "node": use read, write or admin`},
		{args: "cert client .eve", code: 2, errs: `rainsql: ".eve" is no name`},
		{args: "cert node", code: 2, errs: "rainsql: write rainsql cert node NAME"},
		{args: "cert ca certs2", code: 2, errs: "rainsql: write rainsql cert ca"},
		{args: "cert nod n1", code: 2, errs: `rainsql: cert has no command "nod"`},
		{args: "cert ca --force", code: 2, errs: "rainsql: unknown flag: --force"},
	} {
		code, out, errs := invoke(t, "", strings.Fields(s.args)...)
		errs = filepath.ToSlash(errs)
		if code != s.code || !strings.HasPrefix(out, s.out) || s.out == "" && out != "" || !strings.HasPrefix(errs, s.errs) || s.errs == "" && errs != "" {
			t.Errorf("rainsql %s: exit status %d, standard output %q, standard error %q\nwant %d, %q, %q", s.args, code, out, errs, s.code, s.out, s.errs)
		}
	}
	for _, gone := range []string{"n3", "certs/n3", "certs/eve", "certs2"} {
		if _, err := os.Stat(gone); err == nil {
			t.Errorf("%s was made", gone)
		}
	}
	b, err := identity.Load("certs/n1", time.Now())
	if err != nil || b.Peer() != (identity.Peer{Name: "n1", Role: identity.Node}) {
		t.Errorf("certs/n1: %v", err)
	}
}
