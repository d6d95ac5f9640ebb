package block

import (
	"errors"
	"testing"
)

// TestExamine: a copy is told whole or not by its id alone, and one that is not is used no more.
func TestExamine(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	if _, here, err := s.Examine(t.Context(), idOf(9)); here || err != nil {
		t.Errorf("nothing: %v, %v", here, err)
	}
	large, err := writeFile(s, idOf(1), dataOf(1, 3*Chunk))
	must(t, err)
	list, err := s.PutAll(t.Context(), []Small{{ID: idOf(2), Data: dataOf(2, 100)}, {ID: idOf(3), Data: dataOf(3, 100)}})
	must(t, err)
	for _, b := range append(list, large) {
		if got, here, err := s.Examine(t.Context(), b.ID); got != b || !here || err != nil {
			t.Errorf("%v: %v, %v, %v", b, got, here, err)
		}
	}
	must(t, disk.FlipBit(blockName(large.ID), (2*Chunk+5)*8), disk.FlipBit(inDir(disk, segmentDir)[0], (segHeader+60)*8))
	var corrupt *CorruptError
	for _, b := range append(list[:1:1], large) {
		if _, here, err := s.Examine(t.Context(), b.ID); !here || !errors.As(err, &corrupt) || corrupt.Block != b.ID || corrupt.Path == "" {
			t.Errorf("damaged: %v, %v", here, err)
		}
		if _, here, err := s.Examine(t.Context(), b.ID); here || err != nil {
			t.Errorf("taken out of use: %v, %v", here, err)
		}
	}
	if got, here, err := s.Examine(t.Context(), list[1].ID); got != list[1] || !here || err != nil {
		t.Errorf("its neighbour: %v, %v, %v", got, here, err)
	}
	must(t, s.Close())
}
