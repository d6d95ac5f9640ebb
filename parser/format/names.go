package format

import (
	"strings"

	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/parser/lex"
)

// contextual words are free as names but mean something else in some places.
// Who took the care to quote one keeps the quotes.
var contextual = map[string]bool{
	"DATE": true, "TIMESTAMP": true, "INTERVAL": true, "TRY_CAST": true, "EXTRACT": true, "UNBOUNDED": true,
	"CURRENT": true, "ALL": true, "OUTER": true, "EVENT": true, "REPLACE": true, "AT": true,
}

// Name writes a name as it must stand in a text: quoted if it is reserved or no
// plain identifier.
func Name(text string) string { return name(&ast.Name{Text: text}) }

// IsPlain reports whether a name needs no quotes, unless it is reserved.
func IsPlain(name string) bool { return plain(name) }

// name writes a name where any identifier may stand: quoted if it must be.
func name(n *ast.Name) string {
	up := strings.ToUpper(n.Text)
	if !plain(n.Text) || lex.Word(up) != lex.Ident || n.Quoted && contextual[up] {
		return quoteName(n.Text)
	}
	return n.Text
}

// fieldName writes a name behind a dot, where every word will do.
func fieldName(n *ast.Name) string {
	if plain(n.Text) && !n.Quoted {
		return n.Text
	}
	return name(n)
}

// structName writes the name of a field of a STRUCT literal. It alone may be empty.
func structName(n *ast.Name) string {
	if n.Text == "" {
		return "''"
	}
	return fieldName(n)
}

// optionName writes the name of an option; null is one, though reserved.
func optionName(n *ast.Name) string {
	if strings.EqualFold(n.Text, "null") {
		return n.Text
	}
	return name(n)
}

// callName writes the name of a function: lower case, unless quotes keep its case.
func callName(n ast.Name) string {
	if !n.Quoted {
		return strings.ToLower(n.Text)
	}
	if n.Text != strings.ToLower(n.Text) {
		return quoteName(n.Text)
	}
	return name(&n)
}

// plain reports whether text is an identifier that needs no quotes, unless reserved.
func plain(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

func quoteName(s string) string   { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
func quoteString(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
