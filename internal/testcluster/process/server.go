package process

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/internal/testcluster/hungfs"
	"github.com/rainsql/rainsql/internal/testcluster/proxy"
)

// Server is one machine: its data directory outlives its process.
type Server struct {
	Name    string
	Dir     string         // --data
	Disk    *hungfs.FS     // below Dir, with Options.Disks
	Proxies []*proxy.Proxy // of services and of gossip, with Options.Proxies

	c            *Cluster
	place        int
	addr, gossip string // where others reach it
	args         []string
	left         bool // the cluster, for good
	meant        bool // to run: it was started, and neither killed nor waited for

	mu   sync.Mutex
	cmd  *exec.Cmd     // nil: it was never started
	over chan struct{} // closed when cmd has ended
	end  error         // of cmd
	ask  *client.Client
	said words
}

// words is what a process writes to standard error. It may be read while that goes on.
type words struct {
	mu   sync.Mutex
	text []byte
}

func (w *words) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	return len(p), nil
}

// Said is all that the server's processes have written to standard error.
func (s *Server) Said() string {
	s.said.mu.Lock()
	defer s.said.mu.Unlock()
	return string(s.said.text)
}

// Addr is where clients reach it.
func (s *Server) Addr() string { return s.addr }

// Place is its index among the servers.
func (s *Server) Place() int { return s.place }

// Start starts the process. It dies with this one.
func (s *Server) Start() {
	s.c.t.Helper()
	if s.Running() {
		s.c.t.Fatal(s.Name, "runs already")
	}
	cmd := exec.Command(s.c.bin, s.args...)
	cmd.Stderr = &s.said // the program is --quiet: panics, and its last words
	cmd.SysProcAttr = endWithParent()
	over, started := make(chan struct{}), make(chan error, 1)
	run := func() error {
		err := cmd.Start()
		started <- err
		if err == nil {
			err = cmd.Wait()
		}
		return err
	}
	// The kernel takes the thread that started a process for its parent, so that must stay.
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var err error
		if s.c.Net != nil {
			err = s.c.Net.Do(s.place, run)
		} else {
			err = run()
		}
		select {
		case started <- err: // it could not even enter its namespace
		default:
		}
		s.mu.Lock()
		s.end = err
		s.mu.Unlock()
		close(over)
	}()
	err := <-started
	s.mu.Lock()
	s.cmd, s.over = cmd, over
	s.mu.Unlock()
	s.meant = true
	if err != nil {
		s.c.t.Fatal(s.Name, err)
	}
}

// Running tells whether there is a process.
func (s *Server) Running() bool {
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over == nil {
		return false
	}
	select {
	case <-over:
		return false
	default:
		return true
	}
}

// signal sends a signal to the process if it runs.
func (s *Server) signal(sig os.Signal) {
	s.c.t.Helper()
	if !s.Running() {
		return
	}
	if err := s.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		s.c.t.Error(s.Name, sig, err)
	}
}

// Kill is kill -9, and waits until the process is gone.
func (s *Server) Kill() {
	s.meant = false
	s.signal(syscall.SIGKILL)
	_ = s.Wait(time.Minute) // how it ended is known
}

// Terminate is SIGTERM.
func (s *Server) Terminate() { s.signal(syscall.SIGTERM) }

// Wait waits for the end of the process, and tells how it ended.
func (s *Server) Wait(most time.Duration) error {
	s.c.t.Helper()
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over == nil {
		return nil
	}
	select {
	case <-over:
		s.meant = false
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.end
	case <-time.After(most):
		s.c.t.Errorf("%s does not end within %v", s.Name, most)
		return nil
	}
}

// Freeze is SIGSTOP.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw is SIGCONT.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

// client is one of this server alone.
func (s *Server) client() *client.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ask == nil {
		s.ask = s.c.Client(s.place)
	}
	return s.ask
}

// Status asks the server how it is.
func (s *Server) Status() (*api.StatusResponse, error) {
	if !s.Running() {
		return nil, errors.New("it does not run")
	}
	ctx, cancel := soon()
	defer cancel()
	return s.client().Status(ctx)
}

// Nodes are the nodes as this server knows them, none if it does not answer.
func (s *Server) Nodes() []*api.NodeInfo { return nodes(s.client()) }

func nodes(cl *client.Client) []*api.NodeInfo {
	ctx, cancel := soon()
	defer cancel()
	resp, err := cl.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
	if err != nil {
		return nil
	}
	return resp.GetNodes()
}

// Generation is the generation of a file in this server's own copy, or as the cluster has it; 0: there is no such file. It
// has a minute's patience.
func (s *Server) Generation(name string, local bool) (uint64, error) {
	return generation(s.client(), name, local)
}

func generation(cl *client.Client, name string, local bool) (uint64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, err := cl.Read(ctx, &api.ReadRequest{Local: local, What: &api.ReadRequest_File{File: name}})
	for _, f := range resp.GetFiles() {
		return f.GetGeneration(), nil
	}
	return 0, err
}

// Metric is a number among those that the server gives to who watches it.
func (s *Server) Metric(name string) (float64, error) {
	host, _, err := net.SplitHostPort(s.addr)
	if err != nil {
		return 0, err
	}
	resp, err := http.Get("http://" + host + ":7402/metrics")
	if err != nil {
		return 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	for in := bufio.NewScanner(resp.Body); in.Scan(); {
		if text, ok := strings.CutPrefix(in.Text(), name+" "); ok {
			return strconv.ParseFloat(text, 64)
		}
	}
	return 0, fmt.Errorf("there is no metric %s", name)
}
