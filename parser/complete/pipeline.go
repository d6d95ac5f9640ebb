package complete

import (
	"slices"

	"github.com/rainsql/rainsql/parser/lex"
)

// verbs are what may follow in a pipeline, in the order in which they are offered.
var verbs = []Word{
	{Text: "FILTER"}, {Text: "TRANSFORM"}, {Text: "EXTEND"}, {Text: "SET"}, {Text: "DROP"}, {Text: "RENAME"},
	{Text: "AGGREGATE"}, {Text: "JOIN"}, {Text: "LEFT JOIN"}, {Text: "RIGHT JOIN"}, {Text: "FULL JOIN"},
	{Text: "SEMI JOIN"}, {Text: "ANTI JOIN"}, {Text: "CROSS JOIN"}, {Text: "DISTINCT"}, {Text: "SORT"}, {Text: "LIMIT"},
	{Text: "UNION"}, {Text: "INTERSECT"}, {Text: "EXCEPT"}, {Text: "UNNEST"}, {Text: "TEE INTO"}, {Text: "AS"}, {Text: "INTO"},
	{Text: "WHERE", Rarely: true}, {Text: "SELECT", Rarely: true}, {Text: "GROUP BY", Rarely: true},
	{Text: "ORDER BY", Rarely: true}, {Text: "INNER JOIN", Rarely: true},
}

// beginners are the words that begin a verb.
var beginners = map[string]bool{
	"FILTER": true, "WHERE": true, "TRANSFORM": true, "SELECT": true, "EXTEND": true, "SET": true, "DROP": true,
	"RENAME": true, "AGGREGATE": true, "GROUP": true, "INNER": true, "LEFT": true, "RIGHT": true, "FULL": true,
	"SEMI": true, "ANTI": true, "CROSS": true, "JOIN": true, "DISTINCT": true, "SORT": true, "ORDER": true,
	"LIMIT": true, "UNION": true, "INTERSECT": true, "EXCEPT": true, "UNNEST": true, "TEE": true, "AS": true, "INTO": true,
}

// pipelineUse is where a pipeline stands.
type pipelineUse struct {
	top  bool // it is the statement's own, and may end with INTO
	sees bool // see Pipeline.Sees
}

// subquery reads ( pipeline ).
func (w *walker) subquery(sees bool) {
	w.offer("(FROM")
	w.needOp("(")
	w.pipeline(pipelineUse{sees: sees})
	w.needOp(")")
}

// startsPipeline reports whether the next token begins a pipeline.
func (w *walker) startsPipeline() bool {
	switch lex.WordOf(w.peek(0)) {
	case "FROM", "TRANSFORM", "SELECT":
		return true
	}
	return false
}

// pipeline reads a source and its verbs.
func (w *walker) pipeline(use pipelineUse) {
	w.enter()
	defer w.leave()
	begin := w.peek(0).Pos.Offset
	p := &Pipeline{From: begin, To: begin, Starts: []int{begin}, Sees: use.sees}
	w.open = append(w.open, p)
	level := len(w.open)
	if w.end() {
		w.want.Words = append(w.want.Words, Word{Text: "FROM", Verb: true}, Word{Text: "TRANSFORM", Verb: true}, Word{Text: "SELECT", Verb: true, Rarely: true})
		w.fail()
	}
	if !w.startsPipeline() {
		w.fail()
	}
	if w.take("FROM") != "" {
		w.guarded(level, func() { w.source(p) })
		w.last = "FROM"
	} else {
		p.Starts = nil // its first verb will be the first
	}
	for !w.end() && !isOp(w.peek(0), ")") {
		w.guarded(level, func() { w.verb(p) })
	}
	if w.end() {
		w.offerVerbs(use)
	}
	w.open = w.open[:level-1]
}

// offerVerbs notes the verbs that may come next.
func (w *walker) offerVerbs(use pipelineUse) {
	if w.last == "INTO" { // which ends a pipeline
		return
	}
	for _, v := range verbs {
		if v.Text == "INTO" && !use.top {
			continue
		}
		v.Verb = true
		w.want.Words = append(w.want.Words, v)
	}
}

// guarded reads a source or a verb. What does not belong there is passed over
// up to the next verb; with no verb behind it, anything may be meant.
func (w *walker) guarded(level int, part func()) {
	begin, depth, exprs := w.at, w.depth, w.exprs
	defer func() {
		switch r := recover(); r.(type) {
		case nil:
		case stray:
			w.open, w.depth, w.exprs = w.open[:level], depth, exprs
			w.at = max(w.at, begin+1) // so that the walk goes on whatever stands here
			w.skip()
		default:
			panic(r)
		}
	}()
	part()
}

// skip moves to the next verb outside the parentheses that open on the way, or
// to the parenthesis that ends the pipeline.
func (w *walker) skip() {
	open := 0
	for !w.end() {
		t := w.peek(0)
		switch {
		case isOp(t, "("):
			w.at++
			if w.startsPipeline() {
				w.pipeline(pipelineUse{sees: true})
				continue
			}
			open++
			continue
		case isOp(t, ")"):
			if open == 0 {
				return
			}
			open--
		case open <= 0 && w.isVerb(), isOp(t, "|>"), isOp(t, "|"):
			return
		}
		w.at++
	}
	w.within(Columns|Scalars|Params, func() { w.fitsExpr(true) })
	w.offerVerbs(pipelineUse{top: true})
	panic(stop{})
}

// isVerb reports whether the next token begins a verb, not left( and not an AS
// that may as well belong to what is passed over.
func (w *walker) isVerb() bool {
	switch word := lex.WordOf(w.peek(0)); word {
	case "LEFT", "RIGHT":
		return !isOp(w.peek(1), "(")
	case "AS":
		return false
	default:
		return beginners[word]
	}
}

// source reads what FROM and JOIN read. own is the pipeline whose source it is, or nil.
func (w *walker) source(own *Pipeline) {
	w.fits(Sources | Files | Params)
	soFar := func() {
		if own != nil {
			own.To, own.Close = w.peek(0).Pos.Offset, false
		}
	}
	switch t := w.peek(0); {
	case t.Type == lex.String, t.Type == lex.Param:
		w.at++
		soFar()
		if isOp(w.peek(0), "(") {
			w.options(OfSource, own)
		}
	case isOp(t, "("):
		w.subquery(false)
	case t.Type == lex.Ident, t.Type == lex.Quoted:
		w.at++
		if w.op(".") {
			w.name(0)
		}
		if w.op("(") && !w.op(")") {
			w.within(Params, func() { w.list(w.argument) })
			w.needOp(")")
		}
	default:
		w.fail()
	}
	soFar()
	w.rarely("FOLLOW", "EVENT TIME")
	w.take("FOLLOW")
	soFar()
	if w.take("EVENT") != "" {
		w.eventTime(own)
	}
	if own == nil { // elsewhere AS is offered as a verb
		w.offer("AS")
	}
	if w.take("AS") != "" {
		w.name(0)
	}
}

// argument reads one of a table function's.
func (w *walker) argument() {
	if isOp(w.peek(1), "=") {
		w.name(0)
		w.at++
	}
	w.expr()
}

func (w *walker) eventTime(own *Pipeline) {
	w.rest("TIME")
	columns := Columns
	if own == nil {
		columns = 0
	}
	w.name(columns)
	if w.word("WATERMARK") != "" {
		w.literal()
	}
	if w.word("IDLE") != "" {
		w.literal()
	}
	if w.word("LATE") != "" {
		w.need("INTO")
		w.sink()
	}
}

// sink reads what INTO writes.
func (w *walker) sink() {
	w.path(Targets)
	if isOp(w.peek(0), "(") {
		w.options(OfSink, nil)
	}
}

// began notes that the verb at hand begins here.
func (p *Pipeline) began(offset int) {
	if !slices.Contains(p.Starts, offset) {
		p.Starts = append(p.Starts, offset)
	}
	p.To, p.Join, p.Close = offset, false, false
}
