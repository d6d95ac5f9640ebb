package human

import (
	"testing"
	"time"
)

func TestShort(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1500: "1.5K", 2_000_000: "2M", 12_345_678: "12.3M", 5e9: "5G"} {
		if got := Short(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                          "0.00 ms",
		45 * time.Microsecond:      "0.04 ms",
		1500 * time.Microsecond:    "1.5 ms",
		12 * time.Millisecond:      "12 ms",
		999_600 * time.Microsecond: "1.00 s",
		61 * time.Second:           "1m01s",
		2 * time.Hour:              "120m00s",
	} {
		if got := Duration(d); got != want {
			t.Errorf("%s: %q, want %q", d, got, want)
		}
	}
}
