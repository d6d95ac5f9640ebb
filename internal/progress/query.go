package progress

import (
	"fmt"
	"strings"
	"time"

	"github.com/rainsql/rainsql/internal/human"
)

// Query is how far a query has come.
type Query struct {
	Elapsed     time.Duration
	Rows, Bytes int64 // that have been read
	Done, Total int64 // bytes of its files that are behind it, and all; Total is -1 where that is not known
	Memory      int64 // bytes held now
	Spilled     int64 // bytes written to temporary files
}

// Text is the line that shows it, as much of it as so many columns have room
// for; 0 is any number.
func (q Query) Text(room int) string {
	var parts []string
	if q.Total > 0 {
		parts = append(parts,
			fmt.Sprintf("%3d%%", min(100*q.Done/q.Total, 100)),
			human.Short(q.Rows)+" rows",
			human.Bytes(min(q.Done, q.Total))+" of "+human.Bytes(q.Total))
	} else {
		parts = append(parts, human.Short(q.Rows)+" rows", human.Bytes(q.Bytes))
	}
	rate := float64(q.Rows) / max(q.Elapsed.Seconds(), 1e-3)
	parts = append(parts,
		human.Short(int64(rate))+" rows/s",
		elapsed(q.Elapsed),
		"memory "+human.Bytes(q.Memory),
		"spilled "+human.Bytes(q.Spilled))
	var sb strings.Builder
	for _, p := range parts {
		if room > 0 && sb.Len()+2+len(p) > room { // all of it is ASCII
			break
		}
		sb.WriteString("  " + p)
	}
	return sb.String()
}

// elapsed is a time whose last digit does not flicker.
func elapsed(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	d = d.Truncate(time.Second)
	return fmt.Sprintf("%dm%02ds", int(d.Minutes()), int(d.Seconds())%60)
}
