package program_test

import (
	"context"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/program"
	"github.com/rainsql/rainsql/expr/types"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// ints is what the programs of these tests read and write.
var ints = types.Schema{{Name: "n", Type: types.INT}}

func script(text string) *connect.Program {
	return &connect.Program{Path: "sh", Args: []string{"-c", text}, Options: connect.Options{Format: "jsonl"}, In: ints, Out: ints}
}

// pass sends 0 to count-1 through a program, in batches of 100, and counts what comes back.
func pass(t *testing.T, p *connect.Program, count int) (rows int, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	proc, err := program.Start(t.Context(), p, mem)
	if err != nil {
		return 0, err
	}
	defer func() {
		if cerr := proc.Close(); cerr != nil {
			t.Error(cerr)
		}
	}()
	emit := func(b *connect.Batch) error {
		rows += b.Rows
		return nil
	}
	for from := 0; from < count; from += 100 {
		b := array.NewInt64Builder(mem)
		for i := range 100 {
			b.Append(int64(from + i))
		}
		col := b.NewArray()
		more, err := proc.Push(t.Context(), []arrow.Array{col}, 100, emit)
		col.Release()
		b.Release()
		if err != nil {
			return rows, err
		}
		if !more {
			break
		}
	}
	return rows, proc.Finish(t.Context(), emit)
}

// TestLargerThanPipes has both sides of a program wait for each other, if they could.
func TestLargerThanPipes(t *testing.T) {
	const many = 200_000 // rows, some 2 MB: pipes hold 64 KB
	for text, want := range map[string]int{
		"cat":                    many,
		"sort -r":                many, // nothing comes before all is there
		"sed p":                  2 * many,
		"cat > /dev/null":        0,
		"head -n 3":              3, // the input is not read to its end
		"exec <&-; echo '{}'":    1,
		"echo '{\"n\":1}'; cat":  many + 1,
		"cat; yes noise >&2 & :": many, // standard error is read along
	} {
		got, err := pass(t, script(text), many)
		if err != nil || got != want {
			t.Errorf("%s: %d rows, want %d: %v", text, got, want, err)
		}
	}
}

// TestLeftBehind sees to it that what a program started does not hold up its end.
func TestLeftBehind(t *testing.T) {
	for _, text := range []string{"cat; sleep 100 &", "cat; setsid sleep 3 &"} {
		if got, err := pass(t, script(text), 100); err != nil || got != 100 {
			t.Errorf("%s: %d rows: %v", text, got, err)
		}
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	p := script("cat; cat < /dev/zero > /dev/null")
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	proc, err := program.Start(ctx, p, mem)
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewInt64Builder(mem)
	b.Append(1)
	col := b.NewArray()
	b.Release()
	_, err = proc.Push(ctx, []arrow.Array{col}, 1, nil)
	col.Release()
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := proc.Finish(ctx, nil); err == nil {
		t.Error("the program went on")
	}
	if err := proc.Close(); err != nil {
		t.Error(err)
	}
}

func TestErrors(t *testing.T) {
	const many = 20_000 // more than a batch
	for text, want := range map[string]string{
		"exit 7":                        "ended with status 7",
		"cat; echo because >&2; exit 1": "ended with status 1\nits standard error ended with:\nbecause",
		"kill -TERM $$":                 "signal: terminated",
		"cat; echo nonsense":            "rows: not valid JSON",
	} {
		_, err := pass(t, script(text), many)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}
