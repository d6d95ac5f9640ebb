package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/internal/render"
)

// format shows or changes the format of results: \format.
func (s *Shell) format(_ context.Context, argument string) error {
	if argument == "" {
		fmt.Fprintf(s.cfg.Err, "rows are shown as %s; there are %s\n", s.view.Format, strings.Join(render.Names(), ", "))
		return nil
	}
	name := strings.ToLower(argument)
	if err := render.Check(name); err != nil {
		return err
	}
	if s.view.Out == nil && (name == "parquet" || name == "arrow") {
		return fmt.Errorf(`%s is no format for a screen; lead results to a file first: \o FILE`, name)
	}
	s.view.Format = name
	return nil
}

func (s *Shell) expanded(_ context.Context, argument string) (err error) {
	if s.view.Expanded, err = toggle(`\x`, argument, s.view.Expanded); err == nil {
		fmt.Fprintf(s.cfg.Err, "expanded is %s\n", onOff(s.view.Expanded))
	}
	return err
}

func (s *Shell) timing(_ context.Context, argument string) (err error) {
	if s.view.Timing, err = toggle(`\timing`, argument, s.view.Timing); err == nil {
		fmt.Fprintf(s.cfg.Err, "timing is %s\n", onOff(s.view.Timing))
	}
	return err
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

func (s *Shell) setPager(_ context.Context, argument string) error {
	switch mode := strings.ToLower(argument); mode {
	case "auto", "on", "off":
		s.pager = mode
	case "":
	default:
		return fmt.Errorf(`\pager takes auto, on or off, not %q`, argument)
	}
	fmt.Fprintf(s.cfg.Err, "the pager is %s\n", s.pager)
	return nil
}

// output leads results to a file, or back: \o.
func (s *Shell) output(_ context.Context, argument string) error {
	if err := s.closeOut(); err != nil {
		return err
	}
	path := unquote(argument)
	if path == "" {
		return nil
	}
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("results cannot go there: %w", err)
	}
	format, ok := formats.Detect(path)
	if !ok {
		format = "csv"
	}
	s.file, s.view.Out, s.view.File, s.view.Format = f, f, path, format
	return nil
}

// closeOut ends \o.
func (s *Shell) closeOut() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.view.Out, s.view.File, s.view.Format = nil, nil, "", s.cfg.View.Format
	return err
}

// own are the settings that are the prompt's.
var own = []struct{ name, does string }{
	{"max_rows", "rows of a table that are shown, half of them its last; 0 shows all"},
	{"null", "what stands for NULL in a table"},
}

// set changes a setting of the session or the prompt, or a parameter: \set.
func (s *Shell) set(ctx context.Context, argument string) error {
	name, value, _ := strings.Cut(strings.Replace(argument, "=", " ", 1), " ")
	value = unquote(value)
	switch {
	case name == "":
		return s.settings(ctx)
	case strings.HasPrefix(name, "$"):
		return s.parameter(name[1:], value)
	case name == "max_rows":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf(`max_rows is a number of rows, not %q; 0 shows all`, value)
		}
		s.view.MaxRows = n
		return nil
	case name == "null":
		s.view.Null = value
		return nil
	case value == "":
		return fmt.Errorf(`\set %s takes a value; \set alone lists all`, name)
	}
	return s.cfg.Session.Set(name, value)
}

func (s *Shell) parameter(name, value string) error {
	if name == "" {
		return errors.New(`a parameter has a name: \set $least 100`)
	}
	s.cfg.Session.SetParam(name, value)
	return nil
}

// settings lists all settings.
func (s *Shell) settings(ctx context.Context) error {
	if err := s.statements(ctx, "prompt", "SHOW SETTINGS;"); err != nil {
		return err
	}
	for _, o := range own {
		value := s.view.Null
		if o.name == "max_rows" {
			value = strconv.Itoa(s.view.MaxRows)
		}
		fmt.Fprintf(s.cfg.Out, "%s = %s  (%s)\n", o.name, value, o.does)
	}
	return nil
}
