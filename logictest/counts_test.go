package logictest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/testcluster"
	"github.com/rainsql/rainsql/sdfs"
)

// TestQuotesOnCluster: rows with lines in quotes come out right whichever server reads the splits they lie in.
func TestQuotesOnCluster(t *testing.T) {
	var b strings.Builder
	b.WriteString("n,text\n")
	for i := range 5000 {
		fmt.Fprintf(&b, "%d,\"a\n\"\"%d\n9,c\"\n", i, i)
	}
	good := b.String()
	stray := strings.Replace(good, "\n4000,\"a", "\n4000,\"a\"b", 1)
	for _, nodes := range []int{3, 6} { // with six, servers also count what others read
		testcluster.Queries(t, nodes, func(t *testing.T, s *sdfs.Store, cfg engine.Config) {
			for name, text := range map[string]string{"good.csv": good, "stray.csv": stray, "plain.csv": strings.ReplaceAll(good, "\"", "'")} {
				for at := 0; at < len(text); at += 7000 { // a block each
					if err := s.Append(t.Context(), name, []byte(text[at:min(at+7000, len(text))])); err != nil {
						t.Fatal(err)
					}
				}
			}
			quotes(t, cfg)
		})
	}
}

// quotes asks for what must come out.
func quotes(t *testing.T, cfg engine.Config) {
	t.Helper()
	cfg.Parallelism = 7
	for _, q := range []struct{ text, want string }{
		{"FROM 'good.csv' AGGREGATE count(*) AS n, sum(n) AS s, sum(_line) AS l, sum(length(text)) AS t", "n,s,l,t\n5000,12497500,37502500,53890\n"},
		{"FROM 'good.csv' FILTER n % 1000 = 7 SELECT n, _line AS l", "n,l\n7,23\n1007,3023\n2007,6023\n3007,9023\n4007,12023\n"},
		{"FROM 'good.csv' LIMIT 3 OFFSET 2000 SELECT n, _line AS l", "n,l\n2000,6002\n2001,6005\n2002,6008\n"},
		{"FROM 'stray.csv' (columns = (n INT, text STRING)) AGGREGATE sum(n) AS s", "stray.csv:12002: text follows a closing quote within a field"},
		{"FROM 'plain.csv' (quote = '', on_error = 'skip', columns = (n STRING)) AGGREGATE count(*) AS n", "n\n10000\n"},
	} {
		for _, bytes := range []int64{100, 3000, 50_000} {
			cfg.SplitBytes = bytes
			began := time.Now()
			got, err := enginetest.Run(t, cfg, nil, "test.rql", q.text)
			if err != nil {
				got, _, _ = strings.Cut(err.Error(), ";")
			}
			if d := time.Since(began); d > time.Second {
				t.Errorf("%s, splits of %d: it took %v", q.text, bytes, d)
			}
			if got != q.want {
				t.Errorf("%s, splits of %d:\n%s--- want\n%s", q.text, bytes, got, q.want)
			}
		}
	}
}
