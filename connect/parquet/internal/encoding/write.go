package encoding

import "encoding/binary"

// AppendHybrid encodes levels or codes as Hybrid reads them: what repeats eight
// times or more as a run, the rest packed.
func AppendHybrid[T Number](dst []byte, vals []T, width int) []byte {
	for i := 0; i < len(vals); {
		if n := runAt(vals, i); n >= 8 {
			dst = binary.AppendUvarint(dst, uint64(n)<<1)
			for b := 0; b < width; b += 8 {
				dst = append(dst, byte(uint32(vals[i])>>b))
			}
			i += n
			continue
		}
		j := min(i+8, len(vals))
		for j < len(vals) && runAt(vals[:min(j+8, len(vals))], j) < 8 {
			j = min(j+8, len(vals))
		}
		dst = appendPacked(dst, vals[i:j], width)
		i = j
	}
	return dst
}

// runAt counts how often the value at i is repeated.
func runAt[T Number](vals []T, i int) int {
	n := 1
	for i+n < len(vals) && vals[i+n] == vals[i] {
		n++
	}
	return n
}

func appendPacked[T Number](dst []byte, vals []T, width int) []byte {
	groups := (len(vals) + 7) / 8
	dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
	var acc uint64
	bits := 0
	for i := range groups * 8 {
		if i < len(vals) {
			acc |= uint64(uint32(vals[i])) << bits
		}
		for bits += width; bits >= 8; bits -= 8 {
			dst = append(dst, byte(acc))
			acc >>= 8
		}
	}
	return dst
}
