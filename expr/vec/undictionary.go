package vec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Undictionary returns a without dictionaries, at any depth, and in memory of
// its own: what goes to a file needs the rows and nothing else.
func Undictionary(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
	switch a := a.(type) {
	case *array.Dictionary:
		codes := make([]int32, a.Len())
		null := ValidityOf(a)
		for i, c := range Codes(a) {
			codes[i] = c
			if null.Null(i) {
				codes[i] = -1
			}
		}
		values, err := Take(mem, a.Dictionary(), codes)
		if err != nil {
			return nil, err
		}
		defer values.Release()
		return Compact(mem, values)
	case *array.List, *array.Struct:
		return rebuild(mem, a, Undictionary)
	}
	return Compact(mem, a)
}
