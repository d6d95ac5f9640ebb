package retry

import "testing"

// TestWindow: what a request that was late by so many others can rely on.
func TestWindow(t *testing.T) {
	const id, late, code = 7, 100, 3
	for _, test := range []struct {
		past         uint64 // how many later ones were applied first
		before, then Verdict
	}{
		{0, Fresh, Done},
		{Window - 1, Fresh, Done},
		{Window, Fresh, Stale},
		{Window + 1, Stale, Stale},
	} {
		var table Table
		for seq := uint64(1); seq <= late+test.past; seq++ {
			if seq != late {
				table = table.Remember(id, seq, 0, 0)
			}
		}
		if _, v := table.Recall(id, late, 0, 0); v != test.before {
			t.Errorf("%d went past: verdict %d, want %d", test.past, v, test.before)
		}
		table = table.Remember(id, late, 0, code)
		if c, v := table.Recall(id, late, 0, 0); v != test.then || v == Done && c != code {
			t.Errorf("%d went past, then it was applied: code %d, verdict %d, want %d", test.past, c, v, test.then)
		}
	}
}
