package engine_test

import (
	"context"
	"io"
	"os"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/render"
)

// noticing keeps the notices of a run.
type noticing struct{ list []string }

func (*noticing) Rows(s types.Schema) (connect.Sink, error) {
	return render.New(io.Discard, "csv", s, render.Options{})
}
func (*noticing) Text(string) error    { return nil }
func (n *noticing) Notice(text string) { n.list = append(n.list, text) }
func (*noticing) Done(engine.Summary)  {}

func TestNotices(t *testing.T) {
	for _, tc := range []struct {
		name, script string
		want         []string
	}{
		{"another delimiter", "FROM './semi.csv'; FROM './semi.csv' LIMIT 1;",
			[]string{`./semi.csv has one column, "a;b": if ; separates its fields, write (delimiter = ';') behind its name`}},
		{"the delimiter is given", "FROM './semi.csv' (delimiter = ';');", nil},
		{"a first row that is no header", "FROM './semi.csv' (header = false);", nil},
		{"written and read", "FROM range(1) TRANSFORM value AS \"x|y\" INTO './new.csv'; FROM './new.csv';",
			[]string{"wrote 1 row to ./new.csv", `./new.csv has one column, "x|y": if | separates its fields, write (delimiter = '|') behind its name`}},
		{"replaced by what is read of it", "FROM './one.csv' INTO 'file://./one.csv';",
			[]string{"wrote 1 row to file://./one.csv", "file://./one.csv is what the query read: its rows have been replaced"}},
		{"appended to what is read", "FROM './one.csv' INTO './one.csv' (mode = 'append');", []string{"wrote 1 row to ./one.csv"}},
		{"written elsewhere", "FROM './one.csv' INTO './two.csv';", []string{"wrote 1 row to ./two.csv"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			for name, text := range map[string]string{"semi.csv": "a;b\n1;2\n", "one.csv": "n\n1\n"} {
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			e := engine.New(engine.Config{})
			h := &noticing{}
			if err := e.NewSession(nil).Run(context.Background(), "test.rql", tc.script, h); err != nil {
				t.Fatal(err)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(h.list, tc.want) {
				t.Errorf("got  %q\nwant %q", h.list, tc.want)
			}
		})
	}
}

func TestMissingParameter(t *testing.T) {
	for _, tc := range []struct {
		params map[string]string
		want   string
	}{
		{nil, "pass --param since=VALUE, or \\set $since VALUE at the prompt"},
		{map[string]string{"sinc": "1", "other": "2"}, "$sinc has one: did you mean that? Else pass --param since=VALUE, or \\set $since VALUE at the prompt"},
	} {
		e := engine.New(engine.Config{})
		err := e.NewSession(tc.params).Run(context.Background(), "test.rql", "FROM range(3) FILTER value > $since", &noticing{})
		want := "test.rql:1:30: no value for parameter $since\n  1 | FROM range(3) FILTER value > $since\n    |                              ^^^^^^ " + tc.want
		if err == nil || err.Error() != want {
			t.Errorf("got\n%v\nwant\n%s", err, want)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	}
}
