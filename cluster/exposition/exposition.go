// Package exposition writes metrics as the text that Prometheus reads.
//
// Prometheus's own library does work when it is loaded, which every query of a program that links it
// would pay for. What is written here is checked by that project's reader.
package exposition

import (
	"bytes"
	"strconv"
	"strings"
)

// ContentType is the type of what Page.Bytes gives.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Page is one answer to a scrape. The zero value is empty.
type Page struct{ buf bytes.Buffer }

// Sample is one value of a metric that has several, told apart by a label.
type Sample struct {
	Label string // the label's value
	Value float64
}

// Bytes is all that was written. The page owns them.
func (p *Page) Bytes() []byte { return p.buf.Bytes() }

// Gauge writes a value that rises and falls.
func (p *Page) Gauge(name, help string, value float64) {
	p.head(name, "gauge", help)
	p.line(name, "", "", value)
}

// Gauges writes values that rise and fall, one for each value of a label.
func (p *Page) Gauges(name, help, label string, samples []Sample) {
	p.head(name, "gauge", help)
	p.lines(name, label, samples)
}

// Counter writes a count that only rises.
func (p *Page) Counter(name, help string, value float64) {
	p.head(name, "counter", help)
	p.line(name, "", "", value)
}

// Counters writes counts that only rise, one for each value of a label.
func (p *Page) Counters(name, help, label string, samples []Sample) {
	p.head(name, "counter", help)
	p.lines(name, label, samples)
}

// What would end a help or a label too early.
var (
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// head names a metric, before its values.
func (p *Page) head(name, kind, help string) {
	p.buf.WriteString("# HELP " + name + " " + helpText.Replace(help) + "\n# TYPE " + name + " " + kind + "\n")
}

func (p *Page) lines(name, label string, samples []Sample) {
	for _, s := range samples {
		p.line(name, label, s.Label, s.Value)
	}
}

// line writes a value; without a label if that is "".
func (p *Page) line(name, label, of string, value float64) {
	p.buf.WriteString(name)
	if label != "" {
		p.buf.WriteString("{" + label + `="` + labelText.Replace(of) + `"}`)
	}
	p.buf.WriteByte(' ')
	p.buf.Write(strconv.AppendFloat(p.buf.AvailableBuffer(), value, 'g', -1, 64)) // +Inf and NaN are Go's words, too
	p.buf.WriteByte('\n')
}
