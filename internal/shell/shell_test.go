package shell

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestFinished(t *testing.T) {
	for text, want := range map[string]bool{
		"":                           true,
		"  \n":                       true,
		"FROM a;":                    true,
		"FROM a; ":                   true,
		"FROM a; -- done":            true,
		"FROM a -- not yet;":         false,
		"FROM a /* not yet;":         false,
		"FROM a":                     false,
		"FROM a;\nFROM b":            false,
		"FROM a;\nFROM b;":           true,
		"FROM 'a;":                   false,
		"FROM 'a;\n';":               true,
		"FILTER x = ';'":             false,
		"-- a remark":                true,
		`\d 'a.csv'`:                 true,
		`\d`:                         true,
		"exit":                       true,
		"QUIT;":                      true,
		"help filter":                true,
		"exit the building":          false,
		".tables":                    true,
		"FROM a TRANSFORM s\n.field": false,
		"help filter\nFROM a":        false,
		"FROM a\n\\q":                true,
		"FROM a\nexit;":              true,
		"FROM 'a\n\\q":               false,
		"\\x\nFROM a;":               true,
		"\\x\nFROM a":                false,
		"\\x\ton ;":                  true,
		"FROM a FILTER x = 1 ;;":     true,
		"FROM a FILTER \"x;":         false,
		"FROM a FILTER `x` = 'é';":   true,
		"FROM a FILTER x = 'it''s'":  false,
	} {
		if got := Finished(text); got != want {
			t.Errorf("Finished(%q) = %t", text, got)
		}
	}
}

func TestParts(t *testing.T) {
	script := "-- first\n\\format json\nFROM a\n  LIMIT 1;\nFROM b; FROM\n\\d\n;\nhelp\nFROM c"
	want := []part{
		{"-- first\n", 0}, {`\format json`, 1}, {"FROM a\n  LIMIT 1;\nFROM b; FROM\n\\d\n;\n", 2}, {"help", 7}, {"FROM c", 8},
	}
	if got := parts(script); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v", got)
	}
}

func TestColour(t *testing.T) {
	text := "FROM 'é.csv' FILTER lower(a) <> $p AND b > 1.5 -- x"
	want := "[1;34|FROM] [32|'é.csv'] [1;34|FILTER] [36|lower](a) <> [33|$p] [34|AND] b > [35|1.5] [2|-- x]"
	if got := marked(text); got != want {
		t.Errorf("%s\nnot\n%s", got, want)
	}
	for text, want := range map[string]string{
		`\df x`:      `[1|\df] x`,
		"FROM 'open": "[1;34|FROM] [31|'open]",
		"a § b":      "a [31|§] b",
		"":           "",
	} {
		if got := marked(text); got != want {
			t.Errorf("%s, not %s", got, want)
		}
	}
}

// marked is text with its colours written out.
func marked(text string) string {
	var sb strings.Builder
	at := 0
	for _, s := range Colour(text) {
		sb.WriteString(text[at:s.From] + "[" + s.Style + "|" + text[s.From:s.To] + "]")
		at = s.To
	}
	return sb.String() + text[at:]
}

// Spans are in order, apart and inside, whatever is typed.
func FuzzColour(f *testing.F) {
	f.Add("FROM 'a' FILTER \"b /* -- c\n$ § 1x;")
	f.Fuzz(func(t *testing.T, text string) {
		at := 0
		for _, s := range Colour(text) {
			if s.From < at || s.To <= s.From || s.To > len(text) {
				t.Fatalf("%q: %+v behind %d", text, s, at)
			}
			at = s.To
		}
		Finished(text)
		parts(text)
	})
}

func TestHistory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state", "history")
	h, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	h.Add("FROM a\nLIMIT 1;")
	h.Add("FROM a\nLIMIT 1;") // once is enough
	h.Add(" a secret;")
	h.Add("\n")
	other.Add("x < 'é';")
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("\"cut sho"); err != nil { // by a crash
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := openHistory(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := again.Entries(), []string{"FROM a\nLIMIT 1;", "x < 'é';"}; !reflect.DeepEqual(got, want) {
		t.Errorf("%q, not %q", got, want)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("others may read the history: %s", info.Mode())
	}
}

// A long history is cut when it is read.
func TestHistoryIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history")
	var sb strings.Builder
	for i := range 2*mostHistory + 1 {
		sb.Write(line(strings.Repeat("x", i%7+1)))
	}
	if err := os.WriteFile(path, []byte(sb.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		h, err := openHistory(path)
		if err != nil {
			t.Fatal(err)
		}
		if len(h.Entries()) != mostHistory {
			t.Errorf("%d entries", len(h.Entries()))
		}
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

// docs/PROMPT.md lists the commands that there are, in the words of \?.
func TestCommandsAreDocumented(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "PROMPT.md"))
	if err != nil {
		t.Fatal(err)
	}
	var want strings.Builder
	for _, c := range commands() {
		want.WriteString("| `" + strings.ReplaceAll(strings.TrimSpace(c.name+" "+c.argument), "|", `\|`) + "` | " + c.does + " |\n")
	}
	if !strings.Contains(string(b), "| --- | --- |\n"+want.String()) {
		t.Errorf("docs/PROMPT.md does not list the commands as they are:\n%s", want.String())
	}
}
