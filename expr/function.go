package expr

import (
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
)

// Function describes an entry of the function table, for SHOW FUNCTIONS,
// completion and the reference.
type Function struct {
	Name        string   // canonical; operators are named by their sign
	Aliases     []string // other names that mean the same
	Category    string   // operator, text, number, date, conditional, list, json, other, aggregate
	Signatures  []string // "STRING, INT -> STRING"; T is any one type, … repeats the last
	Description string   // one line, without a full stop
	Example     string   // an expression without columns
	Result      string   // what Example gives, as text
	CanFail     bool     // some values are errors
	Volatile    bool     // two calls with the same arguments may differ
	Aggregate   bool     // see NewAgg
}

// entry is a function with what runs it.
type entry struct {
	Function
	overloads []overload
	lazy      bool // evaluates its arguments itself, row by row as they are needed
	stable    bool // constant within a query, yet not before it
}

// overload is one signature of a function.
type overload struct {
	sig      string
	params   []param
	variadic bool // the last parameter may be repeated
	result   param
	typeOf   func(args []types.Type) (types.Type, error) // in place of result where it must compute
	typeWith func(args []Expr) (types.Type, error)       // where it depends on constants, too
	check    func(args []Expr) (at int, err error)       // looks at constant arguments before anything runs
	run      kernel
	fails    bool
	nulls    bool // sees NULL arguments; otherwise any NULL gives NULL
}

// kernel evaluates a function over a batch. It returns a column of c.n rows
// that its caller owns. An error about one row is a *RowError whose Row counts
// within the batch of the call.
type kernel func(c *call) (arrow.Array, error)

// param is the type of one parameter, or a pattern of types.
type param struct {
	kind paramKind
	t    types.Type
}

type paramKind uint8

const (
	exactly    paramKind = iota
	anything             // any type at all
	same                 // T: the common type of all parameters that say so
	anyDecimal           // DECIMAL of any precision and scale
	listOfSame           // LIST<T>
	anyStruct            // STRUCT of any fields
)

func fn(name, description, example, result string) *entry {
	return &entry{Function: Function{Name: name, Description: description, Example: example, Result: result}}
}

func (e *entry) alias(names ...string) *entry {
	e.Aliases = append(e.Aliases, names...)
	return e
}

// on adds an overload that cannot fail.
func (e *entry) on(sig string, run kernel) *entry { return e.add(overload{sig: sig, run: run}) }

// onFail adds an overload that fails for some values.
func (e *entry) onFail(sig string, run kernel) *entry {
	return e.add(overload{sig: sig, run: run, fails: true})
}

// onNulls adds an overload whose kernel deals with NULL arguments itself.
func (e *entry) onNulls(sig string, run kernel) *entry {
	return e.add(overload{sig: sig, run: run, nulls: true})
}

// onType adds an overload whose result type is computed.
func (e *entry) onType(sig string, typeOf func([]types.Type) (types.Type, error), fails bool, run kernel) *entry {
	return e.add(overload{sig: sig, run: run, typeOf: typeOf, fails: fails})
}

// typing gives the last overload a result type that depends on its arguments.
func (e *entry) typing(f func(args []Expr) (types.Type, error)) *entry {
	e.overloads[len(e.overloads)-1].typeWith = f
	return e
}

// checking adds to the last overload a test of its constant arguments.
func (e *entry) checking(f func(args []Expr) (at int, err error)) *entry {
	e.overloads[len(e.overloads)-1].check = f
	return e
}

func (e *entry) add(o overload) *entry {
	left, right, _ := strings.Cut(o.sig, "->")
	left = strings.TrimSpace(left)
	if rest, ok := strings.CutSuffix(left, "…"); ok {
		left, o.variadic = rest, true
	}
	if left != "" {
		for p := range strings.SplitSeq(left, ", ") {
			o.params = append(o.params, parseParam(p))
		}
	}
	o.result = parseParam(strings.TrimSpace(right))
	e.overloads = append(e.overloads, o)
	e.Signatures = append(e.Signatures, o.sig)
	e.CanFail = e.CanFail || o.fails
	return e
}

func parseParam(text string) param {
	switch text {
	case "any":
		return param{kind: anything}
	case "T":
		return param{kind: same}
	case "DECIMAL":
		return param{kind: anyDecimal}
	case "LIST<T>":
		return param{kind: listOfSame}
	case "STRUCT":
		return param{kind: anyStruct}
	}
	t, err := types.Parse(text)
	if err != nil {
		panic("function table: " + err.Error()) // a fault of the table, found by any test
	}
	return param{t: t}
}

func (p param) String() string {
	switch p.kind {
	case anything:
		return "any"
	case same:
		return "T"
	case anyDecimal:
		return "DECIMAL"
	case listOfSame:
		return "LIST<T>"
	case anyStruct:
		return "STRUCT"
	}
	return p.t.String()
}

// table holds every scalar function by canonical name and alias, in lower case.
func table() map[string]*entry { return loadTable() }

var loadTable func() map[string]*entry

// Set here and not where it is declared, since some functions of the table look
// others up.
func init() { loadTable = sync.OnceValue(makeTable) }

func makeTable() map[string]*entry {
	all := map[string]*entry{}
	for _, group := range []struct {
		category string
		entries  []*entry
	}{
		{"operator", operators()},
		{"text", textFunctions()},
		{"text", regexpFunctions()},
		{"number", numberFunctions()},
		{"number", bitFunctions()},
		{"date", dateFunctions()},
		{"date", dateFormatFunctions()},
		{"date", zoneFunctions()},
		{"date", intervalFunctions()},
		{"conditional", conditionalFunctions()},
		{"list", listFunctions()},
		{"list", listOrderFunctions()},
		{"list", listSetFunctions()},
		{"list", listAggregateFunctions()},
		{"list", seriesFunctions()},
		{"list", structFunctions()},
		{"json", jsonFunctions()},
		{"other", otherFunctions()},
	} {
		for _, e := range group.entries {
			e.Category = group.category
			all[e.Name] = e
			for _, a := range e.Aliases {
				all[a] = e
			}
		}
	}
	return all
}

// lookup finds a function by any of its names, in any case.
func lookup(name string) (*entry, bool) {
	if e, ok := table()[name]; ok {
		return e, true
	}
	e, ok := table()[strings.ToLower(name)]
	return e, ok
}

// Functions lists the scalar and the aggregate functions by name. The slice is
// the caller's.
func Functions() []Function {
	var out []Function
	for name, e := range table() {
		if name == e.Name {
			out = append(out, e.Function)
		}
	}
	for name, a := range aggregates() {
		if name == a.Name {
			out = append(out, a.Function)
		}
	}
	slices.SortFunc(out, func(a, b Function) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// IsAggregate reports whether name is an aggregate function.
func IsAggregate(name string) bool {
	_, ok := aggregates()[strings.ToLower(name)]
	return ok
}
