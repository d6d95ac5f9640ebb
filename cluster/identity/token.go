package identity

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strings"
)

const tokenPrefix = "rs1_"

// NewToken makes a client's secret, of 256 random bits, and what the cluster keeps of it.
func NewToken() (secret string, hash [32]byte) {
	var bits [32]byte
	_, _ = rand.Read(bits[:]) // never fails
	secret = tokenPrefix + base64.RawURLEncoding.EncodeToString(bits[:])
	return secret, sha256.Sum256([]byte(secret))
}

// HashToken gives what the cluster keeps of a secret. The bits being random, no salt is needed. The error does not
// repeat what it was given: a token with a typing error is nearly a secret.
func HashToken(secret string) ([32]byte, error) {
	text, ours := strings.CutPrefix(secret, tokenPrefix)
	bits, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ours || err != nil || len(bits) != 32 || strings.ContainsAny(text, "\r\n") { // which base64 skips
		return [32]byte{}, errors.New("that is no token: one begins with " + tokenPrefix + " and is made by 'rainsql token add'")
	}
	return sha256.Sum256([]byte(secret)), nil
}
