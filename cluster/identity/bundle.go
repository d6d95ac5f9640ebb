package identity

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/internal/vfs"
)

// Bundle is what one node or client proves itself with. It may be used concurrently; nothing of it changes but by Renew.
type Bundle struct {
	dir    string // "" for one that only trusts
	roots  *x509.CertPool
	own    atomic.Pointer[tls.Certificate] // nil: nothing to show, only whom to trust
	peer   Peer
	gossip []byte
	clock  func() time.Time // by which handshakes judge; tests have others
}

// Load reads the folder of a node or a client. now is what expiry is judged by. It refuses secrets that others can
// read, certificates that do not hold now or are not of the authority beside them, and keys of others.
func Load(dir string, now time.Time) (*Bundle, error) {
	disk := vfs.OS(dir)
	name := nodeFile
	isNode, err := exists(disk, nodeFile)
	if err == nil && !isNode {
		name = clientFile
		_, err = disk.Stat(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds neither %s nor %s: make it with 'rainsql cert node NAME' or 'rainsql cert client NAME'", dir, nodeFile, clientFile)
	}
	if err != nil {
		return nil, err
	}
	b, err := TrustOnly(disk.Path(caFile))
	if err != nil {
		return nil, err
	}
	own, err := readPair(disk, name)
	if err != nil {
		return nil, whole(err)
	}
	b.dir = dir
	b.own.Store(own)
	path, leaf := disk.Path(name), own.Leaf
	if b.peer, err = peerIn(leaf.URIs); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if isNode != (b.peer.Role == Node) {
		return nil, fmt.Errorf("%s has the name of another kind of certificate: leave files the names that 'rainsql cert' gives them", path)
	}
	if now.After(leaf.NotAfter) {
		return nil, fmt.Errorf("%s ended at %s, and here it is %s: move the folder away and make another with '%s', or set the clock",
			path, stamp(leaf.NotAfter), stamp(now), b.peer.command())
	}
	if now.Before(leaf.NotBefore) {
		return nil, fmt.Errorf("%s holds only from %s on, and here it is %s: set the clock", path, stamp(leaf.NotBefore), stamp(now))
	}
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: b.roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, CurrentTime: now}); err != nil {
		return nil, fmt.Errorf("%s is not of the authority in %s (%w): make both anew with '%s'", path, disk.Path(caFile), err, b.peer.command())
	}
	if isNode {
		if b.gossip, err = readGossip(disk); err != nil {
			return nil, whole(err)
		}
	}
	return b, nil
}

// whole tells of a file that is missing what to do.
func whole(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: copy the whole folder again from where 'rainsql cert' wrote it", err)
	}
	return err
}

// readPair reads a certificate and its key.
func readPair(disk vfs.FS, name string) (*tls.Certificate, error) {
	key, err := readSecret(disk, keyOf(name))
	if err != nil {
		return nil, err
	}
	cert, err := vfs.ReadFile(disk, name, mostFile)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s with %s: %w: copy both again from where 'rainsql cert' wrote them", disk.Path(name), disk.Path(keyOf(name)), err)
	}
	return &pair, nil
}

// TrustOnly is for clients that have nothing but the certificate of the authority, a file ca.pem, and a token.
func TrustOnly(path string) (*Bundle, error) {
	dir, name := filepath.Split(path)
	list, err := readAuthorities(vfs.OS(dir), name)
	if err != nil {
		return nil, whole(err)
	}
	b := &Bundle{roots: x509.NewCertPool(), clock: time.Now}
	for _, c := range list {
		b.roots.AddCert(c)
	}
	return b, nil
}

// Peer is who the bundle says that its owner is: nobody, for one that only trusts.
func (b *Bundle) Peer() Peer { return b.peer }

// Until is when the certificate ends; zero for one that only trusts.
func (b *Bundle) Until() time.Time {
	if own := b.own.Load(); own != nil {
		return own.Leaf.NotAfter
	}
	return time.Time{}
}

// Renew reads the folder again, and tells whether there is another certificate of the same node or client, which
// is shown to whoever comes from now on. Connections that there are stay. After an error all is as before.
func (b *Bundle) Renew(now time.Time) (bool, error) {
	next, err := Load(b.dir, now)
	switch {
	case err != nil:
		return false, err
	case next.peer != b.peer:
		return false, fmt.Errorf("the certificate in %s is now that of %s, not of %s: start anew with it", b.dir, next.peer.Name, b.peer.Name)
	case !next.roots.Equal(b.roots) || !bytes.Equal(next.gossip, b.gossip):
		return false, fmt.Errorf("the authority in %s is another now: start anew with it", b.dir)
	}
	own := next.own.Load()
	return !b.own.Swap(own).Leaf.Equal(own.Leaf), nil
}

// GossipKey is the secret of the gossip ring, nil for a client.
func (b *Bundle) GossipKey() []byte { return slices.Clone(b.gossip) }

// ServerTLS greets anyone, and tells by PeerOf who has a certificate of the authority. It is the caller's to change.
// Nobody else's certificate is accepted. Sessions are not resumed: connections last, and whoever comes again proves
// himself again.
func (b *Bundle) ServerTLS() *tls.Config {
	return b.withOwn(&tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, Time: b.clock,
		ClientAuth: tls.VerifyClientCertIfGiven, ClientCAs: b.roots, SessionTicketsDisabled: true,
	})
}

// ClientTLS talks to nodes of the authority only. It is the caller's to change. The name of the host is not
// compared: the authority is the cluster's own and gives certificates of nodes to nodes alone, and their addresses
// change.
func (b *Bundle) ClientTLS() *tls.Config {
	return b.withOwn(&tls.Config{
		MinVersion: tls.VersionTLS13, NextProtos: []string{"h2"}, Time: b.clock,
		// What Go would verify has the host's name in it. VerifyConnection does the rest, and unlike
		// VerifyPeerCertificate does so for resumed sessions too.
		InsecureSkipVerify: true,
		VerifyConnection:   b.verifyNode,
	})
}

func (b *Bundle) withOwn(conf *tls.Config) *tls.Config {
	if b.own.Load() != nil {
		conf.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return b.own.Load(), nil }
		conf.GetClientCertificate = func(asked *tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if own := b.own.Load(); asked.SupportsCertificate(own) == nil {
				return own, nil
			}
			return &tls.Certificate{}, nil // the server asks for those of another authority
		}
	}
	return conf
}

func (b *Bundle) verifyNode(cs tls.ConnectionState) error {
	if len(cs.PeerCertificates) == 0 {
		return errors.New("the other side shows no certificate")
	}
	leaf := cs.PeerCertificates[0]
	rest := x509.NewCertPool()
	for _, c := range cs.PeerCertificates[1:] {
		rest.AddCert(c)
	}
	if _, err := leaf.Verify(x509.VerifyOptions{
		Roots: b.roots, Intermediates: rest, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, CurrentTime: b.clock(),
	}); err != nil {
		return fmt.Errorf("the other side is no node of this cluster: %w", err)
	}
	if p, err := peerIn(leaf.URIs); err != nil || p.Role != Node {
		return fmt.Errorf("the other side is no node of this cluster: its certificate is that of %.70q", leaf.Subject.CommonName)
	}
	return nil
}

// PeerOf is who a server's connection comes from: nobody, without a certificate. The connection must have been
// greeted by ServerTLS. A certificate that does not say whose it is is an error.
func PeerOf(cs tls.ConnectionState) (Peer, error) {
	if len(cs.VerifiedChains) == 0 {
		return Peer{}, nil
	}
	return peerIn(cs.VerifiedChains[0][0].URIs)
}
