package analyze

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/rainsql/rainsql/internal/suggest"
)

// SettingInfo describes a setting, for SHOW SETTINGS and help.
type SettingInfo struct {
	Name, Default, Description string
}

// Settings lists what SET and --set take.
func Settings() []SettingInfo {
	return []SettingInfo{
		{"parallelism", "the number of cores", "tasks that a stage may run at once"},
		{"memory_limit", "80% of the memory", "bytes that a query may hold, such as 512MB"},
		{"time_limit", "none", "how long a query may run, such as 30s"},
		{"row_limit", "none", "rows that a query may hand to its caller"},
	}
}

// CheckSetting reports whether value is one that the setting can have.
func CheckSetting(name, value string) error {
	var err error
	switch name {
	case "parallelism":
		if n, bad := strconv.ParseInt(value, 10, 32); bad != nil || n < 1 || n > 1024 {
			err = errors.New("it is a number from 1 to 1024")
		}
	case "memory_limit":
		_, err = ParseSize(value)
	case "time_limit":
		_, err = ParseDuration(value)
	case "row_limit":
		if n, bad := strconv.ParseInt(value, 10, 64); bad != nil || n < 0 {
			err = errors.New("it is a whole number, 0 or more; 0 is without limit")
		}
	case "checkpoint_interval":
		return fmt.Errorf("checkpoint_interval belongs to jobs, which are not supported yet")
	default:
		var names []string
		for _, s := range Settings() {
			names = append(names, s.Name)
		}
		if near := suggest.Nearest(name, names); near != "" {
			return fmt.Errorf("no setting %q: did you mean %q?", name, near)
		}
		return fmt.Errorf("no setting %q: there are %s", name, strings.Join(names, ", "))
	}
	if err != nil {
		return fmt.Errorf("%s = %s: %w", name, value, err)
	}
	return nil
}

var sizeUnits = map[string]float64{
	"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	"KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12,
}

// ParseSize reads a size such as 64MB or 1.5GiB; units of 1000 and 1024 as their names say.
func ParseSize(s string) (int64, error) {
	num, unit := cutUnit(s)
	f, err := strconv.ParseFloat(num, 64)
	scale, ok := sizeUnits[strings.ToUpper(unit)]
	if err != nil || !ok || f < 0 || f*scale > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is not a size: write a number and a unit, such as 64MB", s)
	}
	return int64(f * scale), nil
}

var durationUnits = map[string]time.Duration{
	"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute,
	"h": time.Hour, "d": 24 * time.Hour, "w": 7 * 24 * time.Hour,
}

// ParseDuration reads a duration such as 250ms, 10s, 5m, 1h or 7d.
func ParseDuration(s string) (time.Duration, error) {
	num, unit := cutUnit(s)
	f, err := strconv.ParseFloat(num, 64)
	scale, ok := durationUnits[strings.ToLower(unit)]
	if err != nil || !ok || f < 0 || f*float64(scale) > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is not a duration: write a number and a unit, such as 250ms, 10s, 5m, 1h or 7d", s)
	}
	return time.Duration(f * float64(scale)), nil
}

func cutUnit(s string) (number, unit string) {
	s = strings.ReplaceAll(strings.TrimSpace(s), "_", "")
	n := strings.IndexFunc(s, func(r rune) bool { return (r < '0' || r > '9') && r != '.' })
	if n < 0 {
		return s, ""
	}
	return s[:n], strings.TrimSpace(s[n:])
}
