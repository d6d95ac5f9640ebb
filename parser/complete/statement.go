package complete

import (
	"strings"

	"github.com/rainsql/rainsql/parser/lex"
)

// begins are the words with which a statement begins.
var begins = []string{"FROM", "LET", "SET", "EXPLAIN", "DESCRIBE", "SUMMARIZE", "SHOW", "CREATE FUNCTION", "DROP FUNCTION", "TRANSFORM"}

// statement reads a statement from its first word.
func (w *walker) statement() {
	if w.end() {
		for _, text := range begins {
			w.want.Words = append(w.want.Words, Word{Text: text, Verb: true})
		}
		w.want.Words = append(w.want.Words, Word{Text: "SELECT", Verb: true, Rarely: true})
		return
	}
	switch wordOf(w.peek(0)) {
	case "LET":
		w.at++
		w.name(0)
		w.needOp("=")
		w.subquery(false)
	case "SET":
		w.at++
		w.want.Option = strings.ToLower(w.name(Settings))
		w.needOp("=")
		w.value(OfSetting)
	case "EXPLAIN":
		w.at++
		w.word("ANALYZE")
		if isOp(w.peek(0), "(") {
			w.options(OfExplain, nil)
		}
		w.pipeline(pipelineUse{top: true})
	case "DESCRIBE", "DESC", "SUMMARIZE":
		w.at++
		w.word("FROM")
		w.source(nil)
	case "SHOW":
		w.at++
		w.need("FILES", "FUNCTIONS", "SETTINGS")
	case "CREATE":
		w.at++
		w.create()
	case "DROP":
		w.at++
		w.need("FUNCTION")
		w.name(Macros)
	default:
		w.pipeline(pipelineUse{top: true})
	}
}

// create reads what follows CREATE.
func (w *walker) create() {
	w.offer("FUNCTION")
	switch w.take("FUNCTION", "SOURCE", "JOB") {
	case "FUNCTION":
		w.name(0)
		w.needOp("(")
		if !w.op(")") {
			w.list(func() {
				w.want.Arguments = append(w.want.Arguments, w.name(0))
				w.typeName()
			})
			w.needOp(")")
		}
		w.needOp("=")
		w.within(Columns|Scalars|Macros|Params, w.expr)
	case "SOURCE":
		w.name(0)
		w.need("FROM")
		w.source(nil)
	case "JOB":
		w.name(0)
		if w.take("FROM") != "" {
			w.need("SAVEPOINT")
			w.path(0)
		}
		w.need("AS")
		w.pipeline(pipelineUse{top: true})
	default:
		w.fail()
	}
}

// options reads (name = value, …). own is the pipeline whose source they belong to, or nil.
func (w *walker) options(use Use, own *Pipeline) {
	before := w.peek(0).Pos.Offset
	w.inParens(func() {
		first := isOp(w.peek(-1), "(")
		if own != nil && strings.EqualFold(w.peek(0).Value, "columns") {
			// What is said of the file before its columns tells how to find them.
			own.To, own.Close = before, false
			if !first {
				own.To, own.Close = w.peek(-1).Pos.Offset, true
			}
		}
		w.want.Use, w.want.Option = use, ""
		w.fits(Options)
		if w.end() {
			w.fail()
		}
		if wordOf(w.peek(0)) == "NULL" {
			w.at++
			w.want.Option = "null"
		} else {
			w.want.Option = strings.ToLower(w.name(0))
		}
		w.needOp("=")
		w.value(use)
	})
}

// value reads what an option is set to.
func (w *walker) value(use Use) {
	w.want.Use = use
	if w.want.Option == "columns" && isOp(w.peek(0), "(") {
		w.inParens(func() {
			w.name(Columns)
			w.typeName()
		})
		return
	}
	w.fits(Values | Params)
	if w.end() {
		w.fail()
	}
	if w.op("-") && w.end() {
		w.fail()
	}
	if w.peek(0).Type == lex.Op {
		w.fail()
	}
	w.at++
}

// path reads a path; kinds says what it is for.
func (w *walker) path(kinds Kind) {
	w.fits(kinds | Params)
	if t := w.peek(0); t.Type != lex.String && t.Type != lex.Param {
		w.fail()
	}
	w.at++
}

// typeName reads a type.
func (w *walker) typeName() {
	w.enter()
	defer w.leave()
	switch strings.ToUpper(w.name(Types)) {
	case "LIST":
		w.needOp("<")
		w.typeName()
		w.needOp(">")
	case "STRUCT":
		w.needOp("<")
		w.list(func() {
			w.name(0)
			w.op(":")
			w.typeName()
		})
		w.needOp(">")
	default:
		if w.op("(") {
			w.list(func() {
				if w.end() {
					w.fail()
				}
				w.at++
			})
			w.needOp(")")
		}
	}
	for isOp(w.peek(0), "[") && isOp(w.peek(1), "]") {
		w.at += 2
	}
}
