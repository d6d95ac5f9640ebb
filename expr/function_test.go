package expr

import (
	"testing"
)

// TestExamples runs the example of every function of the table.
func TestExamples(t *testing.T) {
	for _, f := range Functions() {
		if f.Aggregate {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			e, err := tryParse(f.Example)
			if err != nil {
				t.Fatalf("%s: %v", f.Example, err)
			}
			got, err := show(t, checked(t), e, Input{Rows: 1}, nil)
			if err != nil || got[0] != f.Result {
				t.Errorf("%s = %v, %v, want %s", f.Example, got, err, f.Result)
			}
			if f.Description == "" || f.Category == "" || len(f.Signatures) == 0 {
				t.Errorf("the entry is incomplete: %+v", f)
			}
		})
	}
}
