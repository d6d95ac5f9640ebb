package coordinator

import (
	"testing"
	"time"
)

func TestCorrection(t *testing.T) {
	const s, year = time.Second, 365 * 24 * time.Hour
	for _, tc := range []struct {
		offsets []time.Duration
		want    time.Duration
	}{
		{[]time.Duration{0}, 0},
		{[]time.Duration{0, s, -s}, 0},
		{[]time.Duration{0, -year, -year - s}, -year}, // the leader is a year ahead
		{[]time.Duration{0, year, year + s, year, year + 2*s}, year},
		{[]time.Duration{0, year, s}, 0}, // another is
		{[]time.Duration{0, year}, 0},    // who knows
		{[]time.Duration{0, year, year, year + s}, year},
	} {
		if got := correction(tc.offsets); got != tc.want {
			t.Errorf("%v: %v, want %v", tc.offsets, got, tc.want)
		}
	}
}
