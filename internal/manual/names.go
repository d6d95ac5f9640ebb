package manual

import (
	"regexp"
	"strings"
)

// Sections of the reference that hold a topic for each of their subsections.
const (
	verbSection      = "Verbs"
	statementSection = "Statements"
)

// verbNames are the verbs, the section that describes each, and its synonyms
// and clauses. A test holds it to the parser's list.
var verbNames = []struct {
	name, section string
	also          []string
}{
	{"FROM", "Sources", nil},
	{"FILTER", "FILTER", []string{"WHERE"}},
	{"TRANSFORM", "TRANSFORM", []string{"SELECT", "SELECT DISTINCT"}},
	{"EXTEND", "EXTEND, SET, DROP, RENAME", nil},
	{"SET", "EXTEND, SET, DROP, RENAME", nil},
	{"DROP", "EXTEND, SET, DROP, RENAME", nil},
	{"RENAME", "EXTEND, SET, DROP, RENAME", nil},
	{"AGGREGATE", "AGGREGATE", []string{"GROUP BY", "GROUP", "BY"}},
	{"DISTINCT", "DISTINCT", []string{"DISTINCT ON"}},
	{"SORT", "SORT and LIMIT", []string{"ORDER BY", "ORDER", "ASC", "DESC", "NULLS FIRST", "NULLS LAST"}},
	{"LIMIT", "SORT and LIMIT", []string{"OFFSET"}},
	{"JOIN", "JOIN", []string{"INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN",
		"INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "CROSS", "ON", "USING"}},
	{"TRANSFORM USING EXEC", "TRANSFORM USING EXEC", []string{"EXEC", "USING EXEC", "ARGS", "timeout"}},
	{"UNNEST", "UNNEST", nil},
	{"UNION", "UNION, INTERSECT, EXCEPT", []string{"UNION ALL", "ALL"}},
	{"INTERSECT", "UNION, INTERSECT, EXCEPT", nil},
	{"EXCEPT", "UNION, INTERSECT, EXCEPT", nil},
	{"TEE INTO", "Writing", []string{"TEE"}},
	{"AS", "AS", nil},
	{"INTO", "Writing", []string{"mode"}},
}

// statementTitles say in a line what statements do.
var statementTitles = map[string]string{
	"LET":             "names a pipeline",
	"CREATE FUNCTION": "names an expression",
	"DESCRIBE":        "lists the columns of a source",
	"EXPLAIN":         "shows how a query would run",
	"SUMMARIZE":       "tells what the columns of a source hold",
	"SHOW":            "lists functions, settings or files",
	"SET":             "changes a setting",
}

// shortNames are those of sections whose titles are long to type.
var shortNames = map[string]string{
	"A first look":                               "first look",
	"Words and literals":                         "literals",
	"Inferred types":                             "inference",
	"Values that do not fit":                     "on_error",
	"Where a row came from":                      "origin",
	"The order of rows":                          "order of rows",
	"Functions over windows":                     "OVER",
	"Windows of event time":                      "event time",
	"The file store":                             "store",
	"Errors":                                     "how errors look",
	"Coming from GoogleSQL or Spark pipe syntax": "pipe syntax",
}

// alsoOf are more names that lead to a section, by its title.
var alsoOf = map[string][]string{
	"Numbers with thousands separators": {"thousands", "separators", "decimal comma"},
	"A first look":                      {"introduction"},
	"Words and literals":                {"names", "keywords", "reserved words", "comments", "parameters", "params", "$name", "--"},
	"Types": {"type", "conversions", "CAST", "TRY_CAST", "::", "arithmetic", "dates", "BOOL", "INT", "INT8", "INT16", "INT32", "FLOAT", "FLOAT32",
		"DECIMAL", "STRING", "BYTES", "DATE", "TIMESTAMP", "INTERVAL", "LIST", "STRUCT", "AT TIME ZONE", "time zone"},
	"Sources": {"source", "files", "range"},
	"Formats": {"format", "csv", "tsv", "json", "jsonl", "parquet", "arrow", "text", "options", "header", "delimiter", "quote", "null",
		"columns", "compression", "gz", "zst"},
	"Many files":             {"pattern", "patterns", "glob", "*"},
	"Where a row came from":  {"_file", "_line", "_offset"},
	"Values that do not fit": {"skip"},
	"Expressions":            {"operators", "operator", "CASE", "IN", "LIKE", "ILIKE", "BETWEEN", "AND", "OR", "NOT", "IS", "NULL", "extract"},
	"Subqueries":             {"subquery", "EXISTS", "NOT IN"},
	"Aggregates":             {"FILTER (WHERE"},
	"Functions over windows": {"window functions", "PARTITION BY", "ROWS", "RANGE", "GROUPS", "frame", "row_number", "rank", "dense_rank",
		"percent_rank", "cume_dist", "ntile", "lag", "lead", "first_value", "last_value", "nth_value"},
	"Windows of event time": {"windows", "tumble", "hop", "cumulate", "session"},
	"The order of rows":     {"order"},
	"The file store":        {"sdfs", "fs"},
	"CREATE FUNCTION":       {"CREATE", "DROP FUNCTION", "macro"},
	"EXPLAIN":               {"EXPLAIN ANALYZE", "ANALYZE", "plan"},
	"SHOW":                  {"SHOW FUNCTIONS", "SHOW SETTINGS", "SHOW FILES"},
	"SET":                   {"settings"},
	"Coming from GoogleSQL or Spark pipe syntax": {"googlesql", "spark", "sql"},
	"Choices": {"duckdb"},
}

// sectionName is the name of the topic of a section.
func sectionName(title string) string {
	if short, ok := shortNames[title]; ok {
		return short
	}
	if strings.ToUpper(title) == title {
		return title // a verb or a statement
	}
	return strings.ToLower(title)
}

// verbTopics is a topic for each verb, with its line of the table of verbs as title.
func verbTopics(sections []section) []Topic {
	byTitle := map[string]section{}
	rows := map[string]verbRow{}
	for _, s := range sections {
		if s.under == verbSection || s.title == "Sources" || s.title == "Writing" {
			byTitle[s.title] = s
		}
		if s.title == verbSection {
			rows = verbTable(s.body)
		}
	}
	var list []Topic
	for _, v := range verbNames {
		t := Topic{Name: v.name, Kind: Verb, Also: append([]string{v.section}, v.also...)}
		lead := ""
		if row, ok := rows[v.name]; ok {
			t.Title = row.does
			lead = "\n" + row.forms
			if row.synonym != "" {
				lead += ", or " + row.synonym
			}
			lead += ": " + row.does + ".\n"
		} else {
			t.Title = "where the rows come from"
		}
		body := byTitle[v.section].markdown()
		_, body, _ = strings.Cut(body, "\n") // its heading names several verbs
		t.text = "# " + v.name + "\n" + lead + body
		list = append(list, t)
	}
	return list
}

// verbRow is a line of the table of verbs, as Markdown.
type verbRow struct{ forms, synonym, does string }

// verbTable reads the table | `FILTER e` | WHERE | keeps … | by the names of its verbs.
func verbTable(body string) map[string]verbRow {
	code, capitals := regexp.MustCompile("`([^`]+)`"), regexp.MustCompile(`^[A-Z]+( [A-Z]+)*\b`)
	rows := map[string]verbRow{}
	for line := range strings.Lines(body) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 {
			continue
		}
		for i, c := range cells {
			cells[i] = strings.TrimSpace(c)
		}
		for _, span := range code.FindAllStringSubmatch(cells[1], -1) {
			name := capitals.FindString(span[1])
			if _, ok := rows[name]; name != "" && !ok {
				rows[name] = verbRow{forms: cells[1], synonym: cells[2], does: cells[3]}
			}
		}
	}
	return rows
}
