package netns

import (
	"fmt"
	"net"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
)

// Cut drops what goes between namespaces of different groups, in both directions and without a word to
// either side. It adds to what is cut already.
func (nw *Net) Cut(groups ...[]int) error {
	var ways [][2]int
	for a, group := range groups {
		for b, other := range groups {
			if a == b {
				continue
			}
			for _, from := range group {
				for _, to := range other {
					ways = append(ways, [2]int{from, to})
				}
			}
		}
	}
	return nw.block(ways)
}

// OneWay drops what goes from one namespace to another; the other direction stays.
func (nw *Net) OneWay(from, to int) error { return nw.block([][2]int{{from, to}}) }

// Heal lets everything through.
func (nw *Net) Heal() error {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	for to, froms := range nw.cut {
		clear(froms)
		if err := nw.rule(to); err != nil {
			return err
		}
		delete(nw.cut, to)
	}
	return nil
}

// block drops what goes from the first to the second of each pair.
func (nw *Net) block(ways [][2]int) error {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	changed := map[int]bool{}
	for _, way := range ways {
		for _, i := range way {
			if i < 0 || i >= len(nw.spaces) {
				return fmt.Errorf("netns: there is no namespace %d", i)
			}
		}
	}
	for _, way := range ways {
		from, to := way[0], way[1]
		if nw.cut[to] == nil {
			nw.cut[to] = map[int]bool{}
		}
		nw.cut[to][from] = true
		changed[to] = true
	}
	for to := range changed {
		if err := nw.rule(to); err != nil {
			return err
		}
	}
	return nil
}

// rule replaces the rules of a namespace by what nw.cut has for it, in one step.
func (nw *Net) rule(to int) error {
	if nw.closed {
		return errClosed
	}
	c, err := nftables.New(nftables.WithNetNSFd(int(nw.spaces[to])))
	if err != nil {
		return fmt.Errorf("netns: nftables of namespace %d: %w", to, err)
	}
	table := &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "testcluster"}
	c.AddTable(table) // or there may be none to delete
	c.DelTable(table)
	if len(nw.cut[to]) > 0 {
		c.AddTable(table)
		chain := c.AddChain(&nftables.Chain{
			Name: "cut", Table: table, Type: nftables.ChainTypeFilter,
			Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
		})
		for from := range nw.cut[to] {
			c.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: []expr.Any{
				// The source address of the IPv4 header.
				&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
				&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: net.ParseIP(nw.Addr(from)).To4()},
				&expr.Verdict{Kind: expr.VerdictDrop},
			}})
		}
	}
	if err := c.Flush(); err != nil {
		return fmt.Errorf("netns: nftables of namespace %d: %w", to, err)
	}
	return nil
}
