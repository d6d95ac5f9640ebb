package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/sdfs/ring"
)

// clusterFlags are the flags of commands that talk to a cluster.
type clusterFlags struct {
	std     streams
	connect []string
	certs   string
	token   string
	wait    time.Duration
	format  string
	role    string
	tasks   bool
	stale   error // why a listing is of one node's copy: it is shown all the same, and the command has failed
}

func (f *clusterFlags) register(cmd *cobra.Command, listing bool) {
	fl := cmd.Flags()
	f.where(fl, "HOST:PORT of one or more nodes (default $RAINSQL_CONNECT, or 127.0.0.1:7400)")
	if listing {
		fl.StringVar(&f.format, "format", "", "table, csv, json, … as for queries")
	}
}

// where adds the flags that say where a cluster is and who calls.
func (f *clusterFlags) where(fl *pflag.FlagSet, connect string) {
	fl.StringSliceVar(&f.connect, "connect", nil, connect)
	fl.StringVar(&f.certs, "certs", "", "folder of a client's certificate, or the authority's ca.pem where there is a token (default $RAINSQL_CERTS)")
	fl.StringVar(&f.token, "token", "", "client's token (default $RAINSQL_TOKEN, which does not show in a list of processes)")
	fl.DurationVar(&f.wait, "wait", 10*time.Second, "how long to go on trying")
}

// clusterRun is what a command does with a cluster.
type clusterRun func(f *clusterFlags, ctx context.Context, c *client.Client, args []string) error

// newClusterCommand is a command that talks to a cluster, with its flags.
func newClusterCommand(std streams, use, short string, args cobra.PositionalArgs, isListing bool, run clusterRun) (*cobra.Command, *clusterFlags) {
	f := &clusterFlags{std: std}
	cmd := &cobra.Command{Use: use, Short: short, Args: args, RunE: func(cmd *cobra.Command, args []string) error {
		return f.with(cmd.Context(), func(ctx context.Context, c *client.Client) error { return run(f, ctx, c, args) })
	}}
	f.register(cmd, isListing)
	return cmd, f
}

// newClusterCommands are the commands that look at a cluster and change it.
func newClusterCommands(std streams) []*cobra.Command {
	make := func(use, short string, args cobra.PositionalArgs, isListing bool, run clusterRun) *cobra.Command {
		cmd, f := newClusterCommand(std, use, short, args, isListing, run)
		if strings.HasPrefix(use, "leave") {
			cmd.Long = "Have a node leave for good, by its name or the beginning of its id. Its\nfolder can never be used again. Without NODE it is that of --connect."
		}
		if strings.HasPrefix(use, "add") {
			cmd.Flags().StringVar(&f.role, "role", "read", "what its owner may do: read, write or admin")
		}
		return cmd
	}
	token := &cobra.Command{
		Use: "token", Short: "Make, list and take back the tokens of clients", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	token.AddCommand(
		make("add NAME", "Make a token and write it to standard output, once", between(1, 1), false, (*clusterFlags).tokenAdd),
		make("ls", "List the tokens, without their secrets", noArgs, true, (*clusterFlags).tokenList),
		make("rm NAME", "Take a token back", between(1, 1), false, (*clusterFlags).tokenRemove),
	)
	return []*cobra.Command{
		make("nodes", "List the nodes of a cluster, as its log and SWIM see them", noArgs, true, (*clusterFlags).nodes),
		make("suspects", "List the nodes that SWIM holds dead and the log does not", noArgs, true, (*clusterFlags).suspects),
		make("ring", "List the nodes on the ring, and what part of it each owns", noArgs, true, (*clusterFlags).ring),
		make("leave [NODE]", "Have a node leave for good (default the one asked)", between(0, 1), false, (*clusterFlags).leave),
		token,
	}
}

// with connects, and gives up after the time that the user has.
func (f *clusterFlags) with(ctx context.Context, run func(context.Context, *client.Client) error) error {
	c, err := f.client(0)
	if err != nil {
		return err
	}
	defer c.Close()
	waiting, cancel := context.WithTimeout(ctx, f.wait)
	defer cancel()
	return f.explain(ctx, run(waiting, c))
}

// explain is what a user is told of an error of a command.
func (f *clusterFlags) explain(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if err != nil && f.certs == "" && refusedPlain(err) {
		return fmt.Errorf("%w\nA cluster with certificates hangs up on those who show none: name yours with --certs", err)
	}
	return err
}

// client is a client of the cluster that the flags and the environment name. perCall bounds each of its calls; 0: nothing does but their
// contexts. The caller closes it.
func (f *clusterFlags) client(perCall time.Duration) (*client.Client, error) {
	if f.wait <= 0 {
		return nil, usagef("--wait %v: give it some time", f.wait)
	}
	for _, addr := range f.connect {
		if _, _, err := net.SplitHostPort(addr); err != nil {
			return nil, usagef("--connect %s: write HOST:PORT", addr)
		}
	}
	or := func(value *string, name string) {
		if *value == "" {
			*value = os.Getenv(name)
		}
	}
	or(&f.certs, "RAINSQL_CERTS")
	or(&f.token, "RAINSQL_TOKEN")
	if len(f.connect) == 0 {
		f.connect = []string{"127.0.0.1:7400"}
		if env := os.Getenv("RAINSQL_CONNECT"); env != "" {
			f.connect = strings.Split(env, ",")
		}
	}
	cfg := client.Config{Addrs: f.connect, Token: f.token, Wait: perCall}
	if f.certs != "" {
		b, err := loadCerts(f.certs, f.token != "")
		if err != nil {
			return nil, err
		}
		cfg.Dialer.TLS = b.ClientTLS()
	} else if f.token != "" {
		return nil, usagef("a token is sent over TLS only: name the authority's ca.pem with --certs")
	}
	return client.New(cfg), nil
}

// meant tells whether a command that works with or without a cluster works with one. Flags count before the environment, --data before
// RAINSQL_CONNECT too.
func (f *clusterFlags) meant(cmd *cobra.Command) (bool, error) {
	given := func(name string) bool { return cmd.Flags().Changed(name) }
	if given("connect") && given("data") {
		return false, usagef("--data is the embedded store, --connect a cluster's: give one of them")
	}
	if given("connect") && len(f.connect) == 0 {
		return false, usagef("--connect: write HOST:PORT")
	}
	if given("connect") || os.Getenv("RAINSQL_CONNECT") != "" && !given("data") {
		return true, nil
	}
	for _, name := range []string{"certs", "token", "wait"} {
		if given(name) {
			return false, usagef("--%s is for a cluster: name one with --connect", name)
		}
	}
	return false, nil
}

// store connects to a cluster and its files. The caller closes both, the files first.
func (f *clusterFlags) store(ctx context.Context) (*client.Client, *files.Remote, error) {
	cl, err := f.client(f.wait)
	if err != nil {
		return nil, nil, err
	}
	if err := cl.Discover(ctx); err != nil {
		cl.Close()
		return nil, nil, f.explain(ctx, err)
	}
	return cl, files.Connect(cl), nil
}

// refusedPlain tells of what a connection without TLS meets where it is wanted.
func refusedPlain(err error) bool {
	return strings.Contains(err.Error(), "error reading server preface: EOF")
}

// loadCerts reads a client's folder, or only whom to trust.
func loadCerts(path string, trustOnly bool) (*identity.Bundle, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return identity.TrustOnly(path)
	}
	_, err = os.Stat(filepath.Join(path, "client.pem"))
	_, err2 := os.Stat(filepath.Join(path, "node.pem"))
	if trustOnly && err != nil && err2 != nil {
		return identity.TrustOnly(filepath.Join(path, "ca.pem"))
	}
	return identity.Load(path, time.Now())
}

// propose has the cluster apply something, and gives a refusal as an error.
func propose(ctx context.Context, c *client.Client, e state.Entry) error {
	o, err := c.Propose(ctx, e)
	return errors.Join(err, o.Err)
}

func (f *clusterFlags) readNodes(ctx context.Context, c *client.Client) (*api.ReadResponse, error) {
	return f.read(ctx, c, &api.ReadRequest{What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
}

// read asks for something of the state, for a listing.
func (f *clusterFlags) read(ctx context.Context, c *client.Client, req *api.ReadRequest) (*api.ReadResponse, error) {
	brief, cancel := context.WithTimeout(ctx, f.wait/2)
	defer cancel()
	resp, err := c.Read(brief, req)
	if err == nil || errors.Is(err, client.ErrDenied) || errors.Is(err, client.ErrUnreachable) {
		return resp, err
	}
	// Without a majority the copy of the node that answers is what there is.
	req.Local = true
	resp, lerr := c.Read(ctx, req)
	if lerr != nil {
		return nil, lerr
	}
	fmt.Fprintf(f.std.err, "What follows is the copy of one node, at entry %d of the log, and may be old.\n", resp.GetIndex())
	f.stale = err
	return resp, nil
}

func (f *clusterFlags) nodes(ctx context.Context, c *client.Client, _ []string) error {
	resp, err := f.readNodes(ctx, c)
	if err != nil {
		return err
	}
	t := listing.Texts("name", "id", "state", "alive", "role")
	t.Column("incarnation", types.INT)
	for _, name := range []string{"addr", "gossip", "http"} {
		t.Column(name, types.STRING)
	}
	t.Column("since", types.TIMESTAMP)
	slices.SortStableFunc(resp.GetNodes(), func(a, b *api.NodeInfo) int { return cmp.Compare(a.GetName(), b.GetName()) })
	for _, n := range resp.GetNodes() {
		id := idText(n.GetId())
		role := "non-voter"
		switch {
		case n.GetStatus() == state.Evicted.String():
			role = ""
		case id == resp.GetLeader():
			role = "leader"
		case n.GetVoter():
			role = "voter"
		}
		alive := "no"
		if n.GetAlive() {
			alive = "yes"
		}
		t.Add(n.GetName(), id[:8], n.GetStatus(), alive, role, n.GetIncarnation(), n.GetAddr(), n.GetGossip(), n.GetHttp(), time.UnixMicro(n.GetSinceMicros()))
	}
	return errors.Join(showListing(f.std, &f.format, t), f.stale)
}

func (f *clusterFlags) suspects(ctx context.Context, c *client.Client, _ []string) error {
	resp, err := c.Status(ctx)
	if err != nil {
		return err
	}
	t := listing.Texts("name", "id", "seen_by")
	t.Column("since", types.TIMESTAMP)
	for _, s := range resp.GetSuspects() {
		var since any
		if s.GetSinceMicros() != 0 {
			since = time.UnixMicro(s.GetSinceMicros())
		}
		t.Add(s.GetName(), idText(s.GetId())[:8], resp.GetName(), since)
	}
	return showListing(f.std, &f.format, t)
}

func (f *clusterFlags) ring(ctx context.Context, c *client.Client, _ []string) error {
	resp, err := f.readNodes(ctx, c)
	if err != nil {
		return err
	}
	var in [][16]byte
	for _, n := range resp.GetNodes() {
		if n.GetRing() {
			in = append(in, [16]byte(n.GetId()))
		}
	}
	shares := ring.New(in).Shares()
	t := listing.Texts("name", "id", "state")
	t.Column("positions", types.INT)
	t.Column("share", types.FLOAT)
	t.Column("epoch", types.INT)
	for _, n := range resp.GetNodes() {
		if n.GetRing() {
			t.Add(n.GetName(), idText(n.GetId())[:8], n.GetStatus(), ring.Positions, fmt.Sprintf("%.4f", shares[[16]byte(n.GetId())]), resp.GetEpoch())
		}
	}
	return errors.Join(showListing(f.std, &f.format, t), f.stale)
}

func (f *clusterFlags) leave(ctx context.Context, c *client.Client, args []string) error {
	resp, err := c.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
	if err != nil {
		return err
	}
	var id state.ID
	if len(args) == 0 {
		who, err := c.Status(ctx)
		if err != nil {
			return err
		}
		id = state.ID(who.GetId())
	} else if id, err = findNode(resp.GetNodes(), args[0], false); err != nil {
		return err
	}
	if err := propose(ctx, c, state.Entry{Kind: state.Leave, Node: id}); err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "node %s is leaving; its server ends by itself, if it runs\n", id.Short())
	return nil
}

// findNode finds whom a name, or the beginning of an id, means. With living, it is the one that is not down, where several have the name.
func findNode(nodes []*api.NodeInfo, text string, living bool) (state.ID, error) {
	var live, down []state.ID
	gone := false
	for _, n := range nodes {
		if n.GetName() != text && (len(text) < 4 || !strings.HasPrefix(idText(n.GetId()), text)) {
			continue
		}
		switch n.GetStatus() {
		case state.Evicted.String():
			gone = true
		case state.Down.String():
			down = append(down, state.ID(n.GetId()))
		default:
			live = append(live, state.ID(n.GetId()))
		}
	}
	switch {
	case len(live) == 1 && (living || len(down) == 0):
		return live[0], nil
	case len(live) == 0 && len(down) == 1:
		return down[0], nil
	case len(live)+len(down) == 0 && gone:
		return state.ID{}, fmt.Errorf("%s has left already", text)
	case len(live)+len(down) == 0:
		return state.ID{}, fmt.Errorf("no node is called %q; 'rainsql nodes' lists them", text)
	}
	return state.ID{}, fmt.Errorf("several nodes are called %q; name one by its id, which 'rainsql nodes' tells", text)
}

func idText(b []byte) string {
	if len(b) != len(state.ID{}) {
		return state.ID{}.String()
	}
	return state.ID(b).String()
}

func (f *clusterFlags) tokenAdd(ctx context.Context, c *client.Client, args []string) error {
	if _, err := identity.ParseRole(f.role); err != nil {
		return usageError{err}
	}
	secret, hash := identity.NewToken()
	if err := propose(ctx, c, state.Entry{Kind: state.TokenAdd, Name: args[0], Value: f.role, Hash: hash}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(standardOut{f.std.out}, secret)
	return err
}

func (f *clusterFlags) tokenList(ctx context.Context, c *client.Client, _ []string) error {
	resp, err := c.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Tokens{Tokens: &api.Nothing{}}})
	if err != nil {
		return err
	}
	t := listing.Texts("name", "role")
	t.Column("made", types.TIMESTAMP)
	for _, k := range resp.GetTokens() {
		t.Add(k.GetName(), k.GetRole(), time.UnixMicro(k.GetMadeMicros()))
	}
	return showListing(f.std, &f.format, t)
}

func (f *clusterFlags) tokenRemove(ctx context.Context, c *client.Client, args []string) error {
	return propose(ctx, c, state.Entry{Kind: state.TokenRemove, Name: args[0]})
}
