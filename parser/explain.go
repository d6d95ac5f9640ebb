package parser

import (
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/lex"
)

// explainError turns participle's error into one for people. word is the verb's.
func explainError(err error, word string) *Diagnostic {
	var unexpected *participle.UnexpectedTokenError
	if errors.As(err, &unexpected) {
		t := unexpected.Unexpected
		_, grammar, _ := strings.Cut(unexpected.Message(), "(expected ")
		want, hint := expected(strings.TrimSuffix(grammar, ")"), t)
		if word == "SHOW" && t.EOF() {
			want = "FILES, FUNCTIONS or SETTINGS"
		}
		switch {
		case word == "AGGREGATE" && want == "BY" && lex.WordOf(t) == "AND":
			return notRQL{"GROUP AND ORDER BY", "write AGGREGATE … BY keys, then SORT keys"}.at(t.Pos, after(t))
		case word == "SET" && t.Value == ".":
			hint = "SET takes columns alone: a = … for t.a, s = {…} for a field of s"
		}
		if want == "" {
			return diagAt(t.Pos, after(t), fmt.Sprintf("unexpected %s in %s", describe(t), word), hint)
		}
		return diagAt(t.Pos, after(t), fmt.Sprintf("expected %s in %s, not %s", want, word, describe(t)), hint)
	}
	var perr participle.Error
	if errors.As(err, &perr) {
		return diagAt(perr.Position(), perr.Position(), perr.Message(), "")
	}
	return diagAt(lexer.Position{}, lexer.Position{}, err.Error(), "")
}

const (
	aName   = "a name"
	aText   = "a path in single quotes"
	aSource = "a path in single quotes, a name or a pipeline"
)

// expected puts participle's name of what was missing into words, with a hint
// about the token that stands there instead.
func expected(grammar string, t lexer.Token) (want, hint string) {
	first, _, _ := strings.Cut(strings.TrimLeft(grammar, "( "), " ")
	first = strings.TrimRight(first, ")?*+")
	switch {
	case strings.HasPrefix(grammar, "((<on> ("):
		want = "ON CLOSE, ON CHANGE or EVERY"
	case grammar == "": // only what stands behind the = of an option
		want, hint = "a value", reservedHint(t)
	case choice(grammar) != "":
		want = choice(grammar)
	case strings.HasPrefix(grammar, "Name Arguments"):
		want, hint = aSource, sourceHint(t)
	case strings.HasPrefix(first, `"`):
		want = expectedText(strings.Trim(first, `"`), grammar)
		if want == aPipeline {
			hint = "write (FROM …)"
		}
	case first == "Text", first == "Sink":
		want = aText
		if t.Type == lex.Ident || t.Type == lex.Quoted {
			hint = fmt.Sprintf("write '%s'", strings.Trim(t.Value, "\"`"))
		}
	case first == "Source":
		want, hint = aSource, sourceHint(t)
	case first == "Pipeline":
		want = "a pipeline that begins with FROM"
	case first == "TypeName":
		want = "a type"
	case first == "Expr", first == "Item", first == "Star", first == "SortKey", first == "Argument":
		want, hint = "an expression", reservedHint(t)
	case strings.HasPrefix(first, "<"): // a reserved word, as participle shows its token type
		want = strings.ToUpper(strings.Trim(first, "<>"))
	case first != "":
		want, hint = aName, reservedHint(t)
	}
	return want, hint
}

// choice puts a choice of words, ("A" | "B"), into words.
func choice(grammar string) string {
	inner, found := strings.CutPrefix(grammar, "(")
	inner, _, closed := strings.Cut(inner, ")")
	if !found || !closed || strings.ContainsAny(inner, "(<") {
		return ""
	}
	words := strings.Split(strings.ReplaceAll(inner, `"`, ""), " | ")
	last := len(words) - 1
	if last == 0 {
		return ""
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

const aPipeline = "a pipeline in parentheses"

// expectedText names literal text of the grammar: punctuation or a word, with its alternatives.
func expectedText(text, grammar string) string {
	switch {
	case text == "*":
		return "an expression"
	case text == "(" && strings.Contains(grammar, "Pipeline"):
		return aPipeline
	case text == "" || text[0] < 'A' || text[0] > 'Z':
		return quoteToken(text)
	}
	return text
}

// reservedHint tells how to use a reserved word as a name, where that may have been meant.
func reservedHint(t lexer.Token) string {
	switch w := lex.WordOf(t); w {
	case "", "AND", "OR", "IN", "IS", "LIKE", "ILIKE", "BETWEEN", "AS", "THEN", "ELSE", "END", "WHEN", "ON", "USING":
		return ""
	default:
		return fmt.Sprintf(`to use it as a name write "%s"`, t.Value)
	}
}

// sourceHint is reservedHint where a source is missing.
func sourceHint(t lexer.Token) string {
	if lex.WordOf(t) == "UNNEST" {
		return useUnnest
	}
	return reservedHint(t)
}
