// Package types is the type system of RQL: what a value may be, apart from how
// Arrow lays it out. One logical type may have several layouts (a STRING column
// is a view array when it comes from a text file and a dictionary when it comes
// from Parquet); planner and functions reason about Type only.
package types

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is the outermost constructor of a Type.
type Kind uint8

// The kinds, narrowest first within the numbers: Common relies on the order.
const (
	Null Kind = iota // the type of a bare NULL; every other type absorbs it
	Bool
	Int8
	Int16
	Int32
	Int64
	Float32
	Float64
	Decimal
	String
	Bytes
	Date
	Timestamp
	Interval
	List
	Struct
)

// MaxPrecision is the widest DECIMAL, in digits (128 bits hold 38).
const MaxPrecision = 38

// Type is an immutable logical type. Its zero value is the type of NULL.
// Types are compared with Equal, not ==, since STRUCT holds a slice.
type Type struct {
	Kind      Kind
	Precision int     // DECIMAL: digits in all, 1 to MaxPrecision
	Scale     int     // DECIMAL: digits after the point, 0 to Precision
	Elem      *Type   // LIST: its elements
	Fields    []Field // STRUCT: its fields in order
}

// Field is a named column or struct member.
type Field struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Schema is the ordered columns of a table. Names may repeat (after a join).
type Schema []Field

// The types without parameters.
var (
	NULL      = Type{Kind: Null}
	BOOL      = Type{Kind: Bool}
	INT8      = Type{Kind: Int8}
	INT16     = Type{Kind: Int16}
	INT32     = Type{Kind: Int32}
	INT       = Type{Kind: Int64}
	FLOAT32   = Type{Kind: Float32}
	FLOAT     = Type{Kind: Float64}
	STRING    = Type{Kind: String}
	BYTES     = Type{Kind: Bytes}
	DATE      = Type{Kind: Date}
	TIMESTAMP = Type{Kind: Timestamp}
	INTERVAL  = Type{Kind: Interval}
)

// DecimalOf returns DECIMAL(precision, scale), both cut to what 128 bits hold.
func DecimalOf(precision, scale int) Type {
	precision = max(1, min(precision, MaxPrecision))
	return Type{Kind: Decimal, Precision: precision, Scale: max(0, min(scale, precision))}
}

// ListOf returns LIST<elem>.
func ListOf(elem Type) Type { return Type{Kind: List, Elem: &elem} }

// StructOf returns STRUCT<fields…>.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, Fields: fields} }

// Equal reports whether t and u are the same type, names of struct fields included.
func (t Type) Equal(u Type) bool {
	if t.Kind != u.Kind || t.Precision != u.Precision || t.Scale != u.Scale {
		return false
	}
	if t.Kind == List {
		return t.Elem.Equal(*u.Elem)
	}
	return slices.EqualFunc(t.Fields, u.Fields, func(a, b Field) bool {
		return a.Name == b.Name && a.Type.Equal(b.Type)
	})
}

// IsInt reports an integer of any width.
func (t Type) IsInt() bool { return t.Kind >= Int8 && t.Kind <= Int64 }

// IsFloat reports FLOAT or FLOAT32.
func (t Type) IsFloat() bool { return t.Kind == Float32 || t.Kind == Float64 }

// IsNumeric reports a type that arithmetic works on.
func (t Type) IsNumeric() bool { return t.IsInt() || t.IsFloat() || t.Kind == Decimal }

// IsNested reports LIST or STRUCT.
func (t Type) IsNested() bool { return t.Kind == List || t.Kind == Struct }

// IsTemporal reports DATE or TIMESTAMP.
func (t Type) IsTemporal() bool { return t.Kind == Date || t.Kind == Timestamp }

var kindNames = [...]string{
	Null: "NULL", Bool: "BOOL", Int8: "INT8", Int16: "INT16", Int32: "INT32", Int64: "INT",
	Float32: "FLOAT32", Float64: "FLOAT", Decimal: "DECIMAL", String: "STRING", Bytes: "BYTES",
	Date: "DATE", Timestamp: "TIMESTAMP", Interval: "INTERVAL", List: "LIST", Struct: "STRUCT",
}

// String is the type as RQL writes it; Parse reads it back.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", t.Precision, t.Scale)
	case List:
		return "LIST<" + t.Elem.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + " " + f.Type.String()
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">"
	}
	if int(t.Kind) < len(kindNames) {
		return kindNames[t.Kind]
	}
	return "Kind(" + strconv.Itoa(int(t.Kind)) + ")"
}

func quoteName(name string) string {
	plain := name != ""
	for i, r := range name {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
}

// Index returns the position of the only column called name: an exact match
// wins, then one that differs in case. ok is false when there is none;
// ambiguous when several match equally well.
func (s Schema) Index(name string) (i int, ok, ambiguous bool) {
	i = -1
	for _, same := range []func(string) bool{
		func(have string) bool { return have == name },
		func(have string) bool { return strings.EqualFold(have, name) },
	} {
		for j, f := range s {
			if !same(f.Name) {
				continue
			}
			if i >= 0 {
				return i, true, true
			}
			i = j
		}
		if i >= 0 {
			return i, true, false
		}
	}
	return -1, false, false
}

// Equal reports whether both have the same names and types in the same order.
func (s Schema) Equal(o Schema) bool {
	return slices.EqualFunc(s, o, func(a, b Field) bool { return a.Name == b.Name && a.Type.Equal(b.Type) })
}

// Names lists the column names in order.
func (s Schema) Names() []string {
	names := make([]string, len(s))
	for i, f := range s {
		names[i] = f.Name
	}
	return names
}
