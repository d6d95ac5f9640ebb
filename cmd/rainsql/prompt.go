package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/engine"
)

// prompt reads statements line by line and runs each when its ; has come. An
// error ends the statement, not the session.
func (q *queryFlags) prompt(ctx context.Context, s *engine.Session, h *handler) error {
	in := bufio.NewScanner(q.std.in)
	in.Buffer(nil, 64<<20)
	var text strings.Builder
	for {
		mark := "rainsql> "
		if text.Len() > 0 {
			mark = "      -> "
		}
		fmt.Fprint(q.std.err, mark)
		if !in.Scan() {
			fmt.Fprintln(q.std.err)
			return in.Err()
		}
		line := in.Text()
		if word := strings.TrimSuffix(strings.TrimSpace(line), ";"); text.Len() == 0 && (word == "exit" || word == "quit" || word == `\q`) {
			return nil
		}
		text.WriteString(line + "\n")
		if !strings.HasSuffix(strings.TrimSpace(line), ";") {
			if strings.TrimSpace(text.String()) == "" {
				text.Reset()
			}
			continue
		}
		err := s.Run(ctx, "prompt", text.String(), h)
		text.Reset()
		if errors.Is(err, errInterrupted) || errors.Is(err, errBrokenPipe) {
			return err
		}
		if err != nil {
			fmt.Fprintln(q.std.err, err)
		}
	}
}
