package format

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/alecthomas/participle/v2/lexer"

	"github.com/rainsql/rainsql/parser"
	"github.com/rainsql/rainsql/parser/ast"
)

// different says where two asts differ in meaning, or "". Positions do not
// count, nor whether a name had quotes, the case of a function's name, SHOW's word, or in which
// of its two forms GROUP BY alone stood.
func different(path string, a, b reflect.Value) string {
	if a.Kind() != b.Kind() || a.IsValid() && a.Type() != b.Type() {
		return fmt.Sprintf("%s: %s and %s", path, describe(a), describe(b))
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Interface:
		if a.IsNil() || b.IsNil() {
			if a.IsNil() != b.IsNil() {
				return fmt.Sprintf("%s: %s and %s", path, describe(a), describe(b))
			}
			return ""
		}
		if call, ok := a.Interface().(*ast.Call); ok {
			call.Name.Text = callName(call.Name)
			call = b.Interface().(*ast.Call)
			call.Name.Text = callName(call.Name)
		}
		if src, ok := a.Interface().(*ast.Source); ok && src.Call != nil {
			src.Name.Text = strings.ToLower(src.Name.Text)
			src = b.Interface().(*ast.Source)
			src.Name.Text = strings.ToLower(src.Name.Text)
		}
		if agg, ok := a.Interface().(*ast.Aggregate); ok && len(agg.Alone) > 0 {
			agg.Keys, agg.Alone = agg.Alone, nil
		}
		if show, ok := a.Interface().(*ast.Show); ok && !show.What.Quoted {
			show.What.Text = strings.ToUpper(show.What.Text)
		}
		return different(path, a.Elem(), b.Elem())
	case reflect.Struct:
		if _, ok := a.Interface().(lexer.Position); ok {
			return ""
		}
		for i := range a.NumField() {
			f := a.Type().Field(i)
			if f.Name == "Quoted" || f.Name == "Comments" {
				continue
			}
			if d := different(path+"."+f.Name, a.Field(i), b.Field(i)); d != "" {
				return d
			}
		}
		return ""
	case reflect.Slice:
		if a.Len() != b.Len() {
			return fmt.Sprintf("%s: %d and %d", path, a.Len(), b.Len())
		}
		for i := range a.Len() {
			if d := different(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i)); d != "" {
				return d
			}
		}
		return ""
	}
	if !a.Equal(b) {
		return fmt.Sprintf("%s: %v and %v", path, a, b)
	}
	return ""
}

func describe(v reflect.Value) string {
	if !v.IsValid() {
		return "nothing"
	}
	return v.Type().String()
}

// check formats a text that parses and fails the test unless the result has
// the same ast and comments, and is its own canonical form. It returns the result.
func check(t *testing.T, src string) string {
	t.Helper()
	before, err := parser.Parse("a.rql", src)
	if err != nil {
		t.Fatalf("does not parse: %v", err)
	}
	out, err := Source("a.rql", src)
	if err != nil {
		t.Fatalf("parses but is not formatted: %v", err)
	}
	after, err := parser.Parse("b.rql", out)
	if err != nil {
		t.Fatalf("the canonical text does not parse:\n%s\n%v", out, err)
	}
	if got, want := commentTexts(after), commentTexts(before); !reflect.DeepEqual(got, want) {
		t.Fatalf("comments %v became %v in\n%s", want, got, out)
	}
	if d := different("script", reflect.ValueOf(before), reflect.ValueOf(after)); d != "" {
		t.Fatalf("the meaning changed at %s:\n%s\nbecame\n%s", d, src, out)
	}
	again, err := Source("b.rql", out)
	if err != nil || again != out {
		t.Fatalf("not idempotent (%v):\n%s", err, Diff("once", "twice", out, again))
	}
	return out
}

func commentTexts(s *ast.Script) map[string]int {
	count := map[string]int{}
	for _, c := range s.Comments {
		count[trimmed(c)]++
	}
	return count
}
