package complete

import "github.com/rainsql/rainsql/parser/lex"

// What expressions may hold: of rows alone, with windows over them, of groups, of their keys.
const (
	ofRows    = Columns | Tables | Scalars | Macros | Params
	ofWindows = ofRows | Aggregates | Windows
	ofGroups  = ofRows | Aggregates
	ofKeys    = ofRows | EventWindows
)

// verb reads one verb of a pipeline.
func (w *walker) verb(p *Pipeline) {
	offset := w.peek(0).Pos.Offset
	if w.op("|>", "|") && w.end() {
		w.offerVerbs(pipelineUse{top: len(w.open) == 1})
		w.fail()
	}
	p.began(offset)
	word := lex.WordOf(w.peek(0))
	w.at++
	switch word {
	case "FILTER", "WHERE":
		w.within(ofWindows, w.expr)
	case "TRANSFORM", "SELECT":
		w.transform()
	case "EXTEND":
		w.within(ofWindows, w.items)
	case "SET":
		w.within(ofWindows, func() { w.list(w.assign) })
	case "DROP":
		w.list(func() { w.name(Columns) })
	case "RENAME":
		w.list(func() {
			w.name(Columns)
			w.need("AS")
			w.name(0)
		})
	case "AGGREGATE":
		w.aggregate()
	case "GROUP":
		w.rest("BY")
		w.within(ofKeys, w.items)
		w.emit()
	case "INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "CROSS":
		w.rarely("OUTER")
		w.take("OUTER")
		w.need("JOIN")
		w.join(p, word == "CROSS")
	case "JOIN":
		w.join(p, false)
	case "DISTINCT":
		if w.word("ON") != "" {
			w.within(ofWindows, func() { w.inParens(w.expr) })
		}
	case "SORT":
		w.within(ofWindows, w.sortKeys)
	case "ORDER":
		w.rest("BY")
		w.within(ofWindows, w.sortKeys)
	case "LIMIT":
		w.literal()
		if w.word("OFFSET") != "" {
			w.literal()
		}
	case "UNION", "INTERSECT", "EXCEPT":
		w.word("ALL", "DISTINCT")
		w.list(func() { w.subquery(false) })
	case "UNNEST":
		w.within(ofWindows, w.expr)
		w.alias()
	case "TEE":
		w.need("INTO")
		w.sink()
	case "INTO":
		w.sink()
	case "AS":
		w.name(0)
	default:
		w.at--
		w.fail()
	}
	w.last = word
}

func (w *walker) transform() {
	if w.take("USING") != "" {
		w.rest("EXEC")
		w.path(Programs)
		if w.word("ARGS") != "" {
			w.needOp("(")
			if !w.op(")") {
				w.within(Params, func() { w.list(w.expr) })
				w.needOp(")")
			}
		}
		if isOp(w.peek(0), "(") {
			w.options(OfProgram, nil)
		}
		return
	}
	w.rarely("USING EXEC")
	w.word("DISTINCT")
	w.within(ofWindows, w.items)
}

// items reads what TRANSFORM, EXTEND and AGGREGATE compute.
func (w *walker) items() { w.list(w.item) }

func (w *walker) item() {
	if star := isOp(w.peek(0), "*"); star || isOp(w.peek(1), ".") && isOp(w.peek(2), "*") {
		w.at++
		if !star {
			w.at += 2
		}
		w.star()
		return
	}
	w.expr()
	w.alias()
}

func (w *walker) alias() {
	if w.word("AS") != "" {
		w.name(0)
	}
}

// star reads what follows *. EXCEPT before a pipeline is a verb.
func (w *walker) star() {
	w.offer("EXCEPT", "REPLACE")
	if lex.WordOf(w.peek(0)) == "EXCEPT" && isOp(w.peek(1), "(") {
		w.at += 2
		w.rarely("FROM")
		verb := w.startsPipeline()
		w.at -= 2
		if verb {
			return
		}
		w.at++
		w.inParens(func() { w.name(Columns) })
	}
	if w.word("REPLACE") != "" {
		w.inParens(func() {
			w.expr()
			w.need("AS")
			w.name(Columns)
		})
	}
}

func (w *walker) assign() {
	w.name(Columns)
	w.needOp("=")
	w.expr()
}

// aggregate reads what follows AGGREGATE: items, keys, or both.
func (w *walker) aggregate() {
	w.offer("BY")
	if word := lex.WordOf(w.peek(0)); word != "BY" && word != "GROUP" {
		w.within(ofGroups, w.items)
	}
	w.rarely("GROUP BY")
	if w.take("GROUP") != "" {
		w.rest("BY")
	} else if w.word("BY") == "" {
		w.emit()
		return
	}
	w.within(ofKeys, w.items)
	w.emit()
}

func (w *walker) emit() {
	w.rarely("EMIT ON CLOSE", "EMIT ON CHANGE", "EMIT EVERY")
	if w.take("EMIT") == "" {
		return
	}
	if w.word("ON") != "" {
		w.need("CLOSE", "CHANGE")
		return
	}
	w.need("EVERY")
	w.literal()
}

func (w *walker) join(p *Pipeline, cross bool) {
	w.source(nil)
	if !cross {
		w.condition(p)
	}
	w.rarely("WITHIN")
	if w.take("WITHIN") != "" {
		w.literal()
	}
}

// condition reads ON or USING, which see the columns of both sides.
func (w *walker) condition(p *Pipeline) {
	to := w.peek(0).Pos.Offset
	both := func() { p.To, p.Join = to, true }
	switch w.word("ON", "USING") {
	case "ON":
		both()
		w.within(ofRows, w.expr)
	case "USING":
		both()
		w.inParens(func() { w.name(Columns | Common) })
	default:
		if w.end() { // one of them must be
			w.fail()
		}
	}
}

// sortKeys reads what SORT and ORDER BY order by.
func (w *walker) sortKeys() {
	w.list(func() {
		w.expr()
		w.offer("DESC")
		w.rarely("ASC")
		w.take("ASC", "DESC")
		if !w.end() && wordOf(w.peek(0)) == "NULLS" {
			w.at++
			w.need("LAST", "FIRST")
			return
		}
		w.offer("NULLS FIRST")
		w.rarely("NULLS LAST")
	})
}
