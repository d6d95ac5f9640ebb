package connect

import "context"

// Tally is what a split holds that readers of later ones must know.
type Tally struct {
	Quotes int64 // bytes that open or close quotes
	Lines  int64 // newlines
}

// Add is both together.
func (t Tally) Add(o Tally) Tally {
	return Tally{Quotes: t.Quotes + o.Quotes, Lines: t.Lines + o.Lines}
}

// Counts is how readers of one source tell each other what their splits hold
// where they are in several processes. It is safe for concurrent use.
type Counts interface {
	// Publish tells what a split holds. It does not wait.
	Publish(split int, t Tally)
	// Withdraw says that whoever has a split will not count it. It does not wait.
	Withdraw(split int)
	// Before adds up the splits of the same file before one. It waits for those
	// that somebody is about to count. A count that nobody is going to make ends
	// the sum: it is then that of the splits before upto, which is for the
	// caller to count and to publish; else upto is the split itself.
	Before(ctx context.Context, split int) (t Tally, upto int, err error)
}

// Counting is what a Source also is whose readers may have to know what the
// splits before theirs hold.
type Counting interface {
	// Counts tells whether the readers of a scan have to.
	Counts(scan Scan) bool
	// Count reads a split and publishes to scan.Counts what it holds. With keep
	// its bytes stay, if they are few, for the reader that Open then makes. If it
	// fails it has withdrawn the split: whoever reads it will see why.
	Count(ctx context.Context, s Split, scan Scan, keep bool)
}
