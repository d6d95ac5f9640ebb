package sdfs

import (
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern string
		fits    []string
		not     []string
	}{
		{"a.csv", []string{"a.csv"}, []string{"a.csvx", "xa.csv", "a_csv", ""}},
		{"*.csv", []string{".csv", "a.csv"}, []string{"a/b.csv", "a.csv.gz"}},
		{"logs/*.jsonl", []string{"logs/a.jsonl"}, []string{"logs/a/b.jsonl", "logs/"}},
		{"logs/**", []string{"logs/a", "logs/a/b/c"}, []string{"logs", "xlogs/a"}},
		{"**/x", []string{"x", "a/x", "a/b/x"}, []string{"ax", "a/bx", "x/a"}},
		{"a/**/b", []string{"a/b", "a/x/b", "a/x/y/b"}, []string{"ab", "a/xb"}},
		{"**", []string{"", "a", "a/b"}, nil},
		{"a**c", []string{"ac", "abc", "a/b/c"}, []string{"ab"}},
		{"?", []string{"a", "ü"}, []string{"", "/", "ab"}},
		{"[a-c]x", []string{"ax", "cx"}, []string{"dx", "x"}},
		{"[^a-c]x", []string{"dx"}, []string{"ax", "/x"}},
		{"[!a]", []string{"b"}, []string{"a"}},
		{"[]a]", []string{"]", "a"}, []string{"b"}},
		{"[a-]", []string{"a", "-"}, []string{"b"}},
		{`\*`, []string{"*"}, []string{"a"}},
		{"*a*a*a*a*a*a*a*a*a*b", nil, []string{"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
	}
	for _, test := range tests {
		for _, name := range test.fits {
			if ok, err := Match(test.pattern, name); !ok || err != nil {
				t.Errorf("%q does not take %q: %v", test.pattern, name, err)
			}
		}
		for _, name := range test.not {
			if ok, err := Match(test.pattern, name); ok || err != nil {
				t.Errorf("%q takes %q: %v", test.pattern, name, err)
			}
		}
	}
	for _, pattern := range []string{"[", "[a", "[b-a]", `a\`, "[]", "\xff"} {
		if _, err := Match(pattern, "a"); err == nil {
			t.Errorf("%q is taken for a pattern", pattern)
		}
	}
}

func TestList(t *testing.T) {
	s, err := Open(t.Context(), tiny(simdisk.New()))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, name := range []string{"b", "a/2", "a/1.csv", "a/x/1.csv", "ab"} {
		if err := s.Append(t.Context(), name, nil); err != nil {
			t.Fatal(err)
		}
	}
	for pattern, want := range map[string]string{
		"": "a/1.csv a/2 a/x/1.csv ab b ", "a/*": "a/1.csv a/2 ", "a/**": "a/1.csv a/2 a/x/1.csv ", "a*": "ab ", "**/*.csv": "a/1.csv a/x/1.csv ", "nope": "",
	} {
		list, err := s.List(t.Context(), pattern)
		if err != nil {
			t.Error(err)
		}
		got := ""
		for _, info := range list {
			got += info.Name + " "
		}
		if got != want {
			t.Errorf("%q lists %q, want %q", pattern, got, want)
		}
	}
	if _, err := s.List(t.Context(), "["); err == nil {
		t.Error("a bad pattern lists")
	}
}

func FuzzMatch(f *testing.F) {
	f.Add("a/**/[^b-c]*?", "a/x/yz")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		g, err := parseGlob(pattern)
		if err == nil && g.match(name) && len(name) < len(g.prefix()) {
			t.Fatal("the prefix is wrong")
		}
	})
}
