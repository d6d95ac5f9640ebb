// Package strictcbor is CBOR as logs and snapshots want it: what is decoded is what was
// encoded, or an error, within bounds, and without tags, repeated keys or unknown fields.
package strictcbor

import "github.com/fxamacker/cbor/v2"

// MaxList is the most elements of an array.
const MaxList = 1 << 16

// Enc writes and Dec reads. Both may be used concurrently.
var (
	Enc = must(cbor.EncOptions{}.EncMode())
	Dec = must(cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		UTF8:              cbor.UTF8RejectInvalid,
		MaxNestedLevels:   4,
		MaxArrayElements:  MaxList,
		MaxMapPairs:       32,
	}.DecMode())
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err) // only wrong options, which any test finds
	}
	return v
}
