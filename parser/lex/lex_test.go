package lex

import (
	"fmt"
	"strings"
	"testing"
)

// show writes tokens as kind:text, reserved words as their word.
func show(src string) string {
	toks, errs := Tokens("t", src)
	kinds := map[int]string{
		int(Comment): "comment", int(Ident): "ident", int(Quoted): "quoted", int(String): "string",
		int(Number): "number", int(Unit): "unit", int(Param): "param", int(Op): "op",
	}
	var out []string
	for _, t := range toks {
		switch {
		case t.EOF():
		case WordOf(t) != "":
			out = append(out, WordOf(t))
		default:
			out = append(out, kinds[int(t.Type)]+":"+t.Value)
		}
	}
	for _, e := range errs {
		out = append(out, fmt.Sprintf("error[%d,%d)", e.Start.Offset, e.End.Offset))
	}
	return strings.Join(out, " ")
}

func TestTokens(t *testing.T) {
	for src, want := range map[string]string{
		// numbers
		"1 1_000 007":       "number:1 number:1_000 number:007",
		"1.5 .5 1. 1.5e-3":  "number:1.5 number:.5 number:1. number:1.5e-3",
		"1e9 1E+9 2e":       "number:1e9 number:1E+9 unit:2e",
		"0xff 0XF_F 0x":     "number:0xff number:0XF_F unit:0x",
		"0xffg":             "number:0 error[0,5)",
		"1..2":              "number:1. number:.2",
		"1_ 1__0":           "unit:1_ unit:1__0",
		"a.5":               "ident:a number:.5",
		"a-1":               "ident:a op:- number:1",
		"10s 250ms 64MB 7d": "unit:10s unit:250ms unit:64MB unit:7d",
		"1.5h 10 s":         "unit:1.5h number:10 ident:s",
		// words
		"from From FROM fromage": "FROM FROM FROM ident:fromage",
		"date Time _line x1":     "ident:date ident:Time ident:_line ident:x1",
		"aggregates AGGREGATE":   "ident:aggregates AGGREGATE",
		// quotes
		"'it''s' ''":         "string:'it''s' string:''",
		"\"a \"\"b\" `c``d`": "quoted:\"a \"\"b\" quoted:`c``d`",
		"'a\nb'":             "string:'a\nb'",
		"'open\nSORT a":      "string:'' SORT ident:a error[0,5)",
		`""`:                 `quoted:"?" error[0,2)`,
		"“x y” a":            "string:'' ident:a error[0,9)",
		"größe = 1":          "ident:_ op:= number:1 error[0,7)",
		"é":                  "ident:_ error[0,2)",
		// comments
		"a -- b\r\nc":      "ident:a comment:-- b ident:c",
		"a /* b\n* / */ c": "ident:a comment:/* b\n* / */ ident:c",
		"a /* b":           "ident:a error[2,6)",
		"a - -b":           "ident:a op:- op:- ident:b",
		// operators and parameters
		"a||b |> | ::":     "ident:a op:|| ident:b op:|> op:| op:::",
		"<= <> != !~ == =": "op:<= op:<> op:!= op:!~ op:== op:=",
		"a//b":             "ident:a op:// ident:b",
		"$name $1":         "param:$name param:$_ number:1 error[6,7)",
		"a # b":            "ident:a ident:b error[2,3)",
		"a @{ b":           "ident:a error[2,6)",
		"a @{":             "ident:a error[2,4)",
		"\ufeffFROM x":     "FROM ident:x",
	} {
		if got := show(src); got != want {
			t.Errorf("%q: got %s, want %s", src, got, want)
		}
	}
}

func TestPositions(t *testing.T) {
	toks, _ := Tokens("t", "FROM x\n\t'größe\n日本' b")
	for i, want := range []string{"t:1:1", "t:1:6", "t:2:2", "t:3:5", "t:3:6"} {
		if got := toks[i].Pos.String(); got != want {
			t.Errorf("token %d %q is at %s, want %s", i, toks[i].Value, got, want)
		}
	}
}
