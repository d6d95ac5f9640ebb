package format

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestDiff(t *testing.T) {
	numbered := func(from, to int) string {
		var sb strings.Builder
		for i := from; i <= to; i++ {
			sb.WriteString(strings.Repeat("x", i) + "\n")
		}
		return sb.String()
	}
	for name, c := range map[string]struct{ before, after, want string }{
		"equal":           {"a\n", "a\n", ""},
		"from nothing":    {"", "a\n", "--- o\n+++ n\n@@ -0,0 +1 @@\n+a\n"},
		"to nothing":      {"a\nb\n", "", "--- o\n+++ n\n@@ -1,2 +0,0 @@\n-a\n-b\n"},
		"no last newline": {"a", "a\n", "--- o\n+++ n\n@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n"},
		"in the middle":   {"a\nb\nc\n", "a\nB\nc\n", "--- o\n+++ n\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n"},
		"two hunks": {"a\n" + numbered(1, 8) + "b\n", "A\n" + numbered(1, 8) + "B\n",
			"--- o\n+++ n\n@@ -1,4 +1,4 @@\n-a\n+A\n x\n xx\n xxx\n@@ -7,4 +7,4 @@\n xxxxxx\n xxxxxxx\n xxxxxxxx\n-b\n+B\n"},
	} {
		if got := Diff("o", "n", c.before, c.after); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

// TestDiffApplies lets patch(1) turn one text into the other by what Diff wrote.
func TestDiffApplies(t *testing.T) {
	patch, err := exec.LookPath("patch")
	if err != nil {
		t.Skip("there is no patch(1) here")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	random := func() string {
		var sb strings.Builder
		for range rnd.IntN(40) {
			sb.WriteString(string(rune('a'+rnd.IntN(12))) + "\n")
		}
		return sb.String()
	}
	for range 30 {
		before, after := random(), random()
		if before == "" || after == "" || before == after {
			continue
		}
		file := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(file, []byte(before), 0o644); err != nil {
			t.Fatal(err)
		}
		d := Diff("f", "f", before, after)
		cmd := exec.Command(patch, "-s", file)
		cmd.Stdin = strings.NewReader(d)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s\n%s", err, out, d)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != after {
			t.Fatalf("patched to %q, want %q (%v)", got, after, err)
		}
	}
}
