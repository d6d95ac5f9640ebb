package gen

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"io"
	"strings"
	"testing"
)

// wantSum is of 5000 rows with seed 7.
const wantSum = "83d5adc11f259b762103ac1e1ecb3675387230a932f53434e2961fc8beeb2842"

func generate(t *testing.T, rows int64, seed uint64) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Signs(&b, rows, seed); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestSignsAreReproducible(t *testing.T) {
	long := generate(t, 5000, 7)
	if short := generate(t, 1200, 7); !bytes.HasPrefix(long, short) {
		t.Error("a shorter file is not the beginning of a longer one")
	}
	if bytes.Equal(long, generate(t, 5000, 8)) {
		t.Error("another seed gives the same file")
	}
	// The bytes are a promise: files made anywhere, at any time, are compared.
	sum := sha256.Sum256(long)
	if got := hex.EncodeToString(sum[:]); got != wantSum {
		t.Errorf("sha256 %s, want %s", got, wantSum)
	}
}

func TestSignsLookLikeSigns(t *testing.T) {
	data := generate(t, 20000, 1)
	if !bytes.Contains(data, []byte(`""`)) || !bytes.Contains(data, []byte(", ,")) || !bytes.Contains(data, []byte(",,")) {
		t.Error("the odd cases are missing")
	}
	r := csv.NewReader(bytes.NewReader(data))
	rows, err := r.ReadAll()
	if err != nil || len(rows) != 20001 || strings.Join(rows[0], ",") != SignsHeader {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	punched, guids := 0, map[string]bool{}
	for _, row := range rows[1:] {
		if row[6] == "Punched Telespar" {
			punched++
		}
		guids[row[19]] = true
	}
	if punched < 12000 || punched > 13300 || len(guids) != 20000 {
		t.Errorf("%d punched posts, %d GUIDs of 20000", punched, len(guids))
	}
}

func BenchmarkSigns(b *testing.B) {
	const rows = 20000
	var n bytes.Buffer
	if err := Signs(&n, rows, 1); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(n.Len()))
	for b.Loop() {
		if err := Signs(io.Discard, rows, 1); err != nil {
			b.Fatal(err)
		}
	}
}
