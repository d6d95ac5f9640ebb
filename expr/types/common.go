package types

// Common returns the narrowest type that both a and b convert to without loss
// of meaning, as operands of one operator, branches of a CASE and columns of a
// set operation need it. ok is false where there is none (INT and STRING).
//
// Integers of different widths meet in INT; an integer with a DECIMAL in a
// DECIMAL wide enough for both (up to 38 digits); any number with a FLOAT in
// FLOAT; DATE with TIMESTAMP in TIMESTAMP; NULL in anything.
func Common(a, b Type) (t Type, ok bool) {
	switch {
	case a.Equal(b):
		return a, true
	case a.Kind == Null:
		return b, true
	case b.Kind == Null:
		return a, true
	case a.IsNumeric() && b.IsNumeric():
		return commonNumber(a, b), true
	case a.IsTemporal() && b.IsTemporal():
		return TIMESTAMP, true
	case a.Kind == List && b.Kind == List:
		elem, ok := Common(*a.Elem, *b.Elem)
		return ListOf(elem), ok
	case a.Kind == Struct && b.Kind == Struct && len(a.Fields) == len(b.Fields):
		fields := make([]Field, len(a.Fields))
		for i, f := range a.Fields {
			t, ok := Common(f.Type, b.Fields[i].Type)
			if !ok || f.Name != b.Fields[i].Name {
				return Type{}, false
			}
			fields[i] = Field{Name: f.Name, Type: t}
		}
		return StructOf(fields...), true
	}
	return Type{}, false
}

func commonNumber(a, b Type) Type {
	switch {
	case a.IsInt() && b.IsInt():
		if a.Kind > b.Kind {
			return a
		}
		return b
	case a.IsFloat() || b.IsFloat():
		if a.Kind == Float32 && b.Kind == Float32 {
			return FLOAT32
		}
		return FLOAT
	}
	a, b = AsDecimal(a), AsDecimal(b)
	scale := max(a.Scale, b.Scale)
	return DecimalOf(max(a.Precision-a.Scale, b.Precision-b.Scale)+scale, scale)
}

// AsDecimal returns the DECIMAL that holds every value of the integer type t;
// a DECIMAL is returned as it is.
func AsDecimal(t Type) Type {
	switch t.Kind {
	case Int8:
		return DecimalOf(3, 0)
	case Int16:
		return DecimalOf(5, 0)
	case Int32:
		return DecimalOf(10, 0)
	case Int64:
		return DecimalOf(19, 0)
	}
	return t
}
