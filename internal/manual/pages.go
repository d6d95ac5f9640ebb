package manual

import (
	"regexp"
	"strings"

	"github.com/rainsql/rainsql/docs"
)

// pages cuts the documents into topics.
func pages() []Topic {
	list := []Topic{
		{Name: "tutorial", Title: "The first ten minutes", Kind: Page, text: docs.Tutorial},
		{Name: "prompt", Title: "The prompt: its commands, keys and files", Kind: Page,
			Also: []string{"shell", "commands", "keys", "history", "pager"}, text: docs.Prompt},
		{Name: "language", Title: "The whole reference of the language", Kind: Page, Also: []string{"rql", "reference"}, text: docs.Language},
		{Name: "errors", Title: "Every kind of error, its cause and its cure", Kind: Page, Also: []string{"error", "messages"}, text: docs.Errors},
	}
	list = append(list, commands(docs.Prompt)...)
	sections := cut(docs.Language)
	list = append(list, verbTopics(sections)...)
	for _, s := range sections {
		switch {
		case s.level == 1 || s.under == verbSection:
		case s.under == statementSection:
			list = append(list, Topic{Name: s.title, Title: statementTitles[s.title], Kind: Statement, Also: alsoOf[s.title], text: s.markdown()})
		default:
			list = append(list, Topic{Name: sectionName(s.title), Title: s.title, Kind: Section, Also: append([]string{s.title}, alsoOf[s.title]...), text: s.markdown()})
		}
	}
	for _, s := range cut(docs.Errors) {
		if s.level > 1 {
			list = append(list, Topic{Name: sectionName(s.title), Title: s.title, Kind: Error, Also: alsoOf[s.title], text: s.markdown()})
		}
	}
	return list
}

// commands is a topic for each command of the prompt: its line of the table, and
// the paragraphs that tell of it.
func commands(page string) []Topic {
	table := regexp.MustCompile("(?m)^\\| `(\\\\[^` ]+)([^`]*)` \\| (.*) \\|$") // | `\d [FILE]` | … |
	var list []Topic
	for _, row := range table.FindAllStringSubmatch(page, -1) {
		name, does := row[1], row[3]
		text := "# " + mark(name) + "\n\n" + mark(strings.ReplaceAll(name+row[2], `\|`, "|")) + ": " + does + ".\n"
		for part := range strings.SplitSeq(page, "\n\n") {
			about := strings.Contains(part, "`"+name+"`") || strings.Contains(part, "`"+name+" ")
			if about && !strings.HasPrefix(part, "|") && !strings.HasPrefix(part, "#") {
				text += "\n" + part + "\n"
			}
		}
		list = append(list, Topic{Name: name, Title: strings.ReplaceAll(does, "`", ""), Kind: Command, text: text + "\nMore under `prompt`.\n"})
	}
	return list
}

// section is a heading with what is below it.
type section struct {
	level    int
	title    string
	under    string    // the title of the section around it
	body     string    // up to the next heading
	children []section // those one level deeper
}

// cut splits a document at its headings of the second and third level.
func cut(page string) []section {
	var list []section
	fenced := false
	var body []string
	flush := func() {
		if len(list) > 0 {
			list[len(list)-1].body = strings.TrimSpace(strings.Join(body, "\n"))
		}
		body = nil
	}
	under := ""
	for line := range strings.Lines(page) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
		hashes, title, ok := strings.Cut(line, " ")
		if fenced || !ok || hashes == "" || strings.Trim(hashes, "#") != "" || len(hashes) > 3 {
			body = append(body, line)
			continue
		}
		flush()
		s := section{level: len(hashes), title: title}
		switch s.level {
		case 2:
			under = title
		case 3:
			s.under = under
		}
		list = append(list, s)
	}
	flush()
	for i := range list {
		for _, c := range list[i+1:] {
			if c.level <= list[i].level {
				break
			}
			list[i].children = append(list[i].children, c)
		}
	}
	return list
}

// markdown is the section as a page: its text, and what is below it.
func (s section) markdown() string {
	var sb strings.Builder
	sb.WriteString("# " + s.title + "\n\n")
	if s.body != "" {
		sb.WriteString(s.body + "\n")
	}
	if len(s.children) > 0 {
		var names []string
		for _, c := range s.children {
			names = append(names, "`"+sectionName(c.title)+"`")
		}
		sb.WriteString("\nMore under " + strings.Join(names, ", ") + ".\n")
	}
	return sb.String()
}
