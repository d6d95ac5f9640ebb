package parquet

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
)

// flat reads n rows of a leaf that is a column of its own: not within a LIST or STRUCT.
func (c *chunk) flat(n int) error {
	done := 0
	for done < n {
		if err := c.begin(); err != nil {
			return err
		}
		if err := c.load(); err != nil {
			return err
		}
		k := min(n-done, c.pageLeft)
		mask, valid, err := c.valid(k)
		if err != nil {
			return err
		}
		if err := c.col.read(k, mask, valid); err != nil {
			return shift(err, done)
		}
		c.pageLeft -= k
		done += k
	}
	return nil
}

// shift adds rows that came before to the row of a misfit.
func shift(err error, rows int) error {
	if m, ok := errors.AsType[*misfit](err); ok {
		m.row += rows
	}
	return err
}

// valid tells which of the next k rows have a value.
func (c *chunk) valid(k int) (mask []uint8, valid int, err error) {
	most := c.leaf.maxDef
	if most == 0 {
		return nil, k, nil
	}
	v, run, err := c.defs.Run()
	if err != nil {
		return nil, 0, err
	}
	if run >= k && v == uint32(most) {
		return nil, k, c.defs.Skip(k)
	}
	if cap(c.mask) < k {
		c.mask = make([]uint8, max(k, 1024))
	}
	mask = c.mask[:k]
	if err := encoding.Decode(&c.defs, mask); err != nil {
		return nil, 0, err
	}
	over := uint8(0)
	for _, m := range mask { // the column is flat, so that the only levels are 0 and 1
		over |= m
		valid += int(m)
	}
	if over > 1 {
		return nil, 0, errLevel
	}
	return mask, valid, nil
}

var errLevel = errors.New("a level is beyond those of the schema")

// skipFlat passes over n rows, and over whole pages without unpacking them.
func (c *chunk) skipFlat(n int) error {
	for n > 0 {
		if err := c.begin(); err != nil {
			return err
		}
		k := min(n, c.pageLeft)
		if !c.loaded && k == c.pageLeft {
			c.pos += int64(c.page.Compressed)
		} else {
			if err := c.load(); err != nil {
				return err
			}
			_, valid, err := c.valid(k)
			if err != nil {
				return err
			}
			if err := c.col.skip(valid); err != nil {
				return err
			}
		}
		c.pageLeft -= k
		n -= k
	}
	return nil
}

// levels are those of a leaf within a LIST or STRUCT, of one batch.
type levels struct {
	defs, reps []uint8 // of the batch
	block      int     // levels that have been decoded and are of the batch or later ones, in
	ahead      []uint8 // these: definitions
	aheadRep   []uint8 // and repetitions
	mask       []uint8
	started    bool
}

const (
	levelBlock = 1024
	// maxSlots bounds the values of one leaf in one batch, however many rows they make.
	maxSlots = 16 << 20
)

// deep reads the levels and values of n rows of a leaf within a LIST or STRUCT;
// values are dropped if skip is set.
func (c *chunk) deep(n int, skip bool) error {
	lv := &c.nested
	lv.defs, lv.reps = lv.defs[:0], lv.reps[:0]
	rows, slots := 0, 0
	for {
		if lv.block == 0 {
			if c.pageLeft == 0 && c.left == 0 {
				break
			}
			if err := c.decodeLevels(); err != nil {
				return err
			}
		}
		from := len(lv.ahead) - lv.block
		to := from
		for to < len(lv.ahead) {
			if lv.aheadRep[to] == 0 {
				if rows == n {
					break
				}
				rows++
			}
			to++
		}
		if !lv.started {
			lv.started = true
			if lv.aheadRep[from] != 0 {
				return errors.New("the first value continues a row that has not begun")
			}
		}
		lv.defs = append(lv.defs, lv.ahead[from:to]...)
		lv.reps = append(lv.reps, lv.aheadRep[from:to]...)
		lv.block -= to - from
		if len(lv.defs) > maxSlots {
			return fmt.Errorf("a batch of rows has more than %d elements", maxSlots)
		}
		k, err := c.readSlots(lv.ahead[from:to], skip)
		if err != nil {
			return shift(err, slots)
		}
		slots += k
		if rows == n && lv.block > 0 {
			break
		}
	}
	if rows < n {
		return encoding.ErrEnd
	}
	return nil
}

// decodeLevels gets the next block of levels, all of one page.
func (c *chunk) decodeLevels() error {
	if err := c.begin(); err != nil {
		return err
	}
	if err := c.load(); err != nil {
		return err
	}
	lv := &c.nested
	k := min(levelBlock, c.pageLeft)
	lv.ahead, lv.aheadRep = slices.Grow(lv.ahead[:0], k)[:k], slices.Grow(lv.aheadRep[:0], k)[:k]
	clear(lv.ahead)
	clear(lv.aheadRep)
	if c.leaf.maxDef > 0 {
		if err := encoding.Decode(&c.defs, lv.ahead); err != nil {
			return err
		}
	}
	if c.leaf.maxRep > 0 {
		if err := encoding.Decode(&c.reps, lv.aheadRep); err != nil {
			return err
		}
	}
	if slices.Max(lv.ahead) > c.leaf.maxDef || slices.Max(lv.aheadRep) > c.leaf.maxRep {
		return errLevel
	}
	c.pageLeft -= k
	lv.block = k
	return nil
}

// readSlots reads the values that go with levels, and NULLs in place of those
// that are not there but could be.
func (c *chunk) readSlots(defs []uint8, skip bool) (slots int, err error) {
	lv := &c.nested
	lv.mask = lv.mask[:0]
	valid := 0
	for _, d := range defs {
		if d < c.leaf.slotDef {
			continue
		}
		m := uint8(0)
		if d == c.leaf.maxDef {
			m = 1
			valid++
		}
		lv.mask = append(lv.mask, m)
	}
	slots = len(lv.mask)
	if skip {
		return slots, c.col.skip(valid)
	}
	mask := lv.mask
	if valid == slots {
		mask = nil
	}
	return slots, c.col.read(slots, mask, valid)
}

// rowOf returns the row of the batch that a slot of a leaf lies in.
func (c *chunk) rowOf(slot int) int {
	row := -1
	for i, d := range c.nested.defs {
		if c.nested.reps[i] == 0 {
			row++
		}
		if d >= c.leaf.slotDef {
			if slot == 0 {
				break
			}
			slot--
		}
	}
	return max(row, 0)
}
