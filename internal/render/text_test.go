package render

import (
	"strings"
	"testing"
)

func TestPlan(t *testing.T) {
	for _, tt := range []struct {
		text    string
		columns int
		want    string
	}{
		{"plan\n└─ scan\n", 7, "plan\n└─ scan\n"},
		{"plan\n└─ scan of it\n", 0, "plan\n└─ scan of it\n"},
		{"plan\n└─ scan one, two, three where four\n", 30, "plan\n└─ scan one, two, three where\n     four\n"},
		{"  ██  9%  1 ms  └─ join on one and two and three", 44, "  ██  9%  1 ms  └─ join on one and two and\n                     three"},
		{"  ██  9%  1 ms  └─ join on one and two and", 30, "  ██  9%  1 ms  └─ join on one\n      and two and"},
		{"one two three", 8, "one two\n  three"},
		{"abcdefghijklmnopqrstuvwxyzabcdefghijkl", 30, "abcdefghijklmnopqrstuvwxyzabcd\n  efghijkl"},
		{"\n\n", 4, "\n\n"},
		{"", 4, ""},
	} {
		var sb strings.Builder
		if err := Plan(&sb, tt.text, tt.columns); err != nil || sb.String() != tt.want {
			t.Errorf("%q in %d: %q, not %q; %v", tt.text, tt.columns, sb.String(), tt.want, err)
		}
	}
}

func TestClean(t *testing.T) {
	const text = "a\tb\n\x1b[31mred\r\x07\u009b1m é …"
	if got, want := Clean(text), "a\tb\n·[31mred···1m é …"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWrapText(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"one two three four", "one two three four"},
		{"one two three four five", "one two three four\n      five"},
		{"one two three 45678 9 and more of it\nlast\n", "one two three 45678\n      9 and more of\n      it\nlast\n"},
		{"             01234567890123", "             01234567890123"}, // nothing to break at
	} {
		if got := Wrap(tt.text, 20); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.text, got, tt.want)
		}
		if got := Wrap(tt.text, 0); got != tt.text {
			t.Errorf("%q in any room: %q", tt.text, got)
		}
	}
}
