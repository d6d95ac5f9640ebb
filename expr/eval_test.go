package expr

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// TestConstants checks expressions of constants: results are DuckDB's, or
// worked by hand where LANGUAGE.md differs (INT division, checked casts).
func TestConstants(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		// Arithmetic and its limits.
		{"9223372036854775807 + 1", "ERROR: 9223372036854775807 + 1: the result does not fit INT"},
		{"-9223372036854775807 - 2", "ERROR: -9223372036854775807 - 2: the result does not fit INT"},
		{"3037000500 * 3037000500", "ERROR: 3037000500 * 3037000500: the result does not fit INT"},
		{"3037000499 * 3037000499", "9223372030926249001"},
		{"-4611686018427387904 * 2", "-9223372036854775808"},
		{"1 // 0", "ERROR: division by zero"},
		{"1 % 0", "ERROR: division by zero"},
		{"-7 // 2", "-3"},
		{"-7 % 2", "-1"},
		{"1 / 0", "inf"},
		{"0 / 0", "nan"},
		{"1 / 2", "0.5"},
		// DECIMAL is exact.
		{"0.1 + 0.2", "0.3"},
		{"typeof(0.1 + 0.2)", "DECIMAL(3,1)"},
		{"1.5 + 1", "2.5"},
		{"typeof(1.5 + 1)", "DECIMAL(12,1)"},
		{"1.25 * 1.1", "1.375"},
		{"typeof(1.25 * 1.1)", "DECIMAL(5,3)"},
		{"1.5 * 2e0", "3.0"},
		{"typeof(1.5 * 2e0)", "FLOAT"},
		{"5.5 % 2", "1.5"},
		{"9223372036854775807 = 9223372036854775807.5", "false"},
		{"9223372036854775807 < 9223372036854775807.5", "true"},
		{"9999999999999999999999999999999999999.0 > 1", "true"},
		{"1234567890123456789012345678901234567.0 * 1000.0", "ERROR: does not fit DECIMAL(38"},
		{"round(-2.5)", "-3"},
		{"round(1234, -2)", "1200"},
		{"round(2.675e0, 1)", "2.7"},
		{"ceil(-1.5)", "-1"},
		{"floor(1e300)", "1e+300"},
		{"abs(-9223372036854775807 - 1)", "ERROR: the result does not fit INT"},
		{"sqrt(-1)", "ERROR: no square root"},
		{"greatest(1, 2.5, NULL)", "2.5"},
		{"least('b', 'a')", "a"},
		// Three-valued logic.
		{"NULL and false", "false"},
		{"NULL and true", "NULL"},
		{"NULL or true", "true"},
		{"not NULL", "NULL"},
		{"NULL = NULL", "NULL"},
		{"1 in (2, NULL)", "NULL"},
		{"2 in (2, NULL)", "true"},
		{"1 not in (2, 3)", "true"},
		{"NULL in (1)", "NULL"},
		{"1.0 in (1, 2)", "true"},
		{"3 between 1 and NULL", "NULL"},
		{"0 between 1 and NULL", "false"},
		{"false and 1 // 0 = 1", "false"},
		{"true or 1 // 0 = 1", "true"},
		{"case when true then 1 else 1 // 0 end", "1"},
		{"coalesce(1, 1 // 0)", "1"},
		{"if(false, 1 // 0, 7)", "7"},
		{"coalesce(NULL, NULL)", "NULL"},
		{"nullif('a', 'b')", "a"},
		// Literals take the type of their place.
		{"DATE '2026-01-31' > '2026-01-30'", "true"},
		{"typeof(coalesce(NULL, '1', 2))", "INT"},
		{"case when true then '2026-01-31' else DATE '2026-02-01' end", "2026-01-31"},
		{"1 + '2'", "3"},
		// Casts.
		{"'12'::INT", "12"},
		{"' 12 '::INT", "12"},
		{"'1.5'::INT", "2"},
		{"'x'::INT", "ERROR: cannot read 'x' as INT"},
		{"try_cast('x' as INT)", "NULL"},
		{"try_cast(300 as INT8)", "NULL"},
		{"300::INT8", "ERROR: 300 does not fit INT8"},
		{"2.5e0::INT", "2"},
		{"3.5e0::INT", "4"},
		{"2.5::INT", "3"},
		{"1e300::INT", "ERROR: 1e+300 does not fit INT"},
		{"0.1::FLOAT", "0.1"},
		{"1.005::DECIMAL(3,2)", "1.01"},
		{"'yes'::BOOL", "true"},
		{"true::INT", "1"},
		{"1.50::STRING", "1.50"},
		{"TIMESTAMP '2026-01-31 10:00:00Z'::STRING", "2026-01-31 10:00:00"},
		{"TIMESTAMP '1969-12-31 23:00:00'::DATE", "1969-12-31"},
		{`'\x41b'::BYTES::STRING`, "Ab"},
		{"[1, 2]::STRING", "[1,2]"},
		// Text.
		{"'a' || NULL", "NULL"},
		{"'a' || 1", "a1"},
		{"substr('hello', 0, 3)", "he"},
		{"substr('hello', -3, 2)", "ll"},
		{"substr('hello', 2)", "ello"},
		{"substr('hello', 4, -2)", "el"},
		{"left('hello', -2)", "hel"},
		{"right('hello', -2)", "llo"},
		{"left('Köln', 2)", "Kö"},
		{"lpad('hello', 3, 'x')", "hel"},
		{"repeat('x', 9223372036854775807)", "ERROR: longer than"},
		{"split_part('a,b,c', ',', -1)", "c"},
		{"split_part('a,b,c', ',', 4)", ""},
		{"string_split('', ',')", `[""]`},
		{"concat_ws(NULL, 'a')", "NULL"},
		{"position('Köln', 'ln')", "3"},
		{"upper('straße')", "STRAẞE"},
		{"hex(-1)", "FFFFFFFFFFFFFFFF"},
		{"reverse('äb')", "bä"},
		// LIKE and regular expressions.
		{"'abc' like 'a_c'", "true"},
		{"'äbc' like '_bc'", "true"},
		{"'abc' like '%b%'", "true"},
		{"'abc' like 'b'", "false"},
		{"'aXbXc' like 'a%X%c'", "true"},
		{"'' like '%'", "true"},
		{"'' like '_'", "false"},
		{"'50%' like '50!%', 1", "ERROR"},
		{"like('50%', '50!%', '!')", "true"},
		{"like('500', '50!%', '!')", "false"},
		{"'STRASSE' ilike 'str%'", "true"},
		{"'ΣΑΣ' ilike 'σας'", "true"},
		{"'abc' not like 'a%'", "false"},
		{"'abc' ~ 'b'", "true"},
		{"'abc' ~ '('", "ERROR: bad regular expression"},
		{"regexp_extract('abc', 'x')", ""},
		{"regexp_extract('abc', 'b', 1)", "ERROR: no group 1"},
		{`regexp_replace('abc', '(b)', '<\1>')`, "a<b>c"},
		{"regexp_matches('A', 'a', 'i')", "true"},
		// Dates.
		{"DATE '2026-03-01' - DATE '2026-02-01'", "28"},
		{"DATE '2026-01-31' + 1", "2026-02-01"},
		{"DATE '2026-01-31' + INTERVAL '1 month'", "2026-02-28 00:00:00"},
		{"TIMESTAMP '2026-03-31 10:00:00' - INTERVAL '1 month'", "2026-02-28 10:00:00"},
		{"TIMESTAMP '2026-01-02 01:00:00' - TIMESTAMP '2026-01-01 00:00:00'", "1 day 01:00:00"},
		{"date_trunc('week', DATE '2026-01-01')", "2025-12-29"},
		{"date_trunc('hour', TIMESTAMP '1969-12-31 23:59:59.5')", "1969-12-31 23:00:00"},
		{"week(DATE '2026-12-31')", "53"},
		{"extract('epoch', TIMESTAMP '1969-12-31 23:59:59.5')", "-0.5"},
		{"date_diff('year', DATE '2025-12-31', DATE '2026-01-01')", "1"},
		{"date_sub('year', DATE '2025-12-31', DATE '2026-01-01')", "0"},
		{"date_part('fortnight', DATE '2026-01-01')", "ERROR: no part of a date is called 'fortnight'"},
		{"strptime('2 Jan 2026 3:04 PM', '%-d %b %Y %I:%M %p')", "2026-01-02 15:04:00"},
		{"strptime('2026-02-30', '%Y-%m-%d')", "ERROR: does not have the form"},
		{"strptime('x', '%Q')", "ERROR: %Q is no specifier"},
		{"strftime(TIMESTAMP '2026-01-05 03:04:05.678901', '%a %-d %B %y %-H:%M:%S.%g %j')", "Mon 5 January 26 3:04:05.678 005"},
		{"make_date(2026, 2, 29)", "ERROR: there is no date"},
		{"INTERVAL '1 month' = INTERVAL '30 days'", "true"},
		{"last_day(DATE '2026-02-10')", "2026-02-28"},
		// Floats.
		{"'nan'::FLOAT = 'nan'::FLOAT", "true"},
		{"'nan'::FLOAT > 'inf'::FLOAT", "true"},
		{"-0.0e0 = 0.0e0", "true"},
		{"hash(-0.0e0) = hash(0.0e0)", "true"},
		// Lists.
		{"list_extract([1, 2], 3)", "NULL"},
		{"[1, 2] || [3]", "[1,2,3]"},
		{"list_contains([1, NULL], 3)", "false"},
		{"length([1, NULL])", "2"},
		{"[1, 2.5]", "[1.0,2.5]"},
		// Mistakes.
		{"lowr('a')", `ERROR: no function "lowr": did you mean "lower"?`},
		{"lower(1)", "ERROR: lower does not take (INT): it takes (STRING)"},
		{"1 + true", "ERROR: + does not take (INT, BOOL)"},
		{"1 = 'x'", "ERROR: cannot read 'x' as INT"},
		{"1 and true", "ERROR: AND needs a condition"},
		{"case when 1 then 2 end", "ERROR: WHEN needs a condition"},
		{"case when true then 1 else DATE '2026-01-01' end", "ERROR: no common type"},
		{"DATE '2026-01-01'::INT", "ERROR: no DATE converts to INT"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			e, err := tryParse(tt.src)
			got := []string{""}
			if err == nil {
				got, err = show(t, checked(t), e, Input{Rows: 1}, nil)
			}
			if fail, ok := strings.CutPrefix(tt.want, "ERROR"); ok {
				if err == nil || !strings.Contains(err.Error(), strings.TrimPrefix(fail, ": ")) {
					t.Errorf("got %v, %v, want an error%s", got, err, fail)
				}
				return
			}
			if err != nil || got[0] != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

var testCols = types.Schema{
	{Name: "i", Type: types.INT}, {Name: "j", Type: types.INT32}, {Name: "f", Type: types.FLOAT},
	{Name: "s", Type: types.STRING}, {Name: "k", Type: types.STRING}, {Name: "d", Type: types.DATE},
	{Name: "b", Type: types.BOOL}, {Name: "m", Type: types.DecimalOf(5, 2)},
}

// testInput is six rows of testCols; k is a dictionary.
func testInput(t testing.TB, mem memory.Allocator) Input {
	in := Input{Rows: 6}
	for i, vals := range [][]string{
		{"1", "2", "NULL", "-4", "5", "0"},
		{"10", "20", "30", "NULL", "50", "60"},
		{"1.5", "nan", "-0.5", "NULL", "inf", "0"},
		{"ab", "a text beyond twelve", "NULL", "", "AB", "a text beyond twelvf"},
		{"red", "blue", "red", "NULL", "green", "red"},
		{"2026-01-01", "NULL", "2026-01-03", "1969-12-31", "2026-01-05", "2026-01-06"},
		{"true", "false", "NULL", "true", "true", "false"},
		{"1.00", "2.50", "NULL", "-0.01", "999.99", "0.00"},
	} {
		c := makeColumn(t, mem, testCols[i].Type, vals...)
		if testCols[i].Name == "k" {
			c = asDictionary(t, mem, c)
		}
		in.Cols = append(in.Cols, c)
	}
	return in
}

// asDictionary replaces a text column by a dictionary of the same rows.
func asDictionary(t testing.TB, mem memory.Allocator, a arrow.Array) arrow.Array {
	t.Helper()
	defer a.Release()
	var vals []string
	codes, nulls := make([]int32, a.Len()), vec.NewNulls(mem, a.Len())
	for i := range codes {
		v, ok := vec.ValueAt(a, i).(string)
		if !ok {
			nulls.Set(i)
			continue
		}
		if !slices.Contains(vals, v) {
			vals = append(vals, v)
		}
		codes[i] = int32(slices.Index(vals, v))
	}
	dict := makeColumn(t, mem, types.STRING, vals...)
	defer dict.Release()
	return vec.NewDictionary(mem, codes, dict, &nulls)
}

// TestColumns checks each condition and expression over all rows, over a
// selection, and (conditions) as a filter; all ways must agree.
func TestColumns(t *testing.T) {
	for _, tt := range []struct {
		src  string
		want string // of the six rows
	}{
		{"i + j", "11 22 NULL NULL 55 60"},
		{"i * 2 - 1", "1 3 NULL -9 9 -1"},
		{"i > 1", "false true NULL false true false"},
		{"1 < i", "false true NULL false true false"},
		{"i <= 1.5", "true false NULL true false true"},
		{"i <> 5", "true true NULL true false true"},
		{"j >= 30", "false false true NULL true true"},
		{"j < 30", "true true false NULL false false"},
		{"f > 1", "true true false NULL true false"},
		{"f <= 0", "false false true NULL false true"},
		{"f <> 1.5", "false true true NULL true true"},
		{"f = 'nan'::FLOAT", "false true false NULL false false"},
		{"s = 'ab'", "true false NULL false false false"},
		{"s <> 'a text beyond twelve'", "true false NULL true true true"},
		{"s = 'a text beyond twelvf'", "false false NULL false false true"},
		{"s >= 'a'", "true true NULL false false true"},
		{"s like 'a%'", "true true NULL false false true"},
		{"s ilike 'AB'", "true false NULL false true false"},
		{"k = 'red'", "true false true NULL false true"},
		{"k <> 'red'", "false true false NULL true false"},
		{"k like '%e%'", "true true true NULL true true"},
		{"upper(k)", "RED BLUE RED NULL GREEN RED"},
		{"length(k)", "3 4 3 NULL 5 3"},
		{"k || '!'", "red! blue! red! NULL green! red!"},
		{"k in ('red', 'green')", "true false true NULL true true"},
		{"i in (1, 5, NULL)", "true NULL NULL NULL true NULL"},
		{"i not in (1, j // 10)", "false false NULL NULL false true"},
		{"d > '2026-01-02'", "false NULL true false true true"},
		{"d between '2026-01-01' and '2026-01-05'", "true NULL true false true false"},
		{"m > 1", "false true NULL false true false"},
		{"m = 2.5", "false true NULL false false false"},
		{"m * 2", "2.00 5.00 NULL -0.02 1999.98 0.00"},
		{"b", "true false NULL true true false"},
		{"not b", "false true NULL false false true"},
		{"b and i > 0", "true false NULL false true false"},
		{"b or i is null", "true false true true true false"},
		{"i <> 0 and 10 // i > 1", "true true NULL false true false"},
		{"i = 0 or 10 // i > 1", "true true NULL false true true"},
		{"i is null", "false false true false false false"},
		{"i is not null", "true true false true true true"},
		{"i is null or k = 'red'", "true false true NULL false true"},
		{"case when i > 1 then 'big' when i is null then 'none' end", "NULL big none NULL big NULL"},
		{"case when i <> 0 then 10 // i else 0 end", "10 5 0 -2 2 0"},
		{"coalesce(i, j, 7)", "1 2 30 -4 5 0"},
		{"if(b, s, k)", "ab blue red  AB red"},
		{"greatest(i, j)", "10 20 30 -4 50 60"},
		{"nullif(i, 5)", "1 2 NULL -4 NULL 0"},
		{"is_distinct(i, 1)", "false true true true true true"},
		{"f::STRING", "1.5 nan -0.5 NULL inf 0.0"},
		{"try_cast(s as INT)", "NULL NULL NULL NULL NULL NULL"},
		{"k::STRING like 'r%' and i > 0", "true false NULL false false false"},
		{"j::FLOAT / 4", "2.5 5.0 7.5 NULL 12.5 15.0"},
		{"[i, j]", "[1,10] [2,20] [null,30] [-4,null] [5,50] [0,60]"},
		{"now() > d", "true NULL true true true true"},
		{"1", "1 1 1 1 1 1"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			mem := checked(t)
			in := testInput(t, mem)
			defer vec.ReleaseAll(in.Cols)
			e := parse(t, tt.src, testCols...)
			want := strings.Split(tt.want, " ")
			for _, sel := range [][]int32{nil, {}, {0, 2, 3, 5}, {1, 4}, {0, 1, 2, 3, 4, 5}} {
				expect := want
				if sel != nil {
					expect = []string{}
					for _, r := range sel {
						expect = append(expect, want[r])
					}
				}
				got, err := show(t, mem, e, in, sel)
				if err != nil || !slices.Equal(got, expect) {
					t.Errorf("selection %v: got %q, %v, want %q", sel, got, err, expect)
				}
				if e.Type().Kind == types.Bool {
					checkFilter(t, mem, e, in, sel, expect)
				}
			}
			wire, err := MarshalExpr(e)
			if err != nil {
				t.Fatal(err)
			}
			back, err := UnmarshalExpr(wire)
			if err != nil || !Equal(e, back) {
				t.Errorf("%s: comes back as %v, %v", wire, back, err)
			}
			if again, err := tryParse(String(e), testCols...); err == nil && String(again) != String(e) {
				t.Errorf("printed %s, read %s", String(e), String(again))
			}
		})
	}
}

func checkFilter(t *testing.T, mem memory.Allocator, e Expr, in Input, sel []int32, vals []string) {
	t.Helper()
	ev, err := NewEvaluator(e, mem, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer ev.Close()
	want := []int32{99}
	for i, v := range vals {
		if v == "true" {
			r := int32(i)
			if sel != nil {
				r = sel[i]
			}
			want = append(want, r)
		}
	}
	for range 2 { // the second time with what the evaluator remembers
		got, err := ev.Filter(in, sel, []int32{99})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("filter under %v: got %v, %v, want %v", sel, got, err, want)
		}
	}
}

func TestRowErrors(t *testing.T) {
	for _, tt := range []struct {
		src string
		sel []int32
		row int // -1: no error
	}{
		{"10 // i", nil, 5},
		{"10 // i", []int32{0, 5}, 5},
		{"10 // i", []int32{0, 1}, -1},
		{"case when i is not null then 10 // i end", nil, 5},
		{"s::INT", []int32{1, 3}, 1},
		{"k::INT", nil, 0},
		{"k::INT", []int32{3, 4}, 4},
		{"'x'::INT", []int32{3}, 3},
		{"'x'::INT", []int32{}, -1},
		{"b and 1 // i > 0", []int32{0, 1, 5}, -1},
		{"coalesce(i, 1 // 0)", []int32{0, 1}, -1},
		{"coalesce(i, 1 // 0)", nil, 2},
		{"i in (1, 1 // (j - 20))", nil, 1},
	} {
		mem := checked(t)
		in := testInput(t, mem)
		_, err := show(t, mem, parse(t, tt.src, testCols...), in, tt.sel)
		vec.ReleaseAll(in.Cols)
		var row *RowError
		switch {
		case tt.row < 0 && err != nil:
			t.Errorf("%s under %v: %v", tt.src, tt.sel, err)
		case tt.row >= 0 && (!errors.As(err, &row) || row.Row != tt.row):
			t.Errorf("%s under %v: got %v, want an error of row %d", tt.src, tt.sel, err, tt.row)
		}
	}
}

// TestShares checks that a bare column is not copied, and text stays encoded.
func TestShares(t *testing.T) {
	mem := checked(t)
	in := testInput(t, mem)
	defer vec.ReleaseAll(in.Cols)
	for _, tt := range []struct {
		src  string
		same bool
	}{{"k", true}, {"upper(k)", false}} {
		ev, err := NewEvaluator(parse(t, tt.src, testCols...), mem, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := ev.Eval(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := a.(*array.Dictionary); !ok || (a == in.Cols[4]) != tt.same {
			t.Errorf("%s is %s, same %v", tt.src, a.DataType(), a == in.Cols[4])
		}
		a.Release()
		ev.Close()
	}
}

// TestWrongBatch checks that a batch of other columns is an error, not a panic.
func TestWrongBatch(t *testing.T) {
	mem := checked(t)
	in := testInput(t, mem)
	defer vec.ReleaseAll(in.Cols)
	for _, e := range []Expr{
		&Column{ID: 99, Name: "x", T: types.INT},
		&Column{ID: 0, Name: "x", T: types.STRING},
		&Column{ID: -1, Name: "x", T: types.INT},
	} {
		if _, err := show(t, mem, e, in, nil); err == nil {
			t.Errorf("%v was read", e)
		}
		isNull, err := NewCall("is_null", e)
		if err != nil {
			t.Fatal(err)
		}
		ev, err := NewEvaluator(isNull, mem, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ev.Filter(in, nil, nil); err == nil {
			t.Errorf("%v was filtered", e)
		}
		ev.Close()
	}
}
