package shell

import (
	"strings"
	"unicode"

	"github.com/rainsql/rainsql/parser/lex"
)

// Finished reports whether text is a whole input: nothing, a comment, a command,
// or statements of which the last has its semicolon.
func Finished(text string) bool {
	if _, _, ok := command(text); ok {
		return true
	}
	last := ""
	toks, errs := lex.Tokens("", text)
	for _, t := range toks {
		if t.Type != lex.Comment && t.Type != lex.EOF {
			last = t.Value
		}
	}
	if len(errs) > 0 && errs[len(errs)-1].End.Offset >= len(strings.TrimRightFunc(text, unicode.IsSpace)) {
		return false // a string or a comment that is still open
	}
	return last == ";" || last == "" // a comment alone waits for nothing
}

// words that are commands without a backslash, alone on their line.
var words = map[string]string{"exit": `\q`, "quit": `\q`, "help": `\?`}

// command splits a command from its argument, and reports whether text is one.
func command(text string) (word, argument string, ok bool) {
	text = strings.TrimSpace(text)
	if strings.ContainsRune(text, '\n') {
		return "", "", false
	}
	word, argument, _ = strings.Cut(text, " ")
	argument = strings.TrimSpace(argument)
	if strings.HasPrefix(word, `\`) {
		return word, argument, true
	}
	bare := strings.ToLower(strings.TrimSuffix(word, ";"))
	w, ok := words[bare]
	if !ok {
		return "", "", false
	}
	argument = strings.TrimSuffix(argument, ";")
	switch {
	case argument == "":
		return w, "", true
	case bare == "help":
		return `\h`, argument, true
	}
	return "", "", false
}

// part is one input of a script.
type part struct {
	text string
	line int // its first, from 0
}

// parts cuts a script into inputs: commands, each on a line of its own, and the
// statements between them, together.
func parts(script string) []part {
	var out []part
	var open part
	flush := func() {
		if strings.TrimSpace(open.text) != "" {
			out = append(out, open)
		}
		open.text = ""
	}
	for i, line := range strings.SplitAfter(script, "\n") {
		if Finished(open.text) {
			if _, _, ok := command(line); ok {
				flush()
				out = append(out, part{strings.TrimSpace(line), i})
				continue
			}
		}
		if open.text == "" {
			open.line = i
		}
		open.text += line
	}
	flush()
	return out
}
