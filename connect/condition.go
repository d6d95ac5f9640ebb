package connect

// Condition is a fact that every row a query wants fulfils: column op value.
// A reader may leave out rows that do not fulfil it, which saves reading whole
// row groups whose statistics tell so, and need not. NULL fulfils none but
// IsNull. Several conditions hold together.
type Condition struct {
	Index int // of the column, in Source.Schema
	Op    Comparison
	// Value has the type of the column, as int64 (INT of any width; DATE in
	// days; TIMESTAMP in microseconds), float64 (FLOAT, FLOAT32), bool, string
	// (STRING, BYTES) or decimal128.Num (of the column's scale). It is nil for
	// IsNull and NotNull, and never NaN.
	Value any
}

// Comparison is the operator of a condition.
type Comparison uint8

// The operators. Floats compare as the language does: NaN is the greatest
// number and equals itself, -0.0 equals 0.0; strings by bytes.
const (
	Equal Comparison = iota
	Less
	LessEqual
	Greater
	GreaterEqual
	IsNull
	NotNull
)
