package complete

import (
	"slices"

	"github.com/rainsql/rainsql/parser/lex"
)

// fitsExpr notes what an expression may begin with; not is where NOT may stand.
func (w *walker) fitsExpr(not bool) {
	w.fits(w.exprs)
	if w.exprs&Scalars == 0 {
		return
	}
	w.offer("CASE")
	if not {
		w.offer("NOT")
	}
	w.offer("NULL", "TRUE", "FALSE", "CAST(", "TRY_CAST(", "EXISTS (", "DATE", "TIMESTAMP", "INTERVAL")
}

// expr reads an expression: conditions that AND and OR join.
func (w *walker) expr() {
	w.enter()
	defer w.leave()
	for joined := true; joined; joined = w.take("AND", "OR") != "" {
		for w.take("NOT") != "" {
			continue
		}
		w.sum(true)
		w.comparison()
	}
}

// sum reads operands joined by what binds tighter than a comparison.
func (w *walker) sum(not bool) {
	w.operand(not)
	for w.op("||", "+", "-", "*", "/", "//", "%") {
		w.operand(false)
	}
}

// comparison reads what may follow a sum once, and offers what may follow the whole.
func (w *walker) comparison() {
	if w.exprs&Scalars != 0 {
		w.offer("AND", "OR", "IN", "IS", "LIKE", "BETWEEN", "NOT IN", "NOT LIKE", "NOT BETWEEN")
		w.rarely("ILIKE", "NOT ILIKE")
	}
	if w.op("=", "==", "<>", "!=", "<", "<=", ">", ">=", "~", "!~") {
		w.sum(false)
		w.joins()
		return
	}
	word := w.take("LIKE", "ILIKE", "BETWEEN", "IN", "IS", "NOT")
	if word == "NOT" {
		word = w.need("IN", "LIKE", "ILIKE", "BETWEEN")
	}
	switch word {
	case "":
		return
	case "LIKE", "ILIKE":
		w.sum(false)
	case "BETWEEN":
		w.sum(false)
		w.need("AND")
		w.sum(false)
	case "IN":
		w.in()
	case "IS":
		w.word("NOT")
		if w.phrase("DISTINCT", "FROM") {
			w.sum(false)
		} else {
			w.need("NULL", "TRUE", "FALSE")
		}
	}
	w.joins()
}

// joins offers what may follow a comparison, which takes no other.
func (w *walker) joins() {
	if w.exprs&Scalars != 0 {
		w.offer("AND", "OR")
	}
}

// operand reads a value and what is attached to it.
func (w *walker) operand(not bool) {
	for w.op("-", "+") {
		not = false
	}
	w.fitsExpr(not)
	t := w.peek(0)
	var path []string
	switch t.Type {
	case lex.Number, lex.Unit, lex.String, lex.Param:
		w.at++
	case lex.Ident, lex.Quoted:
		path = w.named()
	case lex.Op:
		w.bracketed(t.Value)
	default:
		w.reserved()
	}
	w.attached(path)
}

// literal reads a value that stands for itself, such as a number of rows.
func (w *walker) literal() { w.within(Params, func() { w.operand(false) }) }

// bracketed reads what begins with a bracket.
func (w *walker) bracketed(bracket string) {
	w.at++
	switch bracket {
	case "(":
		w.rarely("FROM")
		if w.startsPipeline() {
			w.at--
			w.subquery(true)
			return
		}
		w.expr()
		w.needOp(")")
	case "[":
		if !w.op("]") {
			w.list(w.expr)
			w.needOp("]")
		}
	case "{":
		if w.op("}") {
			return
		}
		w.list(func() {
			if w.end() {
				w.fail()
			}
			w.at++ // any word will do as a name, and a string, too
			w.needOp(":")
			w.expr()
		})
		w.needOp("}")
	default:
		w.at--
		w.fail()
	}
}

// reserved reads what begins with a reserved word.
func (w *walker) reserved() {
	switch word := w.take("NULL", "TRUE", "FALSE", "CASE", "CAST", "EXISTS", "LEFT", "RIGHT"); word {
	case "NULL", "TRUE", "FALSE":
	case "CASE":
		w.caseExpr()
	case "CAST":
		w.cast()
	case "EXISTS":
		w.subquery(true)
	case "LEFT", "RIGHT":
		if !isOp(w.peek(0), "(") {
			w.at--
			w.fail()
		}
		w.call(word)
	default:
		w.fail()
	}
}

// named reads what begins with a name. It returns the name if it is one of a
// table or column.
func (w *walker) named() []string {
	t := w.toks[w.at]
	w.at++
	word := wordOf(t)
	if t.Type == lex.Ident && w.peek(0).Type == lex.String {
		switch word {
		case "DATE", "TIMESTAMP":
			w.at++
			return nil
		case "INTERVAL":
			w.at++
			w.offer("SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "YEAR")
			w.take("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND", "MICROSECOND")
			return nil
		}
	}
	if !isOp(w.peek(0), "(") {
		return []string{w.text(t)}
	}
	switch {
	case t.Type == lex.Ident && word == "TRY_CAST":
		w.cast()
	case t.Type == lex.Ident && word == "EXTRACT":
		w.extract()
	default:
		w.call(word)
	}
	return nil
}

// attached reads .name, [i], ::TYPE and AT TIME ZONE behind a value.
func (w *walker) attached(path []string) {
	for {
		switch {
		case w.op("."):
			if w.end() {
				w.want.Qualifier = path
				if path != nil {
					w.fits(w.exprs & Columns)
				}
				w.fail()
			}
			t := w.peek(0)
			if t.Type != lex.Quoted && wordOf(t) == "" {
				w.fail()
			}
			w.at++
			if path != nil {
				path = append(slices.Clone(path), w.text(t))
			}
		case w.op("["):
			w.expr()
			w.needOp("]")
			if path != nil {
				path = append(slices.Clone(path), Element)
			}
		case w.op("::"):
			w.typeName()
			path = nil
		case w.exprs&Scalars != 0 && wordOf(w.peek(0)) == "AT":
			w.at++
			w.rest("TIME", "ZONE")
			if w.end() {
				w.fits(Values)
				w.want.Option = Zone
			}
			w.operand(false)
			return
		default:
			if w.exprs&Scalars != 0 {
				w.rarely("AT TIME ZONE")
			}
			return
		}
	}
}

// in reads (list) or (pipeline).
func (w *walker) in() {
	w.needOp("(")
	w.offer("FROM")
	if w.startsPipeline() {
		w.pipeline(pipelineUse{sees: true})
	} else {
		w.list(w.expr)
	}
	w.needOp(")")
}

func (w *walker) caseExpr() {
	w.offer("WHEN")
	if w.take("WHEN") == "" {
		w.expr()
		w.need("WHEN")
	}
	for next := "WHEN"; next != "END"; {
		switch next {
		case "WHEN":
			w.expr()
			w.need("THEN")
			w.expr()
			next = w.need("WHEN", "ELSE", "END")
		default:
			w.expr()
			next = w.need("END")
		}
	}
}

func (w *walker) cast() {
	w.needOp("(")
	w.expr()
	w.need("AS")
	w.typeName()
	w.needOp(")")
}
