package complete

import (
	"slices"

	"github.com/rainsql/rainsql/parser/lex"
)

// ofParts are functions whose first argument names a part of a date.
var ofParts = []string{"DATE_TRUNC", "DATETRUNC", "DATE_PART", "DATEPART", "DATE_DIFF", "DATEDIFF", "DATE_SUB", "DATESUB"}

// extract reads extract(part FROM x), or an ordinary call.
func (w *walker) extract() {
	if lex.WordOf(w.peek(2)) == "FROM" {
		w.at += 3
		w.expr()
		w.needOp(")")
		return
	}
	if w.at+1 == len(w.toks) {
		w.at++
		w.fits(DateParts)
		w.fail()
	}
	if t := w.peek(1); w.at+2 == len(w.toks) && (t.Type == lex.Ident || t.Type == lex.String) {
		w.at += 2
		w.offer("FROM")
		w.fail()
	}
	w.call("EXTRACT")
}

// call reads the arguments of a function, and its clauses.
func (w *walker) call(function string) {
	w.needOp("(")
	if w.end() && slices.Contains(ofParts, function) {
		w.fits(Values)
		w.want.Option = DatePart
	}
	grouping := w.exprs&(Aggregates|Windows) != 0
	switch {
	case w.op("*"), isOp(w.peek(0), ")"):
	default:
		if grouping {
			w.offer("DISTINCT")
		}
		w.take("DISTINCT")
		w.list(w.expr)
		if grouping {
			w.offer("ORDER BY")
		}
		if w.take("ORDER") != "" {
			w.rest("BY")
			w.sortKeys()
		}
	}
	w.needOp(")")
	if lex.WordOf(w.peek(0)) == "FILTER" && isOp(w.peek(1), "(") && (w.at+2 == len(w.toks) || lex.WordOf(w.peek(2)) == "WHERE") {
		w.filterClause(grouping)
	}
	if w.exprs&Windows != 0 {
		w.offer("OVER")
	} else {
		w.rarely("OVER")
	}
	if w.take("OVER") != "" {
		w.over()
	}
}

// filterClause reads FILTER (WHERE …) of an aggregate. Up to the parenthesis it
// may as well be the verb.
func (w *walker) filterClause(grouping bool) {
	w.at += 2
	if w.end() && !grouping {
		w.at -= 2
		return
	}
	w.offer("WHERE")
	if w.end() {
		w.within(ofRows, func() { w.fitsExpr(true) })
		w.fail()
	}
	w.at++
	w.within(ofRows, w.expr)
	w.needOp(")")
}

func (w *walker) over() {
	w.needOp("(")
	if w.phrase("PARTITION", "BY") {
		w.list(w.expr)
	}
	if w.phrase("ORDER", "BY") {
		w.sortKeys()
	}
	w.offer("ROWS", "RANGE")
	w.rarely("GROUPS")
	if w.take("ROWS", "RANGE", "GROUPS") != "" {
		if w.word("BETWEEN") != "" {
			w.bound()
			w.need("AND")
		}
		w.bound()
	}
	w.needOp(")")
}

// bound reads one end of a frame.
func (w *walker) bound() {
	w.offer("UNBOUNDED PRECEDING", "CURRENT ROW", "UNBOUNDED FOLLOWING")
	switch w.take("UNBOUNDED", "CURRENT") {
	case "CURRENT":
		w.rest("ROW")
	case "UNBOUNDED":
		w.need("PRECEDING", "FOLLOWING")
	default:
		w.literal()
		w.need("PRECEDING", "FOLLOWING")
	}
}
