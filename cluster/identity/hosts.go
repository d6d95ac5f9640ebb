package identity

import (
	"fmt"
	"net"
	"strings"
)

// CheckHost accepts what a certificate can say of where its node is reached: an IP address or a DNS name.
func CheckHost(host string) error {
	if net.ParseIP(host) != nil {
		return nil
	}
	labels := strings.Split(host, ".")
	ok := len(host) <= 253
	for _, l := range labels {
		ok = ok && len(l) > 0 && len(l) <= 63 && l[0] != '-' && l[len(l)-1] != '-'
		for _, c := range l {
			ok = ok && (letterOrDigit(c) || c == '-' || c == '_')
		}
	}
	// A last label of digits is an address with a mistake in it.
	if !ok || strings.Trim(labels[len(labels)-1], "0123456789") == "" {
		return fmt.Errorf("%.260q is no host: use a DNS name or an IP address, without a port", host)
	}
	return nil
}
