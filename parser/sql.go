package parser

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// notRQL is what SQL has and RQL says in another way: how SQL writes it, and
// what to write instead.
type notRQL struct{ name, instead string }

func (n notRQL) at(start, end lexer.Position) *Diagnostic {
	return diagAt(start, end, "RQL has no "+n.name, n.instead)
}

const (
	useAfter  = "write FILTER after the AGGREGATE or EXTEND"
	useInto   = "end the pipeline with INTO 'name.parquet'"
	useLet    = "write LET name = (FROM …); before it"
	useUnnest = "write UNNEST list AS x, a verb of its own"
	useOrder  = "columns meet by position: SELECT them in one order on both sides"
	useLimit  = "write LIMIT n for the first n rows"
	useParam  = "a parameter is written $name and given by --param name=value"
)

// sqlVerbs are the pipe operators and clauses of GoogleSQL and Spark that RQL does not have.
var sqlVerbs = map[string]notRQL{
	"HAVING": {"HAVING", useAfter}, "QUALIFY": {"QUALIFY", useAfter},
	"WINDOW":      {"WINDOW", "write EXTEND sum(x) OVER (PARTITION BY …) AS s"},
	"PIVOT":       {"PIVOT", "write AGGREGATE sum(x) FILTER (WHERE k = 'a') AS a, … BY the other columns"},
	"UNPIVOT":     {"UNPIVOT", "write UNNEST [{k: 'a', v: a}, {k: 'b', v: b}] AS u, then u.k and u.v"},
	"TABLESAMPLE": {"TABLESAMPLE", "write FILTER random() < 0.1"},
	"LATERAL":     {"LATERAL", "write " + laterals}, "NATURAL": {"NATURAL JOIN", "write JOIN s USING (columns)"},
	"CALL":      {"CALL", "a table function stands behind FROM, as in FROM range(10)"},
	"ASSERT":    {"ASSERT", "FILTER NOT condition shows the rows that break it"},
	"WITH":      {"WITH", useLet},
	"RECURSIVE": {"recursion", "FROM range(n) makes a row for each number"},
	"IF":        {"IF", "choose values by CASE, rows by FILTER"},
	"FORK":      {"FORK", "name the pipeline with LET, and read it in a statement for each branch"},
	"LOG":       {"LOG", "TEE INTO 'name.jsonl' writes what passes"},
	"FINISH":    {"FINISH", "a pipeline that ends with INTO gives no rows"},
	"CREATE":    {"CREATE TABLE", useInto}, "EXPORT": {"EXPORT DATA", useInto}, "INSERT": {"INSERT", "end the pipeline with INTO 'name.csv' (mode = 'append')"},
	"DESCRIBE": {"DESCRIBE as a verb", "write DESCRIBE (FROM …)"}, "STATIC_DESCRIBE": {"STATIC_DESCRIBE", "write DESCRIBE (FROM …)"},
	"MATCH_RECOGNIZE": {"MATCH_RECOGNIZE", "compare a row with its neighbours by lag(x) and lead(x) OVER (…)"},
	"MINUS":           {"MINUS", "write EXCEPT"},
	"CLUSTER":         {"CLUSTER BY", "rows are distributed for you; SORT defines an order"},
	"DISTRIBUTE":      {"DISTRIBUTE BY", "rows are distributed for you; SORT defines an order"},
	"OFFSET":          {"OFFSET without LIMIT", "write LIMIT n OFFSET m"},
	"COLLATE":         {"COLLATE", "text is ordered by its bytes; SORT lower(x) ignores case"},
	"RLIKE":           {"RLIKE", "write x ~ 're'"}, "REGEXP": {"REGEXP", "write x ~ 're'"},
	"DIV": {"DIV", "write x // y"}, "ESCAPE": {"ESCAPE", "write x ~ 're', where a backslash escapes"},
	"FOR":  {"FOR SYSTEM_TIME", "a file is read as it is now"},
	"HEAD": {"HEAD", useLimit}, "TOP": {"TOP", useLimit}, "TAKE": {"TAKE", useLimit}, "FETCH": {"FETCH", useLimit},
	"TAIL": {"TAIL", "SORT the other way and write LIMIT n"},
}

const laterals = "UNNEST list AS x for the elements of a list, JOIN … ON for the rows of a table"

// sqlVerb returns the error about a verb or clause of SQL, or nil. A word that
// nothing follows may as well be an alias, unless it stands behind a pipe.
func sqlVerb(t, ahead lexer.Token, piped bool) *Diagnostic {
	word := strings.ToUpper(t.Value)
	n, ok := sqlVerbs[word]
	if !ok || t.Type == lex.Quoted {
		return nil
	}
	switch {
	case piped, word == "NATURAL", word == "LATERAL":
	case ahead.EOF(), ahead.Type == lex.Op && ahead.Value != "(" && ahead.Value != "[", verbs[lex.WordOf(ahead)] != nil:
		return nil
	}
	if up := strings.ToUpper(ahead.Value); word == "WITH" && (up == "ROLLUP" || up == "CUBE") {
		return groupings(up).at(t.Pos, after(ahead))
	}
	return n.at(t.Pos, after(t))
}

func groupings(name string) notRQL {
	return notRQL{name, "write an AGGREGATE for each set of keys, and UNION ALL"}
}

// sqlKeys refuses keys that mean something else in SQL: an ordinal, sets of keys.
func sqlKeys(v *ast.Aggregate) *Diagnostic {
	for _, k := range slices.Concat(v.Keys, v.Alone) {
		switch x := k.Expr.(type) {
		case *ast.NumberLit:
			if k.Alias == nil {
				return At(x, "name the column", "BY %s groups by a constant", x.Text)
			}
		case *ast.Call:
			up := strings.ToUpper(x.Name.Text)
			if up == "ROLLUP" && !x.Name.Quoted || up == "CUBE" && len(x.Args) > 1 {
				return groupings(up).at(x.Pos, x.EndPos)
			}
		}
	}
	return nil
}

// sqlPrefix recognises the clauses of SQL that stand right behind a verb.
func (c *cursor) sqlPrefix(verb string) *Diagnostic {
	at := c.lex.MakeCheckpoint()
	defer c.lex.LoadCheckpoint(at)
	first := *c.lex.Next()
	second, third := *c.lex.Next(), *c.lex.Peek()
	up := strings.ToUpper(third.Value)
	switch word := lex.WordOf(second); {
	case verb == "SELECT" && strings.EqualFold(second.Value, "TOP") && third.Type == lex.Number:
		return notRQL{"TOP", useLimit}.at(second.Pos, after(third))
	case (verb == "SELECT" || verb == "TRANSFORM") && word == "AS" && up == "STRUCT":
		return notRQL{verb + " AS STRUCT", "write {a: a, b: b} AS s"}.at(second.Pos, after(third))
	case (verb == "SELECT" || verb == "TRANSFORM") && word == "AS" && up == "VALUE":
		return notRQL{verb + " AS VALUE", "write the item alone"}.at(second.Pos, after(third))
	case verb == "LEFT" && (word == "SEMI" || word == "ANTI"):
		return notRQL{"LEFT " + word + " JOIN", fmt.Sprintf("write %s JOIN", word)}.at(first.Pos, after(second))
	case verb == "SORT" && word == "BY":
		return notRQL{"SORT BY", "write SORT keys, or ORDER BY keys"}.at(first.Pos, after(second))
	case verb == "TEE" && (second.Value == "(" || isPipe(second)):
		return notRQL{"TEE of pipelines", "write TEE INTO 'name.jsonl', or name the pipeline with LET and read it twice"}.at(first.Pos, after(first))
	case outerUnion[verb] && (isSetOp(second) || strings.EqualFold(second.Value, "OUTER") && isSetOp(third)):
		return notRQL{verb + " before a set operation", useOrder}.at(first.Pos, after(first))
	case (verb == "UNION" || verb == "INTERSECT" || verb == "EXCEPT") && byName(second, third):
		return notRQL{"set operations by name", useOrder}.at(first.Pos, after(third))
	}
	return nil
}

var outerUnion = map[string]bool{"LEFT": true, "FULL": true, "INNER": true}

func isSetOp(t lexer.Token) bool {
	w := lex.WordOf(t)
	return w == "UNION" || w == "INTERSECT" || w == "EXCEPT"
}

// byName reports BY NAME or CORRESPONDING behind a set operation, with ALL or DISTINCT in between or not.
func byName(second, third lexer.Token) bool {
	for _, t := range []lexer.Token{second, third} {
		if lex.WordOf(t) == "BY" || strings.EqualFold(t.Value, "CORRESPONDING") {
			return true
		}
	}
	return false
}

// sqlValue recognises values as GoogleSQL and Spark write them where ours cannot stand: t, then ahead.
func sqlValue(t, ahead lexer.Token) *Diagnostic {
	switch ahead.Type {
	case lex.String, lex.Quoted, lex.Number, lex.Unit:
	default:
		return nil
	}
	word := strings.ToUpper(t.Value)
	n := notRQL{name: word + "'…'"}
	switch {
	case word == "INTERVAL" && (ahead.Type == lex.Number || ahead.Type == lex.Unit):
		return diagAt(ahead.Pos, after(ahead), "the number of an INTERVAL stands in single quotes", "write INTERVAL '1' DAY, or 1d")
	case (word == "DATE" || word == "TIMESTAMP") && ahead.Type == lex.Quoted && strings.HasPrefix(ahead.Value, `"`):
		return diagAt(ahead.Pos, after(ahead), "text is written in single quotes", fmt.Sprintf("write %s '%s'", word, lex.Unquote(ahead.Value)))
	case ahead.Type != lex.String || after(t) != ahead.Pos && len(word) < 3:
		return nil
	case word == "R", word == "RB", word == "BR":
		n.instead = "write '…': a backslash stands for itself"
	case word == "B":
		n.instead = "write '…'::BYTES"
	case sqlTypes[word]:
		n = notRQL{word + " '…'", fmt.Sprintf("write '…'::%s", word)}
	default:
		return nil
	}
	return n.at(t.Pos, after(ahead))
}

// sqlTypes are those that may stand before a text in SQL, and that :: knows.
var sqlTypes = map[string]bool{"NUMERIC": true, "DECIMAL": true, "DATETIME": true}

// sqlArgument tells what to do about a clause of SQL inside the arguments of a function.
func sqlArgument(t lexer.Token, function string) *Diagnostic {
	var n notRQL
	function = strings.ToUpper(function)
	switch word := strings.ToUpper(t.Value); {
	case startsPipeline(t) && function == "ARRAY":
		n = notRQL{"ARRAY(query)", "write (FROM … AGGREGATE list(x))"}
	case startsPipeline(t) && (function == "ANY" || function == "SOME" || function == "ALL"):
		n = notRQL{function + "(query)", "write IN (FROM …), or compare with (FROM … AGGREGATE min(x))"}
	case word == "AS" && function == "STRUCT":
		n = notRQL{"STRUCT(x AS a)", "write {a: x}"}
	case word == "AS" && function == "SAFE_CAST":
		n = notRQL{"SAFE_CAST", "write TRY_CAST(x AS type)"}
	case word == "IGNORE", word == "RESPECT":
		n = notRQL{word + " NULLS", "write f(x) FILTER (WHERE x IS NOT NULL)"}
	case word == "LIMIT":
		n = notRQL{"LIMIT inside a function", "write list_slice(list(x ORDER BY k), 1, n)"}
	case word == "HAVING":
		n = notRQL{"HAVING inside a function", "write arg_max(x, y) or arg_min(x, y)"}
	case word == "FORMAT":
		n = notRQL{"FORMAT in CAST", "write strftime(x, '%Y') or strptime(x, '%Y')"}
	default:
		return nil
	}
	return n.at(t.Pos, after(t))
}

// mayBeName reports whether two words where one could stand may have been meant as
// one name; hint is what there is to say else.
func mayBeName(hint string, words ...lexer.Token) bool {
	for _, t := range words {
		switch strings.ToUpper(t.Value) {
		case "ASC", "DESC", "NULLS", "FIRST", "LAST":
			return false
		}
	}
	return hint == strayHint("TRANSFORM") || hint == strayHint("FILTER") || hint == strayHint("SORT") || hint == strayHint("DROP")
}

// afterthoughts adds what to do to errors that only the tokens before them explain.
func afterthoughts(diags []*Diagnostic, toks []lexer.Token) []*Diagnostic {
	if len(diags) == 0 {
		return nil
	}
	toks = slices.DeleteFunc(slices.Clone(toks), func(t lexer.Token) bool { return t.Type == lex.Comment })
	var prev, prev2 lexer.Token
	for at, t := range toks {
		for i, d := range diags {
			if d.Start.Offset != t.Pos.Offset {
				continue
			}
			file := bareFile(d, toks, at)
			switch {
			case file != nil:
				diags[i] = file
			case option(d, toks, at):
			case prev.Type == lex.Ident && t.Type == lex.Ident && strings.HasPrefix(d.Msg, "unexpected ") && mayBeName(d.Hint, prev, t):
				d.Hint += fmt.Sprintf(`; "%s %s" would be one name`, prev.Value, t.Value)
			case prev.Type == lex.Op && prev.Value == "," && strings.HasPrefix(d.Msg, "expected a") && !startsExpr(t):
				d.Hint = "leave out the comma before it"
			case prev.Value == "(" && strings.EqualFold(prev2.Value, "LATERAL") && startsPipeline(t):
				diags[i] = sqlVerbs["LATERAL"].at(prev2.Pos, after(prev2))
			case t.Type == lex.Op && t.Value == ":" && strings.HasPrefix(d.Msg, "expected an expression"):
				d.Hint = useParam
			case t.Value == ">" && prev.Value == "-" && after(prev) == t.Pos:
				diags[i] = notRQL{"lambdas", "UNNEST the list, compute, and AGGREGATE list(x)"}.at(prev.Pos, after(t))
			case t.Value == ">" && prev.Value == "<=" && after(prev) == t.Pos:
				diags[i] = notRQL{"<=>", "write x IS NOT DISTINCT FROM y"}.at(prev.Pos, after(t))
			}
		}
		prev, prev2 = t, prev
	}
	return diags
}
