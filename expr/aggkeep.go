package expr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// keepRule says which row of a group a keeper keeps. The result is column 0.
type keepRule struct {
	plain bool  // the state is the one column as it is: NULL is never kept
	valid []int // columns in which a row must not be NULL to be considered
	key   int   // the column that decides, if sign is not 0:
	sign  int   // 1 for the greatest, -1 for the least; of equals the first
	last  bool  // without a key: the last row, not the first
}

func keepFirst(*AggCall) keepRule      { return keepRule{} }
func keepLast(*AggCall) keepRule       { return keepRule{last: true} }
func keepFirstValue(*AggCall) keepRule { return keepRule{valid: []int{0}} }
func keepExtreme(sign int) keepRule {
	return keepRule{plain: true, valid: []int{0}, sign: sign}
}

func keepArg(sign int) func(*AggCall) keepRule {
	return func(*AggCall) keepRule { return keepRule{valid: []int{0, 1}, key: 1, sign: sign} }
}

func keepStates(c *AggCall) []types.Type { return []types.Type{c.rowType()} }

// keeper keeps one row for each group. Rows that win are copied to chunks;
// chunks with too many rows that have been replaced are rewritten.
type keeper struct {
	call   *AggCall
	rule   keepRule
	mem    memory.Allocator
	ref    []int64 // of each group: chunk<<32 | row, or -1
	slot   []int32 // scratch, of each group: the batch's best row, or -1
	chunks [][]arrow.Array
	rows   int
}

const maxChunks = 64

func newKeeper(c *AggCall, rule keepRule, mem memory.Allocator) *keeper {
	return &keeper{call: c, rule: rule, mem: mem}
}

func (k *keeper) Resize(n int) {
	for len(k.ref) < n {
		k.ref, k.slot = append(k.ref, -1), append(k.slot, -1)
	}
}

func (k *keeper) Update(groups []uint32, args []arrow.Array) error {
	if err := checkInputs(k.call, args); err != nil {
		return err
	}
	touched := k.candidates(groups, args)
	rows := make([]int32, 0, len(touched))
	winners := touched[:0]
	older := make([]func(i, j int) int, len(k.chunks))
	for _, g := range touched {
		row := k.slot[g]
		k.slot[g] = -1
		if ref := k.ref[g]; ref >= 0 && !k.rule.last {
			if k.rule.sign == 0 {
				continue
			}
			chunk := ref >> 32
			if older[chunk] == nil {
				older[chunk] = vec.Comparer(args[k.rule.key], k.chunks[chunk][k.rule.key])
			}
			if older[chunk](int(row), int(int32(ref)))*k.rule.sign <= 0 {
				continue
			}
		}
		winners, rows = append(winners, g), append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	chunk, err := takeCompact(k.mem, args, rows)
	if err != nil {
		return err
	}
	for i, g := range winners {
		k.ref[g] = int64(len(k.chunks))<<32 | int64(i)
	}
	k.chunks, k.rows = append(k.chunks, chunk), k.rows+len(rows)
	if len(k.chunks) > maxChunks || k.rows > 2*len(k.ref)+1024 {
		return k.rewrite()
	}
	return nil
}

// candidates finds the best row of the batch for each group, in slot, and
// returns the groups that have one.
func (k *keeper) candidates(groups []uint32, args []arrow.Array) []uint32 {
	var touched []uint32
	valid := make([]vec.Validity, len(k.rule.valid))
	for i, col := range k.rule.valid {
		valid[i] = vec.ValidityOf(args[col])
	}
	compare := vec.Comparer(args[k.rule.key], args[k.rule.key])
rows:
	for i, g := range groups {
		for _, v := range valid {
			if v.Null(i) {
				continue rows
			}
		}
		switch s := k.slot[g]; {
		case s < 0:
			touched = append(touched, g)
			k.slot[g] = int32(i)
		case k.rule.last, k.rule.sign != 0 && compare(i, int(s))*k.rule.sign > 0:
			k.slot[g] = int32(i)
		}
	}
	return touched
}

func takeCompact(mem memory.Allocator, cols []arrow.Array, rows []int32) ([]arrow.Array, error) {
	out := make([]arrow.Array, 0, len(cols))
	for _, c := range cols {
		a, err := vec.Take(mem, c, rows)
		if err == nil {
			var own arrow.Array
			own, err = vec.Compact(mem, a)
			a.Release()
			a = own
		}
		if err != nil {
			vec.ReleaseAll(out)
			return nil, err
		}
		out = append(out, a)
	}
	return out, nil
}

// gather returns column col of the kept row of each group, NULL where there is none.
func (k *keeper) gather(col int) (arrow.Array, error) {
	if len(k.chunks) == 0 {
		return vec.FromLiteral(k.mem, nil, k.call.Inputs()[col].Type(), len(k.ref))
	}
	parts := make([]arrow.Array, len(k.chunks))
	base, total := make([]int32, len(k.chunks)), int32(0)
	for i, c := range k.chunks {
		parts[i], base[i] = c[col], total
		total += int32(c[col].Len())
	}
	all, err := vec.Concat(k.mem, parts)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	idx := make([]int32, len(k.ref))
	for g, ref := range k.ref {
		if idx[g] = -1; ref >= 0 {
			idx[g] = base[ref>>32] + int32(ref)
		}
	}
	return vec.Take(k.mem, all, idx)
}

// rewrite makes one chunk of the rows that are still kept: row g is of group g.
func (k *keeper) rewrite() error {
	chunk := make([]arrow.Array, 0, len(k.chunks[0]))
	for col := range k.chunks[0] {
		a, err := k.gather(col)
		if err == nil {
			var own arrow.Array
			own, err = vec.Compact(k.mem, a)
			a.Release()
			a = own
		}
		if err != nil {
			vec.ReleaseAll(chunk)
			return err
		}
		chunk = append(chunk, a)
	}
	k.drop()
	k.chunks, k.rows = [][]arrow.Array{chunk}, len(k.ref)
	for g, ref := range k.ref {
		if ref >= 0 {
			k.ref[g] = int64(g)
		}
	}
	return nil
}

func (k *keeper) drop() {
	for _, c := range k.chunks {
		vec.ReleaseAll(c)
	}
	k.chunks, k.rows = nil, 0
}

func (k *keeper) Merge(groups []uint32, state []arrow.Array) error {
	if k.rule.plain {
		return k.Update(groups, state)
	}
	if err := checkStates(state, arrow.STRUCT); err != nil {
		return err
	}
	s := state[0].(*array.Struct)
	valid := vec.ValidityOf(s)
	var rows []int32
	var of []uint32
	for i, g := range groups {
		if valid.Valid(i) {
			rows, of = append(rows, int32(i)), append(of, g)
		}
	}
	args := make([]arrow.Array, 0, s.NumField())
	defer func() { vec.ReleaseAll(args) }()
	for i := range s.NumField() {
		a, err := vec.Take(k.mem, s.Field(i), rows)
		if err != nil {
			return err
		}
		args = append(args, a)
	}
	return k.Update(of, args)
}

func (k *keeper) State() ([]arrow.Array, error) {
	if k.rule.plain {
		return oneState(func(memory.Allocator, []int64) (arrow.Array, error) { return k.gather(0) })(k.mem, nil)
	}
	fields := make([]arrow.Array, 0, len(k.call.Inputs()))
	defer func() { vec.ReleaseAll(fields) }()
	shape := make([]arrow.Field, 0, cap(fields))
	for i, f := range k.call.rowType().Fields {
		a, err := k.gather(i)
		if err != nil {
			return nil, err
		}
		fields = append(fields, a)
		shape = append(shape, arrow.Field{Name: f.Name, Type: a.DataType(), Nullable: true})
	}
	nulls := vec.NewNulls(k.mem, len(k.ref))
	for g, ref := range k.ref {
		if ref < 0 {
			nulls.Set(g)
		}
	}
	return []arrow.Array{vec.NewStruct(arrow.StructOf(shape...), len(k.ref), fields, &nulls)}, nil
}

func (k *keeper) Result() (arrow.Array, error) { return k.gather(0) }

func (k *keeper) Bytes() int64 {
	n := int64(cap(k.ref))*8 + int64(cap(k.slot))*4
	for _, c := range k.chunks {
		for _, a := range c {
			n += vec.Bytes(a)
		}
	}
	return n
}

func (k *keeper) Release() {
	k.drop()
	k.ref, k.slot = nil, nil
}

// checkInputs guards against columns that are not those of the call.
func checkInputs(c *AggCall, args []arrow.Array) error {
	in := c.Inputs()
	if len(args) != len(in) {
		return errStates
	}
	if i := slices.IndexFunc(args, func(a arrow.Array) bool { return a == nil }); i >= 0 {
		return errStates
	}
	for i, a := range args {
		if !holds(a.DataType(), in[i].Type()) {
			return errStates
		}
	}
	return nil
}
