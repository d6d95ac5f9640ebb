package parquet

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// What is no readable file is told in a way that helps.
func TestOpenErrors(t *testing.T) {
	_, files := samples(t)
	whole := files["none-v1.parquet"]
	huge := bytes.Clone(whole)
	binary.LittleEndian.PutUint32(huge[len(huge)-8:], 1<<31)
	sealed := append(bytes.Clone(whole[:len(whole)-4]), "PARE"...)
	for want, data := range map[string][]byte{
		"f: is not a Parquet file: it has only 0 bytes":         nil,
		"f: is not a Parquet file; give":                        []byte("a,b,c\n1,2,3\n4,5,6\n"),
		"f: is a Parquet file without its end":                  whole[:len(whole)/2],
		"f: declares a footer of 2147483648 bytes in a file of": huge,
		"f: is encrypted, which cannot be read":                 sealed,
	} {
		if _, err := Open(t.Context(), conntest.File{Data: data}, "f", connect.Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := Open(t.Context(), conntest.File{Data: whole, Stream: true}, "f", connect.Options{}); err == nil || !strings.Contains(err.Error(), "cannot be read from a pipe") {
		t.Error(err)
	}
}

func branch(name string, rep meta.Repetition, l meta.Logical, children int32) meta.Element {
	return meta.Element{Name: name, Repetition: rep, Logical: l, Children: children}
}

func value(name string, rep meta.Repetition, p meta.Physical, l meta.Logical) meta.Element {
	return meta.Element{Name: name, Repetition: rep, Physical: p, Logical: l, IsLeaf: true}
}

// Schemas of old writers, and such that cannot be read: the rules are those of
// LogicalTypes.md of the format.
func TestSchemas(t *testing.T) {
	decimal := value("d", meta.Optional, meta.ByteArray, meta.Decimal)
	decimal.Precision = 39
	deep := []meta.Element{}
	for range 150 {
		deep = append(deep, branch("g", meta.Optional, meta.None, 1))
	}
	deep = append(deep, value("v", meta.Optional, meta.Int64, meta.None))
	for _, c := range []struct {
		name  string
		elems []meta.Element
		want  string // the type, or how the refusal begins
	}{
		{"two levels", []meta.Element{branch("l", meta.Optional, meta.List, 1), value("element", meta.Repeated, meta.Int32, meta.None)}, "LIST<INT32>"},
		{"three levels", []meta.Element{branch("l", meta.Optional, meta.List, 1), branch("list", meta.Repeated, meta.None, 1), value("element", meta.Optional, meta.Int32, meta.None)}, "LIST<INT32>"},
		{"two fields", []meta.Element{branch("l", meta.Optional, meta.List, 1), branch("e", meta.Repeated, meta.None, 2), value("a", meta.Required, meta.Int32, meta.None), value("b", meta.Required, meta.Double, meta.None)}, "LIST<STRUCT<a INT32, b FLOAT>>"},
		{"array", []meta.Element{branch("l", meta.Optional, meta.List, 1), branch("array", meta.Repeated, meta.None, 1), value("a", meta.Required, meta.Int32, meta.None)}, "LIST<STRUCT<a INT32>>"},
		{"tuple", []meta.Element{branch("l", meta.Optional, meta.List, 1), branch("l_tuple", meta.Repeated, meta.None, 1), value("a", meta.Required, meta.Int32, meta.None)}, "LIST<STRUCT<a INT32>>"},
		{"bare", []meta.Element{value("l", meta.Repeated, meta.Boolean, meta.None)}, "LIST<BOOL>"},
		{"map", []meta.Element{branch("m", meta.Optional, meta.Map, 1), branch("kv", meta.Repeated, meta.None, 2), value("k", meta.Required, meta.ByteArray, meta.String), value("v", meta.Optional, meta.Int64, meta.None)}, "LIST<STRUCT<key STRING, value INT>>"},
		{"json", []meta.Element{value("j", meta.Optional, meta.ByteArray, meta.JSON)}, "STRING"},
		{"wide decimal", []meta.Element{decimal}, "is a DECIMAL(39,0)"},
		{"foreign", []meta.Element{{Name: "g", IsLeaf: true, Physical: meta.ByteArray, Logical: meta.Foreign, LogicalName: "GEOMETRY"}}, "has the type GEOMETRY"},
		{"within", []meta.Element{branch("s", meta.Optional, meta.None, 1), value("t", meta.Optional, meta.Double, meta.Date)}, ""},
		{"no fields", []meta.Element{branch("s", meta.Optional, meta.None, 0)}, "is a structure without fields"},
		{"deep", deep, "its field g"},
	} {
		cols, _, err := newTree(append([]meta.Element{branch("root", meta.Required, meta.None, 1)}, c.elems...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		got := cols[0].refused
		if got == "" {
			got = cols[0].typ.String()
		}
		if c.want != "" && !strings.HasPrefix(got, c.want) {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	for name, elems := range map[string][]meta.Element{
		"cut off":  {branch("root", meta.Required, meta.None, 2), value("a", meta.Optional, meta.Int32, meta.None)},
		"too many": {branch("root", meta.Required, meta.None, 0), value("a", meta.Optional, meta.Int32, meta.None)},
		"too deep": append([]meta.Element{branch("root", meta.Required, meta.None, 1)}, slices.Repeat(deep[:1], 2000)...),
	} {
		if _, _, err := newTree(elems); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A list without a level for its elements' NULLs, as old writers have them.
func TestTwoLevelList(t *testing.T) {
	mem := checked(t)
	b := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, 3)
	copy(b.Values, []int64{10, 20, 30})
	vals := b.Finish()
	defer vals.Release()
	var out damage.Out
	sink, err := NewSink(&out, types.Schema{{Name: "l", Type: types.ListOf(types.INT)}}, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := sink.(*Sink)
	s.elems = []meta.Element{branch("schema", meta.Required, meta.None, 1), branch("l", meta.Optional, meta.List, 1), value("array", meta.Repeated, meta.Int64, meta.None)}
	s.leaves[0].maxDef = 2
	if err := s.put([]byte(magic)); err != nil {
		t.Fatal(err)
	}
	// [10, 20], [], NULL, [30]
	if err := s.leaves[0].append(vals, slots{idx: []int32{0, 1, -1, -1, 2}, rep: []uint8{0, 1, 0, 0, 0}, def: []uint8{2, 2, 1, 0, 2}}); err != nil {
		t.Fatal(err)
	}
	s.rows = 4
	if err := sink.Commit(); err != nil {
		t.Fatal(err)
	}
	src := open(t, out.Bytes(), connect.Options{})
	got, err := conntest.Read(src, 0, mem, conntest.Columns(src), 0)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got.Rows, [][]string{{"[10,20]"}, {"[]"}, {conntest.Null}, {"[30]"}})
}
