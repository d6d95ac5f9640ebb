package process

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// chaos is the time for each kind of fault. make chaos gives it, with the machine to itself: then the times in which the
// cluster must recover are checked, too. In the gate, beside everything else, they are only told.
var chaos = flag.Duration("chaos", 0, "hurt the servers for so long in each way (0: once)")

var scratch string // folder of the program, while tests run

// burning in the environment has the test do nothing but keep a core busy.
const burning = "RAINSQL_TEST_BURN"

func TestMain(m *testing.M) {
	if os.Getenv(burning) != "" {
		for n := uint64(1); n > 0; n += 2 { // odd for ever
		}
	}
	flag.Parse()
	var err error
	if scratch, err = os.MkdirTemp("", "rainsql-process-"); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(scratch); err != nil {
		fmt.Println(err)
		code = 1
	}
	os.Exit(code)
}

var build = sync.OnceValues(func() (string, error) {
	bin := filepath.Join(scratch, "rainsql")
	cmd := exec.Command("go", "build", "-o", bin, "github.com/rainsql/rainsql/cmd/rainsql")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
})

// program is the rainsql that is tested, built as users build it.
func program(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// again runs something once, and under make chaos until its time is over.
func again(t *testing.T, do func(t *testing.T)) {
	t.Helper()
	for began := time.Now(); ; {
		do(t)
		if t.Failed() || time.Since(began) >= *chaos {
			return
		}
	}
}

// within checks a time of recovery.
func within(t *testing.T, what string, took, most time.Duration) {
	t.Helper()
	t.Logf("%s: %v", what, took.Round(10*time.Millisecond))
	if *chaos > 0 && took > most {
		t.Errorf("%s: %v, more than %v", what, took, most)
	}
}
