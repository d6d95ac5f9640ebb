package identity

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// newCA makes an authority with a node and clients.
func newCA(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "certs")
	must(t, CreateCA(dir))
	must(t, IssueNode(dir, filepath.Join(dir, "n1"), "n1", []string{"db.example", "10.1.2.3"}))
	for _, r := range []Role{Read, Admin} {
		must(t, IssueClient(dir, filepath.Join(dir, r.String()), "ann", r))
	}
	return dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, parts ...string) *Bundle {
	t.Helper()
	b, err := Load(filepath.Join(parts...), time.Now())
	must(t, err)
	return b
}

func trusting(t *testing.T, dir string) *Bundle {
	t.Helper()
	b, err := TrustOnly(filepath.Join(dir, "ca.pem"))
	must(t, err)
	return b
}

// at is the bundle at another time.
func at(b *Bundle, now time.Time) *Bundle {
	moved := &Bundle{roots: b.roots, peer: b.peer, gossip: b.gossip, clock: func() time.Time { return now }}
	moved.own.Store(b.own.Load())
	return moved
}

// greet shakes hands over loopback: what the server knows then, and what either side says against it.
func greet(t *testing.T, server, client *tls.Config) (tls.ConnectionState, error) {
	t.Helper()
	// net.Pipe has no buffers, and either side may write first.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	b, err := net.Dial("tcp", l.Addr().String())
	must(t, err)
	defer b.Close()
	a, err := l.Accept()
	must(t, err)
	defer a.Close()
	limit := time.Now().Add(20 * time.Second)
	must(t, errors.Join(a.SetDeadline(limit), b.SetDeadline(limit)))
	s, c := tls.Server(a, server), tls.Client(b, client)
	done := make(chan error, 1)
	go func() {
		_, err := c.Read(make([]byte, 1)) // of TLS 1.3 the client learns only by reading that it was refused
		done <- err
	}()
	if err = s.Handshake(); err == nil {
		_, err = s.Write([]byte{1})
	}
	return s.ConnectionState(), errors.Join(err, <-done)
}

func TestHandshakes(t *testing.T) {
	ours, theirs := newCA(t), newCA(t)
	node, admin := load(t, ours, "n1"), load(t, ours, "admin")

	// A client's certificate that could be a server's but for the name in it.
	must(t, issue(ours, filepath.Join(ours, "mallory"), Peer{"mallory", Admin},
		&x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, time.Now()))
	// A node that trusts two authorities, as while one follows another.
	both := newCA(t)
	theirPEM, err := os.ReadFile(filepath.Join(theirs, "ca.pem"))
	must(t, err)
	bothPEM, err := os.ReadFile(filepath.Join(both, "ca.pem"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(both, "ca.pem"), append(theirPEM, bothPEM...), 0o600))
	must(t, IssueNode(both, filepath.Join(both, "n2"), "n2", nil))

	later, earlier := node.Until().Add(time.Minute), time.Now().Add(-2*backdated)
	old := tls.Config{MaxVersion: tls.VersionTLS12, InsecureSkipVerify: true}
	for _, c := range []struct {
		name           string
		server, client *tls.Config
		want           Peer
		refusal        string // what one side says
	}{
		{"node to node", node.ServerTLS(), node.ClientTLS(), Peer{"n1", Node}, ""},
		{"reader", node.ServerTLS(), load(t, ours, "read").ClientTLS(), Peer{"ann", Read}, ""},
		{"admin", node.ServerTLS(), admin.ClientTLS(), Peer{"ann", Admin}, ""},
		{"no certificate", node.ServerTLS(), trusting(t, ours).ClientTLS(), Peer{}, ""},
		{"two authorities", load(t, both, "n2").ServerTLS(), load(t, both, "read").ClientTLS(), Peer{"ann", Read}, ""},
		{"the other of two authorities", load(t, both, "n2").ServerTLS(), load(t, theirs, "admin").blind(), Peer{"ann", Admin}, ""},
		{"client of another authority", node.ServerTLS(), load(t, theirs, "admin").blind(), Peer{}, "unknown authority"},
		{"node of another authority", load(t, theirs, "n1").ServerTLS(), node.ClientTLS(), Peer{}, "no node of this cluster"},
		{"client as server", admin.ServerTLS(), node.ClientTLS(), Peer{}, "incompatible key usage"},
		{"client as server, by usage allowed", load(t, ours, "mallory").ServerTLS(), node.ClientTLS(), Peer{}, `that of "mallory"`},
		{"nothing as server", trusting(t, ours).ServerTLS(), node.ClientTLS(), Peer{}, "no certificates configured"},
		{"expired node", node.ServerTLS(), at(admin, later).ClientTLS(), Peer{}, "has expired"},
		{"expired client", at(node, later).ServerTLS(), admin.ClientTLS(), Peer{}, "has expired"},
		{"client of tomorrow", at(node, earlier).ServerTLS(), admin.ClientTLS(), Peer{}, "not yet valid"},
		{"TLS 1.2", node.ServerTLS(), &old, Peer{}, "version"},
	} {
		cs, err := greet(t, c.server, c.client)
		if c.refusal != "" {
			if err == nil || !strings.Contains(err.Error(), c.refusal) {
				t.Errorf("%s: want %q, got %v", c.name, c.refusal, err)
			}
			continue
		}
		p, perr := PeerOf(cs)
		if err := errors.Join(err, perr); err != nil || p != c.want || cs.NegotiatedProtocol != "h2" {
			t.Errorf("%s: %v, %q, %v", c.name, p, cs.NegotiatedProtocol, err)
		}
	}
}

// blind is a client that talks to anyone, so that it is the server that has to refuse it.
func (b *Bundle) blind() *tls.Config {
	conf := b.ClientTLS()
	conf.VerifyConnection = nil
	return conf
}

// Our servers resume nothing; a client that resumes elsewhere judges again.
func TestResumption(t *testing.T) {
	dir := newCA(t)
	node, admin := load(t, dir, "n1"), load(t, dir, "admin")
	resuming, never := node.ServerTLS(), node.ServerTLS()
	resuming.SessionTicketsDisabled = false
	cached := func(b *Bundle, cache tls.ClientSessionCache) *tls.Config {
		conf := b.ClientTLS()
		conf.ClientSessionCache, conf.ServerName = cache, "n1" // what the cache goes by
		return conf
	}
	for _, c := range []struct {
		server *tls.Config
		want   bool
	}{{never, false}, {resuming, true}} {
		cache := tls.NewLRUClientSessionCache(1)
		for i := range 2 {
			cs, err := greet(t, c.server, cached(admin, cache))
			must(t, err)
			if p, err := PeerOf(cs); err != nil || p != (Peer{"ann", Admin}) || cs.DidResume != (c.want && i == 1) {
				t.Errorf("tickets %v, greeting %d: %v, resumed %v, %v", c.want, i, p, cs.DidResume, err)
			}
		}
		_, err := greet(t, c.server, cached(load(t, newCA(t), "admin"), cache))
		if err == nil || !strings.Contains(err.Error(), "no node of this cluster") {
			t.Errorf("tickets %v: one who does not trust the server resumed with it: %v", c.want, err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	dir, other := newCA(t), newCA(t)
	read := func(parts ...string) []byte {
		b, err := os.ReadFile(filepath.Join(parts...))
		must(t, err)
		return b
	}
	client := read(dir, "admin", "client.pem")
	for _, c := range []struct {
		name, file string
		data       []byte // nil: the file is gone
		mode       os.FileMode
		now        time.Time
		want       string // in the error, after the file's path
	}{
		{name: "expired", file: "node.pem", now: time.Now().Add(2 * validLeaf), want: "make another with 'rainsql cert node n1'"},
		{name: "not yet valid", file: "node.pem", now: time.Now().Add(-2 * backdated), want: "set the clock"},
		{name: "key for all to read", file: "node.key", mode: 0o644, want: "(mode 0644): chmod 600"},
		{name: "secret for the group", file: "gossip.key", mode: 0o640, want: "(mode 0640): chmod 600"},
		{name: "no key", file: "node.key", data: nil, mode: 0o600, want: "copy the whole folder again"},
		{name: "key of another", file: "node.key", data: read(other, "n1", "node.key"), mode: 0o600, want: "private key does not match"},
		{name: "half a key", file: "node.key", data: read(dir, "n1", "node.key")[:100], mode: 0o600, want: "copy both again"},
		{name: "half a certificate", file: "node.pem", data: read(dir, "n1", "node.pem")[:300], mode: 0o600, want: "copy both again"},
		{name: "authority of another", file: "ca.pem", data: read(other, "ca.pem"), mode: 0o600, want: "make both anew with 'rainsql cert node n1'"},
		{name: "half an authority", file: "ca.pem", data: read(dir, "ca.pem")[:300], mode: 0o600, want: "no whole certificate"},
		{name: "one and a half", file: "ca.pem", data: append(read(dir, "ca.pem"), read(other, "ca.pem")[:300]...), mode: 0o600, want: "no whole certificate"},
		{name: "no authority's", file: "ca.pem", data: read(dir, "n1", "node.pem"), mode: 0o600, want: `certificate of "n1", not of an authority`},
		{name: "short secret", file: "gossip.key", data: []byte("c2hvcnQ="), mode: 0o600, want: "no key of 32 bytes"},
		{name: "huge", file: "ca.pem", data: make([]byte, mostFile+1), mode: 0o600, want: "is longer than"},
		{name: "neither", file: "node.pem", data: nil, mode: 0o600, want: "holds neither"},
	} {
		if c.now.IsZero() {
			c.now = time.Now()
		}
		if runtime.GOOS == "windows" && strings.Contains(c.want, "chmod") {
			continue
		}
		to := filepath.Join(t.TempDir(), "n1")
		must(t, os.Mkdir(to, 0o700))
		for _, name := range []string{"ca.pem", "node.pem", "node.key", "gossip.key"} {
			must(t, os.WriteFile(filepath.Join(to, name), read(dir, "n1", name), 0o600))
		}
		path := filepath.Join(to, c.file)
		switch {
		case c.data != nil:
			must(t, os.WriteFile(path, c.data, c.mode))
		case c.mode == 0o600:
			must(t, os.Remove(path))
		case c.mode != 0:
			must(t, os.Chmod(path, c.mode))
		}
		_, err := Load(to, c.now)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.file) {
			t.Errorf("%s: want %q of %s, got %v", c.name, c.want, c.file, err)
		}
	}
	// A client's pair under a node's name would lack the gossip secret, and be no node to anyone.
	to := t.TempDir()
	for name, data := range map[string][]byte{"ca.pem": read(dir, "ca.pem"), "node.pem": client, "node.key": read(dir, "admin", "client.key")} {
		must(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
	}
	if _, err := Load(to, time.Now()); err == nil || !strings.Contains(err.Error(), "another kind") {
		t.Errorf("a client was loaded as a node: %v", err)
	}
}

func TestIssueNeverReplaces(t *testing.T) {
	dir := newCA(t)
	before := snapshot(t, dir)
	n1 := filepath.Join(dir, "n1")
	for name, err := range map[string]error{
		"certificate authority already": CreateCA(dir),
		"is there already":              errors.Join(IssueNode(dir, n1, "n1", nil), IssueNode(dir, dir, "n2", nil), IssueClient(dir, n1, "ann", Read), CreateCA(n1)),
		"is no name":                    IssueNode(dir, filepath.Join(dir, "x"), "../x", nil),
		"is no host":                    IssueNode(dir, filepath.Join(dir, "x"), "x", []string{"db:7400"}),
		"there is no role":              IssueClient(dir, filepath.Join(dir, "x"), "x", Node),
		"make one with 'rainsql cert":   IssueNode(filepath.Join(dir, "none"), filepath.Join(dir, "x"), "x", nil),
		"made only in the folder":       IssueNode(n1, filepath.Join(dir, "x"), "x", nil),
	} {
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("want %q, got %v", name, err)
		}
	}
	if after := snapshot(t, dir); after != before {
		t.Errorf("something was written:\n%s\nbefore:\n%s", after, before)
	}
	if runtime.GOOS != "windows" && !strings.HasPrefix(before, ". drwx------\n") || strings.Contains(before, "-rw-r") {
		t.Errorf("others can read what was made:\n%s", before)
	}

	// What is left of an authority is not replaced either, and its key gives no certificates of another.
	must(t, os.Rename(filepath.Join(dir, "ca.pem"), filepath.Join(dir, "ca.pem.away")))
	key, err := os.ReadFile(filepath.Join(dir, "ca.key"))
	must(t, err)
	if err := CreateCA(dir); err == nil || !strings.Contains(err.Error(), "ca.key is there already") {
		t.Errorf("a key was replaced: %v", err)
	}
	if now, err := os.ReadFile(filepath.Join(dir, "ca.key")); err != nil || !bytes.Equal(now, key) {
		t.Errorf("the key has changed, %v", err)
	}
	other, err := os.ReadFile(filepath.Join(newCA(t), "ca.pem"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "ca.pem"), other, 0o600))
	if err := IssueNode(dir, filepath.Join(dir, "x"), "x", nil); err == nil || !strings.Contains(err.Error(), "is not the key of") {
		t.Errorf("a key signed for another authority: %v", err)
	}
}

// snapshot is names, modes and contents below a folder.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	var sb strings.Builder
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		sb.WriteString(name + " " + info.Mode().String() + "\n")
		if !info.IsDir() {
			text, err := os.ReadFile(path)
			sb.Write(text)
			return err
		}
		return nil
	}))
	return sb.String()
}

func TestIssued(t *testing.T) {
	dir := newCA(t)
	node := load(t, dir, "n1")
	ca, err := loadAuthority(dir)
	must(t, err)
	leaf := node.own.Load().Leaf
	if !slices.Equal(leaf.DNSNames, []string{"localhost", "db.example"}) || len(leaf.IPAddresses) != 3 || !leaf.IPAddresses[2].Equal(net.IPv4(10, 1, 2, 3)) {
		t.Errorf("hosts %v %v", leaf.DNSNames, leaf.IPAddresses)
	}
	if !bytes.Equal(node.GossipKey(), ca.gossip) || len(node.GossipKey()) != 32 || load(t, dir, "admin").GossipKey() != nil {
		t.Error("gossip keys")
	}
	if node.Peer() != (Peer{"n1", Node}) || node.Until() != leaf.NotAfter || trusting(t, dir).Peer() != (Peer{}) {
		t.Errorf("%v until %v", node.Peer(), node.Until())
	}

	// Nothing outlives its authority, and an authority that has ended gives no more.
	client := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	late := filepath.Join(dir, "late")
	must(t, issue(dir, late, Peer{"late", Read}, client, ca.cert.NotAfter.Add(-time.Hour)))
	if b, err := Load(late, ca.cert.NotAfter.Add(-time.Minute)); err != nil || b.Until() != ca.cert.NotAfter {
		t.Errorf("%v", err)
	}
	if err := issue(dir, filepath.Join(dir, "x"), Peer{"x", Read}, client, ca.cert.NotAfter); err == nil || !strings.Contains(err.Error(), "ended at") {
		t.Errorf("an authority that has ended gave a certificate: %v", err)
	}
}

// TestRenew: a new certificate in the folder is shown from then on; one of somebody else, or of another authority, is not.
func TestRenew(t *testing.T) {
	dir := newCA(t)
	node, admin := load(t, dir, "n1"), load(t, dir, "admin")
	serverTLS, before := node.ServerTLS(), node.own.Load().Leaf
	renew := func(want bool, refusal string) {
		t.Helper()
		changed, err := node.Renew(time.Now())
		if changed != want || (err == nil) != (refusal == "") || err != nil && !strings.Contains(err.Error(), refusal) {
			t.Errorf("%v, %v; want %v, %q", changed, err, want, refusal)
		}
	}
	replace := func(ca, name string) {
		t.Helper()
		must(t, os.RemoveAll(filepath.Join(dir, "n1")))
		must(t, IssueNode(ca, filepath.Join(dir, "n1"), name, nil))
	}
	renew(false, "")
	replace(dir, "n1")
	renew(true, "")
	renew(false, "")
	if _, err := greet(t, serverTLS, admin.ClientTLS()); err != nil {
		t.Error(err)
	}
	shown, err := serverTLS.GetCertificate(nil)
	must(t, err)
	if shown.Leaf.Equal(before) {
		t.Error("the old certificate is shown")
	}
	replace(dir, "n2")
	renew(false, "that of n2, not of n1")
	replace(newCA(t), "n1")
	renew(false, "the authority in")
	must(t, os.RemoveAll(filepath.Join(dir, "n1")))
	renew(false, "neither node.pem")
	if _, err := greet(t, serverTLS, admin.ClientTLS()); err != nil {
		t.Error("with what it has:", err)
	}
}

func TestPeerIn(t *testing.T) {
	for text, want := range map[string]Peer{
		"rainsql://node/n1":                      {"n1", Node},
		"rainsql://client/write/a.b-c_D9":        {"a.b-c_D9", Write},
		"https://x rainsql://client/admin/ann":   {"ann", Admin},
		"":                                       {},
		"https://node/n1":                        {},
		"rainsql://node/":                        {},
		"rainsql://node/a/b":                     {},
		"rainsql://node/..":                      {},
		"rainsql://node/n1?x=1":                  {},
		"rainsql://node/n%31":                    {},
		"rainsql://u@node/n1":                    {},
		"rainsql://client/node/n1":               {},
		"rainsql://client/none/ann":              {},
		"rainsql://client/ann":                   {},
		"rainsql://other/read/ann":               {},
		"rainsql:node/n1":                        {},
		"rainsql://node/n1 rainsql://node/n2":    {},
		"rainsql://client/read/a rainsql://node": {},
	} {
		var uris []*url.URL
		for _, f := range strings.Fields(text) {
			u, err := url.Parse(f)
			must(t, err)
			uris = append(uris, u)
		}
		if p, err := peerIn(uris); p != want || (err == nil) != (want != Peer{}) {
			t.Errorf("%q: %v, %v", text, p, err)
		}
	}
}

func TestNamesAndHosts(t *testing.T) {
	for _, c := range []struct {
		what     string
		check    func(string) error
		good, no []string
	}{
		{"name", CheckName, []string{"n1", "A.b-c_9", strings.Repeat("x", 64)}, []string{"", ".", "..", ".n", "-n", "a/b", "a b", "ä", "a\n", strings.Repeat("x", 65)}},
		{"host", CheckHost, []string{"db", "db-1.example.com", "my_db", "10.0.0.1", "::1", "2.example"}, []string{"", ".", "db.", "a..b", "-db", "db-", "db:7400", "[::1]", "fe80::1%eth0", "10.0.0.256", "10.1", "*.example", "http://db", "dä", strings.Repeat("x", 64), strings.Repeat("x.", 130) + "x"}},
	} {
		for _, s := range c.good {
			if err := c.check(s); err != nil {
				t.Errorf("%s %q: %v", c.what, s, err)
			}
		}
		for _, s := range c.no {
			if c.check(s) == nil {
				t.Errorf("%s %q was taken", c.what, s)
			}
		}
	}
}

func TestRoles(t *testing.T) {
	order := []Role{None, Read, Write, Admin, Node}
	for i, has := range order {
		for j, need := range order {
			if has.Allows(need) != (i >= j) {
				t.Errorf("%s allows %s: %v", has, need, has.Allows(need))
			}
		}
		r, err := ParseRole(has.String())
		if forUsers := has != None && has != Node; (err == nil) != forUsers || forUsers && r != has {
			t.Errorf("ParseRole(%q): %v, %v", has.String(), r, err)
		}
	}
	if wrong := Role(9); wrong.Allows(None) || wrong.Allows(Node) || wrong.String() != "role 9" {
		t.Errorf("%s allows something", wrong)
	}
}

func TestTokens(t *testing.T) {
	secret, hash := NewToken()
	if got, err := HashToken(secret); err != nil || got != hash {
		t.Errorf("%v", err)
	}
	if again, _ := NewToken(); again == secret || len(secret) != len("rs1_")+43 {
		t.Errorf("tokens %q, %q", secret, again)
	}
	for _, bad := range []string{"", "rs1_", secret[4:], secret[1:], secret[:len(secret)-3], secret + "A", secret + "\n", secret[:46] + "_"} {
		if _, err := HashToken(bad); err == nil {
			t.Errorf("%q was taken for a token", bad)
		}
	}
}
