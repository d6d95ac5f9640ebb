package members

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/memberlist"
)

// Profile is how eagerly nodes look whether others are alive. A cluster has one profile.
//
// A node that answers no probe is suspected; it is held dead after
//
//	SuspicionMult · max(1, log10 of the number of nodes) · ProbeInterval
//
// once enough others confirm it, and up to SuspicionMax times that where they do not. A node that finds
// itself slow (its probes are late) waits longer, up to eight times (Lifeguard).
type Profile struct {
	Name string

	ProbeInterval time.Duration // each node probes one other that often
	ProbeTimeout  time.Duration // then three others are asked to, over their own links
	SuspicionMult int
	SuspicionMax  int

	GossipInterval   time.Duration // news goes to three nodes that often
	PushPullInterval time.Duration // two nodes compare all they know that often
	DeadTime         time.Duration // that long gossip still goes to the dead, so that they can defend themselves
	Reconnect        time.Duration // that often one failed node is called: how a partition heals
}

// profiles by name.
var profiles = map[string]Profile{
	// Machines on a network: patient enough for a pause of some seconds.
	"lan": {
		Name: "lan", ProbeInterval: time.Second, ProbeTimeout: 500 * time.Millisecond, SuspicionMult: 4, SuspicionMax: 6,
		GossipInterval: 200 * time.Millisecond, PushPullInterval: 30 * time.Second, DeadTime: 30 * time.Second, Reconnect: 10 * time.Second,
	},
	// Nodes on one machine.
	"local": {
		Name: "local", ProbeInterval: time.Second, ProbeTimeout: 200 * time.Millisecond, SuspicionMult: 3, SuspicionMax: 6,
		GossipInterval: 100 * time.Millisecond, PushPullInterval: 15 * time.Second, DeadTime: 15 * time.Second, Reconnect: 5 * time.Second,
	},
}

// FindProfile gives the profile of a name.
func FindProfile(name string) (Profile, error) {
	p, ok := profiles[name]
	if !ok {
		return Profile{}, fmt.Errorf("there is no gossip profile %q: use %s", name, strings.Join(slices.Sorted(maps.Keys(profiles)), " or "))
	}
	return p, nil
}

func (p Profile) memberlist() *memberlist.Config {
	c := memberlist.DefaultLANConfig()
	c.ProbeInterval, c.ProbeTimeout = p.ProbeInterval, p.ProbeTimeout
	c.SuspicionMult, c.SuspicionMaxTimeoutMult = p.SuspicionMult, p.SuspicionMax
	c.GossipInterval, c.PushPullInterval = p.GossipInterval, p.PushPullInterval
	c.GossipToTheDeadTime = p.DeadTime
	c.TCPTimeout = 5 * time.Second
	return c
}
