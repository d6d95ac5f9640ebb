// Package human prints numbers for people.
package human

import (
	"fmt"
	"strings"
	"time"
)

// Bytes prints a size in decimal units, such as 1.5GB.
func Bytes(n int64) string {
	units := []string{"B", "KB", "MB", "GB", "TB"}
	f := float64(n)
	i := 0
	for f >= 1000 && i < len(units)-1 {
		f /= 1000
		i++
	}
	if i == 0 || f == float64(int64(f)) {
		return fmt.Sprintf("%.0f%s", f, units[i])
	}
	return fmt.Sprintf("%.1f%s", f, units[i])
}

// Thousands prints 1234567 as 1,234,567.
func Thousands(n int64) string {
	s := fmt.Sprint(n)
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return strings.Join(append([]string{s}, parts...), ",")
}

// Count prints a number of things: 1 row, 2,000 rows, 3 copies.
func Count(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if stem, ok := strings.CutSuffix(what, "py"); ok {
		return Thousands(n) + " " + stem + "pies"
	}
	return Thousands(n) + " " + what + "s"
}

// Short prints a number in at most three digits and a letter, such as 1.2M.
func Short(n int64) string {
	return strings.TrimSuffix(strings.NewReplacer("KB", "K", "MB", "M", "GB", "G", "TB", "T").Replace(Bytes(n)), "B")
}

// Duration prints a time that something took: 12 ms, 1.23 s, 2m05s.
func Duration(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.2f ms", float64(d)/1e6)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	case d < 999500*time.Microsecond:
		return fmt.Sprintf("%.0f ms", float64(d)/1e6)
	case d < time.Minute:
		return fmt.Sprintf("%.2f s", d.Seconds())
	}
	d = d.Round(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
