package identity

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/url"
	"time"

	"github.com/rainsql/rainsql/internal/vfs"
)

// How long certificates hold.
const (
	validCA   = 10 * 365 * 24 * time.Hour
	validLeaf = 365 * 24 * time.Hour
	backdated = time.Hour // clocks differ
)

// CreateCA makes a certificate authority in a folder: its certificate, its key, and the secret that
// encrypts gossip. It never replaces one, nor any part of one.
func CreateCA(dir string) error {
	if there, err := exists(vfs.OS(dir), caFile); err == nil && there {
		return fmt.Errorf("%s holds a certificate authority already; a new one would shut out every certificate it has given", dir)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	cert := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "rainsql cluster CA"}, NotBefore: now.Add(-backdated), NotAfter: now.Add(validCA),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, MaxPathLenZero: true,
	}
	if cert, err = sign(cert, cert, key, key); err != nil {
		return err
	}
	secret := make([]byte, gossipBytes)
	_, _ = rand.Read(secret) // never fails
	return writeNew(dir, []file{
		{gossipFile, gossipText(secret)},
		{caKeyFile, keyPEM(key)},
		{caFile, certPEM(cert)}, // last: without it there is no authority
	})
}

// IssueNode makes a folder with all that one server needs. hosts are further names and addresses of it, for
// browsers and Prometheus. It never replaces what is there.
func IssueNode(caDir, outDir, name string, hosts []string) error {
	cert := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}
	for _, h := range append([]string{"localhost", "127.0.0.1", "::1"}, hosts...) {
		if err := CheckHost(h); err != nil {
			return err
		}
		if ip := net.ParseIP(h); ip != nil {
			cert.IPAddresses = append(cert.IPAddresses, ip)
		} else {
			cert.DNSNames = append(cert.DNSNames, h)
		}
	}
	return issue(caDir, outDir, Peer{Name: name, Role: Node}, cert, time.Now())
}

// IssueClient makes a folder with all that a client needs; role is Read, Write or Admin. It never replaces what
// is there.
func IssueClient(caDir, outDir, name string, role Role) error {
	if _, err := ParseRole(role.String()); err != nil {
		return err
	}
	cert := &x509.Certificate{ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}
	return issue(caDir, outDir, Peer{Name: name, Role: role}, cert, time.Now())
}

func issue(caDir, outDir string, who Peer, cert *x509.Certificate, now time.Time) error {
	if err := CheckName(who.Name); err != nil {
		return err
	}
	ca, err := loadAuthority(caDir)
	if err != nil {
		return err
	}
	if !now.Before(ca.cert.NotAfter) {
		return fmt.Errorf("the authority in %s ended at %s: make another in a new folder with 'rainsql cert ca', and new certificates of all nodes and clients", caDir, stamp(ca.cert.NotAfter))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert.SerialNumber, cert.Subject = serial(), pkix.Name{CommonName: who.Name}
	cert.NotBefore, cert.NotAfter = now.Add(-backdated), now.Add(validLeaf)
	if cert.NotAfter.After(ca.cert.NotAfter) {
		cert.NotAfter = ca.cert.NotAfter // so that the certificate itself says when it ends
	}
	cert.KeyUsage, cert.BasicConstraintsValid = x509.KeyUsageDigitalSignature, true
	cert.URIs = []*url.URL{who.uri()}
	if cert, err = sign(cert, ca.cert, key, ca.key); err != nil {
		return err
	}
	name, files := clientFile, []file{{caFile, certPEM(ca.all...)}}
	if who.Role == Node {
		name, files = nodeFile, append(files, file{gossipFile, gossipText(ca.gossip)})
	}
	return writeNew(outDir, append(files, file{keyOf(name), keyPEM(key)}, file{name, certPEM(cert)}))
}

// authority is the folder of 'rainsql cert ca'.
type authority struct {
	cert   *x509.Certificate   // whose key is key
	all    []*x509.Certificate // what nodes and clients are to trust
	key    *ecdsa.PrivateKey
	gossip []byte
}

func loadAuthority(dir string) (authority, error) {
	var ca authority
	disk := vfs.OS(dir)
	list, err := readAuthorities(disk, caFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ca, fmt.Errorf("%s holds no certificate authority (%w): name the folder of one with --dir, or make one with 'rainsql cert ca --dir %s'", dir, err, dir)
	}
	if err != nil {
		return ca, err
	}
	ca.all = list
	if ca.key, err = readCAKey(disk); err != nil {
		return ca, onlyThere(err)
	}
	for _, c := range list {
		if ca.key.PublicKey.Equal(c.PublicKey) {
			ca.cert = c
		}
	}
	if ca.cert == nil {
		return ca, fmt.Errorf("%s is not the key of %s: bring both back from where 'rainsql cert ca' wrote them", disk.Path(caKeyFile), disk.Path(caFile))
	}
	if ca.gossip, err = readGossip(disk); err != nil {
		return ca, onlyThere(err)
	}
	return ca, nil
}

// onlyThere tells of a secret that is missing where certificates are made.
func onlyThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: certificates are made only in the folder that 'rainsql cert ca' wrote", err)
	}
	return err
}

func readCAKey(disk vfs.FS) (*ecdsa.PrivateKey, error) {
	data, err := readSecret(disk, caKeyFile)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, fmt.Errorf("%s is no whole key in PEM: bring it back from where 'rainsql cert ca' wrote it", disk.Path(caKeyFile))
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	ec, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, fmt.Errorf("%s is no key that 'rainsql cert ca' makes", disk.Path(caKeyFile))
	}
	return ec, nil
}

// sign makes a certificate for a key, with that of its parent.
func sign(cert, parent *x509.Certificate, key, parentKey *ecdsa.PrivateKey) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, key.Public(), parentKey)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

func serial() *big.Int {
	var bits [16]byte
	_, _ = rand.Read(bits[:]) // never fails
	bits[0] &= 0x7f           // positive in 16 bytes
	return new(big.Int).SetBytes(bits[:])
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
