package expr

import (
	"maps"
	"slices"
)

// ZoneNames lists the time zones of AT TIME ZONE, in order.
func ZoneNames() []string { return slices.Sorted(maps.Values(zoneNames())) }
