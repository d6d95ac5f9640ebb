package parquet

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"strings"

	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// prunable returns the leaf whose statistics can judge a condition, or nil.
func (s *Source) prunable(c connect.Condition) *leaf {
	if c.Index < 0 || c.Index >= len(s.cols) || s.recast[c.Index] {
		return nil
	}
	if n := s.cols[c.Index]; n.leaf != nil && !n.leaf.nested && n.refused == "" {
		return n.leaf
	}
	return nil
}

// cannot reports that no row of a chunk fulfils the condition. It is sure of it
// only where the statistics are there, well-formed, and in a known order.
func (s *Source) cannot(l *leaf, c connect.Condition, m *meta.Chunk) bool {
	st := m.Stats
	if st.Nulls >= 0 && st.Nulls <= m.Values {
		if st.Nulls == m.Values {
			return c.Op != connect.IsNull
		}
		if c.Op == connect.IsNull {
			return st.Nulls == 0
		}
	}
	if c.Op == connect.IsNull || c.Op == connect.NotNull {
		return false
	}
	below, above, ok := s.bounds(l, c, st)
	if !ok {
		return false
	}
	// below and above compare the least and the greatest value with the constant.
	switch c.Op {
	case connect.Equal:
		return below > 0 || above < 0
	case connect.Less:
		return below >= 0
	case connect.LessEqual:
		return below > 0
	case connect.Greater:
		return above <= 0
	case connect.GreaterEqual:
		return above < 0
	}
	return false
}

// bounds compares a chunk's least and greatest value with the condition's.
func (s *Source) bounds(l *leaf, c connect.Condition, st meta.Statistics) (below, above int, ok bool) {
	least, most := st.Min, st.Max
	switch {
	case l.index < len(s.orders):
		if !s.orders[l.index] {
			least, most = nil, nil // in an order that this reader does not know
		}
	case !l.signed() && !l.typ.IsFloat():
		least, most = nil, nil // in an order that the file does not tell, where there is more than one
	}
	if least == nil && most == nil && l.signed() {
		least, most = st.OldMin, st.OldMax
	}
	if least == nil || most == nil {
		return 0, 0, false
	}
	switch want := c.Value.(type) {
	case int64:
		lo, ok1 := l.integer(least)
		hi, ok2 := l.integer(most)
		return cmp.Compare(lo, want), cmp.Compare(hi, want), ok1 && ok2 && lo <= hi
	case float64:
		lo, ok1 := l.float(least)
		hi, ok2 := l.float(most)
		if !ok1 || !ok2 || !(lo <= hi) { // NaN among them says nothing
			return 0, 0, false
		}
		above := cmp.Compare(hi, want)
		if !s.tellsNaN() {
			above = 1 // there may be a NaN, which is greater than all
		}
		return compareFloats(lo, want), above, c.Op != connect.Equal || !math.IsNaN(want)
	case string:
		if !isText(l.typ) || l.finish != nil || bytes.Compare(least, most) > 0 {
			return 0, 0, false
		}
		above := bytes.Compare(most, []byte(want))
		if !st.MaxExact && strings.HasPrefix(want, string(most)) {
			above = 1 // it may have been cut short
		}
		return bytes.Compare(least, []byte(want)), above, true
	case decimal128.Num:
		lo, ok1 := l.decimal(least)
		hi, ok2 := l.decimal(most)
		return lo.Cmp(want), hi.Cmp(want), ok1 && ok2 && lo.Cmp(hi) <= 0
	}
	return 0, 0, false
}

// tellsNaN reports that the writer leaves bounds out where there is a NaN, or
// gives NaN as one. Others pass over NaN, which then hides behind the bounds.
func (s *Source) tellsNaN() bool {
	for _, writer := range []string{"DuckDB", "rainsql", "parquet-mr"} {
		if strings.HasPrefix(s.createdBy, writer) {
			return true
		}
	}
	return false
}

// signed reports that old statistics, whose order is that of signed numbers,
// can be relied on.
func (l *leaf) signed() bool {
	switch l.elem.Logical {
	case meta.Uint8, meta.Uint16, meta.Uint32, meta.Uint64:
		return false
	}
	return l.elem.Physical == meta.Int32 || l.elem.Physical == meta.Int64
}

func (l *leaf) physicalInt(b []byte) (int64, bool) {
	switch {
	case l.elem.Physical == meta.Int32 && len(b) == 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), true
	case l.elem.Physical == meta.Int64 && len(b) == 8:
		return int64(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// integer reads a bound of a column whose values are whole numbers, as the column has them.
func (l *leaf) integer(b []byte) (int64, bool) {
	v, ok := l.physicalInt(b)
	switch l.elem.Logical {
	case meta.None, meta.PlainInt32, meta.PlainInt64, meta.Int8, meta.Int16, meta.Date, meta.TimestampMicros,
		meta.Uint8, meta.Uint16:
		return v, ok
	case meta.Uint32:
		return int64(uint32(v)), ok
	case meta.TimestampMillis:
		us, fits := millisToMicros(v)
		return us, ok && fits
	case meta.TimestampNanos:
		us, _ := nanosToMicros(v)
		return us, ok
	}
	return 0, false
}

func (l *leaf) float(b []byte) (float64, bool) {
	switch {
	case l.elem.Physical == meta.Float && len(b) == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), true
	case l.elem.Physical == meta.Double && len(b) == 8:
		return math.Float64frombits(binary.LittleEndian.Uint64(b)), true
	}
	return 0, false
}

// decimal reads a bound of a DECIMAL. Those of variable length are left out:
// writers have disagreed about their order.
func (l *leaf) decimal(b []byte) (decimal128.Num, bool) {
	if l.typ.Kind != types.Decimal || l.elem.Logical != meta.Decimal {
		return decimal128.Num{}, false
	}
	if l.elem.Physical == meta.FixedByteArray && len(b) == int(l.elem.Length) {
		return recast.BigEndian(b)
	}
	v, ok := l.physicalInt(b)
	return decimal128.FromI64(v), ok
}
