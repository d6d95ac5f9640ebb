package namespace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/rainsql/rainsql/internal/strictcbor"
)

// Kind is what an entry does. The numbers are part of the log's format.
type Kind uint8

// The kinds of entry.
const (
	Create     Kind = 1 // makes Name with Blocks; refused if it exists
	Replace    Kind = 2 // makes Name, or gives it Blocks as a new generation
	Append     Kind = 3 // adds Blocks to the end of Name, making it unless File or Generation is expected
	Rename     Kind = 4 // moves Name to To; refused if To exists
	Remove     Kind = 5 // removes Name
	Commit     Kind = 6 // applies List, all or none
	Merge      Kind = 7 // swaps a run of blocks for one with the same bytes
	LeaseOpen  Kind = 8 // opens the lease Lease until Until
	LeaseRenew Kind = 9 // moves its end to Until
	LeaseClose Kind = 10
	Tick       Kind = 11 // moves log time on
)

// Bounds of what an entry may ask for.
const (
	MaxBlock = 64 << 20           // bytes of a block
	MaxList  = strictcbor.MaxList // entries in a Commit
	maxSize  = 1 << 60            // bytes of a file
	maxTime  = 1 << 61            // µs
)

// Entry is one atomic change of the namespace. Fields that its kind does not
// name are ignored. It is plain data; once proposed it must not be changed.
type Entry struct {
	Kind   Kind
	Time   int64    // the proposer's clock, µs since 1970; a repeated request keeps the time it had
	Client uint64   // with Seq recognises a repeated request; 0: this one will not be repeated
	Seq    uint64   // from 1, rising; below the oldest of the client under way + Window
	Lease  uint64   // under which the blocks were written; needed where there are any
	Leases []uint64 // further ones, under which some of them were

	Name, To string

	// What Append, Replace, Rename, Remove and Merge expect to find; 0: anything.
	File       uint64 // the file's id
	Generation uint64
	Version    uint64

	Blocks []Block

	// The run that a Merge replaces by its one block: it starts at Offset and has Count blocks.
	Offset      int64
	First, Last BlockID
	Count       int

	Until int64 // end of a lease, log time in µs

	List []Entry // Create, Replace, Append, Rename and Remove only
}

// wire is an entry as it stands in the log.
type wire struct {
	Kind       Kind     `cbor:"1,keyasint"`
	Time       int64    `cbor:"2,keyasint,omitempty"`
	Client     uint64   `cbor:"3,keyasint,omitempty"`
	Seq        uint64   `cbor:"4,keyasint,omitempty"`
	Lease      uint64   `cbor:"5,keyasint,omitempty"`
	Name       string   `cbor:"6,keyasint,omitempty"`
	To         string   `cbor:"7,keyasint,omitempty"`
	File       uint64   `cbor:"8,keyasint,omitempty"`
	Generation uint64   `cbor:"9,keyasint,omitempty"`
	Version    uint64   `cbor:"10,keyasint,omitempty"`
	Blocks     []byte   `cbor:"11,keyasint,omitempty"`
	Offset     int64    `cbor:"12,keyasint,omitempty"`
	First      []byte   `cbor:"13,keyasint,omitempty"`
	Last       []byte   `cbor:"14,keyasint,omitempty"`
	Count      uint32   `cbor:"15,keyasint,omitempty"`
	Until      int64    `cbor:"16,keyasint,omitempty"`
	List       []wire   `cbor:"17,keyasint,omitempty"`
	Leases     []uint64 `cbor:"18,keyasint,omitempty"`
}

// Encode gives the bytes of an entry for the log.
func Encode(e Entry) ([]byte, error) { return strictcbor.Enc.Marshal(toWire(e)) }

// Decode reads an entry from the log. It accepts nothing but what Encode can write, up to
// the order of fields, and allocates in proportion to data.
func Decode(data []byte) (Entry, error) {
	var w wire
	if err := strictcbor.Dec.Unmarshal(data, &w); err != nil {
		return Entry{}, fmt.Errorf("%w: %w", ErrEntry, err)
	}
	return fromWire(w, true)
}

func toWire(e Entry) wire {
	w := wire{
		Kind: e.Kind, Time: e.Time, Client: e.Client, Seq: e.Seq, Lease: e.Lease, Name: e.Name, To: e.To,
		File: e.File, Generation: e.Generation, Version: e.Version, Blocks: PackBlocks(e.Blocks), Until: e.Until, Leases: e.Leases,
	}
	if e.Kind == Merge {
		w.Offset, w.First, w.Last, w.Count = e.Offset, e.First[:], e.Last[:], uint32(min(max(e.Count, 0), math.MaxUint32))
	}
	for _, part := range e.List {
		w.List = append(w.List, toWire(part))
	}
	return w
}

var errShape = errors.New("a list of blocks is cut short")

func fromWire(w wire, top bool) (Entry, error) {
	e := Entry{
		Kind: w.Kind, Time: w.Time, Client: w.Client, Seq: w.Seq, Lease: w.Lease, Name: w.Name, To: w.To,
		File: w.File, Generation: w.Generation, Version: w.Version, Until: w.Until, Leases: w.Leases,
	}
	if w.Kind == Merge {
		e.Offset, e.Count = w.Offset, int(w.Count)
	}
	var err error
	if e.Blocks, err = UnpackBlocks(w.Blocks); err != nil {
		return Entry{}, err
	}
	if w.Kind == Merge && (copy(e.First[:], w.First) != len(w.First) || copy(e.Last[:], w.Last) != len(w.Last)) {
		return Entry{}, &Refusal{Reason: ErrEntry, Detail: errShape.Error()}
	}
	if len(w.List) > 0 && (!top || w.Kind != Commit) {
		return Entry{}, &Refusal{Reason: ErrEntry, Detail: "a list within what is no commit"}
	}
	for _, part := range w.List {
		p, err := fromWire(part, false)
		if err != nil {
			return Entry{}, err
		}
		e.List = append(e.List, p)
	}
	return e, nil
}

// packedBlock is the size of a block's description in the log and in snapshots.
const packedBlock = 16 + 4 + 4

// PackBlocks gives the bytes of a list of blocks, 24 each.
func PackBlocks(blocks []Block) []byte {
	if len(blocks) == 0 {
		return nil
	}
	out := make([]byte, 0, len(blocks)*packedBlock)
	for _, b := range blocks {
		out = append(out, b.ID[:]...)
		out = binary.LittleEndian.AppendUint32(out, b.Length)
		out = binary.LittleEndian.AppendUint32(out, b.CRC)
	}
	return out
}

// UnpackBlocks reads what PackBlocks gives.
func UnpackBlocks(data []byte) ([]Block, error) {
	if len(data)%packedBlock != 0 {
		return nil, &Refusal{Reason: ErrEntry, Detail: errShape.Error()}
	}
	if len(data) == 0 {
		return nil, nil
	}
	blocks := make([]Block, len(data)/packedBlock)
	for i := range blocks {
		d := data[i*packedBlock:]
		copy(blocks[i].ID[:], d)
		blocks[i].Length = binary.LittleEndian.Uint32(d[16:])
		blocks[i].CRC = binary.LittleEndian.Uint32(d[20:])
	}
	return blocks, nil
}
