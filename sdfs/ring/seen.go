package ring

import "slices"

// seen is a set of nodes by their indices. A few of them, which is what most walks meet, cost no memory.
type seen struct {
	few   [16]uint32
	many  []uint64 // bits, once few is full
	count int
}

// add puts in one node of total; false: it was in the set.
func (s *seen) add(node uint32, total int) bool {
	switch {
	case s.many != nil:
		if s.many[node/64]&(1<<(node%64)) != 0 {
			return false
		}
	case slices.Contains(s.few[:s.count], node):
		return false
	case s.count < len(s.few):
		s.few[s.count] = node
		s.count++
		return true
	default:
		s.many = make([]uint64, (total+63)/64)
		for _, n := range s.few {
			s.many[n/64] |= 1 << (n % 64)
		}
	}
	s.many[node/64] |= 1 << (node % 64)
	s.count++
	return true
}
