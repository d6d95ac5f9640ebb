// Package meta is the metadata of a Parquet file as plain data: the footer and
// the headers of pages, read and written. It checks form, not sense: numbers
// may still be anything.
package meta

// Physical is how values are stored.
type Physical int32

// The physical types.
const (
	Boolean Physical = iota
	Int32
	Int64
	Int96
	Float
	Double
	ByteArray
	FixedByteArray
)

// Repetition says how often a field occurs.
type Repetition int32

// The repetitions.
const (
	Required Repetition = iota
	Optional
	Repeated
)

// Logical is what values mean, whether the file says so in the new way or the old.
type Logical uint8

// The logical types.
const (
	None Logical = iota
	String
	Enum
	JSON
	BSON
	UUID
	Map
	List
	Decimal
	Date
	TimeMillis
	TimeMicros
	TimeNanos
	TimestampMillis
	TimestampMicros
	TimestampNanos
	Uint8
	Uint16
	Uint32
	Uint64
	Int8
	Int16
	PlainInt32
	PlainInt64
	Interval
	Float16
	Unknown // always NULL
	Foreign // one that this reader does not know; Element.Name tells
)

// Encoding is how the values of a page are laid out.
type Encoding int32

// The encodings.
const (
	Plain                Encoding = 0
	PlainDictionary      Encoding = 2
	RLE                  Encoding = 3
	BitPacked            Encoding = 4
	DeltaBinaryPacked    Encoding = 5
	DeltaLengthByteArray Encoding = 6
	DeltaByteArray       Encoding = 7
	RLEDictionary        Encoding = 8
	ByteStreamSplit      Encoding = 9
)

// Codec is how pages are compressed.
type Codec int32

// The codecs.
const (
	Uncompressed Codec = iota
	Snappy
	Gzip
	LZO
	Brotli
	LZ4
	Zstd
	LZ4Raw
)

// Element is a node of the schema, which is a tree in preorder.
type Element struct {
	Name        string
	Physical    Physical
	IsLeaf      bool // has a physical type
	Length      int32
	Repetition  Repetition
	Children    int32
	Logical     Logical
	LogicalName string // of a Foreign one
	Scale       int32
	Precision   int32
	LocalTime   bool // a TIMESTAMP without zone
}

// File is the footer. RowGroups are as the file lists them.
type File struct {
	Schema    []Element
	Rows      int64
	Groups    []Group
	CreatedBy string
	Encrypted bool
	Orders    []bool // for each leaf, whether its min_value and max_value follow the order of its type; nil: not said
}

// Group is a row group. Its columns stay encoded until they are needed.
type Group struct {
	Rows    int64
	Columns []byte // the encoded list
}

// Chunk is a column of a row group.
type Chunk struct {
	Elsewhere    bool // stored in another file
	Encrypted    bool
	HasMeta      bool
	Physical     Physical
	Codec        Codec
	Values       int64 // with NULLs
	Compressed   int64 // bytes, headers included
	DataPage     int64 // where the first data page lies
	Dictionary   int64 // where the dictionary page lies; 0: not said
	Stats        Statistics
	Path         []string // not read, only written
	Encodings    []Encoding
	Uncompressed int64
}

// Statistics are the bounds of a chunk or page. Nil bounds are not known; bounds share
// the memory of the footer.
type Statistics struct {
	Min, Max       []byte // in the order of the type
	OldMin, OldMax []byte // in signed order, by old writers
	Nulls          int64  // -1: not known
	MaxExact       bool
}

// Page types.
const (
	DataPage       = 0
	IndexPage      = 1
	DictionaryPage = 2
	DataPageV2     = 3
)

// Page is the header of a page.
type Page struct {
	Type         int32
	Uncompressed int32
	Compressed   int32
	CRC          uint32
	HasCRC       bool
	HasHeader    bool // of its type
	Values       int32
	Encoding     Encoding
	DefEncoding  Encoding
	RepEncoding  Encoding
	Nulls        int32 // of version 2
	Rows         int32 // of version 2
	DefBytes     int32 // of version 2
	RepBytes     int32 // of version 2
	Packed       bool  // the values are compressed with the chunk's codec
}
