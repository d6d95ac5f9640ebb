package text

import (
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestParseInt(t *testing.T) {
	for s, want := range map[string]int64{"0": 0, "-1": -1, "+7": 7, "007": 7, "9223372036854775807": math.MaxInt64, "-9223372036854775808": math.MinInt64, "00000000000000000000012": 12} {
		if v, ok := ParseInt([]byte(s)); !ok || v != want {
			t.Errorf("%q: %d, %v", s, v, ok)
		}
	}
	for _, s := range []string{"", "-", "+", " 1", "1 ", "1.0", "1e3", "--1", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "0x1", "1_0"} {
		if v, ok := ParseInt([]byte(s)); ok {
			t.Errorf("%q: accepted as %d", s, v)
		}
	}
}

func TestParseFloat(t *testing.T) {
	for _, s := range []string{"0", "-0", "1.", ".5", "0.1", "123456789012345.678", "-9822752.01226842", "1e22", "1E-7", "4.9e-324", "1.7976931348623157e308", "9007199254740993", "0.000000000000000000000000000000000001"} {
		want, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		if v, ok := ParseFloat([]byte(s)); !ok || math.Float64bits(v) != math.Float64bits(want) {
			t.Errorf("%q: %v, %v", s, v, ok)
		}
	}
	for s, want := range map[string]float64{"inf": math.Inf(1), "-Infinity": math.Inf(-1), "+INF": math.Inf(1)} {
		if v, ok := ParseFloat([]byte(s)); !ok || v != want {
			t.Errorf("%q: %v, %v", s, v, ok)
		}
	}
	if v, ok := ParseFloat([]byte("NaN")); !ok || v == v {
		t.Error("NaN is not read")
	}
	for _, s := range []string{"", ".", "-", "e5", "1e", "1e+", "1e999", "0x1p4", "1_0", " 1", "1 ", "1.2.3", "infin", "1f"} {
		if v, ok := ParseFloat([]byte(s)); ok {
			t.Errorf("%q: accepted as %v", s, v)
		}
	}
}

func TestAppendFloat(t *testing.T) {
	for want, v := range map[string]float64{
		"1.0": 1, "-0.0": math.Copysign(0, -1), "0.1": 0.1, "1e+20": 1e20, "1000000000000000.0": 1e15, "1e+16": 1e16, "0.0001": 0.0001, "1e-05": 0.00001,
		"1.5e+300": 1.5e300, "inf": math.Inf(1), "-inf": math.Inf(-1), "nan": math.NaN(), "-9822752.01226842": -9822752.01226842,
	} {
		if got := string(AppendFloat(nil, v)); got != want {
			t.Errorf("%v: %s, want %s", v, got, want)
		}
	}
	if got := string(AppendFloat32(nil, 0.1)); got != "0.1" {
		t.Errorf("FLOAT32: %s", got)
	}
}

func TestDates(t *testing.T) {
	for day := -800_000; day < 3_000_000; day += 37 {
		want := time.Unix(int64(day)*86400, 0).UTC()
		if want.Year() < 1 {
			continue
		}
		got := string(AppendDate(nil, arrow.Date32(day)))
		if got != want.Format("2006-01-02") {
			t.Fatalf("day %d: %s, want %s", day, got, want.Format("2006-01-02"))
		}
		if back, ok := ParseDate([]byte(got)); len(got) == 10 && (!ok || int(back) != day) {
			t.Fatalf("%s: %d, %v", got, back, ok)
		}
	}
	if got := string(AppendDate(nil, arrow.Date32(daysFromCivil(-43, 3, 15)))); got != "0044-03-15 (BC)" {
		t.Error(got)
	}
	for _, s := range []string{"2021-02-29", "1900-02-29", "2020-13-01", "2020-00-01", "2020-01-00", "2020-04-31", "2020-1-1", "20200101", "2020/01/01", "2020-01-01 ", "a020-01-01"} {
		if _, ok := ParseDate([]byte(s)); ok {
			t.Errorf("%q: accepted", s)
		}
	}
}

// TestLongDates holds that what is printed of all days and moments reads back.
func TestLongDates(t *testing.T) {
	days := []int{math.MinInt32, math.MinInt32 + 1, -719_529, -719_528, -719_163, -719_162, 2_932_896, 2_932_897, math.MaxInt32}
	for day := math.MinInt32; day <= math.MaxInt32-2_999_999; day += 2_999_999 {
		days = append(days, day)
	}
	for _, day := range days {
		s := AppendDate(nil, arrow.Date32(day))
		if back, ok := ParseLongDate(s); !ok || int(back) != day {
			t.Errorf("day %d: %s reads back as %d, %v", day, s, back, ok)
		}
	}
	for _, us := range []int64{math.MinInt64, math.MinInt64 + 1, -62_135_596_800_000_001, 0, 253_402_300_800_000_000, math.MaxInt64} {
		for _, s := range [][]byte{AppendTimestamp(nil, arrow.Timestamp(us)), AppendTimestampSpace(nil, arrow.Timestamp(us))} {
			if back, ok := ParseTimestampOrDate(s); !ok || int64(back) != us {
				t.Errorf("%d: %s reads back as %d, %v", us, s, back, ok)
			}
		}
	}
	for s, want := range map[string]string{
		"-0043-03-15": "0044-03-15 (BC)", "0000-12-31": "0001-12-31 (BC)", "12345-06-07": "12345-06-07", "5881580-07-11": "5881580-07-11", // as DuckDB, but for the last: to it infinity
		"5881580-07-12": "", "0000-01-01 (BC)": "", "-0043-03-15 (BC)": "", "123-01-01": "", "0044-03-15 (AD)": "", "12345-02-30": "", "99999999-01-01": "", "-": "",
	} {
		d, ok := ParseLongDate([]byte(s))
		if got := string(AppendDate(nil, d)); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %v, want %s", s, got, ok, want)
		}
	}
	for s, want := range map[string]string{"0044-03-15 (BC) 10:00:00": "0044-03-15 (BC)T10:00:00Z", "12345-06-07T10:00:00+01:00": "12345-06-07T09:00:00Z", "300000-01-01": "", "12345-06-07x": ""} {
		v, ok := ParseTimestampOrDate([]byte(s))
		if got := string(AppendTimestamp(nil, v)); ok != (want != "") || ok && got != want {
			t.Errorf("%q: %s, %v, want %s", s, got, ok, want)
		}
	}
}

func TestTimestamps(t *testing.T) {
	tests := map[string]string{
		"2026-01-31T10:00:00Z":             "2026-01-31T10:00:00Z",
		"2026-01-31 10:00":                 "2026-01-31T10:00:00Z",
		"2026-01-31 10:00:00.5":            "2026-01-31T10:00:00.5Z",
		"2026-01-31T10:00:00.1234569Z":     "2026-01-31T10:00:00.123456Z",
		"2026-01-31T00:30:00+01":           "2026-01-30T23:30:00Z",
		"2026-01-31 10:00:00-0530":         "2026-01-31T15:30:00Z",
		"1969-12-31 23:59:59.999999+00:00": "1969-12-31T23:59:59.999999Z",
	}
	for s, want := range tests {
		v, ok := ParseTimestamp([]byte(s))
		if got := string(AppendTimestamp(nil, v)); !ok || got != want {
			t.Errorf("%q: %s, %v, want %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"2026-01-31", "2026-01-31T", "2026-01-31T24:00", "2026-01-31T10:60", "2026-01-31T10:00:60", "2026-01-31T10:00:00.", "2026-01-31T10:00Zx", "2026-01-31T10:00+1", "2026-01-31x10:00:00", "2026-02-30T10:00:00"} {
		if v, ok := ParseTimestamp([]byte(s)); ok {
			t.Errorf("%q: accepted as %s", s, AppendTimestamp(nil, v))
		}
	}
	v, ok := ParseTimestampOrDate([]byte("2026-01-31"))
	if got := string(AppendTimestampSpace(nil, v)); !ok || got != "2026-01-31 00:00:00" {
		t.Error(got, ok)
	}
}

func TestDecimals(t *testing.T) {
	tests := []struct {
		in      string
		p, s    int
		want    string
		refused bool
	}{
		{"1.5", 18, 3, "1.500", false}, {"-0.0005", 18, 3, "-0.001", false}, {"0.00049", 18, 3, "0.000", false}, {"2.5", 3, 0, "3", false}, {"-2.5", 3, 0, "-3", false},
		{"1e3", 18, 0, "1000", false}, {"12345e-3", 18, 2, "12.35", false}, {".5", 2, 1, "0.5", false}, {"5.", 2, 1, "5.0", false},
		{"99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999", false},
		{"-0.1234567890123456789012345678901234567", 38, 37, "-0.1234567890123456789012345678901234567", false},
		{"99.5", 2, 0, "", true}, {"100", 2, 0, "", true}, {"999999999999999999999999999999999999999", 38, 0, "", true}, {"1e40", 38, 0, "", true}, {"0e999999999", 5, 2, "0.00", false},
		{"", 5, 2, "", true}, {".", 5, 2, "", true}, {"1.2.3", 5, 2, "", true}, {"1,5", 5, 2, "", true}, {"1e", 5, 2, "", true}, {"nan", 5, 2, "", true},
	}
	for _, tt := range tests {
		v, ok := ParseDecimal([]byte(tt.in), tt.p, tt.s)
		if ok == tt.refused {
			t.Errorf("%q as DECIMAL(%d,%d): ok %v", tt.in, tt.p, tt.s, ok)
		} else if got := string(AppendDecimal(nil, v, tt.s)); ok && got != tt.want {
			t.Errorf("%q as DECIMAL(%d,%d): %s, want %s", tt.in, tt.p, tt.s, got, tt.want)
		}
	}
}

func TestIntervals(t *testing.T) {
	tests := map[string]string{
		"1 year 2 months 3 days 04:05:06.7": "1 year 2 months 3 days 04:05:06.7",
		"10s":                               "00:00:10",
		"5m":                                "00:05:00",
		"250ms":                             "00:00:00.25",
		"90 minutes":                        "01:30:00",
		"7d":                                "7 days",
		"-1 day":                            "-1 day",
		"1.5 hours":                         "01:30:00",
		"1.5 days":                          "1 day 12:00:00",
		"1.5 years":                         "1 year 6 months",
		"1.5 months":                        "1 month 15 days",
		"2 WEEKS ago":                       "-14 days",
		"-100:30":                           "-100:30:00",
		"1h30m":                             "01:30:00",
		"0 days":                            "00:00:00",
		" -7 ":                              "-00:00:07",
		"2.5":                               "00:00:02.5",
	}
	for s, want := range tests {
		v, ok := ParseInterval([]byte(s))
		if got := string(AppendInterval(nil, v)); !ok || got != want {
			t.Errorf("%q: %s, %v, want %s", s, got, ok, want)
		}
	}
	for _, s := range []string{"", " ", "ago", "5 ago", "1 day 5", "5 1:00", "1e3", ".", "-", "days", "5 lightyears", "99999999999 days", "1:2", "04:60", "9223372036854775807 hours", "1 day x"} {
		if v, ok := ParseInterval([]byte(s)); ok {
			t.Errorf("%q: accepted as %s", s, AppendInterval(nil, v))
		}
	}
}

func TestJSON(t *testing.T) {
	dt := arrow.StructOf(
		arrow.Field{Name: "f", Type: arrow.PrimitiveTypes.Float64, Nullable: true}, arrow.Field{Name: "s\"", Type: arrow.BinaryTypes.StringView, Nullable: true},
		arrow.Field{Name: "l", Type: arrow.ListOf(arrow.FixedWidthTypes.Date32), Nullable: true}, arrow.Field{Name: "d", Type: &arrow.Decimal128Type{Precision: 5, Scale: 2}, Nullable: true})
	b := array.NewStructBuilder(memory.DefaultAllocator, dt)
	defer b.Release()
	for _, f := range []float64{math.NaN(), 2} {
		b.Append(true)
		b.FieldBuilder(0).(*array.Float64Builder).Append(f)
		b.FieldBuilder(1).(*array.StringViewBuilder).Append("é\x00\n\xff\\")
		b.FieldBuilder(2).(*array.ListBuilder).Append(true)
		b.FieldBuilder(2).(*array.ListBuilder).ValueBuilder().(*array.Date32Builder).Append(0)
		b.FieldBuilder(3).(*array.Decimal128Builder).Append(decimal128.FromI64(150))
	}
	arr := b.NewArray()
	defer arr.Release()
	for i, f := range []string{`"NaN"`, "2.0"} {
		want := `{"f":` + f + `,"s\"":"é\u0000\n` + "\uFFFD" + `\\","l":["1970-01-01"],"d":1.50}`
		if got := string(AppendValue(nil, arr, i)); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestAppendBytes(t *testing.T) {
	if got := string(AppendBytes(nil, []byte("a\\b'\xff\n"))); got != `a\x5Cb\x27\xFF\x0A` {
		t.Error(got)
	}
}

// FuzzParse holds what can be checked without a second implementation: what is
// printed reads back as the same value, and floats agree with strconv.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"1.5", "-1e300", "2020-02-29", "2020-02-29 10:00:00.123", "1 year -2 days 3:04", "nan"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b := []byte(s)
		if v, ok := ParseFloat(b); ok {
			want, err := strconv.ParseFloat(s, 64)
			if err != nil || want != v && want == want {
				t.Fatalf("%q: %v, strconv %v, %v", s, v, want, err)
			}
			if back, ok := ParseFloat(AppendFloat(nil, v)); !ok || back != v && v == v {
				t.Fatalf("%q: %v reads back as %v", s, v, back)
			}
		} else if _, err := strconv.ParseFloat(s, 64); err == nil && !strings.ContainsAny(s, "_xXpP") {
			t.Fatalf("%q: refused", s)
		}
		if v, ok := ParseInt(b); ok {
			if want, err := strconv.ParseInt(s, 10, 64); err != nil || want != v {
				t.Fatalf("%q: %d, strconv %d, %v", s, v, want, err)
			}
		}
		if v, ok := ParseTimestampOrDate(b); ok {
			if back, ok := ParseTimestampOrDate(AppendTimestamp(nil, v)); !ok || back != v {
				t.Fatalf("%q: %d reads back as %d", s, v, back)
			}
		}
		if v, ok := ParseLongDate(b); ok {
			if back, ok := ParseLongDate(AppendDate(nil, v)); !ok || back != v {
				t.Fatalf("%q: %d reads back as %d", s, v, back)
			}
		}
		if v, ok := ParseInterval(b); ok && v.Nanoseconds != math.MinInt64 {
			if back, ok := ParseInterval(AppendInterval(nil, v)); v.Months%12 == 0 && (!ok && v != (arrow.MonthDayNanoInterval{}) || back != v) {
				t.Fatalf("%q: %v reads back as %v", s, v, back)
			}
		}
		if v, ok := ParseDecimal(b, 38, 10); ok {
			if back, ok := ParseDecimal(AppendDecimal(nil, v, 10), 38, 10); !ok || back != v {
				t.Fatalf("%q: %v reads back as %v", s, v, back)
			}
		}
	})
}
