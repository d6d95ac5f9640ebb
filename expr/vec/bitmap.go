package vec

// Bitmap is the validity of rows whose bits, set where a row is not NULL, begin
// with the first of bits. It borrows them.
func Bitmap(bits []byte) Validity { return Validity{bits: bits} }
