package state

import "fmt"

// maxNodeSlots is how many slots a node has at most.
const maxNodeSlots = 1 << 12

// applyNode changes what the log says of a node.
func (s *State) applyNode(e Entry) error {
	old, known := s.Node(e.Node)
	if e.Kind == Join {
		return s.join(e, old, known)
	}
	refuse := func(reason error, detail string) error {
		return &Refusal{Reason: reason, Name: e.nodeName(old), Detail: detail}
	}
	if !known {
		return refuse(ErrNoNode, "")
	}
	if old.Status == Evicted {
		if e.Kind == Evict || e.Kind == Leave {
			return nil
		}
		return refuse(ErrEvicted, "")
	}
	if e.Incarnation != 0 && e.Incarnation != old.Incarnation {
		return refuse(ErrOutdated, "")
	}
	to, leaves, drained := old.Status, old.Leaves, old.Drained
	switch e.Kind {
	case Ready:
		if old.Status == Pending {
			to = Active
		}
	case Leave:
		switch {
		case s.lastOne(old):
			return refuse(ErrStatus, "it is the last node that is active")
		case old.Status == Down:
			to = Evicted
		default:
			to, leaves = Leaving, true
		}
	case Drained:
		if old.Status != Leaving {
			return refuse(ErrStatus, "it is "+old.Status.String())
		}
		drained = true
	case MarkDown:
		to = Down
	case MarkUp:
		switch {
		case old.Status == Down && old.Ring:
			to = Active
		case old.Status == Down:
			to = Pending
		}
	case Evict:
		if old.Status != Leaving && old.Status != Down {
			return refuse(ErrStatus, "it is "+old.Status.String())
		}
		to = Evicted
	}
	if to == Active && leaves {
		to = Leaving // that it was held dead, or started anew, has not changed its mind
	}
	if to == old.Status && drained == old.Drained {
		return nil
	}
	n := *old
	if to != old.Status {
		n.Since = s.logTime
	}
	n.Status, n.Leaves, n.Drained = to, leaves, drained
	n.Ring = to != Evicted && (n.Ring || to == Active)
	s.put(old, &n)
	return nil
}

func (s *State) join(e Entry, old *Node, known bool) error {
	refuse := func(reason error, detail string) error {
		return &Refusal{Reason: reason, Name: e.Name, Detail: detail}
	}
	if err := CheckName(e.Name); err != nil {
		return err
	}
	for _, addr := range []string{e.Addr, e.Gossip, e.HTTP} {
		if len(addr) > MaxAddr {
			return refuse(ErrEntry, "an address is too long")
		}
	}
	switch {
	case e.Node.IsZero() || e.Incarnation == 0 || e.Addr == "":
		return refuse(ErrEntry, "a node has an id, an incarnation and an address")
	case s.cluster.IsZero():
		return refuse(ErrStatus, "the cluster has no id yet")
	case !e.Cluster.IsZero() && e.Cluster != s.cluster:
		return refuse(ErrCluster, fmt.Sprintf("its data directory is of %s, this is %s", e.Cluster.Short(), s.cluster.Short()))
	case known && old.Status == Evicted:
		return refuse(ErrEvicted, "")
	case known && e.Incarnation < old.Incarnation:
		return refuse(ErrOutdated, "")
	}
	for other := range s.Nodes() {
		if other.ID != e.Node && other.Name == e.Name && other.Status != Down && other.Status != Evicted {
			return refuse(ErrNameUsed, fmt.Sprintf("it is the %s node %s; choose another name, or have that one leave", other.Status, other.ID.Short()))
		}
	}
	n := Node{ID: e.Node, Status: Pending, Joined: s.index, Since: s.logTime}
	if known {
		n = *old
		if e.Incarnation > old.Incarnation && old.Status != Leaving && old.Status != Pending {
			n.Status, n.Since = Pending, s.logTime // until it has caught up; the ring is as it was
		}
	}
	if e.Incarnation > n.Incarnation {
		n.Drained = false // it is to look again
	}
	n.Name, n.Incarnation, n.Addr, n.Gossip, n.HTTP, n.Slots = e.Name, e.Incarnation, e.Addr, e.Gossip, e.HTTP, max(0, min(e.Slots, maxNodeSlots))
	s.put(old, &n)
	return nil
}

// put makes n what is known of its node, which was old, or nil.
func (s *State) put(old, n *Node) {
	if (old != nil && old.Ring) != n.Ring {
		s.epoch = s.index
	}
	s.nodes, _, _ = s.nodes.Insert(n.ID[:], n)
}

// lastOne tells whether no other node would be left to go on.
func (s *State) lastOne(n *Node) bool {
	for other := range s.Nodes() {
		if other.ID != n.ID && other.Status == Active {
			return false
		}
	}
	return true
}

func (e Entry) nodeName(n *Node) string {
	if n != nil {
		return n.Name
	}
	return e.Node.Short()
}
