package shell

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// watchEvery is how long \watch waits by default, in seconds.
const watchEvery = 2

// shortestWatch is the least that it may wait.
const shortestWatch = 0.1

// watch runs the last statements again and again: \watch. Ctrl-C ends it.
func (s *Shell) watch(ctx context.Context, argument string) error {
	seconds := float64(watchEvery)
	if argument != "" {
		n, err := strconv.ParseFloat(strings.TrimSuffix(argument, "s"), 64)
		if err != nil || !(n >= shortestWatch && n <= 86400) { // NaN is neither
			return fmt.Errorf(`\watch takes seconds from 0.1 on, such as \watch 5, not %q`, argument)
		}
		seconds = n
	}
	if s.last == "" {
		return errors.New(`\watch runs the last statements again: enter some first`)
	}
	every := time.Duration(seconds * float64(time.Second))
	pager := s.pager
	s.pager = "off" // a pager would wait for its reader
	defer func() { s.pager = pager }()
	for {
		fmt.Fprintf(s.cfg.Err, "%s, every %s\n", time.Now().Format(time.DateTime), every)
		if err := s.statements(ctx, "prompt", s.last); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(every):
		}
	}
}
