// Package gen makes data to try things on and to measure with: any amount, the
// same bytes for the same request on every machine.
package gen

import (
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
)

// SignsHeader is the first line of what Signs writes, without its line end.
const SignsHeader = "X,Y,OBJECTID,Sign_Type,Size_,Supplement,Sign_Post,Year_Insta,Category,Notes,MUTCD,Ownership,FACILITYID,Schools,Location_Adjusted,Replacement_Zone,Sign_Text,Set_ID,FieldVerifiedDate,GlobalID"

// flushBytes is how much is gathered before it is written.
const flushBytes = 128 << 10

// Signs writes a CSV file of rows traffic signs, header and CRLF line ends
// included: twenty columns, some 175 bytes a row, with doubled quotes, lone
// blanks, empty fields and skewed categories, as city inventories have them.
// The bytes depend on rows and seed alone, and the rows of a shorter file are
// the first rows of a longer one. It fails only if w does.
func Signs(w io.Writer, rows int64, seed uint64) error {
	if rows < 0 {
		return fmt.Errorf("cannot generate %d rows: give 0 or more", rows)
	}
	s := signs{rnd: rand.New(rand.NewPCG(seed, seed^0x9E3779B97F4A7C15))}
	buf := make([]byte, 0, flushBytes+4096)
	buf = append(append(buf, SignsHeader...), '\r', '\n')
	for id := int64(1); id <= rows; id++ {
		buf = s.row(buf, id)
		if len(buf) >= flushBytes {
			if _, err := w.Write(buf); err != nil {
				return err
			}
			buf = buf[:0]
		}
	}
	_, err := w.Write(buf)
	return err
}

// signs is the state from row to row: signs come in sets, which share a post.
type signs struct {
	rnd    *rand.Rand
	left   int   // signs still to come of the set
	set    int64 // its number
	x, y   uint64
	post   string
	zone   byte
	street int // of the set: an index into the street names
	prefix int
}

func (s *signs) nextSet() {
	s.set++
	s.left = 1
	if r := s.rnd.Uint32N(100); r < 18 {
		s.left = 2
	} else if r < 20 {
		s.left = 3
	}
	// Web Mercator metres around the town, in units of 1e-8 m.
	const unit = 100_000_000
	s.x = 9_822_000*unit + s.rnd.Uint64N(7_400*unit)
	s.y = 4_879_200*unit + s.rnd.Uint64N(8_600*unit)
	s.post = posts().pick(s.rnd)
	s.zone = zones().pick(s.rnd)[0]
	s.street = int(s.rnd.Uint32N(uint32(len(streets))))
	s.prefix = int(s.rnd.Uint32N(uint32(len(directions))))
}

func (s *signs) row(b []byte, id int64) []byte {
	if s.left == 0 {
		s.nextSet()
	}
	s.left--
	r := s.rnd
	k := kinds().pick(r)
	b = appendMetres(append(b, '-'), s.x)
	b = appendMetres(append(b, ','), s.y)
	b = strconv.AppendInt(append(b, ','), id, 10)
	b = append(append(b, ','), k.name...)
	b = append(append(b, ','), k.size...)
	b = append(append(b, ','), supplements().pick(r)...)
	b = append(append(b, ','), s.post...)
	b = append(append(b, ','), years().pick(r)...)
	b = append(append(b, ','), k.category...)
	b = append(append(b, ','), notes().pick(r)...)
	b = append(append(b, ','), k.code...)
	b = append(append(b, ','), owners().pick(r)...)
	b = strconv.AppendInt(append(b, ','), id, 10)
	b = append(append(b, ','), schools().pick(r)...)
	b = append(b, ",AERIAL,"...)
	b = append(b, s.zone, ',')
	if k.category == "Streetname" {
		b = s.streetName(b)
	}
	b = strconv.AppendInt(append(b, ','), s.set, 10)
	b = append(b, ',', ',') // FieldVerifiedDate is empty in every row
	b = appendGUID(b, r.Uint64(), r.Uint64())
	return append(b, '\r', '\n')
}

// streetName prints such as "N Alder St" or "N 600 Alder St", now and then
// with a blank too many, as people type them.
func (s *signs) streetName(b []byte) []byte {
	b = append(b, directions[s.prefix]...)
	n := s.rnd.Uint32N(16)
	if n < 3 {
		b = strconv.AppendUint(b, 100*uint64(1+s.rnd.Uint32N(24)), 10)
		b = append(b, ' ')
	}
	b = append(b, streets[s.street]...)
	if n == 0 {
		b = append(b, ' ')
	}
	return append(append(b, ' '), ways[s.street%len(ways)]...)
}

// appendMetres prints v, in units of 1e-8, without trailing zeros.
func appendMetres(b []byte, v uint64) []byte {
	const unit = 100_000_000
	b = strconv.AppendUint(b, v/unit, 10)
	frac := v % unit
	if frac == 0 {
		return b
	}
	b = append(b, '.')
	for scale := uint64(unit / 10); frac > 0; scale /= 10 {
		b = append(b, byte('0'+frac/scale))
		frac %= scale
	}
	return b
}

// appendGUID prints 128 bits as {XXXXXXXX-XXXX-4XXX-XXXX-XXXXXXXXXXXX}.
func appendGUID(b []byte, hi, lo uint64) []byte {
	const hex = "0123456789ABCDEF"
	hi = hi&^0xF000 | 0x4000 // version 4
	lo = lo&^(3<<62) | 1<<63 // variant 1
	b = append(b, '{')
	for i := range 32 {
		if i == 8 || i == 12 || i == 16 || i == 20 {
			b = append(b, '-')
		}
		word := hi
		if i >= 16 {
			word = lo
		}
		b = append(b, hex[word>>(60-4*(i&15))&15])
	}
	return append(b, '}')
}
