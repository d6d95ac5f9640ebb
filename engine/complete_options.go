package engine

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/planner/analyze"
)

// settings offers the names behind SET.
func (c *completer) settings() {
	if !c.wants(complete.Settings) {
		return
	}
	for _, st := range analyze.Settings() {
		if c.typed(st.Name) {
			value := st.Default
			if v, ok := c.Session.settings[st.Name]; ok {
				value = v
			}
			c.add(Item{Text: st.Name, Kind: "setting", Detail: fmt.Sprintf("%s; now %s", st.Description, value)})
		}
	}
}

// options offers the names of options.
func (c *completer) options() {
	if !c.wants(complete.Options) {
		return
	}
	names := map[complete.Use][]string{
		complete.OfSource: analyze.SourceOptions(), complete.OfSink: analyze.SinkOptions(),
		complete.OfProgram: analyze.ProgramOptions(), complete.OfExplain: {"format"},
	}[c.want.Use]
	// Behind the name of an option stands an =, even of null, which is a word elsewhere.
	equals := !strings.HasPrefix(strings.TrimLeft(c.text[c.want.To:], " \t"), "=")
	for _, name := range names {
		if !c.typed(name) {
			continue
		}
		i := Item{Text: name, Kind: "option", Detail: optionDetails[name]}
		if name == "format" {
			i.Detail = formatDetails[c.want.Use]
		}
		if equals {
			i.Text, i.Open = name+" = ", true
		}
		c.add(i)
	}
}

// formatDetails say what the option format is about at each of its places.
var formatDetails = map[complete.Use]string{
	complete.OfSource: "how the file is read, whatever its name ends in", complete.OfSink: "how the rows are written, whatever the name ends in",
	complete.OfProgram: "how rows go to the program and come back", complete.OfExplain: "how the plan is shown",
}

var optionDetails = map[string]string{
	"header": "the first line holds the names", "delimiter": "between the fields of csv",
	"quote": "around the fields of csv", "null": "text that means NULL", "columns": "(name TYPE, …)",
	"on_error": "what to do with what does not fit", "mode": "what to do with a file that is there", "timeout": "how long a batch may take, such as 30s",
}

// values offers what an option may be set to.
func (c *completer) values() {
	if !c.wants(complete.Values) {
		return
	}
	var texts []string
	switch c.want.Option {
	case "format":
		texts = formats.Names()
		switch c.want.Use {
		case complete.OfExplain:
			texts = []string{"text", "json", "dot"}
		case complete.OfProgram:
			texts = []string{"jsonl", "csv", "tsv"}
		}
	case "on_error":
		texts = []string{"fail", "null", "skip"}
	case "mode":
		texts = []string{"replace", "append", "error"}
	case complete.DatePart:
		texts = dateParts
	case complete.Zone:
		texts = expr.ZoneNames()
	case "delimiter":
		texts = []string{",", ";", "|", `\t`}
	case "header":
		for _, word := range []string{"TRUE", "FALSE"} {
			if c.typed(word) && c.want.Quote == 0 {
				c.add(Item{Text: word, Kind: "value"})
			}
		}
	}
	for _, text := range texts {
		if c.typed(text) {
			c.add(Item{Text: "'" + text + "'", Kind: "value"})
		}
	}
}

// types offers the names of types: SQL's own where they are typed.
func (c *completer) types() {
	if !c.wants(complete.Types) {
		return
	}
	usual := []string{"BOOL", "INT", "FLOAT", "DECIMAL", "STRING", "BYTES", "DATE", "TIMESTAMP", "INTERVAL", "LIST", "STRUCT"}
	for _, name := range usual {
		if !c.typed(name) {
			continue
		}
		i := Item{Text: name, Kind: "type"}
		if name == "LIST" || name == "STRUCT" {
			i.Text, i.Open = name+"<", true
		}
		c.add(i)
	}
	if c.want.Typed == "" {
		return
	}
	for _, name := range types.Names() {
		if c.typed(name) && !slices.Contains(usual, name) && name != "NULL" {
			t, err := types.Parse(name)
			if err == nil {
				c.add(Item{Text: name, Kind: "type", Detail: t.String()})
			}
		}
	}
}

// dateParts offers what extract( takes.
func (c *completer) dateParts() {
	if !c.wants(complete.DateParts) {
		return
	}
	for _, name := range dateParts {
		if c.typed(name) {
			c.add(Item{Text: name, Kind: "keyword"})
		}
	}
}

var dateParts = []string{
	"year", "quarter", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond",
	"dow", "isodow", "doy", "isoyear", "decade", "century", "millennium", "epoch", "era",
}
