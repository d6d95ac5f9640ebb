// Package enginetest runs scripts in tests.
package enginetest

import (
	"bytes"
	"context"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/render"
)

// Now is when every script runs.
var Now = time.Date(2026, 1, 31, 10, 0, 0, 0, time.UTC)

// Run runs a script that messages call file, and returns what would stand on
// standard output, rows as csv. It fails the test unless every buffer is given back.
func Run(t testing.TB, cfg engine.Config, params map[string]string, file, src string) (string, error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	cfg.Alloc = mem
	cfg.Now = func() time.Time { return Now }
	h := &collector{}
	e := engine.New(cfg)
	err := e.NewSession(params).Run(context.Background(), file, src, h)
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	mem.AssertSize(t, 0)
	return h.out.String(), err
}

type collector struct{ out bytes.Buffer }

func (c *collector) Rows(schema types.Schema) (connect.Sink, error) {
	return render.New(&c.out, "csv", schema, render.Options{})
}

func (c *collector) Text(text string) error {
	_, err := c.out.WriteString(text)
	return err
}

func (*collector) Notice(string)       {}
func (*collector) Done(engine.Summary) {}
