package exposition

import (
	"bytes"
	"math"
	"runtime"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// read reads a page as Prometheus does.
func read(t *testing.T, p *Page) map[string]*dto.MetricFamily {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(bytes.NewReader(p.Bytes()))
	if err != nil {
		t.Fatalf("%v\n%s", err, p.Bytes())
	}
	return families
}

// TestRead: what was written is read again, whatever stands in it.
func TestRead(t *testing.T) {
	const odd = "a \\ b\n\"c\"\\n {d} é 温"
	samples := []Sample{{"plain", 1}, {odd, math.Inf(1)}, {"", 1e-300}, {"nan", math.NaN()}, {"most", math.MaxUint64}}
	var p Page
	p.Gauge("level", odd, -0.5)
	p.Counter("seen_total", "Seen.", 1<<53)
	p.Gauges("levels", "Levels.", "of", samples)
	p.Counters("none_total", "None.", "of", nil)
	got := read(t, &p)
	if f := got["level"]; f.GetHelp() != odd || f.GetType() != dto.MetricType_GAUGE || f.GetMetric()[0].GetGauge().GetValue() != -0.5 {
		t.Error(f)
	}
	if f := got["seen_total"]; f.GetType() != dto.MetricType_COUNTER || f.GetMetric()[0].GetCounter().GetValue() != 1<<53 {
		t.Error(f)
	}
	for i, m := range got["levels"].GetMetric() {
		l, v := m.GetLabel()[0], m.GetGauge().GetValue()
		if l.GetName() != "of" || l.GetValue() != samples[i].Label || v != samples[i].Value && !(math.IsNaN(v) && samples[i].Label == "nan") {
			t.Error(m, samples[i])
		}
	}
	if len(got["levels"].GetMetric()) != len(samples) || len(got) != 3 {
		t.Error(got)
	}
}

// TestRuntime: the runtime and the process are told of under their usual names.
func TestRuntime(t *testing.T) {
	runtime.GC()
	var p Page
	p.Runtime()
	got := read(t, &p)
	value := func(name string) float64 {
		m := got[name].GetMetric()
		if len(m) != 1 {
			t.Errorf("%s: %v", name, m)
			return 0
		}
		return m[0].GetGauge().GetValue() + m[0].GetCounter().GetValue()
	}
	pauses := got["go_gc_duration_seconds"].GetMetric()[0].GetSummary()
	if pauses.GetSampleCount() < 1 || len(pauses.GetQuantile()) != 5 || pauses.GetQuantile()[4].GetValue() > pauses.GetSampleSum() {
		t.Error(pauses)
	}
	for _, name := range []string{"go_goroutines", "go_threads", "go_info", "go_memstats_heap_inuse_bytes", "go_memstats_mallocs_total", "go_memstats_sys_bytes"} {
		if value(name) < 1 {
			t.Error(name, value(name))
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	if since := time.Since(time.UnixMilli(int64(1000 * value("process_start_time_seconds")))); since < -2*time.Second || since > time.Hour {
		t.Error("began", since, "ago")
	}
	if r, v := value("process_resident_memory_bytes"), value("process_virtual_memory_bytes"); r < 1<<20 || v < r {
		t.Error(r, v)
	}
	if open := value("process_open_fds"); open < 3 || open > value("process_max_fds") {
		t.Error("open:", open)
	}
	_ = value("process_cpu_seconds_total")
}
