package main

import (
	"strings"

	"github.com/spf13/cobra"
)

func newExplain(c *common) *cobra.Command {
	q := &queryFlags{common: c, format: "csv"}
	var analyze bool
	var format string
	cmd := &cobra.Command{
		Use:   "explain [-f FILE | -c TEXT]…",
		Short: "Show how the queries of a script would run",
		Args:  noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch format {
			case "text", "json", "dot":
			default:
				return usagef("unknown format %q: use text, json or dot", format)
			}
			return q.explain(cmd, analyze, format)
		},
	}
	q.register(cmd, false)
	cmd.Flags().BoolVar(&analyze, "analyze", false, "run the query and count what passes each operator")
	cmd.Flags().StringVar(&format, "format", "text", "text, json or dot")
	return cmd
}

// explain runs the scripts with EXPLAIN before every query.
func (q *queryFlags) explain(cmd *cobra.Command, analyze bool, format string) (err error) {
	s, done, err := q.session(cmd)
	if err != nil {
		return err
	}
	defer func() { err = done(err) }()
	if len(q.scripts) == 0 {
		q.scripts = []script{{file: "-"}}
	}
	h := q.handler("csv")
	for _, sc := range q.scripts {
		name, text, err := q.read(sc)
		if err != nil {
			return err
		}
		if strings.TrimSpace(text) == "" {
			continue
		}
		if err := s.ExplainScript(cmd.Context(), name, text, analyze, format, h); err != nil {
			return err
		}
	}
	return nil
}
