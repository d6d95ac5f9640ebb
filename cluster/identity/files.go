package identity

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"strings"

	"github.com/rainsql/rainsql/internal/vfs"
)

// Files of the folders of an authority, a node and a client.
const (
	caFile     = "ca.pem"
	caKeyFile  = "ca.key"
	gossipFile = "gossip.key"
	nodeFile   = "node.pem"
	clientFile = "client.pem"
)

// mostFile bounds what is read of one of them, in bytes.
const mostFile = 1 << 20

const gossipBytes = 32

type file struct {
	name string
	data []byte
}

// keyOf is the file of a certificate's key.
func keyOf(cert string) string { return strings.TrimSuffix(cert, ".pem") + ".key" }

// writeNew makes a folder of files that only their owner may read, in their order, so that none has its name without
// its content. One that is there is never replaced, and after an error none is there that was not before.
func writeNew(dir string, files []file) (err error) {
	disk := vfs.OS(dir)
	if err := disk.Mkdir(""); err != nil {
		return err
	}
	// One of any kind: a folder is of one owner.
	for _, name := range []string{caFile, caKeyFile, gossipFile, nodeFile, keyOf(nodeFile), clientFile, keyOf(clientFile)} {
		if there, err := exists(disk, name); err != nil {
			return err
		} else if there {
			return fmt.Errorf("%s is there already and is never replaced: name another folder, or move this one away", disk.Path(name))
		}
	}
	for i, f := range files {
		if err = vfs.WriteFile(disk, f.name, f.data); err != nil {
			files = files[:i]
			break
		}
	}
	if err == nil {
		err = disk.SyncDir("")
	}
	if err != nil {
		for _, f := range files {
			_ = disk.Remove(f.name) // the error says more
		}
	}
	return err
}

func exists(disk vfs.FS, name string) (bool, error) {
	_, err := disk.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// readSecret reads what others on the machine must not.
func readSecret(disk vfs.FS, name string) ([]byte, error) {
	path := disk.Path(name)
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" { // where it says nothing
		return nil, fmt.Errorf("%s can be read by others (mode %#o): chmod 600 %s", path, info.Mode().Perm(), path)
	}
	return vfs.ReadFile(disk, name, mostFile)
}

func readGossip(disk vfs.FS) ([]byte, error) {
	text, err := readSecret(disk, gossipFile)
	if err != nil {
		return nil, err
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != gossipBytes {
		return nil, fmt.Errorf("%s is no key of %d bytes in base64: copy it again from the authority's folder", disk.Path(gossipFile), gossipBytes)
	}
	return key, nil
}

func gossipText(key []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(key) + "\n") }

// readAuthorities reads the certificates of one authority or, while one follows another, of several.
func readAuthorities(disk vfs.FS, name string) ([]*x509.Certificate, error) {
	data, err := vfs.ReadFile(disk, name, mostFile)
	if err != nil {
		return nil, err
	}
	path := disk.Path(name)
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: %w: copy it again from the authority's folder", path, err)
		}
		// A node's own certificate among the roots would be trusted as it is.
		if !c.IsCA || !c.BasicConstraintsValid {
			return nil, fmt.Errorf("%s is the certificate of %q, not of an authority: use the %s that 'rainsql cert' writes", path, c.Subject.CommonName, caFile)
		}
		list = append(list, c)
	}
	if len(list) == 0 || strings.Contains(string(data), "-----BEGIN") {
		return nil, fmt.Errorf("%s is no whole certificate in PEM: copy it again from the authority's folder", path)
	}
	return list, nil
}

func certPEM(certs ...*x509.Certificate) []byte {
	var text []byte
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func keyPEM(key *ecdsa.PrivateKey) []byte {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		panic(err) // only for kinds of key that are not ours
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
