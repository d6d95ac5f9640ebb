package parquet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// Source reads one Parquet file. It implements connect.Source.
type Source struct {
	in        scan.Input
	display   string
	cols      []*node
	leaves    []*leaf
	schema    types.Schema
	recast    []bool // columns that are read as another type than theirs
	groups    []group
	orders    []bool
	createdBy string
}

// group is a row group that has rows.
type group struct {
	meta.Group
	first          int64 // number of its first row in the file, from 0
	offset, length int64 // of its bytes
}

// Schema returns the columns of the file.
func (s *Source) Schema() types.Schema { return slices.Clone(s.schema) }

// Size returns the length of the file.
func (s *Source) Size() int64 { return s.in.Size() }

// Close closes the file. Batches outlive it.
func (s *Source) Close() error { return s.in.Close() }

// listGroups checks the row groups against schema and file, and notes where they lie.
func (s *Source) listGroups(f *meta.File) error {
	first := int64(0)
	for i, g := range f.Groups {
		own := group{Group: g, first: first, offset: math.MaxInt64}
		end, columns := int64(0), 0
		err := g.Chunks(func(k int, c *meta.Chunk) error {
			columns++
			if k >= len(s.leaves) {
				return fmt.Errorf("there are more than the %d columns of the schema", len(s.leaves))
			}
			if g.Rows == 0 {
				return nil // writers do not agree on where nothing lies
			}
			if err := s.checkChunk(s.leaves[k], g.Rows, c); err != nil {
				return err
			}
			from, to := c.Extent()
			own.offset, end = min(own.offset, from), max(end, to)
			return nil
		})
		switch {
		case errors.Is(err, errEncrypted):
			return encrypted(s.display)
		case err == nil && columns != len(s.leaves):
			err = fmt.Errorf("there are %d columns where the schema has %d", columns, len(s.leaves))
		case g.Rows > math.MaxInt64-first:
			err = errors.New("the number of rows is absurd")
		}
		if err != nil {
			return damaged(s.display, fmt.Sprintf("the index of row group %d is damaged: %v", i, err))
		}
		if g.Rows == 0 {
			continue
		}
		own.length = end - own.offset
		first += g.Rows
		if columns == 0 {
			own.offset, own.length = int64(len(s.groups)), 1 // only to tell them apart
		}
		s.groups = append(s.groups, own)
	}
	if first != f.Rows {
		return damaged(s.display, fmt.Sprintf("its row groups have %d rows where its footer says %d", first, f.Rows))
	}
	return s.checkOverlap()
}

var errEncrypted = errors.New("encrypted")

func (s *Source) checkChunk(l *leaf, rows int64, c *meta.Chunk) error {
	switch {
	case c.Encrypted || !c.HasMeta:
		return errEncrypted
	case c.Elsewhere:
		return fmt.Errorf("column %q lies in another file", l.elem.Name)
	case c.Physical != l.elem.Physical:
		return fmt.Errorf("column %q is not of the type that the schema says", l.elem.Name)
	case c.Values < 0 || l.maxRep == 0 && c.Values != rows || c.Values < rows:
		return fmt.Errorf("column %q declares %d values for %d rows", l.elem.Name, c.Values, rows)
	}
	size := s.in.Size()
	if from, _ := c.Extent(); from < 0 || c.Compressed < 0 || from > size || c.Compressed > size-from {
		return fmt.Errorf("column %q lies outside of the file", l.elem.Name)
	}
	return nil
}

// checkOverlap makes sure that a row group can be told by where it begins.
func (s *Source) checkOverlap() error {
	sorted := slices.Clone(s.groups)
	slices.SortFunc(sorted, func(a, b group) int { return cmp.Compare(a.offset, b.offset) })
	for i := 1; i < len(sorted); i++ {
		if sorted[i].offset < sorted[i-1].offset+sorted[i-1].length || sorted[i].offset == sorted[i-1].offset {
			return damaged(s.display, "its row groups lie on top of each other")
		}
	}
	return nil
}

// override gives columns the types that the option columns asks for.
func (s *Source) override(given types.Schema) error {
	s.recast = make([]bool, len(s.schema))
	natural := slices.Clone(s.schema)
	if err := infer.Override(s.schema, given); err != nil {
		return err
	}
	for i, f := range s.schema {
		n := s.cols[i]
		if f.Type.Equal(natural[i].Type) || n.refused != "" {
			s.schema[i].Type = natural[i].Type
			continue
		}
		if n.leaf != nil && n.leaf.finish == nil && isText(f.Type) && isText(n.typ) {
			n.leaf.reading = texts(f.Type, int(n.leaf.elem.Length)*width01(n.leaf.elem.Physical == meta.FixedByteArray))
			n.typ = f.Type
			continue
		}
		if !recast.Can(n.typ, f.Type) {
			return &connect.Error{Column: f.Name, Msg: fmt.Sprintf("is %s in the file and cannot be read as %s", n.typ, f.Type), Hint: "leave it out of columns and CAST it in the query"}
		}
		s.recast[i] = true
	}
	return nil
}

func isText(t types.Type) bool { return t.Kind == types.String || t.Kind == types.Bytes }

func width01(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Splits returns the row groups. Neighbours that together have no more than
// target bytes go together.
func (s *Source) Splits(target int64) ([]connect.Split, error) {
	splits := make([]connect.Split, 0, len(s.groups))
	for i, g := range s.groups {
		if i > 0 {
			last := &splits[len(splits)-1]
			together := g.offset + g.length - last.Offset
			if target > 0 && g.offset >= last.Offset+last.Length && together <= target {
				last.Length = together
				continue
			}
		}
		splits = append(splits, connect.Split{Ordinal: len(splits), File: s.display, Offset: g.offset, Length: g.length})
	}
	return splits, nil
}

// Open starts to read a split.
func (s *Source) Open(ctx context.Context, split connect.Split, sc connect.Scan) (connect.Reader, error) {
	changed := &connect.Error{File: s.display, Msg: "has changed since it was opened", Hint: "run the query again"}
	from := slices.IndexFunc(s.groups, func(g group) bool { return g.offset == split.Offset })
	if from < 0 {
		return nil, changed
	}
	to, end := from, split.Offset+split.Length
	for to < len(s.groups) && s.groups[to].offset >= split.Offset && s.groups[to].offset+s.groups[to].length <= end {
		to++
	}
	if to == from || s.groups[to-1].offset+s.groups[to-1].length != end {
		return nil, changed
	}
	return newReader(ctx, s, from, to, sc)
}
