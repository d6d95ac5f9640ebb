package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/render"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/planner/analyze"
)

// queryFlags are the flags of what runs scripts.
type queryFlags struct {
	*common
	cluster  clusterFlags
	scripts  []script // -f and -c, in the order given
	format   string
	out      string
	params   []string
	settings []string
	timer    bool
}

// script is a -f or a -c.
type script struct {
	file string // "-" is standard input
	text string // of -c
}

// scriptFlag gathers -f and -c in one list, so that their order is kept.
type scriptFlag struct {
	to   *[]script
	text bool
}

func (f scriptFlag) String() string { return "" }
func (f scriptFlag) Type() string {
	if f.text {
		return "text"
	}
	return "file"
}

func (f scriptFlag) Set(v string) error {
	if f.text {
		*f.to = append(*f.to, script{file: "-c", text: v})
	} else {
		*f.to = append(*f.to, script{file: v})
	}
	return nil
}

func (q *queryFlags) register(cmd *cobra.Command, rows bool) {
	fl := cmd.Flags()
	fl.VarP(scriptFlag{to: &q.scripts}, "file", "f", "run a script; - is standard input; may be repeated")
	fl.VarP(scriptFlag{to: &q.scripts, text: true}, "command", "c", "run text; may be repeated")
	fl.StringArrayVar(&q.params, "param", nil, "value of $name, as `name=value`")
	fl.StringArrayVar(&q.settings, "set", nil, "a setting, as `key=value`: parallelism, memory_limit, time_limit, row_limit")
	q.cluster.std = q.std
	q.cluster.where(fl, "HOST:PORT of one or more nodes of a cluster, which runs the queries over its files (default $RAINSQL_CONNECT; without either they run here)")
	if rows {
		fl.StringVar(&q.format, "format", "", "of the rows: "+strings.Join(render.Names(), ", ")+" (default table on a terminal, what -o ends in, or csv)")
		fl.StringVarP(&q.out, "output", "o", "", "write rows to this `file`, whole or not at all; one that exists is replaced")
		fl.BoolVar(&q.timer, "timer", false, "tell wall time, rows and bytes read")
	}
}

// pairs splits name=value flags.
func pairs(list []string, flag string) (map[string]string, error) {
	out := map[string]string{}
	for _, p := range list {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return nil, usagef("%s %q: write %s name=value", flag, p, flag)
		}
		out[name] = value
	}
	return out, nil
}

// session makes a session with the settings of the flags, here or on a cluster.
// done ends it; it is told how the work went, and tells the user of it.
func (q *queryFlags) session(cmd *cobra.Command) (s *engine.Session, done func(error) error, err error) {
	if err := q.common.check(); err != nil {
		return nil, nil, err
	}
	clustered, err := q.cluster.meant(cmd)
	if err != nil {
		return nil, nil, err
	}
	params, err := pairs(q.params, "--param")
	if err != nil {
		return nil, nil, err
	}
	settings, err := pairs(q.settings, "--set")
	if err != nil {
		return nil, nil, err
	}
	for name, value := range settings { // before anything is connected to
		if err := analyze.CheckSetting(name, value); err != nil {
			return nil, nil, usageError{err}
		}
	}
	var e *engine.Engine
	if clustered {
		if e, done, err = q.clusterEngine(cmd.Context()); err != nil {
			return nil, nil, err
		}
	} else {
		e = q.engine()
		done = func(err error) error { return errors.Join(err, e.Close()) }
	}
	s = e.NewSession(params)
	for name, value := range settings {
		if err := s.Set(name, value); err != nil {
			return nil, nil, done(usageError{err})
		}
	}
	return s, done, nil
}

// read returns the text of a script and the name by which messages call it.
func (q *queryFlags) read(s script) (name, text string, err error) {
	switch s.file {
	case "-c":
		return "command", s.text, nil
	case "-":
		b, err := io.ReadAll(q.std.in)
		return "stdin", string(b), err
	}
	b, err := os.ReadFile(s.file)
	switch {
	case errors.Is(err, os.ErrNotExist) && likeScript(s.file) != "":
		return "", "", fmt.Errorf("cannot read the script: %w; did you mean %s?", err, likeScript(s.file))
	case err != nil:
		return "", "", fmt.Errorf("cannot read the script: %w", err)
	}
	return s.file, string(b), nil
}

// likeScript is a script with a name like that of one that does not exist; "" if
// there is none.
func likeScript(path string) string {
	const ending = ".rql"
	near, _ := filepath.Glob(filepath.Join(globLiteral.Replace(filepath.Dir(path)), "*"+ending))
	names := make([]string, len(near))
	for i, n := range near {
		names[i] = strings.TrimSuffix(filepath.Base(n), ending)
	}
	if i := slices.Index(names, suggest.Nearest(strings.TrimSuffix(filepath.Base(path), ending), names)); i >= 0 {
		return near[i]
	}
	return ""
}

var globLiteral = strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`)

func (q *queryFlags) run(cmd *cobra.Command) (err error) {
	if err := q.chooseFormat(); err != nil {
		return err
	}
	s, done, err := q.session(cmd)
	if err != nil {
		return err
	}
	defer func() { err = done(err) }()
	ctx := cmd.Context()
	h := q.handler(q.format)
	h.timer = q.timer
	if q.out == "" {
		return q.runAll(ctx, s, h)
	}
	h.file, h.screen, h.apart, h.table = q.out, false, true, nil
	err = toFile(q.out, func(w io.Writer) error {
		h.out = w
		return q.runAll(ctx, s, h)
	})
	if err == nil && h.given > 0 && h.format != "null" {
		h.Notice(fmt.Sprintf("wrote %s to %s", human.Count(h.rows, "row"), q.out))
	}
	return err
}

// chooseFormat is the format of the rows: that of --format, else that of the
// file's name, else a table on a terminal and csv elsewhere. A file's ending says
// how it is compressed, too.
func (q *queryFlags) chooseFormat() error {
	if q.format != "" {
		if err := render.Check(q.format); err != nil {
			return usageError{err}
		}
		for _, ending := range []string{".gz", ".zst"} {
			if strings.HasSuffix(q.out, ending) && render.IsFile(q.format) {
				q.format += ending
			}
		}
		return nil
	}
	if q.out != "" {
		format, ok := formats.Detect(q.out)
		if !ok {
			return usagef("%s: its name does not tell its format; say it: --format csv, or %s", q.out, strings.Join(formats.Names()[1:], ", "))
		}
		q.format = format
		return nil
	}
	q.format = "csv"
	if terminal(q.std.out) {
		q.format = "table"
	}
	return nil
}

// runAll runs the scripts one after another, in one session.
func (q *queryFlags) runAll(ctx context.Context, s *engine.Session, h *handler) error {
	if len(q.scripts) == 0 && q.out == "" {
		return q.prompt(ctx, s)
	}
	if len(q.scripts) == 0 {
		q.scripts = []script{{file: "-"}}
	}
	for _, sc := range q.scripts {
		name, text, err := q.read(sc)
		if err != nil {
			return err
		}
		if err := s.Run(ctx, name, text, h); err != nil {
			return err
		}
	}
	return nil
}
