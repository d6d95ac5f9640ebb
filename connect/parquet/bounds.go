package parquet

import (
	"bytes"
	"encoding/binary"
	"math"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// maxBound is the longest bound that is written; a longer one is left out.
const maxBound = 256

// bounds are the least and greatest value of a chunk.
type bounds struct {
	any    bool
	nan    bool // then none are told: readers disagree on what NaN means for them
	lo, hi int64
	flo    float64
	fhi    float64
	tlo    []byte
	thi    []byte
}

func (b *bounds) number(w *leafWriter, v uint64) {
	switch w.elem.Physical {
	case meta.Float:
		b.float(float64(math.Float32frombits(uint32(v))))
	case meta.Double:
		b.float(math.Float64frombits(v))
	case meta.Int32:
		b.integer(int64(int32(v)))
	default:
		b.integer(int64(v))
	}
}

func (b *bounds) integer(v int64) {
	if !b.any {
		b.any, b.lo, b.hi = true, v, v
		return
	}
	b.lo, b.hi = min(b.lo, v), max(b.hi, v)
}

func (b *bounds) float(v float64) {
	switch {
	case math.IsNaN(v):
		b.nan = true
	case !b.any:
		b.any, b.flo, b.fhi = true, v, v
	case v < b.flo:
		b.flo = v
	case v > b.fhi:
		b.fhi = v
	}
}

func (b *bounds) text(w *leafWriter, v []byte) {
	switch {
	case w.elem.Logical == meta.Interval: // has no order
	case !b.any:
		b.any = true
		b.tlo, b.thi = bytes.Clone(v), bytes.Clone(v)
	case w.compare(v, b.tlo) < 0:
		b.tlo = append(b.tlo[:0], v...)
	case w.compare(v, b.thi) > 0:
		b.thi = append(b.thi[:0], v...)
	}
}

// compare orders values of bytes: a DECIMAL as the number it is.
func (w *leafWriter) compare(a, b []byte) int {
	if w.elem.Logical != meta.Decimal {
		return bytes.Compare(a, b)
	}
	x, _ := recast.BigEndian(a)
	y, _ := recast.BigEndian(b)
	return x.Cmp(y)
}

func (b *bounds) statistics(w *leafWriter) meta.Statistics {
	if !b.any || b.nan {
		return meta.Statistics{}
	}
	le := binary.LittleEndian
	switch w.elem.Physical {
	case meta.Int32:
		return meta.Statistics{Min: le.AppendUint32(nil, uint32(b.lo)), Max: le.AppendUint32(nil, uint32(b.hi))}
	case meta.Int64:
		return meta.Statistics{Min: le.AppendUint64(nil, uint64(b.lo)), Max: le.AppendUint64(nil, uint64(b.hi))}
	case meta.Float, meta.Double:
		// Both zeros are one value to us, but not to every reader.
		if b.flo == 0 {
			b.flo = math.Copysign(0, -1)
		}
		if b.fhi == 0 {
			b.fhi = 0
		}
		if w.elem.Physical == meta.Float {
			return meta.Statistics{
				Min: le.AppendUint32(nil, math.Float32bits(float32(b.flo))),
				Max: le.AppendUint32(nil, math.Float32bits(float32(b.fhi))),
			}
		}
		return meta.Statistics{Min: le.AppendUint64(nil, math.Float64bits(b.flo)), Max: le.AppendUint64(nil, math.Float64bits(b.fhi))}
	case meta.ByteArray, meta.FixedByteArray:
		if len(b.tlo) <= maxBound && len(b.thi) <= maxBound {
			return meta.Statistics{Min: b.tlo, Max: b.thi}
		}
	}
	return meta.Statistics{}
}
