package expr

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// moments are the count, the mean and the sum of squared deviations from it
// (Welford); two of them join exactly (Chan).
type moments struct {
	n        int64
	mean, m2 float64
}

func (m *moments) join(o moments) {
	if o.n == 0 {
		return
	}
	n := m.n + o.n
	d := o.mean - m.mean
	m.m2 += o.m2 + d*d*float64(m.n)*float64(o.n)/float64(n)
	m.mean += d * float64(o.n) / float64(n)
	m.n = n
}

// finite makes NaN of what is infinite: which of both a sum beyond all FLOATs
// becomes depends on the order in which parts of it are joined.
func finite(v float64) float64 {
	if math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

func varPop(m moments) (float64, bool) {
	if m.n < 1 {
		return 0, false
	}
	return finite(m.m2 / float64(m.n)), true
}

func varSamp(m moments) (float64, bool) {
	if m.n < 2 {
		return 0, false
	}
	return finite(m.m2 / float64(m.n-1)), true
}

func root(f func(moments) (float64, bool)) func(moments) (float64, bool) {
	return func(m moments) (float64, bool) {
		v, ok := f(m)
		return math.Sqrt(v), ok
	}
}

func newMoments(of func(moments) (float64, bool)) func(*AggCall, memory.Allocator) (Accumulator, error) {
	return func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
		f := &folding[moments]{mem: mem}
		f.update = func(s []moments, groups []uint32, args []arrow.Array) error {
			if err := checkStates(args, arrow.FLOAT64); err != nil {
				return err
			}
			vals, valid := vec.Values[float64](args[0]), vec.ValidityOf(args[0])
			for i, g := range groups {
				if valid.Null(i) {
					continue
				}
				m := &s[g]
				m.n++
				d := vals[i] - m.mean
				m.mean += d / float64(m.n)
				m.m2 += d * (vals[i] - m.mean)
			}
			return nil
		}
		f.merge = func(s []moments, groups []uint32, st []arrow.Array) error {
			if err := checkStates(st, arrow.INT64, arrow.FLOAT64, arrow.FLOAT64); err != nil {
				return err
			}
			n, mean, m2 := vec.Values[int64](st[0]), vec.Values[float64](st[1]), vec.Values[float64](st[2])
			for i, g := range groups {
				s[g].join(moments{n[i], mean[i], m2[i]})
			}
			return nil
		}
		f.state = func(mem memory.Allocator, s []moments) ([]arrow.Array, error) {
			return []arrow.Array{
				perGroup(mem, types.INT, s, func(m moments) (int64, bool) { return m.n, true }),
				perGroup(mem, types.FLOAT, s, func(m moments) (float64, bool) { return m.mean, true }),
				perGroup(mem, types.FLOAT, s, func(m moments) (float64, bool) { return m.m2, true }),
			}, nil
		}
		f.result = func(mem memory.Allocator, s []moments) (arrow.Array, error) {
			return perGroup(mem, c.T, s, of), nil
		}
		return f, nil
	}
}

// pairMoments are moments of two variables and of both together.
type pairMoments struct {
	n                  int64
	mx, my, xx, yy, xy float64
}

func (m *pairMoments) add(x, y float64) {
	m.n++
	n := float64(m.n)
	dx, dy := x-m.mx, y-m.my
	m.mx += dx / n
	m.my += dy / n
	m.xx += dx * (x - m.mx)
	m.yy += dy * (y - m.my)
	m.xy += dx * (y - m.my)
}

func (m *pairMoments) join(o pairMoments) {
	if o.n == 0 {
		return
	}
	n := float64(m.n + o.n)
	w := float64(m.n) * float64(o.n) / n
	dx, dy := o.mx-m.mx, o.my-m.my
	m.xx += o.xx + dx*dx*w
	m.yy += o.yy + dy*dy*w
	m.xy += o.xy + dx*dy*w
	m.mx += dx * float64(o.n) / n
	m.my += dy * float64(o.n) / n
	m.n += o.n
}

func covarPop(m pairMoments) (float64, bool) {
	if m.n < 1 {
		return 0, false
	}
	return finite(m.xy / float64(m.n)), true
}

func covarSamp(m pairMoments) (float64, bool) {
	if m.n < 2 {
		return 0, false
	}
	return finite(m.xy / float64(m.n-1)), true
}

// correlation is NaN where one variable does not vary.
func correlation(m pairMoments) (float64, bool) {
	if m.n < 1 {
		return 0, false
	}
	both := math.Sqrt(m.xx * m.yy)
	if both == 0 || math.IsInf(both, 0) { // the product is beyond FLOATs, the roots may not be
		both = math.Sqrt(m.xx) * math.Sqrt(m.yy)
	}
	return finite(m.xy / both), true
}

func (m pairMoments) floats() [5]float64 { return [5]float64{m.mx, m.my, m.xx, m.yy, m.xy} }

func newPairMoments(of func(pairMoments) (float64, bool)) func(*AggCall, memory.Allocator) (Accumulator, error) {
	return func(c *AggCall, mem memory.Allocator) (Accumulator, error) {
		f := &folding[pairMoments]{mem: mem}
		f.update = func(s []pairMoments, groups []uint32, args []arrow.Array) error {
			if err := checkStates(args, arrow.FLOAT64, arrow.FLOAT64); err != nil {
				return err
			}
			x, y := vec.Values[float64](args[0]), vec.Values[float64](args[1])
			vx, vy := vec.ValidityOf(args[0]), vec.ValidityOf(args[1])
			for i, g := range groups {
				if vx.Valid(i) && vy.Valid(i) {
					s[g].add(x[i], y[i])
				}
			}
			return nil
		}
		f.merge = func(s []pairMoments, groups []uint32, st []arrow.Array) error {
			fl := arrow.FLOAT64
			if err := checkStates(st, arrow.INT64, fl, fl, fl, fl, fl); err != nil {
				return err
			}
			n := vec.Values[int64](st[0])
			var v [5][]float64
			for k := range v {
				v[k] = vec.Values[float64](st[k+1])
			}
			for i, g := range groups {
				s[g].join(pairMoments{n[i], v[0][i], v[1][i], v[2][i], v[3][i], v[4][i]})
			}
			return nil
		}
		f.state = func(mem memory.Allocator, s []pairMoments) ([]arrow.Array, error) {
			out := []arrow.Array{perGroup(mem, types.INT, s, func(m pairMoments) (int64, bool) { return m.n, true })}
			for k := range 5 {
				out = append(out, perGroup(mem, types.FLOAT, s, func(m pairMoments) (float64, bool) { return m.floats()[k], true }))
			}
			return out, nil
		}
		f.result = func(mem memory.Allocator, s []pairMoments) (arrow.Array, error) {
			return perGroup(mem, c.T, s, of), nil
		}
		return f, nil
	}
}
