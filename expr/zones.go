package expr

import (
	_ "embed" // the names of the zones
	"fmt"
	"math"
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // one static binary: a machine need not have the zones

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/internal/suggest"
)

func zoneFunctions() []*entry {
	return []*entry{
		fn("timezone", "what the clocks of a time zone show at a moment; also t AT TIME ZONE z", "timezone('Europe/Berlin', TIMESTAMP '2026-07-01 12:00:00Z')", "2026-07-01 14:00:00").
			onFail("STRING, TIMESTAMP -> TIMESTAMP", func(c *call) (arrow.Array, error) {
				z, t := textIn(c.args[0]), stampIn(c.args[1])
				return rows(c, stampOut(c), func(i int) (arrow.Timestamp, error) { return c.memo.zone.local(z(i), t(i)) })
			}).checking(checkZone(0)),
		fn("to_utc_timestamp", "the moment at which the clocks of a time zone show that; of two the later, and what they leap over counts from before the leap", "to_utc_timestamp(TIMESTAMP '2026-07-01 14:00:00', 'Europe/Berlin')", "2026-07-01 12:00:00").
			onFail("TIMESTAMP, STRING -> TIMESTAMP", func(c *call) (arrow.Array, error) {
				t, z := stampIn(c.args[0]), textIn(c.args[1])
				return rows(c, stampOut(c), func(i int) (arrow.Timestamp, error) { return c.memo.zone.utc(z(i), t(i)) })
			}).checking(checkZone(1)),
	}
}

// checkZone finds a bad constant name of a zone before anything runs.
func checkZone(at int) func(args []Expr) (int, error) {
	return func(args []Expr) (int, error) {
		if name, ok := constantText(args[at]); ok {
			_, err := findZone(name)
			return at, err
		}
		return at, nil
	}
}

// zoneNames are those of the IANA database, as package time/tzdata holds it; a
// test compares them.
//
//go:embed zones.txt
var zoneList string

var zoneNames = sync.OnceValue(func() map[string]string {
	names := map[string]string{}
	for name := range strings.Lines(zoneList) {
		name = strings.TrimSpace(name)
		names[strings.ToLower(name)] = name
	}
	return names
})

// zones are those that were asked for, loaded, by their names as they were written.
var zones sync.Map

// findZone loads a zone of the IANA database by its name, in any case.
func findZone(name string) (*time.Location, error) {
	if loc, ok := zones.Load(name); ok {
		return loc.(*time.Location), nil
	}
	proper, ok := zoneNames()[strings.ToLower(name)]
	if !ok {
		return nil, unknownZone(name)
	}
	loc, err := time.LoadLocation(proper)
	if err != nil {
		return nil, fmt.Errorf("the time zone '%s' cannot be loaded: %w", proper, err)
	}
	zones.Store(strings.Clone(name), loc)
	return loc, nil
}

func unknownZone(name string) error {
	const most = 40
	if len(name) > most {
		name = name[:most] + "…"
	}
	var all, cities []string
	for line := range strings.Lines(zoneList) {
		line = strings.TrimSpace(line)
		all = append(all, line)
		cities = append(cities, line[strings.LastIndexByte(line, '/')+1:])
	}
	near := suggest.Nearest(name, all)
	if city := suggest.Nearest(strings.ReplaceAll(name, " ", "_"), cities); near == "" && city != "" {
		for i, c := range cities {
			if c == city {
				near = all[i]
				break
			}
		}
	}
	if near == "" {
		near = "Europe/Berlin"
		return fmt.Errorf("there is no time zone '%s': write a name of the IANA database such as '%s', or 'UTC'", name, near)
	}
	return fmt.Errorf("there is no time zone '%s': did you mean '%s'?", name, near)
}

// zoneSpan is a zone, and between which moments its clocks are known to be how
// far ahead of UTC, in microseconds: rows mostly follow within one such span.
type zoneSpan struct {
	name     string
	loc      *time.Location
	from, to int64
	ahead    int64
}

// enter makes z the zone called name.
func (z *zoneSpan) enter(name string) error {
	if z.loc != nil && z.name == name {
		return nil
	}
	loc, err := findZone(name)
	if err != nil {
		return err
	}
	*z = zoneSpan{name: strings.Clone(name), loc: loc}
	return nil
}

// at is how far the clocks are ahead of UTC at a moment.
func (z *zoneSpan) at(us int64) int64 {
	if us >= z.from && us < z.to {
		return z.ahead
	}
	t := time.UnixMicro(us).In(z.loc)
	_, seconds := t.Zone()
	start, end := t.ZoneBounds()
	z.ahead, z.from, z.to = int64(seconds)*usSecond, math.MinInt64, math.MaxInt64
	if !start.IsZero() {
		z.from = start.UnixMicro()
	}
	if !end.IsZero() {
		z.to = end.UnixMicro()
	}
	return z.ahead
}

// local is what the clocks of a zone show at t.
func (z *zoneSpan) local(name string, t arrow.Timestamp) (arrow.Timestamp, error) {
	if err := z.enter(name); err != nil {
		return 0, err
	}
	us, ok := addInts(int64(t), z.at(int64(t)))
	if !ok {
		return 0, errDateRange
	}
	return arrow.Timestamp(us), nil
}

// utc is the moment at which the clocks of a zone show t. Where they are set
// back and show it twice it is the later one; where they leap over it the clock
// of before the leap is taken, both as DuckDB and ICU do.
func (z *zoneSpan) utc(name string, t arrow.Timestamp) (arrow.Timestamp, error) {
	if err := z.enter(name); err != nil {
		return 0, err
	}
	// No clock is a day away from UTC, so these two are from before and after a
	// change that could matter.
	dayBefore, ok1 := subInts(int64(t), usDay)
	dayAfter, ok2 := addInts(int64(t), usDay)
	if !ok1 || !ok2 {
		return 0, errDateRange
	}
	before, after := z.at(dayBefore), z.at(dayAfter)
	early, late := int64(t)-before, int64(t)-after
	switch earlyFits, lateFits := z.at(early) == before, z.at(late) == after; {
	case earlyFits && lateFits:
		return arrow.Timestamp(max(early, late)), nil
	case lateFits:
		return arrow.Timestamp(late), nil
	}
	return arrow.Timestamp(early), nil
}
