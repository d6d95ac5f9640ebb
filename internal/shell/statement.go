package shell

import (
	"strings"
	"unicode"

	"github.com/rainsql/rainsql/parser/lex"
)

// Finished reports whether text is a whole input: nothing, a comment, a command,
// or statements of which the last has its semicolon. A command in the last line
// finishes what is not, as it does in psql.
func Finished(text string) bool {
	if _, last := split(text); last != "" {
		return true
	}
	return whole(text)
}

// split cuts a command in the last line from what is before it.
func split(text string) (before, last string) {
	text = strings.TrimRight(text, "\n")
	at := strings.LastIndexByte(text, '\n') + 1
	if word, _, ok := command(text[at:]); ok && !inside(text[:at]) && (word[0] != '.' || whole(text[:at])) {
		return text[:at], text[at:] // but a field's name may begin a line with its dot
	}
	return text, ""
}

// inside reports whether a string or a comment is open at the end of a text.
func inside(text string) bool {
	_, errs := lex.Tokens("", text)
	return len(errs) > 0 && errs[len(errs)-1].End.Offset >= len(strings.TrimRightFunc(text, unicode.IsSpace))
}

// whole reports whether text is nothing, or statements that have their semicolons.
func whole(text string) bool {
	if inside(text) {
		return false
	}
	last := ""
	toks, _ := lex.Tokens("", text)
	for _, t := range toks {
		if t.Type != lex.Comment && t.Type != lex.EOF {
			last = t.Value
		}
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
	word = text
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		word, argument = text[:i], strings.TrimSpace(text[i:])
	}
	if len(word) > 1 && word[0] == '.' && word[1] >= 'a' && word[1] <= 'z' {
		return word, argument, true // of another prompt: no statement begins so
	}
	if strings.HasPrefix(word, `\`) {
		if word != `\!` { // a ; is no part of anything else, and people write it
			word, argument = strings.TrimSuffix(word, ";"), strings.TrimSpace(strings.TrimSuffix(argument, ";"))
		}
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
		if _, _, ok := command(line); ok && whole(open.text) {
			flush()
			out = append(out, part{strings.TrimSpace(line), i})
			continue
		}
		if open.text == "" {
			open.line = i
		}
		open.text += line
	}
	flush()
	return out
}
