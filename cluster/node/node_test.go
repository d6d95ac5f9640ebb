package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// boot starts a node on free ports of loopback.
func boot(t *testing.T, dir string, certs *identity.Bundle, join ...string) *Node {
	t.Helper()
	return bootAt(t, dir, "127.0.0.1:0", certs, join...)
}

func bootAt(t *testing.T, dir, listen string, certs *identity.Bundle, join ...string) *Node {
	t.Helper()
	n, err := Start(Config{
		Dir: dir, Name: filepath.Base(dir), Listen: listen, GossipListen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Join: join, Certs: certs, Profile: "local",
		ReserveBytes: 1 << 16, Drain: time.Second, Logger: zaptest.NewLogger(t, zaptest.Level(zap.FatalLevel)),
		OnFatal: func(err error) { t.Error("fatal:", err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func stop(t *testing.T, n *Node) {
	t.Helper()
	if err := n.Stop(context.Background()); err != nil {
		t.Error(err)
	}
}

// until waits for something that must come, however slow the machine is.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for !ok() {
		select {
		case <-t.Context().Done():
			t.Fatal("never: " + what)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func connect(t *testing.T, d wire.Dialer, token string, nodes ...*Node) *client.Client {
	t.Helper()
	cfg := client.Config{Dialer: d, Token: token}
	for _, n := range nodes {
		cfg.Addrs = append(cfg.Addrs, n.Addr())
	}
	c := client.New(cfg)
	t.Cleanup(c.Close)
	return c
}

func create(name string) state.Entry {
	return state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Create, Name: name}}
}

// TestThreeNodes: three nodes find each other and vote, a change through any is seen by all, one that is
// started again on its directory needs no --join, one that leaves is gone for good.
func TestThreeNodes(t *testing.T) {
	root := t.TempDir()
	n1 := boot(t, filepath.Join(root, "n1"), nil)
	n2 := boot(t, filepath.Join(root, "n2"), nil, n1.Addr())
	n3 := boot(t, filepath.Join(root, "n3"), nil, n1.Addr())
	all := []*Node{n1, n2, n3}
	until(t, "three voters", func() bool {
		for _, n := range all {
			if ready, _ := n.Ready(); !ready || len(n.Coordinator().Info().Voters) != 3 {
				return false
			}
		}
		return true
	})
	for i, n := range all {
		c := connect(t, wire.Dialer{}, "", n)
		if o, err := c.Propose(t.Context(), create(fmt.Sprint("f", i))); err != nil || o.Err != nil {
			t.Fatal(err, o.Err)
		}
	}
	c := connect(t, wire.Dialer{}, "", n2, n3)
	if o, err := c.Propose(t.Context(), create("f0")); err != nil || !errors.Is(o.Err, namespace.ErrExists) {
		t.Errorf("a second f0: %v, %v", err, o.Err)
	}
	resp, err := c.Read(t.Context(), &api.ReadRequest{What: &api.ReadRequest_Files{Files: "f"}})
	if err != nil || len(resp.GetFiles()) != 3 {
		t.Fatal(resp, err)
	}
	for path, has := range map[string]string{
		"/healthz": "ok", "/readyz": "ready",
		"/metrics": "\n# TYPE rainsql_raft_voters gauge\nrainsql_raft_voters 3\n",
	} {
		r, err := http.Get("http://" + n2.HTTP() + path)
		if err != nil || r.StatusCode != http.StatusOK {
			t.Fatal(path, err)
		}
		if body, err := io.ReadAll(r.Body); err != nil || !strings.Contains(string(body), has) {
			t.Errorf("%s: %v, %q is not in\n%s", path, err, has, body)
		}
		r.Body.Close()
	}

	stop(t, n3)
	// At its old address: raft 1.8 reads the peer without its lock (updateLastAppended) as another one is noted, which the race detector
	// finds now and then. TestMoved has the other case.
	n3 = bootAt(t, filepath.Join(root, "n3"), n3.Addr(), nil)
	until(t, "n3 is back", func() bool { ready, _ := n3.Ready(); return ready })
	if _, ok := n3.Coordinator().State().Files().Get("f2"); !ok || n3.self.incarnation != 2 {
		t.Error("n3 came back as someone else")
	}

	if o, err := c.Propose(t.Context(), state.Entry{Kind: state.Leave, Node: n3.ID()}); err != nil || o.Err != nil {
		t.Fatal(err, o.Err)
	}
	if err := <-n3.Ended(); err != nil {
		t.Error("n3 has left:", err)
	}
	stop(t, n3)
	until(t, "n3 is forgotten", func() bool {
		m, _ := n1.Coordinator().State().Node(n3.ID())
		return m.Status == state.Evicted && len(n1.Coordinator().Info().Voters) == 1
	})
	n3 = boot(t, filepath.Join(root, "n3"), nil, n1.Addr())
	if err := <-n3.Ended(); !errors.Is(err, state.ErrEvicted) {
		t.Error("n3 came back from the dead:", err)
	}
	stop(t, n3)
	stop(t, n2)
	stop(t, n1)
}

// TestCertificates: with certificates everything is encrypted, and what a client may do is what its
// certificate or token says.
func TestCertificates(t *testing.T) {
	ca := t.TempDir()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(identity.CreateCA(ca))
	load := func(name string) *identity.Bundle {
		b, err := identity.Load(filepath.Join(ca, name), time.Now())
		check(err)
		return b
	}
	for _, n := range []string{"n1", "n2"} {
		check(identity.IssueNode(ca, filepath.Join(ca, n), n, nil))
	}
	for _, r := range []identity.Role{identity.Read, identity.Admin} {
		check(identity.IssueClient(ca, filepath.Join(ca, r.String()), "ann", r))
	}
	root := t.TempDir()
	n1 := boot(t, filepath.Join(root, "n1"), load("n1"))
	defer stop(t, n1)
	n2 := boot(t, filepath.Join(root, "n2"), load("n2"), n1.Addr())
	defer stop(t, n2)
	until(t, "two nodes", func() bool {
		r1, _ := n1.Ready()
		r2, _ := n2.Ready()
		return r1 && r2 && n1.gossiping().Count() == 2
	})
	admin := connect(t, wire.Dialer{TLS: load("admin").ClientTLS()}, "", n2)
	reader := connect(t, wire.Dialer{TLS: load("read").ClientTLS()}, "", n2)
	trust, err := identity.TrustOnly(filepath.Join(ca, "ca.pem"))
	check(err)
	nobody := connect(t, wire.Dialer{TLS: trust.ClientTLS()}, "", n2)

	secret, hash := identity.NewToken()
	token := state.Entry{Kind: state.TokenAdd, Name: "etl", Value: "write", Hash: hash}
	if _, err := reader.Propose(t.Context(), token); !errors.Is(err, client.ErrDenied) {
		t.Error("a reader made a token:", err)
	}
	if o, err := admin.Propose(t.Context(), token); err != nil || o.Err != nil {
		t.Fatal(err, o.Err)
	}
	if _, err := nobody.Status(t.Context()); !errors.Is(err, client.ErrDenied) {
		t.Error("somebody without certificate or token was answered:", err)
	}
	writer := connect(t, wire.Dialer{TLS: trust.ClientTLS()}, secret, n1)
	if o, err := writer.Propose(t.Context(), create("a")); err != nil || o.Err != nil {
		t.Error(err, o.Err)
	}
	if _, err := writer.Propose(t.Context(), state.Entry{Kind: state.Leave, Node: n1.ID()}); !errors.Is(err, client.ErrDenied) {
		t.Error("a writer had a node leave:", err)
	}
	if _, err := writer.Propose(t.Context(), state.Entry{Kind: state.MarkDown, Node: n1.ID()}); !errors.Is(err, client.ErrDenied) {
		t.Error("a writer marked a node:", err)
	}
	if _, err := reader.Read(t.Context(), &api.ReadRequest{What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}}); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := connect(t, wire.Dialer{}, "", n1).Status(ctx); err == nil {
		t.Error("a client without TLS was answered")
	}
}

// TestRefusedConfigurations names what is wrong and what to do.
func TestRefusedConfigurations(t *testing.T) {
	for want, cfg := range map[string]Config{
		"rainsql cert": {Listen: "0.0.0.0:0"},
		"HOST:PORT":    {Listen: "7400"},
		"1, 3 or 5":    {Voters: 2},
		"lan or local": {Profile: "wan", Listen: "127.0.0.1:0"},
	} {
		cfg.Dir, cfg.Name = t.TempDir(), "n"
		n, err := Start(cfg)
		if err == nil {
			stop(t, n)
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}

// TestPanicOfCall: a panic in a call is an error of that call.
func TestPanicOfCall(t *testing.T) {
	n := &Node{log: zap.NewNop()}
	_, err := n.recoverCall(t.Context(), nil, &grpc.UnaryServerInfo{FullMethod: "/a/B"}, func(context.Context, any) (any, error) {
		panic("a fault")
	})
	if status.Code(err) != codes.Internal || !strings.Contains(err.Error(), "a fault") {
		t.Error(err)
	}
}
