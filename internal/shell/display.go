package shell

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/planner/analyze"
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
	if s.out.path == "" && (name == "parquet" || name == "arrow") {
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
	if s.out.path != "" {
		s.view.Format = s.screenFormat
	}
	s.out = output{}
	path := unquote(argument)
	if path == "" {
		return nil
	}
	format, ok := formats.Detect(path)
	if !ok {
		return fmt.Errorf("%s: its name does not tell its format; end it in .csv, .jsonl, .parquet or the like", path)
	}
	s.out.path, s.screenFormat, s.view.Format = path, s.view.Format, format
	return nil
}

// own are the settings that are the prompt's.
var own = []string{"max_rows", "null"}

// set changes a setting of the session or the prompt, or a parameter: \set.
func (s *Shell) set(ctx context.Context, argument string) error {
	name, rest := argument, ""
	if i := strings.IndexAny(argument, " ="); i >= 0 {
		name, rest = argument[:i], strings.TrimLeft(argument[i:], " =")
	}
	value := unquote(rest)
	switch {
	case name == "":
		return s.settings(ctx)
	case strings.HasPrefix(name, "$"):
		return s.parameter(name[1:], value, rest != "")
	case name == "max_rows":
		n, err := strconv.Atoi(value)
		if err != nil || n < 0 {
			return fmt.Errorf(`max_rows is a number of rows, not %q; 0 shows all`, value)
		}
		s.view.MaxRows = n
		return nil
	case name == "null":
		if s.view.Null = value; value == "" {
			s.view.Null = " " // "" would be the word NULL
		}
		return nil
	case value == "":
		return fmt.Errorf(`\set %s takes a value; \set alone lists all`, name)
	}
	err := s.cfg.Session.Set(name, value)
	if err != nil && !slices.ContainsFunc(analyze.Settings(), func(st analyze.SettingInfo) bool { return st.Name == name }) {
		err = fmt.Errorf("%w; a parameter is given by \\set $%s %s", err, name, value)
	}
	return err
}

func (s *Shell) parameter(name, value string, given bool) error {
	if name == "" {
		return errors.New(`a parameter has a name: \set $least 100`)
	}
	if !given {
		v, ok := s.cfg.Session.Params()[name]
		if !ok {
			return fmt.Errorf(`$%s has no value; give it one by \set $%[1]s VALUE`, name)
		}
		fmt.Fprintf(s.cfg.Out, "$%s = %s\n", name, v)
		return nil
	}
	s.cfg.Session.SetParam(name, value)
	return nil
}

// settings lists all settings and parameters.
func (s *Shell) settings(ctx context.Context) error {
	if err := s.show(ctx, "SHOW SETTINGS;"); err != nil {
		return err
	}
	null := s.view.Null
	if null == "" {
		null = "NULL"
	}
	fmt.Fprintf(s.cfg.Out, "max_rows = %d  (rows of a table that are shown; 0: all)\n", s.view.MaxRows)
	fmt.Fprintf(s.cfg.Out, "null = %s  (what stands for NULL in a table)\n", null)
	params := s.cfg.Session.Params()
	for _, name := range slices.Sorted(maps.Keys(params)) {
		fmt.Fprintf(s.cfg.Out, "$%s = %s\n", name, params[name])
	}
	return nil
}
