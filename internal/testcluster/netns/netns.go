// Package netns puts real processes on machines of their own: network
// namespaces on one bridge, between which packets can be dropped. It does all by
// netlink, without any program, and leaves nothing behind: what a killed test left
// goes away with its process, but for the bridge, which the next New removes.
//
// The host is on the bridge too, so that a test reaches every namespace by plain dialing,
// whatever is cut between them. To meet a cut, dial from a namespace.
//
// It is Linux only, and needs root, or CAP_NET_ADMIN and CAP_SYS_ADMIN.
package netns
