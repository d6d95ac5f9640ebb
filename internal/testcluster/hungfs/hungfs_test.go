//go:build linux

package hungfs

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.etcd.io/bbolt"
	"go.uber.org/goleak"
)

// The test runs itself as the process that uses the disk.
func TestMain(m *testing.M) {
	if role := os.Getenv("HUNGFS_CHILD"); role != "" {
		child(role, os.Getenv("HUNGFS_FILE"))
		return
	}
	goleak.VerifyTestMain(m)
}

func child(role, file string) {
	fail := func(err error) {
		if err != nil {
			fmt.Println("error:", err)
			os.Exit(3)
		}
	}
	switch role {
	case "bolt": // commits for ever
		db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: 200 * time.Millisecond})
		fail(err)
		fmt.Println("open")
		for i := 0; ; i++ {
			fail(db.Update(func(tx *bbolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists([]byte("b"))
				if err != nil {
					return err
				}
				return b.Put(fmt.Append(nil, i), bytes.Repeat([]byte("x"), 1000))
			}))
			fmt.Println("committed", i)
			time.Sleep(time.Millisecond)
		}
	case "check": // reads all of it
		db, err := bbolt.Open(file, 0o600, &bbolt.Options{Timeout: time.Second})
		fail(err)
		fail(db.View(func(tx *bbolt.Tx) error {
			for err := range tx.Check() {
				return err
			}
			fmt.Println("keys", tx.Bucket([]byte("b")).Stats().KeyN)
			return nil
		}))
		fail(db.Close())
	case "exit": // ends while a write hangs
		f, err := os.Create(file)
		fail(err)
		fmt.Println("open")
		_, _ = os.Stdin.Read(make([]byte, 1))
		go func() { _, _ = f.WriteString("lost") }()
		_, _ = os.Stdin.Read(make([]byte, 1))
		os.Exit(4)
	case "fsync":
		f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o600)
		fail(err)
		_, err = f.WriteString("x")
		fail(err)
		fmt.Println("open")
		_, _ = os.Stdin.Read(make([]byte, 1))
		fail(f.Sync())
		fmt.Println("synced")
	}
}

// proc is a child and what it prints.
type proc struct {
	*exec.Cmd
	in    io.WriteCloser
	lines chan string
}

func run(t *testing.T, role, file string) *proc {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "HUNGFS_CHILD="+role, "HUNGFS_FILE="+file)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &proc{cmd, in, make(chan string, 100000)}
	go func() {
		defer close(p.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			p.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		for range p.lines {
			continue
		}
	})
	return p
}

// line waits for the next one that begins with prefix.
func (p *proc) line(t *testing.T, prefix string) string {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case s, ok := <-p.lines:
			if !ok {
				t.Fatalf("it ended before %q", prefix)
			}
			if strings.HasPrefix(s, prefix) {
				return s
			}
			if strings.HasPrefix(s, "error") {
				t.Fatalf("%s; want %q", s, prefix)
			}
		case <-limit:
			t.Fatalf("%q did not come", prefix)
		}
	}
}

func (p *proc) silent(t *testing.T) {
	t.Helper()
	for len(p.lines) > 0 {
		<-p.lines
	}
	select {
	case s := <-p.lines:
		t.Fatal("not hung:", s)
	case <-time.After(300 * time.Millisecond):
	}
}

// ended waits for the process to end and gives its exit status, -1 for a signal.
func (p *proc) ended(t *testing.T) int {
	t.Helper()
	done := make(chan struct{})
	go func() {
		_ = p.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("the process does not end")
	}
	return p.ProcessState.ExitCode()
}

func mount(t *testing.T) *FS {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	dir := t.TempDir()
	f, err := Mount(filepath.Join(dir, "disk"), filepath.Join(dir, "mnt"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Unmount(); err != nil {
			t.Error(err)
		}
		if mounts, _ := os.ReadFile("/proc/self/mounts"); bytes.Contains(mounts, []byte(f.at)) {
			t.Error("still mounted:", f.at)
		}
	})
	return f
}

// stuck waits until an operation hangs.
func (f *FS) stuck(t *testing.T) {
	t.Helper()
	for range 1000 {
		if f.Waiting() > 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("nothing hangs")
}

func TestBolt(t *testing.T) {
	f := mount(t)
	file := filepath.Join(f.Path(), "log.db")
	p := run(t, "bolt", file)
	p.line(t, "committed 5")

	// Its lock holds others off.
	other := run(t, "bolt", file)
	if s := <-other.lines; s != "error: timeout" {
		t.Fatal("a second process:", s)
	}
	other.ended(t)

	f.Hang(true)
	f.stuck(t)
	p.silent(t)
	f.Hang(false)
	p.line(t, "committed")

	// Killed while it hangs: it ends all the same, and what was committed is there.
	f.Hang(true)
	f.stuck(t)
	p.silent(t)
	_ = p.Process.Kill()
	if code := p.ended(t); code != -1 {
		t.Fatal("exit status", code)
	}
	f.Hang(false)
	check := run(t, "check", file)
	t.Log(check.line(t, "keys"))
	if code := check.ended(t); code != 0 {
		t.Fatal("exit status", code)
	}

	// A full disk, then room again.
	p = run(t, "bolt", file)
	p.line(t, "committed")
	f.Fail(syscall.ENOSPC)
	for s := range p.lines {
		if strings.HasPrefix(s, "error") && !strings.HasSuffix(s, syscall.ENOSPC.Error()) {
			t.Fatal(s)
		}
	}
	if code := p.ended(t); code != 3 {
		t.Fatal("exit status", code)
	}
	f.Fail(0)
	check = run(t, "check", file)
	check.line(t, "keys")
}

// A process can exit while one of its writes hangs, which is not done then.
func TestExit(t *testing.T) {
	f := mount(t)
	file := filepath.Join(f.Path(), "file")
	p := run(t, "fsync", file)
	p.line(t, "open")
	f.Hang(true)
	_, _ = p.in.Write([]byte("\n"))
	f.stuck(t)
	p.silent(t)
	// Reading goes on.
	if got, err := os.ReadFile(file); err != nil || string(got) != "x" {
		t.Fatalf("%q, %v", got, err)
	}
	f.Hang(false)
	p.line(t, "synced")
	p.ended(t)

	other := filepath.Join(f.Path(), "other")
	p = run(t, "exit", other)
	p.line(t, "open")
	f.Hang(true)
	_, _ = p.in.Write([]byte("\n"))
	f.stuck(t)
	_, _ = p.in.Write([]byte("\n"))
	if code := p.ended(t); code != 4 {
		t.Fatal("exit status", code)
	}
	f.Hang(false)
	if got, err := os.ReadFile(other); err != nil || len(got) > 0 {
		t.Fatalf("what the process left: %q, %v", got, err)
	}
}

func TestFail(t *testing.T) {
	f := mount(t)
	path := func(name string) string { return filepath.Join(f.Path(), name) }
	if err := os.WriteFile(path("a"), []byte("before"), 0o600); err != nil {
		t.Fatal(err)
	}
	open, err := os.OpenFile(path("a"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	dir, err := os.Open(f.Path())
	if err != nil {
		t.Fatal(err)
	}
	changes := map[string]func() error{
		"write":     func() error { _, err := open.WriteAt([]byte("after!"), 0); return err },
		"fsync":     open.Sync,
		"fsync dir": dir.Sync,
		"create":    func() error { return os.WriteFile(path("b"), nil, 0o600) },
		"mkdir":     func() error { return os.Mkdir(path("d"), 0o700) },
		"rename":    func() error { return os.Rename(path("a"), path("c")) },
		"link":      func() error { return os.Link(path("a"), path("l")) },
		"allocate":  func() error { return syscall.Fallocate(int(open.Fd()), 0, 0, 1<<20) },
	}
	f.Fail(syscall.ENOSPC)
	for name, change := range changes {
		if err := change(); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s with a full disk: %v", name, err)
		}
	}
	if got, _ := os.ReadFile(path("a")); string(got) != "before" {
		t.Errorf("the file holds %q", got)
	}
	if err := open.Truncate(3); err != nil {
		t.Error(err)
	}
	// What hangs fails, too.
	f.Fail(0)
	f.Hang(true)
	done := make(chan error)
	go func() { done <- changes["write"]() }()
	f.stuck(t)
	f.Fail(syscall.EIO)
	if err := <-done; !errors.Is(err, syscall.EIO) {
		t.Error("a write that hung:", err)
	}
	f.Hang(false)
	f.Fail(0)
	for _, name := range []string{"write", "fsync", "fsync dir", "create", "mkdir", "link", "allocate", "rename"} {
		if err := changes[name](); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := os.Remove(path("c")); err != nil {
		t.Error(err)
	}
	_ = open.Close()
	_ = dir.Close()
}

// Unmount takes it away from a process that hangs in it.
func TestUnmount(t *testing.T) {
	f := mount(t)
	p := run(t, "bolt", filepath.Join(f.Path(), "log.db"))
	p.line(t, "committed")
	f.Hang(true)
	f.stuck(t)
	if err := f.Unmount(); err != nil {
		t.Fatal(err)
	}
	p.ended(t)
	if names, err := os.ReadDir(f.Path()); err != nil || len(names) > 0 {
		t.Fatal(names, err)
	}
	if err := f.Unmount(); err != nil {
		t.Fatal("again:", err)
	}
	// With a process that still holds a file, and does nothing.
	f = mount(t)
	p = run(t, "fsync", filepath.Join(f.Path(), "file"))
	p.line(t, "open")
	if err := f.Unmount(); err != nil {
		t.Fatal(err)
	}
	_, _ = p.in.Write([]byte("\n"))
	if s := <-p.lines; !strings.HasPrefix(s, "error") {
		t.Fatal("after the unmount:", s)
	}
}
