package shell

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
)

// Lines runs the prompt without an editor: it reads lines as they come. idle is
// told of a Ctrl-C while no statement runs, which gives up what was begun.
func (s *Shell) Lines(ctx context.Context, idle <-chan struct{}) error {
	if err := s.start(ctx); err != nil {
		return leaving(err)
	}
	fmt.Fprintln(s.cfg.Err, s.cfg.Greeting)
	lines := make(chan string)
	next := make(chan struct{})
	ended := make(chan error, 1)
	defer close(next)
	go readLines(s.cfg.In, next, lines, ended)
	text := ""
	for asked := false; ; {
		mark := "rainsql> "
		if text != "" {
			mark = "      -> "
		}
		fmt.Fprint(s.cfg.Err, mark)
		if !asked { // one at a time: what a statement reads of the terminal is its own
			next <- struct{}{}
			asked = true
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-idle:
			fmt.Fprintln(s.cfg.Err)
			text = ""
		case err := <-ended:
			fmt.Fprintln(s.cfg.Err)
			return err
		case line := <-lines:
			asked = false
			select {
			case <-idle: // it came before the line
				text = ""
			default:
			}
			if text += line; Finished(text) {
				rest, err := s.enter(ctx, text)
				if err != nil {
					return leaving(err)
				}
				text = rest
			}
		}
	}
}

// readLines reads a line each time it is asked for one.
func readLines(in io.Reader, next <-chan struct{}, lines chan<- string, ended chan<- error) {
	r := bufio.NewReader(in)
	for range next {
		line, err := r.ReadString('\n')
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = nil
			}
			ended <- err
			return
		}
		lines <- line
	}
}
