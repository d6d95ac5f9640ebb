package exposition

import "testing"

// TestStat: the name of a program may look like the fields behind it.
func TestStat(t *testing.T) {
	var p Page
	p.stat([]byte("1 (a) b 2) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 9 0 700 4096000 3 18446744073709551615 1 1\n"))
	got := read(t, &p)
	if got["process_cpu_seconds_total"].GetMetric()[0].GetCounter().GetValue() != 2 || got["process_virtual_memory_bytes"].GetMetric()[0].GetGauge().GetValue() != 4096000 {
		t.Errorf("%s", p.Bytes())
	}
	before := len(p.Bytes())
	for _, short := range []string{"", "1 (a) S", ")"} {
		p.stat([]byte(short))
	}
	if len(p.Bytes()) != before {
		t.Errorf("%s", p.Bytes())
	}
}
