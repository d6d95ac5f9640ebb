package sdfs

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"
)

// childEnv makes this test's binary a process that writes to the store of that folder until it is killed. On
// standard output it says what it is about to do and what is acknowledged.
const childEnv = "SDFS_TEST_CHILD"

const childWriters = 4

// child runs as a process of its own.
func child(dir string) {
	s, err := Open(context.Background(), Config{Dir: dir, SegmentBytes: 64 << 10, LogBytes: 16 << 10, MergeBlocks: 16, ReserveBytes: 64 << 10})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	fmt.Println("opened", childWriters)
	var wg sync.WaitGroup
	for w := range childWriters {
		wg.Go(func() {
			for {
				if err := childStep(s, w); err != nil {
					fmt.Println("failed", err)
					os.Exit(1)
				}
			}
		})
	}
	wg.Wait()
}

// childStep appends a numbered line to a file that all share and to one of this writer's own, which it now and
// then replaces or merges. The lines' numbers go on from what the files hold.
func childStep(s *Embedded, w int) error {
	ctx := context.Background()
	own := fmt.Sprint("own", w)
	info, err := s.Stat(context.Background(), own)
	next := 0
	if err == nil {
		next = int(info.Generation)*1_000_000 + info.Blocks
	}
	line := fmt.Sprintf("%d %d %s\n", w, next, strings.Repeat("x", rand.IntN(300)))
	fmt.Printf("try %d shared %s", w, line)
	if err := s.Append(ctx, "shared", []byte(line)); err != nil {
		return err
	}
	fmt.Printf("ack %d shared %s", w, line)
	switch rand.IntN(30) {
	case 0:
		content := strings.Repeat(line, 1+rand.IntN(3000))
		fmt.Printf("try %d replace %d %s", w, strings.Count(content, "\n"), line)
		wr, err := write(ctx, s, own, content, Replace)
		if err == nil {
			err = wr.Commit(ctx)
		}
		if err != nil {
			return err
		}
		fmt.Printf("ack %d replace %d %s", w, strings.Count(content, "\n"), line)
	case 1:
		return s.Merge(ctx, "shared")
	}
	return nil
}

// TestKilledProcess kills a process that writes to a real disk, again and again, and compares the store with
// what the process had said.
func TestKilledProcess(t *testing.T) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
		return
	}
	rounds := 6
	if long {
		rounds = 300
	}
	dir := t.TempDir()
	shared := [childWriters][]string{}
	own := [childWriters]string{}
	for round := range rounds {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestKilledProcess$")
		cmd.Env = append(os.Environ(), childEnv+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// What it does while it opens is as good to be killed in as anything.
		time.AfterFunc(time.Duration(rand.IntN(250))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		var maybeLine, maybeOwn [childWriters]string
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadString('\n')
			if err != nil {
				break
			}
			var w, n int
			var what string
			rest := strings.SplitN(line, " ", 4)
			if _, err := fmt.Sscan(line, &what, &w); err != nil {
				t.Fatalf("round %d: the process says %q", round, line)
			}
			switch {
			case what == "opened":
			case rest[2] == "shared" && what == "try":
				maybeLine[w] = rest[3]
			case rest[2] == "shared":
				shared[w], maybeLine[w] = append(shared[w], rest[3]), ""
			case rest[2] == "replace":
				count, text, _ := strings.Cut(rest[3], " ")
				if _, err := fmt.Sscan(count, &n); err != nil {
					t.Fatal(err)
				}
				if content := strings.Repeat(text, n); what == "try" {
					maybeOwn[w] = content
				} else {
					own[w], maybeOwn[w] = content, ""
				}
			}
		}
		_ = cmd.Wait() // it was killed
		s, err := Open(t.Context(), Config{Dir: dir, ReserveBytes: 64 << 10})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got, err := readAllFiles(s)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		var seen [childWriters][]string
		for line := range strings.Lines(got["shared"]) {
			if w := int(line[0] - '0'); w >= 0 && w < childWriters {
				seen[w] = append(seen[w], line)
			}
		}
		for w := range childWriters {
			want := strings.Join(shared[w], "")
			if found := strings.Join(seen[w], ""); found == want+maybeLine[w] {
				shared[w] = seen[w]
			} else if found != want {
				t.Fatalf("round %d: writer %d was told of %d lines, %d are there", round, w, len(shared[w]), len(seen[w]))
			}
			switch found := got[fmt.Sprint("own", w)]; {
			case found == own[w]:
			case maybeOwn[w] != "" && found == maybeOwn[w]:
				own[w] = found
			default:
				t.Fatalf("round %d: the file of writer %d holds %d bytes, acknowledged were %d", round, w, len(found), len(own[w]))
			}
		}
		if report, err := s.Check(t.Context(), nil); err != nil || len(report.Faults)+len(report.Orphans) > 0 {
			t.Fatalf("round %d: %+v, %v", round, report, err)
		}
		if round%3 == 2 { // else what the next process finds was closed in order
			for w := range childWriters {
				shared[w] = nil
			}
			if err := s.Remove(t.Context(), "shared"); err != nil && len(got["shared"]) > 0 {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
