package expr

import (
	"slices"

	"github.com/rainsql/rainsql/internal/suggest"
)

// suggestFunction returns the function whose name is nearest to name, or "".
func suggestFunction(name string) string {
	var names []string
	for have := range table() {
		names = append(names, have)
	}
	for have := range aggregates() {
		names = append(names, have)
	}
	slices.Sort(names)
	return suggest.Nearest(name, names)
}
