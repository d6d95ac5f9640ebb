// Package identity is who may do what in a cluster: a certificate authority of its own, certificates of
// nodes and clients, tokens, and the roles that they carry.
package identity

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// Role is what someone may do. Each may do all that the ones before it may.
type Role uint8

// The roles. Node is a server of the cluster.
const (
	None Role = iota
	Read
	Write
	Admin
	Node
)

var roleNames = [...]string{"none", "read", "write", "admin", "node"}

func (r Role) String() string {
	if int(r) >= len(roleNames) {
		return fmt.Sprintf("role %d", uint8(r))
	}
	return roleNames[r]
}

// Allows tells whether the role is enough where need is needed. What is no role allows nothing.
func (r Role) Allows(need Role) bool { return r >= need && r <= Node }

// ParseRole reads the role that a user gives a client: read, write or admin.
func ParseRole(text string) (Role, error) {
	for _, r := range []Role{Read, Write, Admin} {
		if r.String() == text {
			return r, nil
		}
	}
	return None, fmt.Errorf("there is no role %q: use read, write or admin", text)
}

// Peer is the other end of a connection.
type Peer struct {
	Name string
	Role Role
}

// uri is how a certificate says whose it is.
func (p Peer) uri() *url.URL {
	if p.Role == Node {
		return &url.URL{Scheme: "rainsql", Host: "node", Path: "/" + p.Name}
	}
	return &url.URL{Scheme: "rainsql", Host: "client", Path: "/" + p.Role.String() + "/" + p.Name}
}

// command makes the peer's certificate.
func (p Peer) command() string {
	if p.Role == Node {
		return "rainsql cert node " + p.Name
	}
	return "rainsql cert client " + p.Name + " --role " + p.Role.String()
}

var errWhose = errors.New("the certificate does not say whose it is: 'rainsql cert' makes those that do")

// peerIn reads the one URI of ours. Of two it would have to believe one.
func peerIn(uris []*url.URL) (Peer, error) {
	ours := slices.DeleteFunc(slices.Clone(uris), func(u *url.URL) bool { return u.Scheme != "rainsql" })
	if len(ours) != 1 {
		return Peer{}, errWhose
	}
	p := Peer{Name: strings.TrimPrefix(ours[0].Path, "/"), Role: Node}
	if ours[0].Host != "node" {
		var text string
		text, p.Name, _ = strings.Cut(p.Name, "/")
		var err error
		if p.Role, err = ParseRole(text); err != nil {
			return Peer{}, errWhose
		}
	}
	if CheckName(p.Name) != nil || p.uri().String() != ours[0].String() {
		return Peer{}, errWhose
	}
	return p, nil
}

// CheckName accepts names of nodes and clients that are safe in files, listings and URIs.
func CheckName(name string) error {
	ok := len(name) > 0 && len(name) <= 64 && name[0] != '.' && name[0] != '-'
	for _, c := range name {
		ok = ok && (letterOrDigit(c) || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return fmt.Errorf("%.70q is no name: use 1 to 64 letters, digits, '-', '_' and '.', the first no '-' or '.'", name)
	}
	return nil
}

func letterOrDigit(c rune) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
