package expr

import (
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// codeFunctions have to do with characters and bytes as numbers.
func codeFunctions() []*entry {
	return []*entry{
		fn("chr", "the character of a Unicode number", "chr(65)", "A").onFail("INT -> STRING", try1(intIn, textOut, func(n int64) (string, error) {
			if n < 0 || n > unicode.MaxRune || n >= 0xD800 && n < 0xE000 {
				return "", fmt.Errorf("%d is not the number of a Unicode character", n)
			}
			return string(rune(n)), nil
		})),
		fn("unicode", "the Unicode number of the first character; -1 if there is none", "unicode('ä')", "228").alias("ord").on("STRING -> INT", map1(textIn, intOut, func(s string) int64 { return firstRune(s, -1) })),
		fn("ascii", "the Unicode number of the first character; 0 if there is none", "ascii('A')", "65").on("STRING -> INT", map1(textIn, intOut, func(s string) int64 { return firstRune(s, 0) })),
		fn("md5", "MD5 of the bytes, in hexadecimal", "md5('')", "d41d8cd98f00b204e9800998ecf8427e").
			on("STRING -> STRING", appendText(hexMD5)).on("BYTES -> STRING", appendText(hexMD5)),
		fn("sha256", "SHA-256 of the bytes, in hexadecimal", "left(sha256('abc'), 8)", "ba7816bf").
			on("STRING -> STRING", appendText(hexSHA)).on("BYTES -> STRING", appendText(hexSHA)),
		fn("hex", "the bytes of a text, or a number, in hexadecimal", "hex('rain')", "7261696E").alias("to_hex").
			on("STRING -> STRING", appendText(hexText)).on("BYTES -> STRING", appendText(hexText)).
			on("INT -> STRING", map1(intIn, textOut, func(n int64) string { return strings.ToUpper(fmt.Sprintf("%x", uint64(n))) })),
		fn("unhex", "BYTES from hexadecimal; of an odd number of digits the first stands alone", "unhex('4142')", "AB").alias("from_hex").onFail("STRING -> BYTES", try1(textIn, bytesOut, func(s string) ([]byte, error) {
			digits := s
			if len(s)%2 == 1 {
				digits = "0" + s
			}
			b, err := hex.DecodeString(digits)
			if err != nil {
				return nil, fmt.Errorf("'%s' is not hexadecimal", s)
			}
			return b, nil
		})),
		fn("encode", "the bytes of a text in UTF-8", "encode('ab')", "ab").on("STRING -> BYTES", map1(bytesIn, bytesOut, func(b []byte) []byte { return b })),
		fn("decode", "BYTES in UTF-8 as text", "decode(unhex('4142'))", "AB").onFail("BYTES -> STRING", try1(bytesIn, bytesOut, func(b []byte) ([]byte, error) {
			if !utf8.Valid(b) {
				return nil, errors.New("the bytes are not UTF-8")
			}
			return b, nil
		})),
	}
}

func firstRune(s string, none int64) int64 {
	if s == "" {
		return none
	}
	r, _ := utf8.DecodeRuneInString(s)
	return int64(r)
}

func hexMD5(dst, s []byte) []byte {
	sum := md5.Sum(s)
	return hex.AppendEncode(dst, sum[:])
}

func hexSHA(dst, s []byte) []byte {
	sum := sha256.Sum256(s)
	return hex.AppendEncode(dst, sum[:])
}

func hexText(dst, s []byte) []byte {
	for _, b := range s {
		dst = append(dst, "0123456789ABCDEF"[b>>4], "0123456789ABCDEF"[b&15])
	}
	return dst
}
