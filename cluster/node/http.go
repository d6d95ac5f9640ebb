package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"time"

	"github.com/rainsql/rainsql/cluster/exposition"
)

// startHTTP serves what operators look at. Beyond loopback it is TLS where there are certificates.
func (n *Node) startHTTP(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		if ready, why := n.Ready(); !ready {
			http.Error(w, "not ready: "+why, http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", exposition.ContentType)
		_, _ = w.Write(n.tellMetrics().Bytes())
	})
	mux.HandleFunc("GET /debug/pprof/", fromLoopback(pprof.Index))
	mux.HandleFunc("GET /debug/pprof/profile", fromLoopback(pprof.Profile))
	mux.HandleFunc("GET /debug/pprof/trace", fromLoopback(pprof.Trace))
	n.web = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return n.ctx },
	}
	if n.cfg.Certs != nil && !isLoopback(l.Addr().String()) {
		conf := n.cfg.Certs.ServerTLS()
		conf.ClientAuth = tls.NoClientCert
		conf.NextProtos = []string{"http/1.1"}
		l = tls.NewListener(l, conf)
	}
	n.serving.Go(func() {
		if err := n.web.Serve(l); !errors.Is(err, http.ErrServerClosed) && n.ctx.Err() == nil {
			n.end(fmt.Errorf("serving http: %w", err))
		}
	})
	n.stop.push(n.web.Close)
}

// fromLoopback lets only this machine see: a profile tells what is in memory.
func fromLoopback(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !isLoopback(r.RemoteAddr) {
			http.Error(w, "profiles are for this machine only", http.StatusForbidden)
			return
		}
		h(w, r)
	}
}

func isLoopback(addr string) bool {
	ap, err := netip.ParseAddrPort(addr)
	return err == nil && ap.Addr().Unmap().IsLoopback()
}
