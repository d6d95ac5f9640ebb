package node

import (
	"time"

	"go.uber.org/zap"
)

const (
	certsEvery = time.Minute         // the folder of certificates is read again
	certsWarn  = 30 * 24 * time.Hour // before its certificate ends, a node says so, once a day
)

// keepCerts takes a new certificate as soon as there is one, and warns of the end of the old.
func (n *Node) keepCerts() {
	var warned time.Time
	complaint := ""
	for {
		if left := time.Until(n.cfg.Certs.Until()); left < certsWarn && time.Since(warned) > 24*time.Hour {
			warned = time.Now()
			n.log.Warn("this node's certificate ends soon: make another with 'rainsql cert node' and put it in its place", zap.Duration("in", left.Round(time.Minute)))
		}
		select {
		case <-n.ctx.Done():
			return
		case <-time.After(certsEvery):
		}
		renewed, err := n.cfg.Certs.Renew(time.Now())
		switch {
		case err != nil && err.Error() != complaint:
			complaint = err.Error()
			n.log.Warn("the node goes on with the certificate that it has", zap.Error(err))
		case err == nil:
			complaint = ""
		}
		if renewed {
			n.log.Info("has a new certificate", zap.Time("until", n.cfg.Certs.Until()))
		}
	}
}
