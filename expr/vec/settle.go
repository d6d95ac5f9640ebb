package vec

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// Settle readies a for use by several goroutines. Arrow makes the values of a
// dictionary an array when they are first asked for, and keeps it without a
// lock: two who ask at once would each make one, and one would never be released.
func Settle(a arrow.Array) {
	switch a := a.(type) {
	case *array.Dictionary:
		Settle(a.Dictionary())
	case *array.List:
		Settle(a.ListValues())
	case *array.Struct:
		for i := range a.NumField() {
			Settle(a.Field(i))
		}
	}
}
