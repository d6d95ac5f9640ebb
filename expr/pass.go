package expr

import (
	"fmt"

	"github.com/rainsql/rainsql/expr/types"
)

// Pass converts an expression to a type as an argument is converted to that of
// its parameter: unasked only where nothing is lost, and a string literal to
// whatever it reads as. The error says what does not fit.
func Pass(e Expr, t types.Type) (Expr, error) {
	if _, ok := conversion(e, t); !ok {
		return nil, fmt.Errorf("%s is wanted, and this is %s", t, e.Type())
	}
	return coerce(e, t)
}
