package members

import (
	"fmt"
	"net"
	"strconv"

	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/logging"
)

// Listen is the transport of gossip on a real network, UDP and TCP on one port. Port 0 is one that is free;
// Port tells which.
func Listen(addr string, logger *zap.Logger) (*memberlist.NetTransport, error) {
	host, port, ok := splitAddr(addr)
	if !ok {
		return nil, fmt.Errorf("%q is no address for gossip: write HOST:PORT", addr)
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return nil, err
	}
	return memberlist.NewNetTransport(&memberlist.NetTransportConfig{
		BindAddrs: []string{ip.String()}, BindPort: port, Logger: logging.Standard(logger),
	})
}

// splitAddr takes host and port apart; the host stays as it is.
func splitAddr(addr string) (host string, port int, ok bool) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, false
	}
	port, err = strconv.Atoi(text)
	return host, port, err == nil
}
