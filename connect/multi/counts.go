package multi

import (
	"context"
	"slices"

	"github.com/rainsql/rainsql/connect"
)

// counts tells of what readers of some file have to know what the splits before theirs hold.
type counts struct{ always, lines bool }

func (c *counts) add(src connect.Source) {
	if one, ok := src.(connect.Counting); ok {
		c.always = c.always || one.Counts(connect.Scan{})
		c.lines = c.lines || one.Counts(connect.Scan{Columns: []connect.Column{{Index: -1, Pseudo: connect.PseudoLine}}})
	}
}

// Counts implements connect.Counting.
func (s *Source) Counts(scan connect.Scan) bool {
	return s.counts.always || s.counts.lines &&
		slices.ContainsFunc(scan.Columns, func(c connect.Column) bool { return c.Pseudo == connect.PseudoLine })
}

// Count implements connect.Counting.
func (s *Source) Count(ctx context.Context, split connect.Split, scan connect.Scan, keep bool) {
	at, ok := s.byName[split.File]
	if !ok || scan.Counts == nil {
		return
	}
	src, err := s.open.take(ctx, at)
	if err != nil {
		scan.Counts.Withdraw(split.Ordinal)
		return
	}
	if one, ok := src.(connect.Counting); ok {
		one.Count(ctx, split, s.parts[at].scan(scan), keep)
	}
	_ = s.open.put(at) // whether another file could be closed is for those who read it
}
