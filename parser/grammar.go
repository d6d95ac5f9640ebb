package parser

import (
	"sync"

	"github.com/alecthomas/participle/v2"
	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// rule is the participle parser of one verb or statement, built when it is
// first needed: a query pays only for the grammar that it uses.
func rule[G any]() func(*lexer.PeekingLexer) (*G, error) {
	build := sync.OnceValue(func() *participle.Parser[G] {
		return participle.MustBuild[G](
			participle.Lexer(lex.Definition{}),
			participle.Elide("Comment"),
			participle.CaseInsensitive("Ident"),
			participle.UseLookahead(0), // so that an error is at the first token that fits nowhere
			participle.ParseTypeWith(ast.Productions.Expr),
		)
	})
	return func(l *lexer.PeekingLexer) (*G, error) {
		return build().ParseFromLexer(l, participle.AllowTrailing(true))
	}
}

// The grammar refers to itself through these productions; setting them here,
// and not in the rules, is what Go's order of initialisation allows.
func init() {
	ast.Productions.Expr = parseExpr
	ast.Productions.Pipeline = parsePipeline
	ast.Productions.TypeName = parseTypeName
	ast.Productions.Name = parseName
	ast.Productions.Text = parseText
}

func verbRule[G any, P interface {
	*G
	ast.Verb
}]() func(*lexer.PeekingLexer) (ast.Verb, error) {
	parse := rule[G]()
	return func(l *lexer.PeekingLexer) (ast.Verb, error) {
		g, err := parse(l)
		settleVerb(P(g))
		return P(g), err
	}
}

func bodyRule[G any, P interface {
	*G
	ast.Body
}]() func(*lexer.PeekingLexer) (ast.Body, error) {
	parse := rule[G]()
	return func(l *lexer.PeekingLexer) (ast.Body, error) {
		g, err := parse(l)
		settleBody(P(g))
		return P(g), err
	}
}

var (
	sourceRule    = rule[ast.Source]()
	filterRule    = verbRule[ast.Filter]()
	transformRule = verbRule[ast.Transform]()
	execRule      = verbRule[ast.Exec]()
	extendRule    = verbRule[ast.Extend]()
	setRule       = verbRule[ast.Set]()
	dropRule      = verbRule[ast.Drop]()
	renameRule    = verbRule[ast.Rename]()
	aggregateRule = verbRule[ast.Aggregate]()
	joinRule      = verbRule[ast.Join]()
	distinctRule  = verbRule[ast.Distinct]()
	sortRule      = verbRule[ast.Sort]()
	limitRule     = verbRule[ast.Limit]()
	setOpRule     = verbRule[ast.SetOp]()
	unnestRule    = verbRule[ast.Unnest]()
	teeRule       = verbRule[ast.Tee]()
	asRule        = verbRule[ast.As]()
	intoRule      = verbRule[ast.Into]()

	letRule       = bodyRule[ast.Let]()
	functionRule  = bodyRule[ast.CreateFunction]()
	srcRule       = bodyRule[ast.CreateSource]()
	jobRule       = bodyRule[ast.CreateJob]()
	controlRule   = bodyRule[ast.Control]()
	explainRule   = bodyRule[ast.Explain]()
	describeRule  = bodyRule[ast.Describe]()
	summarizeRule = bodyRule[ast.Summarize]()
	showRule      = bodyRule[ast.Show]()
	settingRule   = bodyRule[ast.Setting]()
)

// verbs maps the word that begins a verb to its rule.
var verbs = map[string]func(*lexer.PeekingLexer) (ast.Verb, error){
	"FILTER": filterRule, "WHERE": filterRule, "TRANSFORM": transformRule, "SELECT": transformRule,
	"EXTEND": extendRule, "SET": setRule, "DROP": dropRule, "RENAME": renameRule, "AGGREGATE": aggregateRule,
	"GROUP": aggregateRule, "INNER": joinRule, "LEFT": joinRule, "RIGHT": joinRule, "FULL": joinRule,
	"SEMI": joinRule, "ANTI": joinRule, "CROSS": joinRule, "JOIN": joinRule, "DISTINCT": distinctRule,
	"SORT": sortRule, "ORDER": sortRule, "LIMIT": limitRule, "UNION": setOpRule, "INTERSECT": setOpRule,
	"EXCEPT": setOpRule, "UNNEST": unnestRule, "TEE": teeRule, "AS": asRule, "INTO": intoRule,
}

// Verbs lists the words that begin a verb, for completion and suggestions.
func Verbs() []string {
	return []string{
		"FROM", "FILTER", "WHERE", "TRANSFORM", "SELECT", "EXTEND", "SET", "DROP", "RENAME", "AGGREGATE", "GROUP BY",
		"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN", "DISTINCT", "SORT",
		"ORDER BY", "LIMIT", "UNION", "INTERSECT", "EXCEPT", "UNNEST", "TEE INTO", "AS", "INTO",
	}
}

func parseName(l *lexer.PeekingLexer, to *ast.Name) error {
	c := &cursor{lex: l}
	t := *c.peek()
	if c.isWord("NULL") && c.peek2().Value == "=" { // the option null = 'NA'
		c.next()
		*to = ast.Name{Span: c.span(t.Pos), Text: t.Value}
		return nil
	}
	if t.Type != lex.Ident && t.Type != lex.Quoted {
		return participle.NextMatch
	}
	*to = c.name(false, "a name")
	return nil
}

func parseText(l *lexer.PeekingLexer, to *ast.Text) error {
	c := &cursor{lex: l}
	t := *c.peek()
	switch t.Type {
	case lex.String:
		c.next()
		span := c.span(t.Pos)
		*to = ast.Text{Span: span, Value: &ast.StringLit{Span: span, Value: lex.Unquote(t.Value)}}
		return nil
	case lex.Param:
		c.next()
		span := c.span(t.Pos)
		*to = ast.Text{Span: span, Value: &ast.Param{Span: span, Name: t.Value[1:]}}
		return nil
	}
	return participle.NextMatch
}

func parsePipeline(l *lexer.PeekingLexer, to *ast.Pipeline) error {
	c := &cursor{lex: l}
	if !startsPipeline(*c.peek()) {
		return participle.NextMatch
	}
	*to = *c.pipeline()
	return nil
}
