package jobs

import (
	"strings"
	"testing"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// TestInfosFit: the list of as many jobs as a cluster knows is a message of a tenth of what one may have, whatever their texts; one alone is there in full.
func TestInfosFit(t *testing.T) {
	s := state.New()
	index := uint64(0)
	do := func(e state.Entry) {
		t.Helper()
		index++
		e.Time = int64(index)
		next, res := state.Apply(s, index, e)
		if res.Err != nil {
			t.Fatal(res.Err)
		}
		s = next
	}
	text := "FROM\n\t" + strings.Repeat("é", state.MaxText)
	gateway := state.Holder{Node: state.ID{1}, Incarnation: 1}
	for i := range 2000 {
		do(state.Entry{Kind: state.JobSubmit, Key: state.ID{byte(i), byte(i >> 8), 1}, Width: 64, Servers: []state.Holder{gateway}, Name: "ann", Value: text})
		if id := index; i < 1000 {
			do(state.Entry{Kind: state.JobEnd, Job: id, Outcome: state.Failed, Value: text})
		}
	}
	list := Infos(s, &api.JobQuery{})
	size := proto.Size(&api.ReadResponse{Jobs: list})
	if len(list) != 2000 || size > 1600<<10 {
		t.Errorf("%d jobs in %d bytes", len(list), size)
	}
	for _, got := range []string{list[0].GetText(), list[0].GetReason(), list[1999].GetText()} {
		if !strings.HasPrefix(got, "FROM éé") || !strings.HasSuffix(got, "é…") || !utf8.ValidString(got) || len(got) > briefBytes+len("…") {
			t.Errorf("a text on a line: %q", got)
		}
	}
	one := Infos(s, &api.JobQuery{Id: list[0].GetId()})
	if len(one) != 1 || one[0].GetText() != text[:len(one[0].GetText())] || len(one[0].GetText()) < state.MaxText-1 || one[0].GetStatus() != "failed" || one[0].GetGatewayName() != gateway.Node.Short() {
		t.Errorf("one: %v", one)
	}
	if none := Infos(s, &api.JobQuery{Id: index + 1}); len(none) != 0 {
		t.Errorf("none: %v", none)
	}
}

func TestBrief(t *testing.T) {
	for text, want := range map[string]string{
		"":                              "",
		"FROM 'a'":                      "FROM 'a'",
		"FROM\n\t'a'\r\n  LIMIT 5\n":    "FROM 'a' LIMIT 5",
		"a\xffb":                        "ab",
		strings.Repeat("a ", 150):       strings.TrimSpace(strings.Repeat("a ", 100)) + "…",
		"a" + strings.Repeat(" ", 1000): "a…",
	} {
		if got := brief(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
