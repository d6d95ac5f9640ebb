package manual

import "strings"

// inline reads what stands in a block. The style is that of all its text.
func (r *reader) inline(text string, s style) []span {
	var list []span
	plain := ""
	put := func(more ...span) {
		if plain != "" {
			list = append(list, span{plain, s})
		}
		list, plain = append(list, more...), ""
	}
	for text != "" {
		if n, spans := r.marked(text, s); n > 0 {
			put(spans...)
			text = text[n:]
			continue
		}
		n := 1
		switch {
		case text[0] == '\\' && len(text) > 1 && strings.IndexByte(punctuation, text[1]) >= 0:
			plain, n = plain+text[1:2], 2
		case text[0] == '\n':
			plain += " "
		case text[0] == '`': // one of a run that begins no code
			n = ticks(text)
			plain += text[:n]
		default:
			if n = 1 + strings.IndexAny(text[1:], marks); n == 0 {
				n = len(text)
			}
			plain += text[:n]
		}
		text = text[n:]
	}
	put()
	return list
}

// marks are what may mean something.
const marks = "\\\n`*<["

// punctuation is what a backslash takes the meaning from.
const punctuation = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"

// marked reads what a text begins with, if it is a mark with something in it, and says how long that is.
func (r *reader) marked(text string, s style) (int, []span) {
	switch {
	case text[0] == '`':
		n, code := codeSpan(text)
		return n, []span{r.code(code, s)}
	case strings.HasPrefix(text, "<br>"):
		return len("<br>"), []span{{"\n", 0}}
	case strings.HasPrefix(text, "**"):
		return r.emphasis(text, "**", s|bold)
	case text[0] == '*':
		return r.emphasis(text, "*", s|italic)
	case text[0] == '[': // a link is its text
		label := within(text[1:], "]")
		target, rest, ok := strings.Cut(text[1+len(label):], ")")
		if ok && strings.HasPrefix(target, "](") && !strings.Contains(target, " ") && !strings.Contains(label, "[") {
			return len(text) - len(rest), r.inline(label, s)
		}
	}
	return 0, nil
}

func (r *reader) code(text string, s style) span {
	if r.quote && s&bold == 0 && !strings.Contains(text, "`") {
		text = "`" + text + "`"
	}
	return span{text, s | coded}
}

// emphasis reads what stands between two marks that touch it.
func (r *reader) emphasis(text, mark string, s style) (int, []span) {
	inner := within(text[len(mark):], mark)
	n := len(inner) + 2*len(mark)
	if n > len(text) || inner == "" || strings.TrimSpace(inner) != inner {
		return 0, nil
	}
	return n, r.inline(inner, s)
}

// within is a text up to a mark that stands in no code and behind no backslash; all of it if there is none.
func within(text, mark string) string {
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], mark):
			return text[:i]
		case text[i] == '\\':
			i += 2
		case text[i] == '`':
			n, _ := codeSpan(text[i:])
			i += max(n, ticks(text[i:]))
		default:
			i++
		}
	}
	return text
}

// ticks counts the backticks that a text begins with.
func ticks(text string) int { return len(text) - len(strings.TrimLeft(text, "`")) }

// codeSpan reads code up to as many backticks as it begins with, and says how long all that is; 0 is no code.
func codeSpan(text string) (n int, code string) {
	n = ticks(text)
	for i := n; i < len(text); i++ {
		run := ticks(text[i:])
		if run == n {
			code = strings.ReplaceAll(text[n:i], "\n", " ")
			if len(code) > 2 && code[0] == ' ' && code[len(code)-1] == ' ' && strings.TrimSpace(code) != "" {
				code = code[1 : len(code)-1]
			}
			return i + n, code
		}
		i += run
	}
	return 0, ""
}
