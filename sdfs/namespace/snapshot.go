package namespace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"github.com/rainsql/rainsql/internal/strictcbor"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// snapshotFormat is the version of what Snapshot writes.
const snapshotFormat = 1

// blocksPerItem is how many blocks one item of a snapshot describes.
const blocksPerItem = 1024

// A snapshot is a sequence of CBOR items: a header, the leases, the clients, and each file
// followed by its blocks, blocksPerItem at a time.
type (
	headerItem struct {
		_       struct{} `cbor:",toarray"`
		Format  int
		Index   uint64
		LogTime int64
		LastID  uint64
		Sweep   int64
		Leases  int
		Clients int
		Files   int
	}
	leaseItem struct {
		_   struct{} `cbor:",toarray"`
		ID  uint64
		End int64
	}
	fileItem struct {
		_          struct{} `cbor:",toarray"`
		Name       string
		ID         uint64
		Generation uint64
		Version    uint64
		Created    int64
		Modified   int64
		Blocks     int
	}
)

// Snapshot writes the whole state. s being immutable, this may take as long as it likes.
func (s *State) Snapshot(w io.Writer) error {
	enc := strictcbor.Enc.NewEncoder(w)
	err := enc.Encode(headerItem{
		Format: snapshotFormat, Index: s.index, LogTime: s.logTime, LastID: s.lastID, Sweep: s.retries.Sweep(),
		Leases: s.leases.Len(), Clients: s.retries.Len(), Files: s.files.Len(),
	})
	s.leases.Root().Walk(func(k []byte, end int64) bool {
		if err == nil {
			err = enc.Encode(leaseItem{ID: binary.BigEndian.Uint64(k), End: end})
		}
		return err != nil
	})
	for item := range s.retries.Items() {
		if err == nil {
			err = enc.Encode(item)
		}
	}
	for name, f := range s.Files("") {
		if err != nil {
			return err
		}
		err = encodeFile(enc, name, f)
	}
	return err
}

func encodeFile(enc *cbor.Encoder, name string, f *File) error {
	err := enc.Encode(fileItem{
		Name: name, ID: f.ID, Generation: f.Generation, Version: f.Version,
		Created: f.Created, Modified: f.Modified, Blocks: f.Blocks.Len(),
	})
	part := make([]Block, 0, min(blocksPerItem, f.Blocks.Len()))
	for _, b := range f.Blocks.All() {
		part = append(part, b)
		if len(part) == blocksPerItem && err == nil {
			err = enc.Encode(PackBlocks(part))
			part = part[:0]
		}
	}
	if len(part) > 0 && err == nil {
		err = enc.Encode(PackBlocks(part))
	}
	return err
}

var errSnapshot = errors.New("not a snapshot of a namespace")

// Restore reads what Snapshot wrote. It allocates in proportion to what r holds.
func Restore(r io.Reader) (*State, error) {
	s, err := restore(strictcbor.Dec.NewDecoder(r))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errSnapshot, err)
	}
	return s, nil
}

func restore(dec *cbor.Decoder) (*State, error) {
	var h headerItem
	if err := dec.Decode(&h); err != nil {
		return nil, err
	}
	if h.Format != snapshotFormat {
		return nil, fmt.Errorf("format %d, this program reads %d", h.Format, snapshotFormat)
	}
	s := New()
	s.index, s.logTime, s.lastID = h.Index, h.LogTime, h.LastID
	if s.logTime < 0 || s.logTime > maxTime {
		return nil, errors.New("its time is out of range")
	}
	if err := s.restoreLeases(dec, h.Leases); err != nil {
		return nil, err
	}
	var err error
	s.retries, err = retry.Restore(h.Sweep, h.Clients, uint8(len(reasons)), func(item *retry.Item) error { return dec.Decode(item) })
	if err != nil {
		return nil, err
	}
	if err := s.restoreFiles(dec, h.Files); err != nil {
		return nil, err
	}
	err = dec.Skip()
	if err == nil {
		err = errors.New("something follows its end")
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return s, nil
}

func (s *State) restoreLeases(dec *cbor.Decoder, count int) error {
	txn := s.leases.Txn()
	for range count {
		var item leaseItem
		if err := dec.Decode(&item); err != nil {
			return err
		}
		txn.Insert(key(item.ID), item.End)
		s.nextEnd = min(s.nextEnd, item.End)
	}
	s.leases = txn.CommitOnly()
	return nil
}

func (s *State) restoreFiles(dec *cbor.Decoder, count int) error {
	txn := s.files.Txn()
	last := ""
	for range count {
		var item fileItem
		if err := dec.Decode(&item); err != nil {
			return err
		}
		if err := CheckName(item.Name); err != nil {
			return err
		}
		if item.Name <= last {
			return fmt.Errorf("%q is out of order", item.Name)
		}
		last = item.Name
		if item.ID == 0 || item.ID > s.lastID || item.Generation == 0 || item.Version > s.index {
			return fmt.Errorf("%q: its numbers do not add up", item.Name)
		}
		f := &File{ID: item.ID, Generation: item.Generation, Version: item.Version, Created: item.Created, Modified: item.Modified}
		for f.Blocks.Len() < item.Blocks {
			var packed []byte
			if err := dec.Decode(&packed); err != nil {
				return err
			}
			blocks, err := UnpackBlocks(packed)
			if err != nil {
				return err
			}
			if _, err := checkBlocks(blocks); err != nil {
				return err
			}
			if len(blocks) == 0 || f.Blocks.Len()+len(blocks) > item.Blocks {
				return fmt.Errorf("%q: its blocks do not add up", item.Name)
			}
			f.Blocks = f.Blocks.Append(blocks...)
		}
		s.blocks += int64(f.Blocks.Len())
		s.bytes += f.Blocks.Size()
		txn.Insert([]byte(item.Name), f)
	}
	s.files = txn.CommitOnly()
	return nil
}
