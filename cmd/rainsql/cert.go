package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/cluster/identity"
)

// newCert is `rainsql cert`.
func newCert(std streams) *cobra.Command {
	var dir, out, role string
	var hosts []string
	cmd := &cobra.Command{
		Use: "cert", Short: "Make the certificates of a cluster's nodes and clients", Args: noArgs,
		Long: `With certificates all traffic of a cluster is encrypted, nodes and clients
prove who they are, and a client may do what its role says. Make the authority
once, then a folder for each machine, and copy it there:

  rainsql cert ca
  rainsql cert node n1
  rainsql cert client ann --role write

The folder of the authority stays where you made it: its key is needed only to
make more.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	add := func(use, short string, args int, run func(args []string) error) *cobra.Command {
		sub := &cobra.Command{Use: use, Short: short, Args: between(args, args), RunE: func(_ *cobra.Command, args []string) error { return run(args) }}
		sub.Flags().StringVar(&dir, "dir", "certs", "folder of the authority")
		cmd.AddCommand(sub)
		return sub
	}
	target := func(name string) string {
		if out != "" {
			return out
		}
		return filepath.Join(dir, name)
	}
	add("ca", "Make the authority", 0, func([]string) error {
		if err := identity.CreateCA(dir); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "wrote %s; keep it safe. Next: rainsql cert node NAME for each machine\n", dir)
		return nil
	})
	node := add("node NAME", "Make the folder of a node", 1, func(args []string) error {
		to := target(args[0])
		if err := identity.IssueNode(dir, to, args[0], hosts); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "wrote %s; copy it to that machine and start it with: rainsql server --certs FOLDER\n", to)
		return nil
	})
	node.Flags().StringSliceVar(&hosts, "host", nil, "name or address by which browsers and Prometheus reach it")
	client := add("client NAME", "Make the folder of a client", 1, func(args []string) error {
		r, err := identity.ParseRole(role)
		if err != nil {
			return usageError{err}
		}
		to := target(args[0])
		if err := identity.IssueClient(dir, to, args[0], r); err != nil {
			return err
		}
		fmt.Fprintf(std.err, "wrote %s; use it with --certs FOLDER or RAINSQL_CERTS\n", to)
		return nil
	})
	client.Flags().StringVar(&role, "role", "read", "what the client may do: read, write or admin")
	for _, c := range []*cobra.Command{node, client} {
		c.Flags().StringVar(&out, "out", "", "folder to write (default NAME below the authority's)")
	}
	return cmd
}
