package text

import "bytes"

var byteEscape = []byte(`\x`)

// HasByteEscape reports whether UnescapeBytes may change b.
func HasByteEscape(b []byte) bool { return bytes.Contains(b, byteEscape) }

// UnescapeBytes appends the BYTES that AppendBytes prints as src: \xNN is a
// byte. All else stands for itself, a backslash that begins no such escape too.
func UnescapeBytes(dst, src []byte) []byte {
	for {
		i := bytes.Index(src, byteEscape)
		if i < 0 {
			return append(dst, src...)
		}
		dst = append(dst, src[:i]...)
		if src = src[i:]; len(src) >= 4 {
			hi, okHi := hexDigit(src[2])
			lo, okLo := hexDigit(src[3])
			if okHi && okLo {
				dst = append(dst, hi<<4|lo)
				src = src[4:]
				continue
			}
		}
		dst = append(dst, src[0])
		src = src[1:]
	}
}

func hexDigit(c byte) (byte, bool) {
	switch {
	case c-'0' <= 9:
		return c - '0', true
	case c|0x20-'a' <= 5:
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}
