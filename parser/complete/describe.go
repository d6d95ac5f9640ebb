package complete

// Describe says in a few words what a word does, or nothing where it says it itself.
func Describe(w Word) string {
	if !w.Verb {
		return ""
	}
	return descriptions[w.Text]
}

var descriptions = map[string]string{
	"FROM": "what to read", "LET": "a name for a pipeline", "EXPLAIN": "how a query is run", "DESCRIBE": "the columns of a source",
	"SUMMARIZE": "statistics of each column", "SHOW": "files, functions or settings",
	"CREATE FUNCTION": "a function of your own", "DROP FUNCTION": "forgets one",
	"FILTER": "keeps the rows for which a condition is true", "WHERE": "keeps the rows for which a condition is true",
	"TRANSFORM": "exactly these columns", "SELECT": "exactly these columns", "EXTEND": "adds columns",
	"SET": "replaces columns, or changes a setting", "DROP": "leaves columns out", "RENAME": "renames columns",
	"AGGREGATE": "a row for each group", "GROUP BY": "a row for each group",
	"JOIN": "rows of both sides that match", "INNER JOIN": "rows of both sides that match", "LEFT JOIN": "also rows of the left without a match",
	"RIGHT JOIN": "also rows of the right without a match", "FULL JOIN": "also rows of either side without a match",
	"SEMI JOIN": "rows of the left that have a match", "ANTI JOIN": "rows of the left that have none", "CROSS JOIN": "every row with every row",
	"DISTINCT": "each row once", "SORT": "orders the rows", "ORDER BY": "orders the rows", "LIMIT": "the first rows",
	"UNION": "rows of either", "INTERSECT": "rows of both", "EXCEPT": "rows that the other does not have",
	"UNNEST": "a row for each element of a list", "TEE INTO": "writes the rows, and passes them on",
	"AS": "names the table so far", "INTO": "writes the rows",
}
