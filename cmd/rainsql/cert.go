package main

import (
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
)

// certFlags are the flags of `rainsql cert`.
type certFlags struct {
	std      streams
	dir, out string
	hosts    []string
	role     string
	format   string
}

// newCert is `rainsql cert`.
func newCert(std streams) *cobra.Command {
	f := &certFlags{std: std}
	cmd := &cobra.Command{
		Use: "cert", Short: "Make the certificates of a cluster's nodes and clients",
		Long: `With certificates all traffic of a cluster is encrypted, nodes and clients
prove who they are, and a client may do what its role says. Make the authority
once, then a folder for each machine, and copy it there:

  rainsql cert ca
  rainsql cert node n1
  rainsql cert client ann --role write

The folder of the authority stays where you made it: its key is needed only to
make more. What is there is never replaced. Certificates of nodes and clients
hold for a year; 'rainsql cert show FOLDER' tells until when.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("cert has no command %q; 'rainsql cert --help' lists them", args[0])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := func(use, short string, args int, run func(args []string) error) *cobra.Command {
		sub := &cobra.Command{
			Use: use, Short: short, Args: between(args, args),
			RunE:              func(_ *cobra.Command, args []string) error { return run(args) },
			ValidArgsFunction: cobra.NoFileCompletions, // a NAME of these is none in the file store
		}
		cmd.AddCommand(sub)
		return sub
	}
	ca := add("ca", "Make the authority", 0, f.ca)
	node := add("node NAME", "Make the folder of a node", 1, f.node)
	node.Flags().StringSliceVar(&f.hosts, "host", nil, "name or address by which browsers and Prometheus reach it")
	client := add("client NAME", "Make the folder of a client", 1, f.client)
	client.Flags().StringVar(&f.role, "role", "read", "what the client may do: read, write or admin")
	for _, c := range []*cobra.Command{ca, node, client} {
		c.Flags().StringVar(&f.dir, "dir", "certs", "folder of the authority")
	}
	for _, c := range []*cobra.Command{node, client} {
		c.Flags().StringVar(&f.out, "out", "", "folder to write (default NAME below the authority's)")
	}
	show := add("show FOLDER", "Tell whose a folder is, and until when it holds", 1, f.show)
	show.Flags().StringVar(&f.format, "format", "", "table, csv, json, … as for queries")
	show.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	}
	return cmd
}

// target is the folder to write for a name.
func (f *certFlags) target(name string) string {
	if f.out != "" {
		return f.out
	}
	return filepath.Join(f.dir, name)
}

func (f *certFlags) ca([]string) error {
	if err := identity.CreateCA(f.dir); err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "wrote %s; keep it safe. Next: rainsql cert node NAME for each machine\n", f.dir)
	return nil
}

func (f *certFlags) node(args []string) error {
	if err := identity.CheckName(args[0]); err != nil {
		return usageError{err}
	}
	for _, h := range f.hosts {
		if err := identity.CheckHost(h); err != nil {
			return usageError{err}
		}
	}
	to := f.target(args[0])
	if err := identity.IssueNode(f.dir, to, args[0], f.hosts); err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "wrote %s; copy it to that machine and start it with: rainsql server --certs FOLDER\n", to)
	return nil
}

func (f *certFlags) client(args []string) error {
	if err := identity.CheckName(args[0]); err != nil {
		return usageError{err}
	}
	role, err := identity.ParseRole(f.role)
	if err != nil {
		return usageError{err}
	}
	to := f.target(args[0])
	if err := identity.IssueClient(f.dir, to, args[0], role); err != nil {
		return err
	}
	fmt.Fprintf(f.std.err, "wrote %s; use it with --certs FOLDER or RAINSQL_CERTS\n", to)
	return nil
}

func (f *certFlags) show(args []string) error {
	b, err := identity.Load(args[0], time.Now())
	if err != nil {
		return err
	}
	t := listing.Texts("name", "role")
	t.Column("valid_until", types.TIMESTAMP)
	t.Add(b.Peer().Name, b.Peer().Role, b.Until())
	return showListing(f.std, &f.format, t)
}
