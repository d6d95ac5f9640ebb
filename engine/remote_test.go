package engine_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/exec/task/tasktest"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// elsewhere stands in for a cluster: it runs graphs that have been through
// their wire form over a store, with nothing of the client but its store's files.
type elsewhere struct {
	files    *sdfs.Store
	programs bool
	before   func(g *dag.Graph) error // a graph has arrived
	graphs   []*dag.Graph
}

func (e *elsewhere) run(ctx context.Context, g *dag.Graph, rt *task.Runtime, stats *task.Stats) (*task.Report, error) {
	wire, err := dag.Encode(g)
	if err != nil {
		return nil, err
	}
	if g, err = dag.Decode(wire); err != nil {
		return nil, err
	}
	e.graphs = append(e.graphs, g)
	if e.before != nil {
		if err := e.before(g); err != nil {
			return nil, err
		}
	}
	o := engine.NewOpener(e.files, g, e.programs)
	defer o.Abort()
	own, there := *rt, &task.Stats{}
	own.Opener = o
	if _, err := tasktest.InParts(3)(ctx, g, &own, there); err != nil {
		return nil, err
	}
	if err := e.files.Commit(ctx, o.Writers()...); err != nil {
		return nil, err
	}
	stats.Set(there.Snapshot())
	return nil, nil
}

// told keeps all that a session tells.
type told struct {
	out     bytes.Buffer
	notices []string
	sums    []engine.Summary
}

func (h *told) Rows(s types.Schema) (connect.Sink, error) {
	return render.New(&h.out, "csv", s, render.Options{})
}
func (h *told) Text(text string) error  { h.out.WriteString(text); return nil }
func (h *told) Notice(text string)      { h.notices = append(h.notices, text) }
func (h *told) Done(sum engine.Summary) { h.sums = append(h.sums, sum) }
func (h *told) String() string          { return h.out.String() }
func (h *told) rows() (list []int64) {
	return each(h.sums, func(s engine.Summary) int64 { return s.RowsOut })
}
func each[A, B any](list []A, f func(A) B) (out []B) {
	for _, a := range list {
		out = append(out, f(a))
	}
	return out
}

// put writes a file of a store.
func put(t *testing.T, s *sdfs.Store, name, text string, mode sdfs.Mode) {
	t.Helper()
	w, err := s.Create(t.Context(), name, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// content is a file of a store, "" if there is none.
func content(t *testing.T, s *sdfs.Store, name string) string {
	t.Helper()
	f, err := s.OpenFile(t.Context(), name)
	if errors.Is(err, sdfs.ErrNotFound) {
		return ""
	}
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, f.Size())
	if n, err := f.ReadAt(b, 0); n < len(b) {
		t.Fatal(err)
	}
	return string(b)
}

// client is an engine whose graphs run elsewhere, over a store with some files, and an empty folder of its own to be in.
func client(t *testing.T) (*engine.Engine, *elsewhere) {
	t.Helper()
	t.Chdir(t.TempDir())
	s, err := sdfs.Open(t.Context(), sdfs.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	put(t, s.Store, "a.csv", "n,s\n1,x\n2,y\n3,z\n", sdfs.Replace)
	put(t, s.Store, "l/1.csv", "n\n10\n", sdfs.Replace)
	put(t, s.Store, "l/2.csv", "n\n20\n21\n", sdfs.Replace)
	far := &elsewhere{files: s.Store}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	e := engine.New(engine.Config{Files: s.Store, Remote: true, Run: far.run, Alloc: mem, Parallelism: 3})
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if _, err := s.List(context.Background(), ""); err != nil {
			t.Errorf("the store is the caller's: %v", err)
		}
	})
	return e, far
}

func TestRemoteRows(t *testing.T) {
	e, far := client(t)
	h := &told{}
	script := `FROM 'a.csv' FILTER n > 1 SORT n DESC; FROM 'l/*.csv' AGGREGATE sum(n) AS s, count(*) AS c; DESCRIBE 'a.csv'; SHOW FILES; FROM range(2)`
	if err := e.NewSession(nil).Run(t.Context(), "test", script, h); err != nil {
		t.Fatal(err)
	}
	if want := "n,s\n3,z\n2,y\ns,c\n51,3\ncolumn_name,column_type\nn,INT\ns,STRING\nname,bytes,"; !strings.HasPrefix(h.String(), want) || !strings.HasSuffix(h.String(), "value\n0\n1\n") {
		t.Errorf("got\n%s", h)
	}
	if rows := h.rows(); !slices.Equal(rows, []int64{2, 1, 2}) || h.sums[0].RowsRead != 3 || h.sums[0].BytesRead != 16 {
		t.Errorf("summaries %+v", h.sums)
	}
	info := func(name string) dag.InputFile {
		i, err := far.files.Stat(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return dag.InputFile{Name: name, ID: i.ID, Generation: i.Generation, Size: i.Size}
	}
	want := [][]dag.Input{
		{{Path: "a.csv", Files: []dag.InputFile{info("a.csv")}}},
		{{Path: "l/*.csv", Files: []dag.InputFile{info("l/1.csv"), info("l/2.csv")}}},
		nil,
	}
	if got := each(far.graphs, func(g *dag.Graph) []dag.Input { return g.Inputs }); !reflect.DeepEqual(got, want) {
		t.Errorf("inputs\n%v\nnot\n%v", got, want)
	}
	if want[0][0].Files[0].Size != 16 || want[1][0].Files[1].Size != 8 {
		t.Errorf("sizes of %v", want)
	}
}

// What is appended after planning is not read, however often a file is named; new files of a pattern neither.
func TestRemoteReadsWhatWasPlanned(t *testing.T) {
	e, far := client(t)
	far.before = func(*dag.Graph) error {
		put(t, far.files, "a.csv", "4,w\nnonsense\n", sdfs.Append)
		put(t, far.files, "l/2.csv", "22\n", sdfs.Append)
		put(t, far.files, "l/3.csv", "n\n30\n", sdfs.Append)
		return nil
	}
	for _, tc := range []struct{ query, want string }{
		{"FROM 'a.csv' AGGREGATE sum(n) AS s, count(*) AS c", "s,c\n6,3\n"},
		{"FROM 'l/*.csv' AGGREGATE sum(n) AS s, count(*) AS c", "s,c\n103,5\n"}, // with what the first query added
	} {
		h := &told{}
		if err := e.NewSession(nil).Run(t.Context(), "test", tc.query, h); err != nil || h.String() != tc.want {
			t.Errorf("%s: %q, %v", tc.query, h, err)
		}
	}
	far.before = nil
	// One that is named twice, with other options, is one input.
	twice := &told{}
	if err := e.NewSession(nil).Run(t.Context(), "test", "FROM 'l/1.csv' UNION ALL (FROM 'l/1.csv' (header = true))", twice); err != nil || twice.String() != "n\n10\n10\n" {
		t.Errorf("%q, %v", twice, err)
	}
	if in := far.graphs[len(far.graphs)-1].Inputs; len(in) != 1 || len(in[0].Files) != 1 {
		t.Errorf("inputs %v", in)
	}
}

func TestRemoteChanged(t *testing.T) {
	for name, tc := range map[string]struct {
		change func(t *testing.T, s *sdfs.Store)
		want   string
	}{
		"replaced": {func(t *testing.T, s *sdfs.Store) { put(t, s, "l/1.csv", "n\n10\n", sdfs.Replace) }, "l/1.csv: was replaced while the query began; run it again"},
		"removed":  {func(t *testing.T, s *sdfs.Store) { check(t, s.Remove(t.Context(), "l/1.csv")) }, "l/1.csv: was removed while the query began; run it again"},
		"made anew": {func(t *testing.T, s *sdfs.Store) {
			check(t, s.Remove(t.Context(), "l/1.csv"))
			put(t, s, "l/1.csv", "n\n10\n", sdfs.MustNotExist)
		}, "l/1.csv: was replaced while the query began; run it again"},
	} {
		t.Run(name, func(t *testing.T) {
			e, far := client(t)
			far.before = func(*dag.Graph) error { tc.change(t, far.files); return nil }
			h := &told{}
			err := e.NewSession(nil).Run(t.Context(), "test", "FROM 'l/*.csv' INTO 'out.csv'", h)
			if !errors.Is(err, engine.ErrChanged) || err.Error() != tc.want {
				t.Errorf("got %v, want %s", err, tc.want)
			}
			if got := content(t, far.files, "out.csv"); got != "" || len(h.notices) > 0 {
				t.Errorf("wrote %q, told %q", got, h.notices)
			}
		})
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A script reads what its own statements have written, and is planned for what was there before where it has not.
func TestRemoteScript(t *testing.T) {
	e, far := client(t)
	h := &told{}
	script := `FROM 'a.csv' TRANSFORM n INTO 'b.csv'; FROM 'a.csv' AGGREGATE max(n) AS m INTO 'a.csv';
		FROM 'b.csv' AGGREGATE count(*) AS c; FROM 'l/1.csv'; FROM 'a.csv';`
	if err := e.NewSession(nil).Run(t.Context(), "test", script, h); err != nil {
		t.Fatal(err)
	}
	if want := "c\n3\nn\n10\nm\n3\n"; h.String() != want {
		t.Errorf("got %q, want %q", h, want)
	}
	if want := []string{"wrote 3 rows to b.csv", "wrote 1 row to a.csv", "a.csv is what the query read: its rows have been replaced"}; !slices.Equal(h.notices, want) {
		t.Errorf("told %q", h.notices)
	}
	if n := far.graphs[4].Inputs[0].Files[0]; n.Generation != 2 || n.Size != 4 {
		t.Errorf("the last statement reads %v", n)
	}
}

func TestRemoteRefusesThisMachine(t *testing.T) {
	e, far := client(t)
	check(t, os.WriteFile("x.csv", []byte("n\n1\n"), 0o600))
	check(t, os.WriteFile("it's one.csv", []byte("n\n1\n"), 0o600))
	for script, want := range map[string]string{
		"FROM './x.csv'":                   `"./x.csv" is on this machine's disk, and the query runs on a cluster` + "|put it there first: rainsql fs put ./x.csv x.csv",
		"DESCRIBE './x.csv'":               `"./x.csv" is on this machine's disk`,
		"SUMMARIZE '~/x.csv'":              `"~/x.csv" is on this machine's disk, and the query runs on a cluster|put it there first: rainsql fs put ~/x.csv x.csv`,
		"EXPLAIN FROM 'file:///tmp/x.csv'": `"file:///tmp/x.csv" is on this machine's disk, and the query runs on a cluster|put it there first: rainsql fs put /tmp/x.csv x.csv`,
		"FROM './it''s one.csv'":           `put it there first: rainsql fs put './it'\''s one.csv' 'it'\''s one.csv'`,
		"FROM './*.csv'":                   `put the files there first, one by one: rainsql fs put FILE NAME`,
		"FROM '/dev/stdin' (format='csv')": `rainsql fs put /dev/stdin stdin`,
		"FROM 'x.csv'":                     `no file "x.csv" in SDFS|there is one on this machine's disk; put it into SDFS first: rainsql fs put ./x.csv x.csv`,
		"FROM 'b.csv'":                     `no file "b.csv" in SDFS|did you mean 'a.csv'?`,
		"FROM 'nothing.like.it.csv'":       `no file "nothing.like.it.csv" in SDFS|SHOW FILES lists what is there`,
		"FROM 'kafka://b/t'":               `kafka:// is not supported yet|name a file of SDFS`,
		"FROM 'a.csv' TEE INTO './y.csv' FILTER n > 1": `a query on a cluster gives this machine one result, and this one has 2: './y.csv' is on its disk` +
			`|TEE INTO a file of SDFS instead, and fetch it afterwards: rainsql fs get NAME y.csv`,
		"FROM 'a.csv' TEE INTO './y.csv' INTO './z.csv'": `this one has 2`,
	} {
		h := &told{}
		err := e.NewSession(nil).Run(t.Context(), "test", script+"; FROM 'a.csv' INTO 'never.csv'", h)
		if err == nil {
			t.Errorf("%s: no error", script)
			continue
		}
		for _, part := range strings.Split(want, "|") {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s:\n%v\nwant %s", script, err, want)
			}
		}
	}
	if len(far.graphs) > 0 || content(t, far.files, "never.csv") != "" {
		t.Error("something has run")
	}
}

// INTO './x' is the client's disk, and all else the store's.
func TestRemoteIntoThisMachine(t *testing.T) {
	e, far := client(t)
	check(t, os.WriteFile("old.csv", []byte("n\n0\n"), 0o600))
	h := &told{}
	script := `FROM 'a.csv' SORT n DESC TRANSFORM n INTO './x.csv'; FROM 'a.csv' FILTER n = 3 TRANSFORM n INTO './old.csv' (mode = 'append');
		FROM 'a.csv' TEE INTO './t.jsonl' FILTER n < 3 INTO 'b.csv'; EXPLAIN ANALYZE FROM 'a.csv' INTO './e.csv'`
	s := e.NewSession(nil)
	check(t, s.Set("row_limit", "1")) // of rows that the caller gets, not of files
	if err := s.Run(t.Context(), "test", script, h); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"x.csv": "n\n3\n2\n1\n", "old.csv": "n\n0\n3\n", "e.csv": "n,s\n1,x\n2,y\n3,z\n",
		"t.jsonl": `{"n":1,"s":"x"}` + "\n" + `{"n":2,"s":"y"}` + "\n" + `{"n":3,"s":"z"}` + "\n"} {
		if b, err := os.ReadFile(name); string(b) != want {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	if got := content(t, far.files, "b.csv"); got != "n,s\n1,x\n2,y\n" {
		t.Errorf("b.csv: %q", got)
	}
	if want := []string{"wrote 3 rows to ./x.csv", "wrote 1 row to ./old.csv", "wrote 2 rows to b.csv", "wrote 3 rows to ./t.jsonl", "wrote 3 rows to ./e.csv"}; !slices.Equal(h.notices, want) {
		t.Errorf("told %q", h.notices)
	}
	if rows := h.rows(); !slices.Equal(rows, []int64{3, 1, 5, 3}) {
		t.Errorf("rows %v", rows)
	}
	if text := h.String(); !strings.Contains(text, "sink './e.csv'") && !strings.Contains(text, "./e.csv") {
		t.Errorf("the plan does not show the file:\n%s", text)
	}
	for _, g := range far.graphs {
		if len(g.Schema) == 0 {
			t.Errorf("a graph without a result:\n%s", g)
		}
	}
}

// Of a query that fails nothing is left, here or there.
func TestRemoteIntoFails(t *testing.T) {
	e, far := client(t)
	put(t, far.files, "bad.csv", "n\n"+strings.Repeat("1\n", 100_000)+"x\n", sdfs.Replace)
	for _, tc := range []struct{ query, want string }{
		{"FROM 'bad.csv' TEE INTO 'there.csv' TRANSFORM n + 1 AS m INTO './x.csv'", "bad.csv:100002: column \"n\": value 'x' is not INT"},
		{"FROM 'a.csv' TRANSFORM n INTO './none/x.csv'", "its folder does not exist"},
		{"FROM 'a.csv' TRANSFORM n INTO './old.csv' (mode = 'error')", "exists already"},
	} {
		check(t, os.WriteFile("old.csv", []byte("n\n0\n"), 0o600))
		h := &told{}
		err := e.NewSession(nil).Run(t.Context(), "test", tc.query, h)
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.query, err, tc.want)
		}
		files, err := os.ReadDir(".")
		if err != nil || len(files) != 1 || content(t, far.files, "there.csv") != "" || len(h.notices) > 0 {
			t.Errorf("%s: left %v, told %q (%v)", tc.query, files, h.notices, err)
		}
	}
	far.before = func(*dag.Graph) error { return errors.New("the cluster is out of order") }
	if err := e.NewSession(nil).Run(t.Context(), "test", "FROM 'a.csv' INTO './old.csv'", &told{}); err == nil || err.Error() != "the cluster is out of order" {
		t.Error(err)
	}
	if b, _ := os.ReadFile("old.csv"); string(b) != "n\n0\n" {
		t.Errorf("old.csv: %q", b)
	}
	h := &told{}
	s := e.NewSession(nil)
	check(t, s.Set("row_limit", "2"))
	far.before = nil
	if err := s.Run(t.Context(), "test", "FROM 'a.csv'", h); err == nil || !strings.Contains(err.Error(), "row_limit = 2") {
		t.Error(err)
	}
}

// Whether programs may run is for those to say who run them.
func TestRemotePrograms(t *testing.T) {
	e, far := client(t)
	const query = "FROM 'a.csv' TRANSFORM n TRANSFORM USING EXEC '/bin/cat' SORT n"
	h := &told{}
	if err := e.NewSession(nil).Run(t.Context(), "test", query, h); err == nil || !strings.Contains(err.Error(), "switched off here") {
		t.Error(err)
	}
	far.programs = true
	if err := e.NewSession(nil).Run(t.Context(), "test", query, h); err != nil || h.String() != "n\n1\n2\n3\n" {
		t.Errorf("%q, %v", h, err)
	}
	if err := e.NewSession(nil).Run(t.Context(), "test", "FROM 'a.csv' TRANSFORM USING EXEC '/no/such/program'", h); err == nil || len(far.graphs) != 3 {
		t.Errorf("%v after %d graphs", err, len(far.graphs))
	}
}

// A worker touches what the graph says, and nothing else.
func TestOpenerRefuses(t *testing.T) {
	_, far := client(t)
	check(t, os.WriteFile("x.csv", []byte("n\n1\n"), 0o600))
	info, err := far.files.Stat(t.Context(), "a.csv")
	check(t, err)
	g := &dag.Graph{Inputs: []dag.Input{{Path: "a.csv", Files: []dag.InputFile{{Name: "a.csv", ID: info.ID, Generation: info.Generation, Size: info.Size}}}}}
	o := engine.NewOpener(far.files, g, false)
	for path, want := range map[string]string{
		"./x.csv": "is on the disk of a machine", "/etc/passwd": "is on the disk of a machine", "file:///etc/passwd": "is on the disk of a machine",
		"~/x": "is on the disk of a machine", "l/1.csv": "does not say which files that is", "l/*.csv": "does not say which files that is",
		"s3://b/x": "s3:// is not supported yet",
	} {
		if src, err := o.OpenSource(t.Context(), path, connect.Options{Format: "csv"}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v", path, src, err)
		}
	}
	schema := types.Schema{{Name: "n", Type: types.INT}}
	if _, err := o.NewSink(t.Context(), "./y.csv", schema, connect.Options{}); err == nil || !strings.Contains(err.Error(), "is on the disk of a machine") {
		t.Error(err)
	}
	if _, err := os.Stat("y.csv"); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it was written")
	}
	if _, err := o.StartProgram(t.Context(), &connect.Program{Path: "/bin/cat"}, memory.DefaultAllocator); err == nil || !strings.Contains(err.Error(), "switched off") {
		t.Error(err)
	}
	src, err := o.OpenSource(t.Context(), "a.csv", connect.Options{Format: "csv"})
	check(t, err)
	check(t, src.Close())
}

// What sinks have committed waits for Writers, and is gone after Abort. An append to a file that is no input is one all the same.
func TestOpenerWriters(t *testing.T) {
	_, far := client(t)
	schema := types.Schema{{Name: "n", Type: types.INT}}
	for _, abort := range []bool{true, false} {
		o := engine.NewOpener(far.files, &dag.Graph{}, false)
		for _, name := range []string{"out.csv", "l/1.csv"} {
			mode := map[string]string{"l/1.csv": "append"}[name]
			sink, err := o.NewSink(t.Context(), name, schema, connect.Options{Format: "csv", Mode: mode})
			check(t, err)
			check(t, sink.Commit())
			check(t, sink.Abort())
		}
		check(t, o.Commit(t.Context()))
		if got := content(t, far.files, "out.csv"); got != "" {
			t.Fatalf("out.csv is there already: %q", got)
		}
		if abort {
			check(t, o.Abort())
		}
		writers := o.Writers()
		names := each(writers, (*sdfs.Writer).Name)
		if abort != (len(names) == 0) || !abort && !slices.Equal(names, []string{"out.csv", "l/1.csv"}) {
			t.Errorf("handed over %q", names)
		}
		check(t, o.Abort())
		check(t, far.files.Commit(t.Context(), writers...))
	}
	if a, b := content(t, far.files, "out.csv"), content(t, far.files, "l/1.csv"); a != "n\n" || b != "n\n10\n" {
		t.Errorf("%q, %q", a, b)
	}
}

// hanging is a store of which nothing can be read: it answers when it is let go of.
type hanging struct {
	sdfs.Backend
	asked chan struct{}
}

func (b hanging) List(ctx context.Context, _ string) ([]sdfs.Info, error) { return nil, b.wait(ctx) }
func (b hanging) Stat(ctx context.Context, _ string) (sdfs.Info, error) {
	return sdfs.Info{}, b.wait(ctx)
}
func (b hanging) Open(ctx context.Context, _ string) (sdfs.Content, error) {
	return sdfs.Content{}, b.wait(ctx)
}
func (hanging) Close() error { return nil }

func (b hanging) wait(ctx context.Context) error {
	select {
	case b.asked <- struct{}{}:
	default:
	}
	<-ctx.Done()
	return fmt.Errorf("the cluster does not answer: %w", ctx.Err())
}

// unreadable has files whose bytes do not come.
type unreadable struct{ hanging }

func (unreadable) Open(context.Context, string) (sdfs.Content, error) {
	f := &namespace.File{ID: 1, Generation: 1, Blocks: namespace.Blocks{}.Append(namespace.Block{Length: 100})}
	return sdfs.Content{File: f, Release: func() {}}, nil
}

func (b unreadable) Read(ctx context.Context, _ namespace.Block, _ int64, _ []byte, _ bool) error {
	return b.wait(ctx)
}

// halfReadable has files of ones whose first megabyte alone can be read.
type halfReadable struct{ hanging }

func (halfReadable) Open(context.Context, string) (sdfs.Content, error) {
	f := &namespace.File{ID: 1, Generation: 1, Blocks: namespace.Blocks{}.Append(namespace.Block{Length: 8 << 20})}
	return sdfs.Content{File: f, Release: func() {}}, nil
}

func (b halfReadable) Read(ctx context.Context, _ namespace.Block, off int64, p []byte, _ bool) error {
	if off+int64(len(p)) > 2<<20 {
		return b.wait(ctx)
	}
	for i := range p {
		p[i] = "1\n"[(off+int64(i))%2]
	}
	return nil
}

// A worker that waits for bytes stops doing so when its part of the query ends.
func TestOpenerIsCancelled(t *testing.T) {
	b := hanging{asked: make(chan struct{}, 1)}
	s := sdfs.New(halfReadable{b}, sdfs.Sizes{Block: 1 << 20, Small: 1 << 10})
	defer s.Close()
	g := &dag.Graph{Inputs: []dag.Input{{Path: "a.csv", Files: []dag.InputFile{{Name: "a.csv", ID: 1, Generation: 1, Size: 8 << 20}}}}}
	ctx, cancel := context.WithCancel(t.Context())
	src, err := engine.NewOpener(s, g, false).OpenSource(ctx, "a.csv", connect.Options{Format: "csv"})
	check(t, err)
	splits, err := src.Splits(1 << 20)
	check(t, err)
	r, err := src.Open(ctx, splits[0], connect.Scan{Alloc: memory.DefaultAllocator})
	check(t, err)
	if batch, err := r.Next(); err != nil || batch.Rows == 0 {
		t.Fatal(batch, err)
	}
	late, err := src.Open(ctx, splits[4], connect.Scan{Alloc: memory.DefaultAllocator})
	check(t, err)
	go func() {
		<-b.asked
		cancel()
	}()
	if batch, err := late.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v", batch, err)
	}
	check(t, errors.Join(r.Close(), late.Close(), src.Close()))
}

// Neither a query nor completion waits for a store longer than its caller does.
func TestRemoteIsCancelled(t *testing.T) {
	b := hanging{asked: make(chan struct{}, 1)}
	s := sdfs.New(b, sdfs.Sizes{Block: 1 << 20, Small: 1 << 10})
	defer s.Close()
	e := engine.New(engine.Config{Files: s, Remote: true})
	defer e.Close()
	stop := errors.New("enough")
	for _, query := range []string{"FROM 'a.csv'", "FROM 'l/*.csv'", "SHOW FILES", "FROM 'noformat'"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() {
			<-b.asked
			cancel(stop)
		}()
		if err := e.NewSession(nil).Run(ctx, "test", query, &told{}); !errors.Is(err, stop) {
			t.Errorf("%s: %v", query, err)
		}
		cancel(nil)
	}
	began := time.Now()
	stuck := sdfs.New(unreadable{b}, sdfs.Sizes{Block: 1 << 20, Small: 1 << 10})
	defer stuck.Close()
	half := engine.New(engine.Config{Files: stuck, Remote: true})
	defer half.Close()
	half.NewSession(nil).Complete(t.Context(), "FROM 'a.csv' FILTER ", 20)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 50*time.Millisecond, stop)
	defer cancel()
	if err := half.NewSession(nil).Run(ctx, "test", "FROM 'a.csv'", &told{}); !errors.Is(err, stop) {
		t.Errorf("of what is there, but cannot be read: %v", err)
	}
	e.NewSession(nil).Complete(t.Context(), "FROM 'a", 7)
	e.NewSession(nil).Complete(t.Context(), "FROM 'a.csv' FILTER ", 20)
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("completion took %s", took)
	}
}

// An error of the store can be told from one of the query.
func TestRemoteFaults(t *testing.T) {
	b := hanging{asked: make(chan struct{}, 1)}
	s := sdfs.New(broken{b}, sdfs.Sizes{Block: 1 << 20, Small: 1 << 10})
	defer s.Close()
	e := engine.New(engine.Config{Files: s, Remote: true})
	defer e.Close()
	for _, query := range []string{"FROM 'a.csv'", "FROM 'l/*.csv'", "SHOW FILES", "DESCRIBE 'a.csv'"} {
		if err := e.NewSession(nil).Run(t.Context(), "test", query, &told{}); !errors.Is(err, errBroken) {
			t.Errorf("%s: %v", query, err)
		}
	}
}

var errBroken = errors.New("it is broken")

type broken struct{ hanging }

func (broken) List(context.Context, string) ([]sdfs.Info, error)  { return nil, errBroken }
func (broken) Stat(context.Context, string) (sdfs.Info, error)    { return sdfs.Info{}, errBroken }
func (broken) Open(context.Context, string) (sdfs.Content, error) { return sdfs.Content{}, errBroken }
