package manual

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/analyze"
)

// FunctionCategory is a group of functions, as the reference shows them.
type FunctionCategory struct {
	Name  string // of expr.Function.Category
	Title string
}

// topic is the name of the page that lists them.
func (c FunctionCategory) topic() string {
	if c.Name == "operator" {
		return "operators"
	}
	return c.Name + " functions"
}

// Categories lists the groups of functions in the order of the reference.
func Categories() []FunctionCategory {
	return []FunctionCategory{
		{"operator", "Operators"},
		{"text", "Text"},
		{"number", "Numbers"},
		{"date", "Dates and times"},
		{"conditional", "Conditions"},
		{"list", "Lists and structs"},
		{"json", "JSON"},
		{"aggregate", "Aggregates"},
		{"other", "Others"},
	}
}

// settings is a topic for each setting.
func settings() []Topic {
	var list []Topic
	for _, s := range analyze.Settings() {
		text := fmt.Sprintf("# %s\n\nA setting: %s. Without it: %s.\n\n```sh\nrainsql --set %s=…\n```\n```rql\nSET %s = …;\n```\n\n"+
			"More under `SET`; `SHOW SETTINGS` lists all.\n", s.Name, s.Description, s.Default, s.Name, s.Name)
		list = append(list, Topic{Name: s.Name, Title: s.Description, Kind: Setting, text: text})
	}
	return list
}

// functions is a topic for each function, each group of them, and all.
func functions() []Topic {
	all := expr.Functions()
	var list []Topic
	var index strings.Builder
	index.WriteString("# Functions\n")
	for _, c := range Categories() {
		var names []string
		table := "| function | does |\n| --- | --- |\n"
		for _, f := range all {
			if f.Category != c.Name {
				continue
			}
			list = append(list, Topic{Name: f.Name, Title: f.Description, Kind: Function, Also: f.Aliases, text: functionPage(f, c)})
			names = append(names, mark(f.Name))
			table += "| " + cell(mark(f.Name)) + " | " + cell(literal(f.Description)) + " |\n"
		}
		fmt.Fprintf(&index, "\n## %s\n\n%s\n", c.Title, strings.Join(names, ", "))
		list = append(list, Topic{Name: c.topic(), Title: c.Title, Kind: Category, text: "# " + c.Title + "\n\n" + table})
	}
	index.WriteString("\nThe name of a function leads to its own page. Those that need `OVER` are under `OVER`.\n")
	return append(list, Topic{Name: "functions", Title: "All functions by what they are for", Kind: Category,
		Also: []string{"function"}, text: index.String()})
}

// functionPage is what there is to say of a function.
func functionPage(f expr.Function, c FunctionCategory) string {
	var sb strings.Builder
	fmt.Fprintf(&sb, "# %s\n\n%s", mark(f.Name), literal(f.Description))
	switch {
	case f.CanFail && f.Volatile:
		sb.WriteString(". It can fail, and two calls may differ.\n")
	case f.CanFail:
		sb.WriteString(". It can fail for some values.\n")
	case f.Volatile:
		sb.WriteString(". Two calls may differ.\n")
	default:
		sb.WriteString(".\n")
	}
	if len(f.Aliases) > 0 {
		var names []string
		for _, a := range f.Aliases {
			names = append(names, mark(a))
		}
		fmt.Fprintf(&sb, "\nAlso called %s.\n", strings.Join(names, ", "))
	}
	sb.WriteString("\n```text\n")
	for _, s := range f.Signatures {
		sb.WriteString(signature(f.Name, s) + "\n")
	}
	sb.WriteString("```\n")
	if f.Example != "" {
		fmt.Fprintf(&sb, "\nFor example\n\n```rql\nTRANSFORM %s\n```\n```text\n%s\n```\n", f.Example, f.Result)
	}
	fmt.Fprintf(&sb, "\nMore of its kind under `%s`.\n", c.topic())
	return sb.String()
}

// kindTitles head the lists of the table of contents. Functions have their own.
var kindTitles = []struct {
	kind  Kind
	title string
}{
	{Page, "To read from the beginning"},
	{Verb, "Verbs"},
	{Statement, "Statements"},
	{Section, "About the language"},
	{Error, "Errors"},
	{Setting, "Settings"},
	{Command, "Commands of the prompt"},
	{Category, "Functions"},
}

// contents is the topic that lists all others.
func contents(topics []Topic) Topic {
	var sb strings.Builder
	sb.WriteString("# Topics\n")
	for _, k := range kindTitles {
		rows := ""
		for _, t := range topics {
			if t.Kind == k.kind {
				rows += "| " + cell(mark(t.Name)) + " | " + cell(t.Title) + " |\n"
			}
		}
		if rows != "" {
			fmt.Fprintf(&sb, "\n## %s\n\n| | |\n| --- | --- |\n%s", k.title, rows)
		}
	}
	sb.WriteString("\nEvery function is a topic, too, and so are synonyms, options, formats and types.\n")
	return Topic{Name: "topics", Title: "What there is to read about", Kind: Page, Also: []string{"contents", "help"}, text: sb.String()}
}

// signature writes a call: substring(STRING, INT) -> STRING, or INT + INT -> INT.
func signature(name, sig string) string {
	takes, gives, ok := strings.Cut(sig, " -> ")
	if !ok {
		return name + "(" + sig + ")"
	}
	if strings.IndexFunc(name, func(r rune) bool { return unicode.IsLetter(r) }) < 0 {
		if left, right, two := strings.Cut(takes, ", "); two {
			return left + " " + name + " " + right + " -> " + gives
		}
		return name + takes + " -> " + gives
	}
	return name + "(" + takes + ") -> " + gives
}

// mark makes a code span of Markdown.
func mark(s string) string {
	if strings.Contains(s, "`") {
		return "`` " + s + " ``"
	}
	return "`" + s + "`"
}

// literal is text in which nothing is a mark of Markdown.
func literal(s string) string {
	return strings.NewReplacer("\\", "\\\\", "*", "\\*", "_", "\\_", "`", "\\`", "[", "\\[", "<", "\\<", "&", "\\&").Replace(s)
}

// cell is a text in a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }
