package frame

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// made writes a frame by hand: its description and its buffers, which it pads.
func made(kind Kind, rows, columns uint32, describe string, buffers ...string) []byte {
	le := binary.LittleEndian
	b := append([]byte(magic), byte(kind))
	b = le.AppendUint32(b, uint32(headSize+len(describe)))
	b = le.AppendUint64(b, 0)
	b = le.AppendUint64(b, ^uint64(0))
	b = le.AppendUint32(le.AppendUint32(b, rows), columns)
	b = append(b, describe...)
	for _, x := range append([]string{""}, buffers...) {
		b = append(b, x...)
		b = append(b, zeros[:align(len(b))-len(b)]...)
	}
	return b
}

// decode reads bytes as they may arrive.
func decodeBytes(t testing.TB, mem memory.Allocator, d *Decoder, b []byte) (Message, error) {
	t.Helper()
	f := New(mem)
	defer f.Release()
	copy(f.room(len(b)), b)
	return d.Decode(f)
}

// long is a view of n bytes at off of buffer buf.
func long(n, buf, off uint32, prefix string) string {
	b := binary.LittleEndian.AppendUint32(nil, n)
	b = append(b, prefix...)
	b = binary.LittleEndian.AppendUint32(b, buf)
	return string(binary.LittleEndian.AppendUint32(b, off))
}

func short(s string) string {
	return string(byte(len(s))) + "\x00\x00\x00" + s + strings.Repeat("\x00", 12-len(s))
}

func TestDamage(t *testing.T) {
	const (
		ints  = "\x01\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00"
		say   = "thirteen bytes, and more"
		codes = "\x00\x00\x00\x00\x01\x00\x00\x00"
		big   = "\xff\xff\xff\xff\x0f"
	)
	one := []types.Type{types.INT}
	txt, lst := []types.Type{types.STRING}, []types.Type{types.ListOf(types.INT)}
	two := short("no") + short("yes")
	// Two values in a section of 40 bytes: no texts; views, no NULL, no buffers.
	dictionary := "\x00\x00" + "\x02\x00\x05" + "\x02\x20" + "\x00" + "\x00\x00\x00"
	cut := func(b []byte, n int) []byte { return b[:len(b)-n] }
	set := func(b []byte, at int, v ...byte) []byte { copy(b[at:], v); return b }
	for name, c := range map[string]struct {
		types []types.Type
		bytes []byte
		want  string // "": it is right
	}{
		"right":               {one, made(Batch, 2, 1, "\x00\x00\x00", ints), ""},
		"empty":               {one, nil, "0 bytes are too few for a frame"},
		"short":               {one, cut(made(Close, 0, 0, ""), 1), "31 bytes are too few for a frame"},
		"version":             {one, set(made(Close, 0, 0, ""), 2, 2), `it begins with "RF\x02", which no frame of this version does`},
		"kind":                {one, made(8, 0, 0, ""), "there is no kind 8"},
		"credit":              {one, set(made(Credit, 0, 0, ""), atSplit, 3, 0, 0, 0, 0, 0, 0, 0), ""},
		"no credit":           {one, made(Credit, 0, 0, ""), "-1 is no credit"},
		"credit of 0":         {one, set(made(Credit, 0, 0, ""), atSplit, 0, 0, 0, 0, 0, 0, 0, 0), "0 is no credit"},
		"much credit":         {one, set(made(Credit, 0, 0, ""), atSplit, 1, 0, 1, 0, 0, 0, 0, 0), "65537 is no credit"},
		"credit of rows":      {one, made(Credit, 1, 0, ""), "credit comes with more than belongs to it"},
		"credit and more":     {one, made(Credit, 0, 0, "", "12345678"), "credit comes with more than belongs to it"},
		"enough":              {one, made(Enough, 0, 0, ""), ""},
		"enough of a split":   {one, set(made(Enough, 0, 0, ""), atSplit, 0, 0, 0, 0, 0, 0, 0, 0), "enough comes with more than belongs to it"},
		"enough and more":     {one, made(Enough, 0, 0, "", "12345678"), "enough comes with more than belongs to it"},
		"in pieces":           {one, announce(2 * MaxMessage), "it is to come in several messages, and was not waited for"},
		"in too few pieces":   {one, announce(MaxMessage), "1572864 bytes are no frame in several messages"},
		"no kind":             {one, made(0, 0, 0, ""), "there is no kind 0"},
		"close with rows":     {one, made(Close, 1, 0, ""), "the end comes with more than belongs to it"},
		"close with bytes":    {one, made(Close, 0, 0, "", "x"), "the end comes with more than belongs to it"},
		"error no text":       {one, made(Error, 0, 0, "", "\xff"), "it brings an error that is no text"},
		"task":                {one, set(made(Close, 0, 0, ""), atProducer+3, 0x80), "it names a task that cannot be"},
		"split":               {one, set(made(Batch, 2, 1, "\x00\x00\x00", ints), atSplit+7, 0x80), "it names a split that cannot be"},
		"description":         {one, set(made(Batch, 2, 1, "\x00\x00\x00", ints), atDescribe, 0xf0), "its description ends outside of it"},
		"description before":  {one, set(made(Batch, 2, 1, "\x00\x00\x00", ints), atDescribe, 8), "its description ends outside of it"},
		"rows":                {one, made(Batch, MaxRows+1, 1, "\x00\x00\x00", ints), "4194305 rows are more than a batch may have"},
		"columns":             {one, made(Batch, 2, 2, "\x00\x00\x00", ints), "a batch of 2 columns where 1 are planned"},
		"no description":      {one, made(Batch, 2, 1, ""), "its description is damaged"},
		"half a description":  {one, made(Batch, 2, 1, "\x00\x00", ints), "column 1 (INT): its description is damaged"},
		"long number":         {one, made(Batch, 2, 1, "\x80\x00\x00\x00", ints), "its description is damaged"},
		"endless number":      {one, made(Batch, 2, 1, "\xff\xff\xff\xff\xff\xff\xff", ints), "its description is damaged"},
		"more description":    {one, made(Batch, 2, 1, "\x00\x00\x00\x00", ints), "there is more than its columns"},
		"more bytes":          {one, made(Batch, 2, 1, "\x00\x00\x00", ints, "x"), "there is more than its columns"},
		"fewer bytes":         {one, made(Batch, 3, 1, "\x00\x00\x00", ints), "column 1 (INT): a buffer of 24 bytes where 16 are left"},
		"description padding": {one, set(made(Batch, 2, 1, "\x00\x00\x00", ints), 39, 1), "its description is not padded"},
		"padding":             {[]types.Type{types.INT8}, set(made(Batch, 2, 1, "\x00\x00\x00", "ab"), 45, 1), "column 1 (INT8): a buffer is not padded"},
		"unpadded end":        {[]types.Type{types.INT8}, cut(made(Batch, 2, 1, "\x00\x00\x00", "ab"), 1), "column 1 (INT8): a buffer of 2 bytes where 7 are left"},
		"nulls":               {one, made(Batch, 2, 1, "\x00\x00\x01", "\x00", ints), "column 1 (INT): 2 rows are NULL where 1 are declared"},
		"all nulls":           {one, made(Batch, 2, 1, "\x00\x00\x02", "\x00", ints), ""},
		"too many nulls":      {one, made(Batch, 2, 1, "\x00\x00\x03", "\x00", ints), "column 1 (INT): its description is damaged"},
		"no bitmap":           {one, made(Batch, 2, 1, "\x00\x00\x01"), "column 1 (INT): its NULLs: a buffer of 1 bytes where 0 are left"},
		"nulls of elements":   {[]types.Type{types.ListOf(types.NULL)}, made(Batch, 1, 1, "\x00\x00\x00\xff\xff\xff\x7f", "\x00\x00\x00\x00\xff\xff\xff\x0f"), "column 1[] (NULL): 268435455 rows that take no bytes"},

		"views":              {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, long(13, 0, 0, "thir")+short("a")), ""},
		"texts":              {txt, made(Batch, 2, 1, "\x00"+big, say), "its description is damaged"},
		"more texts":         {txt, made(Batch, 2, 1, "\x00\x09", say), "its description is damaged"},
		"empty text":         {txt, made(Batch, 2, 1, "\x00\x01\x00", say), "its description is damaged"},
		"text beyond":        {txt, made(Batch, 2, 1, "\x00\x01\x19", say), "text: a buffer of 25 bytes where 24 are left"},
		"layout":             {txt, made(Batch, 2, 1, "\x00\x01\x18\x03\x00\x01\x01", say, two), "column 1 (STRING): its description is damaged"},
		"reference":          {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x02", say, two), "column 1 (STRING): its description is damaged"},
		"references":         {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x7f\x01", say, two), "column 1 (STRING): its description is damaged"},
		"no views":           {txt, made(Batch, 2, 1, "\x00\x00\x00\x00\x00"), "column 1 (STRING): a buffer of 32 bytes where 0 are left"},
		"buffer":             {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(13, 1, 0, "thir")), "column 1 (STRING): row 1: it refers to a buffer that is not there"},
		"negative buffer":    {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(13, 1<<31, 0, "thir")), "column 1 (STRING): row 1: it refers to a buffer that is not there"},
		"buffer left out":    {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x00", say, short("a")+long(13, 0, 0, "thir")), "column 1 (STRING): row 1: it refers to a buffer that is not there"},
		"beyond":             {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(24, 0, 1, "hirt")), "column 1 (STRING): row 1: it refers to bytes that are not there"},
		"negative size":      {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(1<<31, 0, 0, "thir")), "column 1 (STRING): row 1: it refers to bytes that are not there"},
		"negative offset":    {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(13, 0, 1<<31, "thir")), "column 1 (STRING): row 1: it refers to bytes that are not there"},
		"prefix":             {txt, made(Batch, 2, 1, "\x00\x01\x18\x00\x00\x01\x01", say, short("a")+long(13, 0, 1, "thir")), "column 1 (STRING): row 1: it begins otherwise than it says"},
		"short padding":      {txt, made(Batch, 1, 1, "\x00\x00\x00\x00\x00", "\x01\x00\x00\x00a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00x"), "column 1 (STRING): row 0: a short text is not padded"},
		"shorter padding":    {txt, made(Batch, 1, 1, "\x00\x00\x00\x00\x00", "\x01\x00\x00\x00a\x00\x00x\x00\x00\x00\x00\x00\x00\x00\x00"), "column 1 (STRING): row 0: a short text is not padded"},
		"UTF-8":              {txt, made(Batch, 1, 1, "\x00\x00\x00\x00\x00", short("ab\xff")), "column 1 (STRING): row 0: it is not valid UTF-8"},
		"UTF-8 of bytes":     {[]types.Type{types.BYTES}, made(Batch, 1, 1, "\x00\x00\x00\x00\x00", short("ab\xff")), ""},
		"UTF-8 in a text":    {txt, made(Batch, 1, 1, "\x00\x01\x10\x00\x00\x01\x01", "fifteen bytes:\xff ", long(15, 0, 0, "fift")), "column 1 (STRING): row 0: it is not valid UTF-8"},
		"UTF-8 behind":       {txt, made(Batch, 1, 1, "\x00\x01\x10\x00\x00\x01\x01", "fifteen bytes:\xff ", long(14, 0, 0, "fift")), ""},
		"half a rune":        {txt, made(Batch, 1, 1, "\x00\x01\x10\x00\x00\x01\x01", "fourteen bytesé", long(15, 0, 0, "four")), "column 1 (STRING): row 0: it is not valid UTF-8"},
		"half a rune before": {txt, made(Batch, 1, 1, "\x00\x01\x10\x00\x00\x01\x01", "éfourteen bytes", long(15, 0, 1, "\xa9fou")), "column 1 (STRING): row 0: it is not valid UTF-8"},
		"whole runes":        {txt, made(Batch, 1, 1, "\x00\x01\x10\x00\x00\x01\x01", "fourteen bytesé", long(16, 0, 0, "four")), ""},

		"dictionary":            {txt, made(Batch, 2, 1, dictionary, two, codes), ""},
		"code":                  {txt, made(Batch, 2, 1, dictionary, two, "\x00\x00\x00\x00\x02\x00\x00\x00"), "column 1 (STRING): a code is beyond its dictionary"},
		"negative code":         {txt, made(Batch, 2, 1, dictionary, two, "\x00\x00\x00\x00\xff\xff\xff\xff"), "column 1 (STRING): a code is beyond its dictionary"},
		"code under NULL":       {txt, made(Batch, 2, 1, strings.Replace(dictionary, "\x02\x00\x05", "\x02\x01\x05", 1), "\x01", two, "\x00\x00\x00\x00\xff\xff\xff\xff"), ""},
		"code not under NULL":   {txt, made(Batch, 2, 1, strings.Replace(dictionary, "\x02\x00\x05", "\x02\x01\x05", 1), "\x01", two, "\x02\x00\x00\x00\xff\xff\xff\xff"), "column 1 (STRING): row 0: its code is beyond its dictionary"},
		"unknown dictionary":    {txt, made(Batch, 2, 1, "\x00\x00\x01\x00\x05", codes), "column 1 (STRING): dictionary 5: it is not there"},
		"dictionary's number":   {txt, made(Batch, 2, 1, "\x00\x00\x01\x00\x40", codes), "column 1 (STRING): its description is damaged"},
		"forgets":               {txt, made(Batch, 2, 1, "\x01\x03\x00", codes), "dictionary 3 is to be forgotten and is not there"},
		"forgets many":          {txt, made(Batch, 2, 1, "\x41\x03\x00", codes), "its description is damaged"},
		"dictionary too long":   {txt, made(Batch, 2, 1, strings.Replace(dictionary, "\x20", "\x80\x10", 1), two, codes), "column 1 (STRING): dictionary 5: it is longer than the frame"},
		"dictionary of nothing": {txt, made(Batch, 2, 1, strings.Replace(dictionary, "\x02\x20", "\x00\x20", 1), two, codes), "column 1 (STRING): its description is damaged"},
		"dictionary of codes":   {txt, made(Batch, 2, 1, "\x00\x00"+"\x02\x00\x05"+"\x02\x20"+"\x00"+"\x01\x00\x00", two, codes), "column 1 (STRING): a dictionary of codes"},
		"dictionary with NULL":  {txt, made(Batch, 2, 1, "\x00\x00"+"\x02\x00\x05"+"\x02\x28"+"\x00"+"\x00\x01\x00", "\x01", two, codes), "column 1 (STRING): dictionary 5: it is damaged"},
		"dictionary and more":   {txt, made(Batch, 2, 1, strings.Replace(dictionary, "\x02\x20", "\x02\x28", 1), two, codes), "column 1 (STRING): dictionary 5: it is damaged"},
		"same number twice": {[]types.Type{types.STRING, types.STRING}, made(Batch, 2, 2, dictionary+dictionary[2:], two, codes, two, codes),
			"column 2 (STRING): dictionary 5: there is one already"},
		"of another type": {[]types.Type{types.STRING, types.BYTES}, made(Batch, 2, 2, dictionary+"\x01\x00\x05", two, codes, codes),
			"column 2 (BYTES): dictionary 5: it is of another type"},
		"codes of numbers": {one, made(Batch, 2, 1, dictionary, two, codes), "column 1 (INT): its NULLs: a buffer is not padded"},

		"list":             {lst, made(Batch, 2, 1, "\x00\x00\x00\x02\x00", "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00", ints), ""},
		"list from 1":      {lst, made(Batch, 2, 1, "\x00\x00\x00\x02\x00", "\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00", ints), "column 1 (LIST<INT>): its offsets do not ascend from 0"},
		"list back":        {lst, made(Batch, 2, 1, "\x00\x00\x00\x02\x00", "\x00\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00", ints), "column 1 (LIST<INT>): its offsets do not ascend from 0"},
		"list negative":    {lst, made(Batch, 2, 1, "\x00\x00\x00\x02\x00", "\x00\x00\x00\x00\xff\xff\xff\xff\x02\x00\x00\x00", ints), "column 1 (LIST<INT>): its offsets do not ascend from 0"},
		"list beyond":      {lst, made(Batch, 2, 1, "\x00\x00\x00\x02\x00", "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00", ints), "column 1 (LIST<INT>): its offsets do not end with its elements"},
		"list's elements":  {lst, made(Batch, 2, 1, "\x00\x00\x00\x03\x00", "\x00\x00\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00", ints), "column 1[] (INT): a buffer of 24 bytes where 16 are left"},
		"elements of none": {lst, made(Batch, 0, 1, "\x00\x00\x00\x02\x00", ints), "column 1 (LIST<INT>): its offsets do not end with its elements"},
		"field": {[]types.Type{types.StructOf(types.Field{Name: "a", Type: types.INT8}, types.Field{Name: "b", Type: types.INT})}, made(Batch, 3, 1, "\x00\x00\x00\x00\x00", "abc", ints),
			"column 1.b (INT): a buffer of 24 bytes where 16 are left"},
	} {
		t.Run(name, func(t *testing.T) {
			mem := checked(t)
			d, err := NewDecoder(mem, c.types)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Release()
			m, err := decodeBytes(t, mem, d, c.bytes)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if m.Batch != nil {
					for _, a := range m.Batch.Cols {
						valuesOf(a)
					}
					m.Batch.Release()
				}
				return
			}
			if err == nil || err.Error() != "frame: "+c.want {
				t.Fatalf("err = %v, want %s", err, c.want)
			}
			if _, again := decodeBytes(t, mem, d, made(Close, 0, 0, "")); again == nil || again.Error() != err.Error() {
				t.Errorf("the decoder goes on: %v", again)
			}
		})
	}
}

// TestBombs declares much in few bytes: nothing is allocated for it.
func TestBombs(t *testing.T) {
	many := make([]types.Type, 2000)
	nested := types.STRING
	for range maxDepth - 1 {
		nested = types.ListOf(nested)
	}
	for i := range many {
		many[i] = nested
	}
	mem := &counting{Allocator: memory.NewGoAllocator()}
	for _, describe := range []string{"\x00\x80\x08", "\x00\x00\x02\x00\x05\x80\x80\x10\x80\x80\x80\x10", "\x00\x00\x00" + strings.Repeat("\x00\xff\xff\xff\x7f", 60)} {
		d, err := NewDecoder(mem, many)
		if err != nil {
			t.Fatal(err)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if m, err := decodeBytes(t, mem, d, made(Batch, MaxRows, 2000, describe)); err == nil {
			t.Errorf("comes as %+v", m)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 1<<20 {
			t.Errorf("%d bytes are allocated for %d", n, len(describe))
		}
		d.Release()
	}
	if mem.most > 4096 {
		t.Errorf("%d bytes are allocated at once", mem.most)
	}
}

type counting struct {
	memory.Allocator
	most int
}

func (c *counting) Allocate(n int) []byte {
	c.most = max(c.most, n)
	return c.Allocator.Allocate(n)
}
