package engine_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/sdfs"
)

// completions are texts with ▮ for the cursor, and what is offered there: all
// of it, or what comes first where it ends in …; after + what must be offered
// as well, wherever, and after - what must not.
var completions = []struct{ name, text, want string }{
	{"nothing typed", "▮", "FROM LET SET EXPLAIN DESCRIBE SUMMARIZE SHOW CREATE_FUNCTION DROP_FUNCTION TRANSFORM"},
	{"a statement begun", "ex▮", "EXPLAIN"},
	{"a synonym begun", "se▮", "SET SELECT"},
	{"behind a statement", "FROM './signs.csv'; sho▮", "SHOW"},
	{"a word that nothing fits", "xyz▮", ""},
	{"in a comment", "FROM './signs.csv' -- FIL▮", ""},
	{"in a comment of lines", "FROM './signs.csv' /* FIL▮", ""},
	{"behind a comment", "FROM './signs.csv' -- all of them\nFIL▮", "FILTER"},

	{"verbs", "FROM './signs.csv' ▮", "FILTER TRANSFORM EXTEND SET DROP RENAME AGGREGATE JOIN … + INTO AS - WHERE SELECT FROM AND"},
	{"verbs behind a pipe", "FROM './signs.csv' |> ▮", "FILTER TRANSFORM … - AND AS_t"},
	{"a verb of SQL", "FROM './signs.csv' whe▮", "WHERE"},
	{"a verb amid a line", "FROM './signs.csv' FIL▮ id = 1", "FILTER"},
	{"a verb of two words", "FROM './signs.csv' LEFT ▮", "JOIN"},
	{"its second word", "FROM './signs.csv' TEE i▮", "INTO"},
	{"INTO ends a pipeline", "FROM './signs.csv' INTO './out.csv' ▮", ""},
	{"a subquery has no INTO", "FROM (FROM './signs.csv' IN▮", "INTERSECT INNER_JOIN"},
	{"verbs behind a verb", "FROM './signs.csv' FILTER id = 1 ▮", "AND OR FILTER TRANSFORM …"},
	{"behind an operand", "FROM './signs.csv' FILTER id ▮", "AND OR IN IS LIKE BETWEEN NOT_IN NOT_LIKE NOT_BETWEEN FILTER …"},
	{"behind BETWEEN", "FROM './signs.csv' FILTER id BETWEEN 1 ▮", "AND"},
	{"verbs behind a faulty verb", "FROM './signs.csv' FILTER = = SO▮", "SORT"},

	{"columns", "FROM './signs.csv' FILTER ▮", "id Category \"odd name\" posted signs. … + abs( CASE NOT count( - _file WHERE"},
	{"a column begun", "FROM './signs.csv' FILTER cat▮", "Category"},
	{"a column amid its name", "FROM './signs.csv' FILTER Cat▮eg = 'x'", "Category"},
	{"a pseudo-column", "FROM './signs.csv' FILTER _l▮", "_line"},
	{"a column in quotes", "FROM './signs.csv' FILTER \"od▮", "\"odd name\""},
	{"a column in backticks", "FROM './signs.csv' FILTER `od▮`", "`odd name`"},
	{"columns only", "FROM './signs.csv' DROP ▮", "id Category \"odd name\" posted"},
	{"columns of a list", "FROM './signs.csv' RENAME id AS k, ▮", "id Category \"odd name\" posted"},
	{"a new name", "FROM './signs.csv' RENAME id AS ▮", ""},
	{"columns so far", "FROM './signs.csv' DROP id EXTEND 1 AS one FILTER ▮", "Category \"odd name\" posted one signs. …"},
	{"columns of a key", "FROM './signs.csv' AGGREGATE count(*) AS n BY ▮", "id Category \"odd name\" posted signs. … + tumble( - n count("},
	{"columns behind an AGGREGATE", "FROM './signs.csv' AGGREGATE count(*) AS n BY Category SORT ▮", "Category n abs( … - id"},
	{"a column despite an error before", "FROM './signs.csv' FILTER nope = 1 EXTEND nope + 1 AS a FILTER pos▮", "posted position("},
	{"a column despite a broken verb", "FROM './signs.csv' FILTER (id = = 2 EXTEND id AS k\nSORT k▮", "k"},
	{"a column despite a file that is not there", "FROM './signs.csv' JOIN './none.csv' AS n USING (id) EXTEND 1 AS one_ DROP ▮", "id Category \"odd name\" posted one_"},
	{"a column that a missing parameter makes", "FROM './signs.csv' EXTEND id + $more AS sum_ FILTER sum_▮", "sum_"},
	{"no file, no columns", "FROM './none.csv' FILTER ca▮", "CASE CAST("},
	{"columns under the cursor's verb only", "FROM './signs.csv' FILTER ▮ DROP Category", "id Category …"},

	{"both sides of a join", "FROM './signs.csv' JOIN './posts.csv' AS p ON ca▮", "Category CASE CAST("},
	{"what is ambiguous is qualified", "FROM './signs.csv' JOIN './posts.csv' AS p ON id▮", "signs.id p.id"},
	{"columns in common", "FROM './signs.csv' JOIN './posts.csv' AS p USING (▮", "id"},
	{"what a join needs", "FROM './signs.csv' JOIN './posts.csv' ▮", "AS ON USING"},
	{"of a table", "FROM './signs.csv' AS s JOIN './posts.csv' AS p ON s.id = p.▮", "id wood left"},
	{"of a table begun", "FROM './signs.csv' AS s JOIN './posts.csv' AS p ON s.id = p.l▮", "left"},
	{"fields of a struct", "FROM './trips.jsonl' FILTER trip.▮", "city km"},
	{"fields of an element", "FROM './trips.jsonl' FILTER stops[1].▮", "name"},
	{"of a table that is not there", "FROM './signs.csv' FILTER x.▮", ""},

	{"columns of a subquery", "FROM './signs.csv' FILTER id IN (FROM './posts.csv' TRANSFORM w▮", "wood week( weekday("},
	{"columns around a subquery", "FROM './signs.csv' FILTER EXISTS (FROM './posts.csv' FILTER wood = Cat▮", "Category"},
	{"a subquery to read sees nothing around it", "FROM './signs.csv' JOIN (FROM './posts.csv' FILTER Cat▮", ""},
	{"behind a subquery", "FROM './signs.csv' FILTER EXISTS (FROM './posts.csv') AND Cat▮", "Category"},

	{"aggregates first", "FROM './signs.csv' AGGREGATE c▮", "Category corr( count( covar_pop( covar_samp( cbrt( …"},
	{"a function that is called already", "FROM './signs.csv' FILTER lengt▮(Category) > 1", "length"},
	{"a function without arguments", "FROM './signs.csv' EXTEND row_n▮", "row_number()"},
	{"another name of a function", "FROM './signs.csv' EXTEND char_len▮", "char_length("},
	{"arguments", "FROM './signs.csv' EXTEND lower(cat▮", "Category"},
	{"a window", "FROM './signs.csv' EXTEND rank() ov▮", "OVER"},
	{"in a window", "FROM './signs.csv' EXTEND rank() OVER (▮", "PARTITION_BY ORDER_BY ROWS RANGE"},
	{"keys of a window", "FROM './signs.csv' EXTEND rank() OVER (ORDER BY i▮", "id if( ifnull( instr( isfinite( isinf( isnan( isodow( isoyear( INTERVAL"},
	{"behind a sort key", "FROM './signs.csv' SORT id d▮", "DESC DROP DISTINCT"},
	{"a type", "FROM './signs.csv' EXTEND CAST(id AS st▮", "STRING STRUCT<"},
	{"a type of SQL", "FROM './signs.csv' EXTEND id::varc▮", "VARCHAR"},
	{"within CASE", "FROM './signs.csv' EXTEND CASE WHEN id = 1 ▮", "AND OR THEN"},
	{"a part of a date", "FROM './signs.csv' EXTEND extract(mi▮", "minute millisecond microsecond millennium"},
	{"a part of a date as text", "FROM './signs.csv' EXTEND date_trunc('q▮", "'quarter'"},
	{"a time zone", "FROM './signs.csv' EXTEND posted AT TIME ZONE 'europe/ber▮", "'Europe/Berlin'"},
	{"in a text", "FROM './signs.csv' FILTER Category = 'cat▮", ""},

	{"what to read", "FROM ▮", "'logs/ 'kept.csv' './data/ './posts.csv' './semi.csv' './signs.csv' './trips.jsonl' './notes' range( $least $most"},
	{"what is named", "LET live = (FROM './signs.csv'); LET dead = (FROM './signs.csv'); FROM ▮", "dead live 'logs/ …"},
	{"columns of what is named", "LET live = (FROM './signs.csv' DROP id); FROM live FILTER ▮", "Category \"odd name\" posted live. …"},
	{"a path", "FROM './s▮", "'./semi.csv' './signs.csv'"},
	{"a path in quotes", "FROM './si▮' FILTER id = 1", "'./signs.csv'"},
	{"a path without quotes", "FROM ./si▮", "'./signs.csv'"},
	{"a path by the name of its file", "FROM sig▮", "'./signs.csv'"},
	{"a folder", "FROM './d▮", "'./data/"},
	{"in a folder", "FROM './data/▮", "'./data/it''s.parquet'"},
	{"in a folder of the store", "FROM 'logs/▮", "'logs/a.jsonl'"},
	{"what to write", "FROM './signs.csv' INTO './p▮", "'./posts.csv'"},
	{"options", "FROM './signs.csv' (de▮", "delimiter_=_"},
	{"an option before its sign", "FROM './signs.csv' (de▮ = ';')", "delimiter"},
	{"an option that is a word elsewhere", "FROM './signs.csv' (nu▮", "null_=_"},
	{"an option's value", "FROM './signs.csv' (format = 'pa▮", "'parquet'"},
	{"options of a sink", "FROM './signs.csv' INTO './x.csv' (mode = ▮", "'replace' 'append' 'error' …"},
	{"columns as an option", "FROM './signs.csv' (columns = (i▮", "id"},
	{"columns between other signs", "FROM './semi.csv' (delimiter = ';', columns = (▮", "a b"},
	{"columns of several files", "FROM './*s.csv' FILTER wo▮", "wood"},
	{"the type of one", "FROM './signs.csv' (columns = (id IN▮", "INT INTERVAL INT16 INT32 INT64 INT8 INTEGER"},

	{"settings", "SET ▮", "parallelism memory_limit time_limit row_limit"},
	{"SET within a pipeline", "FROM './signs.csv' SET ▮", "id Category \"odd name\" posted"},
	{"what can be shown", "SHOW ▮", "FILES FUNCTIONS SETTINGS"},
	{"a format of EXPLAIN", "EXPLAIN (format = ▮", "'text' 'json' 'dot' …"},
	{"EXPLAIN", "EXPLAIN ANALYZE FROM './signs.csv' FILTER Ca▮", "Category CASE CAST("},
	{"parameters", "FROM './signs.csv' FILTER id = $▮", "$least $most"},
	{"a parameter of the text", "FROM './signs.csv' FILTER id = $other; FROM './signs.csv' LIMIT $o▮", "$other"},
	{"a function's parameters", "CREATE FUNCTION f(price FLOAT, tax FLOAT) = price * (1 + ta▮", "tax tan( tanh("},
	{"a function of one's own", "CREATE FUNCTION eur(x FLOAT) = x * 0.92; FROM './signs.csv' EXTEND eu▮", "eur("},
	{"one to drop", "CREATE FUNCTION eur(x FLOAT) = x * 0.92; DROP FUNCTION ▮", "eur"},
}

func TestComplete(t *testing.T) {
	e := completionEngine(t)
	for _, c := range completions {
		t.Run(c.name, func(t *testing.T) {
			before, after, ok := strings.Cut(c.text, "▮")
			if !ok {
				t.Fatal("no cursor")
			}
			s := e.NewSession(map[string]string{"least": "1", "most": "2"})
			got := s.Complete(context.Background(), before+after, len(before))
			var texts []string
			for _, i := range got.Items {
				texts = append(texts, strings.ReplaceAll(i.Text, " ", "_"))
			}
			list, absent, _ := strings.Cut(c.want, " - ")
			list, present, _ := strings.Cut(list, " + ")
			list, begins := strings.CutSuffix(list, "…")
			want := strings.Fields(strings.ReplaceAll(list, `odd name`, `odd_name`))
			have := texts
			if begins {
				have = texts[:min(len(want), len(texts))]
			}
			if !slices.Equal(have, want) {
				t.Errorf("%s\n got %s\nwant %s", c.text, strings.Join(have, " "), strings.Join(want, " "))
			}
			for _, x := range strings.Fields(present) {
				if !slices.Contains(texts, x) {
					t.Errorf("%s: %s is not offered", c.text, x)
				}
			}
			for _, x := range strings.Fields(absent) {
				if slices.Contains(texts, x) {
					t.Errorf("%s: %s is offered", c.text, x)
				}
			}
		})
	}
}

// completionEngine is an engine in a folder with a few files, and some in its store.
func completionEngine(t testing.TB) *engine.Engine {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"signs.csv":         "id,Category,odd name,posted\n1,Warning,x,2026-01-31\n",
		"posts.csv":         "id,wood,left\n1,oak,2\n",
		"trips.jsonl":       `{"trip": {"city": "Ulm", "km": 3}, "stops": [{"name": "a"}]}` + "\n",
		"notes":             "no format\n",
		"semi.csv":          "a;b\n1;2\n",
		".hidden.csv":       "a\n",
		"data/it's.parquet": "",
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cfg := engine.Config{Store: sdfs.Config{Dir: ".sdfs"}}
	for _, name := range []string{"kept.csv", "logs/a.jsonl"} {
		if _, err := enginetest.Run(t, cfg, nil, "test.rql", "FROM './signs.csv' INTO '"+name+"'"); err != nil {
			t.Fatal(err)
		}
	}
	e := engine.New(cfg)
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestCompletionItems looks at more of the items than what they put in.
func TestCompletionItems(t *testing.T) {
	s := completionEngine(t).NewSession(map[string]string{"most": "2"})
	for _, c := range []struct {
		text string
		want engine.Item
	}{
		{"FROM './signs.csv' FI", engine.Item{Text: "FILTER", Kind: "verb", Detail: "keeps the rows for which a condition is true"}},
		{"FROM './signs.csv' FILTER pos", engine.Item{Text: "posted", Kind: "column", Detail: "DATE"}},
		{"FROM './signs.csv' FILTER sig", engine.Item{Text: "signs.", Kind: "table", Open: true}},
		{"FROM './signs.csv' FILTER lower", engine.Item{Text: "lower(", Kind: "function", Detail: "lower(STRING) -> STRING", Open: true}},
		{"FROM './signs.csv' FILTER id A", engine.Item{Text: "AND", Kind: "keyword"}},
		{"FROM './n", engine.Item{Text: "'./notes'", Kind: "file", Detail: "10B"}},
		{"FROM './d", engine.Item{Text: "'./data/", Kind: "folder", Open: true}},
		{"SET row", engine.Item{Text: "row_limit", Kind: "setting", Detail: "rows that a query may hand to its caller; now none"}},
		{"FROM x LIMIT $", engine.Item{Text: "$most", Kind: "parameter", Detail: "2"}},
	} {
		got := s.Complete(context.Background(), c.text, len(c.text)).Items
		if !slices.Contains(got, c.want) {
			t.Errorf("%s: %+v is not among %+v", c.text, c.want, got)
		}
	}
}

// TestCompletionLeavesNoTrace: it makes no store, keeps none from others, waits
// for no pipe, and defines nothing.
func TestCompletionLeavesNoTrace(t *testing.T) {
	ctx := context.Background()
	e := completionEngine(t)
	s := e.NewSession(nil)
	other := engine.New(engine.Config{Store: sdfs.Config{Dir: ".sdfs"}})
	if got := s.Complete(ctx, "FROM 'ke", 8).Items; len(got) != 1 {
		t.Fatalf("the store is not read: %+v", got)
	}
	if _, err := other.Store(ctx); err != nil {
		t.Errorf("the store is kept from others: %v", err)
	}
	if got := e.NewSession(nil).Complete(ctx, "FROM 'ke", 8).Items; len(got) != 0 {
		t.Errorf("of a store that another has: %+v", got)
	}
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}

	without := engine.New(engine.Config{Store: sdfs.Config{Dir: "no-store"}})
	for _, text := range []string{"FROM ", "FROM 'a.csv' FILTER ", "FROM './signs.csv' INTO '"} {
		without.NewSession(nil).Complete(ctx, text, len(text))
	}
	if err := without.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("no-store"); err == nil {
		t.Error("a store was made")
	}

	if err := exec.Command("mkfifo", "pipe.csv").Run(); err == nil {
		s.Complete(ctx, "FROM './pipe.csv' FILTER ", 25) // would never come back
	}
	s.Complete(ctx, "LET a = (FROM './signs.csv'); FROM a FILTER ", 44)
	if got := s.Complete(ctx, "FROM ", 5).Items; slices.ContainsFunc(got, func(i engine.Item) bool { return i.Text == "a" }) {
		t.Error("a LET that was only typed is defined")
	}
}

// TestCompletedNamesAreRead: whatever a file's columns are called, what is
// offered for them names them, and so does what is offered for the file.
func TestCompletedNamesAreRead(t *testing.T) {
	ctx := context.Background()
	e := completionEngine(t)
	const file = "it's odd; \"really\".csv"
	header := "plain,Two Words,select,\"quo\"\"te\",größe,back`tick,9lives,_under,date\n"
	if err := os.WriteFile(file, []byte(header+"1,2,3,4,5,6,7,8,9\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	s := e.NewSession(nil)
	from := s.Complete(ctx, "FROM './it", 10).Items
	if len(from) != 1 {
		t.Fatalf("files: %+v", from)
	}
	query := "FROM " + from[0].Text + " "
	var columns []string
	for _, i := range s.Complete(ctx, query+"DROP ", len(query)+5).Items {
		columns = append(columns, i.Text)
	}
	got, err := enginetest.Run(t, engine.Config{}, nil, "test.rql", query+"TRANSFORM "+strings.Join(columns, ", "))
	if want := header + "1,2,3,4,5,6,7,8,9\n"; err != nil || got != want {
		t.Errorf("%v\n%s\n got %s\nwant %s", err, columns, got, want)
	}
	for _, quote := range []string{`"`, "`"} {
		text := query + "FILTER " + quote + "T"
		if items := s.Complete(ctx, text, len(text)).Items; len(items) != 1 || items[0].Text != quote+"Two Words"+quote {
			t.Errorf("%s: %+v", text, items)
		}
	}
}
