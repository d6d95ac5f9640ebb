package logictest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task/tasktest"
)

// TestFaultInParts: an error of a row, in a stage that also gets rows from elsewhere, ends a query in parts as it ends any other.
func TestFaultInParts(t *testing.T) {
	t.Chdir(t.TempDir())
	big, small := &strings.Builder{}, &strings.Builder{}
	big.WriteString("id,v\n")
	small.WriteString("id,name\n")
	for i := range 2000 {
		fmt.Fprintf(big, "%d,%d\n", i%50, max(0, 900-i))
	}
	for i := range 50 {
		fmt.Fprintf(small, "%d,n%d\n", i, i)
	}
	for name, text := range map[string]string{"big.csv": big.String(), "small.csv": small.String()} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, src := range []string{
		"FROM './big.csv' AS b JOIN './small.csv' AS s ON b.id = s.id SELECT b.id // b.v AS x",
		"FROM './big.csv' AS b AGGREGATE sum(b.id // b.v) AS s BY b.id % 97 AS g",
	} {
		for range 20 {
			_, err := execute(t, engine.Config{Parallelism: 4, SplitBytes: 512, Run: tasktest.InParts(3)}, src)
			if err == nil || !strings.Contains(err.Error(), "zero") {
				t.Fatalf("%s: %v", src, err)
			}
		}
	}
}
