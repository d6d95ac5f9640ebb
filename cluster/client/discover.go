package client

import (
	"context"
	"slices"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// Discover learns from any node where the others are, so that calls go on if the nodes that the client was told of are gone. Those come first
// all the same: the addresses that nodes tell each other may not be reached from here.
func (c *Client) Discover(ctx context.Context) error {
	resp, err := c.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range resp.GetNodes() {
		runs := n.GetStatus() == state.Active.String() || n.GetStatus() == state.Leaving.String()
		if runs && n.GetAddr() != "" && !slices.Contains(c.addrs, n.GetAddr()) {
			c.addrs = append(c.addrs, n.GetAddr())
		}
	}
	return nil
}
