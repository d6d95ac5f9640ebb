package process

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// output gathers what a program writes, and may be read meanwhile.
type output struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// TestSample: what `make cluster` does starts three servers that answer, and Ctrl-C leaves none.
func TestSample(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "cluster")
	cmd := exec.Command("sh", "../../tools/cluster.sh", program(t), folder)
	cmd.Env = append(os.Environ(), "HOST="+block+fmt.Sprint(made.Add(1)))
	cmd.SysProcAttr = endWithParent()
	var out output
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	deadline := time.After(2 * time.Minute)
	for !strings.Contains(out.String(), "Ctrl-C stops them") {
		select {
		case err := <-ended:
			t.Fatalf("it ended: %v\n%s", err, &out)
		case <-deadline:
			_ = cmd.Process.Signal(syscall.SIGTERM)
			t.Fatalf("it does not come so far:\n%s", &out)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if !strings.Contains(out.String(), "│ Streetname │ 82598 │") { // counted with awk in what `rainsql gen signs --rows 200000` makes
		t.Errorf("it does not show the answer:\n%s", &out)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("%v\n%s", err, &out)
		}
	case <-time.After(time.Minute):
		t.Fatalf("it goes on:\n%s", &out)
	}
	for n := range 3 {
		lock, err := os.OpenFile(filepath.Join(folder, fmt.Sprint("n", n+1), "LOCK"), os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
			t.Errorf("server %d is still there: %v", n+1, err)
		}
		lock.Close()
	}
}
