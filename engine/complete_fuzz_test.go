package engine_test

import (
	"context"
	"testing"

	"github.com/rainsql/rainsql/engine"
)

// FuzzComplete: whatever is typed, completion answers with ranges of the text,
// and with nothing that went wrong inside.
func FuzzComplete(f *testing.F) {
	for _, c := range completions {
		f.Add(c.text, len(c.text)/2)
		f.Add(c.text, len(c.text))
	}
	e := completionEngine(f)
	f.Fuzz(func(t *testing.T, text string, cursor int) {
		s := e.NewSession(nil)
		c := engine.Completing(s, context.Background(), text, cursor)
		if c.From < 0 || c.From > c.To || c.To > len(text) {
			t.Fatalf("range %d–%d of %d bytes", c.From, c.To, len(text))
		}
		for _, i := range c.Items {
			if i.Text == "" || i.Kind == "" {
				t.Fatalf("an empty item: %+v", i)
			}
		}
	})
}
