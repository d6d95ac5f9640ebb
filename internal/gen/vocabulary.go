package gen

import (
	"math/rand/v2"
	"sync"
)

// table is a choice among values with weights. It is drawn from in constant
// time: every value stands as often in slots as its weight says.
type table[T any] struct{ slots []T }

// slotCount is a power of two, so that a draw is a mask.
const slotCount = 4096

// lazily is choice when it is first needed: a query pays nothing for it.
func lazily[T any](values ...weighted[T]) func() *table[T] {
	return sync.OnceValue(func() *table[T] {
		t := choice(values...)
		return &t
	})
}

type weighted[T any] struct {
	weight int // its share, compared with the others'
	value  T
}

// choice spreads the slots by weight; each value gets one at least.
func choice[T any](values ...weighted[T]) table[T] {
	total := 0
	for _, v := range values {
		total += v.weight
	}
	t := table[T]{slots: make([]T, 0, slotCount)}
	for i, v := range values {
		n := max(1, v.weight*slotCount/total)
		n = min(n, slotCount-len(t.slots)-(len(values)-1-i))
		for range n {
			t.slots = append(t.slots, v.value)
		}
	}
	for len(t.slots) < slotCount { // what rounding left goes to the first
		t.slots = append(t.slots, values[0].value)
	}
	return t
}

func (t *table[T]) pick(r *rand.Rand) T { return t.slots[r.Uint32N(slotCount)] }

// kind is a sign: what depends on one another in a row.
type kind struct{ name, size, category, code string }

// Sizes stand in quotes, with the inch mark doubled, as CSV wants it.
var kinds = lazily(
	weighted[kind]{300, kind{"Streetname", `"6"" X 30""/ 6"" X 30"""`, "Streetname", "D3-1"}},
	weighted[kind]{53, kind{"Streetname", `"6"" X 30"""`, "Streetname", "D3-1"}},
	weighted[kind]{250, kind{"Stop", `"30"""`, "Regulatory", "R1-1"}},
	weighted[kind]{87, kind{"No Parking", `"12"" X 18"""`, "Parking", "R7-1"}},
	weighted[kind]{38, kind{"No Parking to Corner", `"12"" X 18"""`, "Parking", "HR7-11"}},
	weighted[kind]{37, kind{"No Outlet", `"30"" X 30"""`, "Warning", "W14-2"}},
	weighted[kind]{34, kind{"Neighborhood Watch", `"18"" X 24"""`, "Custom", "N/A"}},
	weighted[kind]{12, kind{"Streetname - Private", `"8"" X 36"""`, "Streetname", "D3-1"}},
	weighted[kind]{10, kind{"Wrong Way", `"36"" X 24"""`, "Regulatory", "R5-1a"}},
	weighted[kind]{10, kind{"T Intersection", `"24"" X 24"""`, "Warning", "W2-4"}},
	weighted[kind]{9, kind{"Streetname - Mast Arm", `"16"" X 42"""`, "Streetname", "D3-1"}},
	weighted[kind]{8, kind{"Do Not Enter", `"30"" X 30"""`, "Regulatory", "R5-1"}},
	weighted[kind]{8, kind{"30 mph Speed Limit", `"24"" X 30"""`, "Regulatory", "R2-1"}},
	weighted[kind]{7, kind{"Push Button to Cross", `"9"" X 12"""`, "Regulatory", "R10-3"}},
	weighted[kind]{7, kind{`"2 Hour Parking, 8 AM to 5 PM"`, `"12"" X 18"""`, "Parking", "R7-108"}},
	weighted[kind]{6, kind{"Double Headed Arrow", `"48"" X 24"""`, "Warning", "W1-7"}},
	weighted[kind]{6, kind{"No Right Turn", `"24"" X 24"""`, "Regulatory", "R3-1"}},
	weighted[kind]{6, kind{"Streetname - Honorary", `"6"" X 30"""`, "Streetname", "N/A"}},
	weighted[kind]{5, kind{"Pedestrian Crossing", `"30"" X 30"""`, "Warning", "W11-2"}},
	weighted[kind]{5, kind{"Yield", `"36"" X 36"" X 36"""`, "Regulatory", "R1-2"}},
	weighted[kind]{5, kind{"Hospital", `"24"" X 24"""`, "Guide", "D9-2"}},
	weighted[kind]{5, kind{"Bike Route", `"24"" X 18"""`, "Guide", "D11-1"}},
	weighted[kind]{5, kind{"Route Marker", `"24"" X 24"""`, "Guide", "M1-8"}},
	weighted[kind]{4, kind{"School Zone", `"36"" X 36"""`, "School", "S1-1"}},
	weighted[kind]{3, kind{"School Speed Limit", `"24"" X 48"""`, "School", "S5-1"}},
	weighted[kind]{2, kind{"Welcome", "", "Custom", "N/A"}},
	weighted[kind]{1, kind{"Bus Stop", `"12"" X 18"""`, "MTD", "N/A"}},
	weighted[kind]{1, kind{"Object Marker", `"18"" X 18"""`, "Object Marker", "OM1-3"}},
)

var posts = lazily(
	weighted[string]{631, "Punched Telespar"}, weighted[string]{230, "Unpunched Telespar"},
	weighted[string]{52, "Streetlight"}, weighted[string]{28, "Old Metal Post"},
	weighted[string]{16, "Traffic Signal Standard"}, weighted[string]{12, "Traffic Signal Mast Arm"},
	weighted[string]{8, "Power Pole"}, weighted[string]{8, "U-Channel"}, weighted[string]{7, "Sign Truss"},
	weighted[string]{3, "Wooden Post"}, weighted[string]{3, "Push Button Post"},
	weighted[string]{1, "Bridge"}, weighted[string]{1, "School Zone Flasher"},
)

var supplements = lazily(
	weighted[string]{934, " "}, weighted[string]{22, "4-Way"}, weighted[string]{9, ""},
	weighted[string]{5, "20 mph"}, weighted[string]{5, "Cross Traffic Does Not Stop"}, weighted[string]{5, "Ahead"},
	weighted[string]{4, "3-Way"}, weighted[string]{4, "Arrow"}, weighted[string]{3, "East"},
	weighted[string]{3, `"25 mph, 18"" X 18"""`}, weighted[string]{3, "Except Bicycles"}, weighted[string]{3, "When Children Are Present"},
)

var years = lazily(
	weighted[string]{821, " "}, weighted[string]{102, "2010"}, weighted[string]{17, "2014"}, weighted[string]{12, "2015"},
	weighted[string]{12, "2019"}, weighted[string]{10, "2013"}, weighted[string]{6, "2018"}, weighted[string]{5, "2023"},
	weighted[string]{4, "2016"}, weighted[string]{4, "2008"}, weighted[string]{3, "2012"}, weighted[string]{2, ""}, weighted[string]{2, "2021"},
)

var notes = lazily(
	weighted[string]{900, " "}, weighted[string]{83, ""}, weighted[string]{4, "Folded and locked"},
	weighted[string]{3, `"Post only, sign missing"`}, weighted[string]{3, `"Leaning, reported"`},
	weighted[string]{2, `"Says ""Slow"" by hand"`}, weighted[string]{2, "151"}, weighted[string]{1, "Behind a tree"}, weighted[string]{1, "Faded"},
)

var owners = lazily(
	weighted[string]{956, "Champaign"}, weighted[string]{27, "IDOT"}, weighted[string]{15, "Private"},
	weighted[string]{1, "MTD"}, weighted[string]{1, "U of I"},
)

var schools = lazily(
	weighted[string]{991, ""}, weighted[string]{3, "Northside"}, weighted[string]{2, "Riverbend"},
	weighted[string]{2, "St. Anne"}, weighted[string]{1, "Central High School"}, weighted[string]{1, "Old Mill"},
)

var zones = lazily(
	weighted[string]{290, "F"}, weighted[string]{257, "E"}, weighted[string]{150, "G"}, weighted[string]{94, "B"},
	weighted[string]{70, "C"}, weighted[string]{52, "A"}, weighted[string]{43, "L"}, weighted[string]{17, "D"},
	weighted[string]{16, "I"}, weighted[string]{6, "J"}, weighted[string]{3, "K"}, weighted[string]{2, "H"},
)

var directions = [...]string{"", "", "", "", "N ", "S ", "E ", "W "}

var ways = [...]string{"St", "Dr", "Ave", "Rd", "Ln", "Ct", "Pl", "Blvd", "Cir", "Way", "Ter"}

var streets = [...]string{
	"Alder", "Amber", "Ash", "Aspen", "Barley", "Bayberry", "Beech", "Birch", "Bluff", "Briar", "Brook", "Cardinal",
	"Cedar", "Chestnut", "Clover", "Copper", "Cypress", "Dahlia", "Dogwood", "Eagle", "Elder", "Elm", "Falcon", "Fern",
	"Finch", "Garnet", "Glen", "Goldenrod", "Granite", "Harvest", "Hawthorn", "Hazel", "Heron", "Hickory", "Holly",
	"Iris", "Ivy", "Jasper", "Juniper", "Kestrel", "Kingfisher", "Lantern", "Larch", "Laurel", "Lilac", "Linden",
	"Locust", "Lupine", "Magnolia", "Maple", "Meadow", "Mercury", "Mill", "Mulberry", "Oak", "Old Farm", "Olive",
	"Orchard", "Osprey", "Peach", "Pebble", "Pine", "Poplar", "Prairie", "Quail", "Quarry", "Redbud", "Robin",
	"Rosewood", "Rowan", "Sage", "Sandstone", "Sorrel", "Spruce", "Sumac", "Sycamore", "Teal", "Thistle", "Timber",
	"Tulip", "Valley", "Vine", "Walnut", "Willow", "Windmill", "Wren", "Yarrow",
}
