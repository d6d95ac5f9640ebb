package render

import (
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
)

// markdown writes a table as GitHub's Markdown has it.
type markdown struct {
	w      io.Writer
	schema types.Schema
	begun  bool
	bytes  int64
}

// Write implements connect.Sink.
func (m *markdown) Write(cols []arrow.Array, rows int) error {
	var sb strings.Builder
	m.head(&sb)
	for i := range rows {
		for _, a := range cols {
			sb.WriteString("| ")
			if a.IsValid(i) {
				sb.WriteString(escapeMarkdown(value(a, i)))
			}
			sb.WriteByte(' ')
		}
		sb.WriteString("|\n")
	}
	return m.print(sb.String())
}

func (m *markdown) head(sb *strings.Builder) {
	if m.begun {
		return
	}
	m.begun = true
	for _, f := range m.schema {
		sb.WriteString("| " + escapeMarkdown(clean(f.Name)) + " ")
	}
	sb.WriteString("|\n")
	for _, f := range m.schema {
		if f.Type.IsNumeric() {
			sb.WriteString("| ---: ")
		} else {
			sb.WriteString("| --- ")
		}
	}
	sb.WriteString("|\n")
}

func escapeMarkdown(s string) string {
	return strings.NewReplacer(`\`, `\\`, "|", `\|`, "<", "&lt;", "\n", " ").Replace(s)
}

func (m *markdown) print(s string) error {
	n, err := io.WriteString(m.w, s)
	m.bytes += int64(n)
	return err
}

// Commit implements connect.Sink.
func (m *markdown) Commit() error {
	var sb strings.Builder
	m.head(&sb)
	return m.print(sb.String())
}

// Abort implements connect.Sink.
func (m *markdown) Abort() error { return nil }

// Bytes implements connect.Sink.
func (m *markdown) Bytes() int64 { return m.bytes }
