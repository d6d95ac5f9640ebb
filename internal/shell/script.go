package shell

import (
	"context"
	"fmt"
	"os"
	"strings"
	"unicode/utf8"
)

// each hands the inputs of a script to run, one after another. Errors in
// statements name the lines of the script.
func (s *Shell) each(ctx context.Context, name, text string, run func(ctx context.Context, name, text string) error) error {
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return fmt.Errorf("%s is no script: it is not UTF-8 text", name)
	}
	for _, p := range parts(text) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		input := p.text
		if _, _, ok := command(input); !ok {
			input = strings.Repeat("\n", p.line) + input
		}
		if err := run(ctx, name, input); err != nil {
			return err
		}
	}
	return nil
}

// mostDepth bounds scripts that run scripts.
const mostDepth = 16

// include runs a file: \i.
func (s *Shell) include(ctx context.Context, path string) error {
	if s.depth >= mostDepth {
		return fmt.Errorf("%s: scripts run each other more than %d deep", path, mostDepth)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("cannot read the script: %w", err)
	}
	s.depth++
	defer func() { s.depth-- }()
	return s.each(ctx, path, string(b), s.run)
}
