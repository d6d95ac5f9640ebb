package both

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/node"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// Cluster is some servers within this process on which queries are run, too, over copies of the tables.
type Cluster struct {
	nodes  []*node.Node
	client *client.Client
	store  *sdfs.Store
}

// StartCluster starts n servers, whose data is in a folder.
func StartCluster(dir string, n int) (c *Cluster, err error) {
	c = &Cluster{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	var addrs []string
	for i := range n {
		one, err := node.Start(node.Config{
			Dir: filepath.Join(dir, fmt.Sprint("n", i+1)), Name: fmt.Sprint("n", i+1), Profile: "local", ReserveBytes: 1 << 12, Drain: time.Second,
			Listen: "127.0.0.1:0", GossipListen: "127.0.0.1:0", HTTPListen: "127.0.0.1:0", Join: addrs, Slots: 8,
			Opener: func(f *sdfs.Store, g *dag.Graph) jobs.Opener { return engine.NewOpener(f, g, true) },
		})
		if err != nil {
			return c, err
		}
		c.nodes = append(c.nodes, one)
		addrs = append(addrs, one.Addr())
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		err = one.WaitReady(ctx)
		cancel()
		if err != nil {
			return c, err
		}
	}
	c.client = client.New(client.Config{Addrs: addrs})
	c.store = files.Open(c.client)
	return c, nil
}

// Close ends the servers.
func (c *Cluster) Close() error {
	var errs []error
	if c.store != nil {
		errs = append(errs, c.store.Close())
		c.client.Close()
	}
	for _, n := range c.nodes {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		errs = append(errs, n.Stop(ctx))
		cancel()
	}
	return errors.Join(errs...)
}

// put copies a local file of that name.
func (c *Cluster) put(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	w, err := c.store.Create(context.Background(), name, sdfs.Replace)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Commit(context.Background())
	}
	return err
}

func (c *Cluster) remove(name string) error { return c.store.Remove(context.Background(), name) }

// config has queries run there.
func (c *Cluster) config(cfg engine.Config) engine.Config {
	cfg.Files, cfg.Remote, cfg.Run = c.store, true, query.Runner(c.client)
	return cfg
}

// text has a query read the copies.
func (*Cluster) text(src string) string { return strings.ReplaceAll(src, "'./", "'") }
