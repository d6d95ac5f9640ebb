package csv

import "golang.org/x/sys/cpu"

// classify fills m, which has a word a block of data, with AVX2 where there is.
func classify(data []byte, sep, quote byte, m *masks) summary {
	if !cpu.X86.HasAVX2 || len(m.sep) == 0 {
		return classifyWords(data, sep, quote, m)
	}
	_ = data[len(m.sep)*blockBytes-1]
	var sum summary
	classifyAVX2(&data[0], len(m.sep), sep, quote, &m.sep[0], &m.nl[0], &m.quote[0], &sum)
	return sum
}

// classifyAVX2 is classifyWords with 32 bytes an instruction. Each mask has
// room for blocks words, and data holds blocks*64 bytes.
//
//go:noescape
func classifyAVX2(data *byte, blocks int, sep, quote byte, sepMask, nlMask, quoteMask *uint64, sum *summary)
