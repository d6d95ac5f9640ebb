package logictest

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/sdfs"
)

// TestQuotesOnCluster: rows with lines in quotes come out right whichever server reads the splits they lie in.
func TestQuotesOnCluster(t *testing.T) {
	t.Chdir(t.TempDir())
	var b strings.Builder
	b.WriteString("n,text\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "%d,\"a\n\"\"%d\n9,c\"\n", i, i)
	}
	good := b.String()
	stray := strings.Replace(good, "\n4000,\"a", "\n4000,\"a\"b", 1)
	for name, text := range map[string]string{"good.csv": good, "stray.csv": stray, "plain.csv": strings.ReplaceAll(good, "\"", "'")} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	onCluster(t, 3, func(t *testing.T, s *sdfs.Store, cfg engine.Config) {
		for _, name := range []string{"good.csv", "stray.csv", "plain.csv"} {
			put(t, s, name, name)
		}
		cfg.Parallelism = 7
		for _, q := range []struct{ text, want string }{
			{"FROM 'good.csv' AGGREGATE count(*) AS n, sum(n) AS s, sum(_line) AS l, sum(length(text)) AS t", "n,s,l,t\n5000,12497500,37502500,53890\n"},
			{"FROM 'good.csv' FILTER n % 1000 = 7 SELECT n, _line AS l", "n,l\n7,23\n1007,3023\n2007,6023\n3007,9023\n4007,12023\n"},
			{"FROM 'good.csv' LIMIT 3 OFFSET 2000 SELECT n, _line AS l", "n,l\n2000,6002\n2001,6005\n2002,6008\n"},
			{"FROM 'stray.csv' AGGREGATE sum(n) AS s", "stray.csv:12002: text follows a closing quote within a field"},
			{"FROM 'plain.csv' (quote = '', on_error = 'skip', columns = (n STRING)) AGGREGATE count(*) AS n", "n\n10000\n"},
		} {
			for _, bytes := range []int64{100, 3000, 50_000} {
				cfg.SplitBytes = bytes
				got, err := enginetest.Run(t, cfg, nil, "test.rql", q.text)
				if err != nil {
					got, _, _ = strings.Cut(strings.TrimPrefix(err.Error(), "test.rql:1:6: "), "\n")
				}
				if got != q.want {
					t.Errorf("%s, splits of %d:\n%s--- want\n%s", q.text, bytes, got, q.want)
				}
			}
		}
	})
}
