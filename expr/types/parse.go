package types

import (
	"fmt"
	"slices"
	"strings"
)

// synonyms maps SQL's usual names to ours.
var synonyms = map[string]Type{
	"NULL": NULL, "BOOL": BOOL, "BOOLEAN": BOOL, "LOGICAL": BOOL,
	"INT8": INT8, "TINYINT": INT8, "INT16": INT16, "SMALLINT": INT16, "INT32": INT32,
	"INT": INT, "INTEGER": INT, "INT64": INT, "BIGINT": INT, "LONG": INT,
	"FLOAT32": FLOAT32, "REAL": FLOAT32, "FLOAT": FLOAT, "FLOAT64": FLOAT, "DOUBLE": FLOAT,
	"DECIMAL": DecimalOf(18, 3), "NUMERIC": DecimalOf(18, 3),
	"STRING": STRING, "VARCHAR": STRING, "TEXT": STRING, "CHAR": STRING, "BPCHAR": STRING,
	"BYTES": BYTES, "BLOB": BYTES, "BYTEA": BYTES, "BINARY": BYTES, "VARBINARY": BYTES,
	"DATE": DATE, "TIMESTAMP": TIMESTAMP, "DATETIME": TIMESTAMP, "TIMESTAMPTZ": TIMESTAMP,
	"INTERVAL": INTERVAL,
}

// Names lists every plain type name that Parse knows, for suggestions.
func Names() []string {
	names := make([]string, 0, len(synonyms)+2)
	for n := range synonyms {
		names = append(names, n)
	}
	names = append(names, "LIST", "STRUCT")
	slices.Sort(names)
	return names
}

// maxTypeDepth bounds nesting, so that hostile text cannot exhaust the stack.
const maxTypeDepth = 100

// Parse reads a type as String writes it, in any case and with SQL's synonyms:
// INT, DECIMAL(18,3), VARCHAR(20) (the length is ignored, as in DuckDB),
// LIST<INT>, INT[], STRUCT<a INT, "b c" STRING>.
func Parse(text string) (Type, error) {
	p := typeParser{rest: text}
	t, err := p.parse(0)
	if err == nil && p.space() != "" {
		err = fmt.Errorf("unexpected %q after the type", p.rest)
	}
	if err != nil {
		return Type{}, fmt.Errorf("not a type: %q: %w", text, err)
	}
	return t, nil
}

type typeParser struct{ rest string }

func (p *typeParser) space() string {
	p.rest = strings.TrimLeft(p.rest, " \t\r\n")
	return p.rest
}

func (p *typeParser) accept(tok string) bool {
	if strings.HasPrefix(p.space(), tok) {
		p.rest = p.rest[len(tok):]
		return true
	}
	return false
}

func (p *typeParser) word() string {
	p.space()
	if strings.HasPrefix(p.rest, `"`) {
		for i := 1; i < len(p.rest); i++ {
			if p.rest[i] != '"' {
				continue
			}
			if i+1 < len(p.rest) && p.rest[i+1] == '"' {
				i++
				continue
			}
			w := strings.ReplaceAll(p.rest[1:i], `""`, `"`)
			p.rest = p.rest[i+1:]
			return w
		}
		return ""
	}
	n := strings.IndexFunc(p.rest, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	})
	if n < 0 {
		n = len(p.rest)
	}
	w := p.rest[:n]
	p.rest = p.rest[n:]
	return w
}

func (p *typeParser) number() (int, error) {
	w := p.word()
	n := 0
	for _, r := range w {
		if r < '0' || r > '9' || n > 1<<20 {
			return 0, fmt.Errorf("%q is not a number", w)
		}
		n = n*10 + int(r-'0')
	}
	if w == "" {
		return 0, fmt.Errorf("a number is missing")
	}
	return n, nil
}

func (p *typeParser) parse(depth int) (Type, error) {
	if depth > maxTypeDepth {
		return Type{}, fmt.Errorf("nested deeper than %d", maxTypeDepth)
	}
	t, err := p.base(depth)
	for err == nil && p.accept("[") {
		if !p.accept("]") {
			return Type{}, fmt.Errorf("expected ] after [")
		}
		t = ListOf(t)
	}
	return t, err
}

func (p *typeParser) base(depth int) (Type, error) {
	name := strings.ToUpper(p.word())
	switch {
	case name == "LIST" && p.accept("<"):
		elem, err := p.parse(depth + 1)
		if err == nil && !p.accept(">") {
			err = fmt.Errorf("expected > after LIST<%s", elem)
		}
		return ListOf(elem), err
	case name == "STRUCT" && p.accept("<"):
		return p.fields(depth)
	}
	t, ok := synonyms[name]
	if !ok {
		return Type{}, fmt.Errorf("unknown type name %q", name)
	}
	if !p.accept("(") {
		return t, nil
	}
	n, err := p.number()
	if err != nil {
		return Type{}, err
	}
	scale := 0
	if p.accept(",") {
		if scale, err = p.number(); err != nil {
			return Type{}, err
		}
	}
	if !p.accept(")") {
		return Type{}, fmt.Errorf("expected ) after %s(", name)
	}
	switch t.Kind {
	case Decimal:
		if n < 1 || n > MaxPrecision || scale > n {
			return Type{}, fmt.Errorf("DECIMAL(%d,%d): precision is 1 to %d, scale 0 to precision", n, scale, MaxPrecision)
		}
		return DecimalOf(n, scale), nil
	case String:
		return t, nil
	}
	return Type{}, fmt.Errorf("%s takes no parameters", name)
}

func (p *typeParser) fields(depth int) (Type, error) {
	var fields []Field
	for !p.accept(">") {
		if len(fields) > 0 && !p.accept(",") {
			return Type{}, fmt.Errorf("expected , or > in STRUCT<…")
		}
		name := p.word()
		if name == "" {
			return Type{}, fmt.Errorf("a field name is missing in STRUCT<…")
		}
		p.accept(":")
		t, err := p.parse(depth + 1)
		if err != nil {
			return Type{}, err
		}
		fields = append(fields, Field{Name: name, Type: t})
	}
	return StructOf(fields...), nil
}

// MarshalText is String, so that plans carry types as users write them.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText is Parse.
func (t *Type) UnmarshalText(text []byte) error {
	u, err := Parse(string(text))
	*t = u
	return err
}
