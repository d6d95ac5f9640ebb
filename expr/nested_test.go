package expr

import (
	"strings"
	"testing"

	"github.com/rainsql/rainsql/expr/types"
)

// checkConstants compares what expressions of constants print, or their errors.
func checkConstants(t *testing.T, tests []struct{ src, want string }) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.src, func(t *testing.T) {
			e, err := tryParse(tt.src)
			got := []string{""}
			if err == nil {
				got, err = show(t, checked(t), e, Input{Rows: 1}, nil)
			}
			if fail, ok := strings.CutPrefix(tt.want, "ERROR: "); ok {
				if err == nil || !strings.Contains(err.Error(), fail) {
					t.Errorf("got %v, %v, want an error: %s", got, err, fail)
				}
				return
			}
			if err != nil || got[0] != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

// TestNested checks structs and lists of constants against what DuckDB 2.0 gives.
func TestNested(t *testing.T) {
	checkConstants(t, []struct{ src, want string }{
		// Structs.
		{"{a: 1, b: [1, 2]}", `{"a":1,"b":[1,2]}`},
		{"{a: NULL}", `{"a":null}`},
		{"typeof({a: NULL})", "STRUCT<a NULL>"},
		{"struct_extract({a: {b: 5}}, 'A')", `{"b":5}`},
		{"list_extract({a: 7}, 'a')", "7"},
		{"struct_extract({a: 1}, 'b')", `ERROR: no field "b" in STRUCT<a INT>`},
		{"{a: 1, A: 2}", `ERROR: two fields "A"`},
		{"struct_pack(1, 2)", "ERROR: constant text"},
		{"struct_pack('a')", "ERROR: names and values in turn"},
		{"{a: 1} = {a: 1.0}", "true"},
		{"{a: 1, b: NULL} = {a: 1, b: NULL}", "true"},
		{"{a: 1, b: NULL} < {a: 1, b: 2}", "false"},
		{"{a: 1} = {b: 1}", "ERROR: cannot be compared"},
		{"case when true then {a: NULL} else {a: 'x'} end", `{"a":null}`},
		{"{a: 1} in ({a: 2}, {a: 1})", "true"},
		{"hash({a: -0.0e0}) = hash({a: 0.0e0})", "true"},
		{"hash([1, NULL]) = hash([1.0::INT, NULL])", "true"},
		// Lists: equality, order, and what is empty.
		{"[1, NULL] = [1, NULL]", "true"},
		{"[1, NULL] < [1, 2]", "false"},
		{"[NULL] > [1]", "true"},
		{"['nan'::FLOAT] = ['nan'::FLOAT]", "true"},
		{"typeof([])", "LIST<NULL>"},
		{"typeof([NULL])", "LIST<NULL>"},
		{"[] || ['a']", `["a"]`},
		{"[1] || NULL", "NULL"},
		{"case when true then [] else ['x'] end", "[]"},
		{"coalesce(NULL, [])", "[]"},
		{"[] = [1]", "false"},
		// Elements.
		{"list_extract([1, 2, 3], 0)", "NULL"},
		{"list_extract([1, 2, 3], -3)", "1"},
		{"list_extract([1, 2, 3], -4)", "NULL"},
		{"list_extract([], 1)", "NULL"},
		{"list_position([1, NULL], NULL)", "2"},
		{"list_position([1, 2], 3)", "NULL"},
		{"list_position(NULL, 3)", "NULL"},
		{"list_contains([1, NULL], NULL)", "NULL"},
		{"list_contains([1.0e0, 'nan'], 'nan'::FLOAT)", "true"},
		{"contains([1, 2], 2)", "true"},
		{"list_append(NULL, 1)", "[1]"},
		{"list_append([1], NULL)", "[1,null]"},
		{"list_append(['a'], 'b')", `["a","b"]`},
		{"list_prepend(1, NULL)", "[1]"},
		{"list_concat(NULL, [1], [2, 3])", "[1,2,3]"},
		{"list_concat(NULL, if(false, [1], NULL))", "[]"},
		{"array_pop_back([])", "[]"},
		// Slices.
		{"list_slice([1, 2, 3, 4, 5], -2, -1)", "[4,5]"},
		{"list_slice([1, 2, 3, 4, 5], 0, 2)", "[1,2]"},
		{"list_slice([1, 2, 3, 4, 5], 4, 2)", "[]"},
		{"list_slice([1, 2, 3, 4, 5], NULL, 2)", "NULL"},
		{"list_slice([1, 2, 3, 4, 5], 1, 5, 2)", "[1,3,5]"},
		{"list_slice([1, 2, 3, 4, 5], 5, 1, -2)", "[5,3,1]"},
		{"list_slice([1, 2, 3, 4, 5], 1, 5, -1)", "[]"},
		{"list_slice([1, 2, 3, 4, 5], -100, 100)", "[1,2,3,4,5]"},
		{"list_slice([1, 2, 3, 4, 5], -100, -90)", "[]"},
		{"list_slice([1, 2, 3], 1, 9223372036854775807, 9223372036854775807)", "[1]"},
		{"list_slice([1, 2, 3, 4, 5], 1, 5, 0)", "ERROR: step of a slice is 0"},
		{"list_slice('hellö', -2, -1)", "lö"},
		// Order.
		{"list_sort([3, NULL, 1])", "[1,3,null]"},
		{"list_sort([3, NULL, 1], 'DESC', 'NULLS FIRST')", "[null,3,1]"},
		{"list_sort([3, NULL, 1], 'desc')", "[3,1,null]"},
		{"list_sort([3], 'foo')", "ERROR: 'foo' is no order"},
		{"list_sort([3], 'asc', 'desc')", "ERROR: 'desc' is no place for NULLs"},
		{"list_reverse_sort([3, NULL, 1], 'nulls first')", "[null,3,1]"},
		{"list_sort([[2], [1, NULL], [1], NULL])", "[[1],[1,null],[2],null]"},
		{"list_sort([[1, NULL], [1, 2]], 'desc')", "[[1,null],[1,2]]"},
		{"list_grade_up([3, NULL, 1])", "[3,1,2]"},
		{"list_reverse([1, NULL, 2])", "[2,null,1]"},
		{"list_resize([1, 2], 4)", "[1,2,null,null]"},
		{"list_resize([1, 2], NULL)", "[]"},
		{"list_resize([1, 2], -1)", "ERROR: -1 elements"},
		{"list_resize([1, 2], 9223372036854775807)", "ERROR: more than"},
		{"list_where([1, 2, 3], [true])", "[1]"},
		{"list_where([1], [true, true])", "[1,null]"},
		{"list_where([1, 2], [true, NULL])", "ERROR: NULL"},
		{"list_select([1, 2, 3], [3, 1, 9, -1, 0])", "[3,1,null,null,null]"},
		{"flatten([[1, 2], NULL, [3, NULL]])", "[1,2,3,null]"},
		{"flatten([NULL, NULL])", "[]"},
		{"flatten([1])", "ERROR: list of lists"},
		// Sets.
		{"list_distinct([0.0e0, -0.0e0, 'nan', 'nan'])", `[0.0,"NaN"]`},
		{"list_unique([1, NULL, 1, 2])", "2"},
		{"list_has_any([1, NULL], [NULL])", "false"},
		{"list_has_all([1, 2], [1, NULL])", "true"},
		{"list_has_all([1, 2], [])", "true"},
		{"list_intersect([1, 2, 2, NULL, 3], [3, 2, NULL])", "[2,3]"},
		{"list_zip([1, 2], ['a'], true)", `[{"list_1":1,"list_2":"a"}]`},
		{"list_zip([1], NULL)", `[{"list_1":1,"list_2":null}]`},
		{"list_zip(1)", "ERROR: list_zip takes lists"},
		// Aggregates.
		{"list_sum([])", "NULL"},
		{"list_sum(if(false, [1], NULL))", "NULL"},
		{"typeof(list_sum([1.5, 2.5]))", "DECIMAL(38,1)"},
		{"list_sum([9223372036854775807, 1])", "ERROR: does not fit INT"},
		{"list_sum(['a'])", "ERROR: sum does not take"},
		{"list_count([1, NULL])", "1"},
		{"list_count([])", "0"},
		{"list_first([NULL, 1])", "NULL"},
		{"list_any_value([NULL, 1])", "1"},
		{"list_bool_or([])", "NULL"},
		{"list_product([])", "NULL"},
		{"list_max(['a', 'b'])", "b"},
		{"list_aggregate([1, 2], 'foo')", "ERROR: no aggregate function 'foo'"},
		{"list_aggregate(['a', 'b'], 'string_agg', '-')", "a-b"},
		{"list_string_agg([1, 2])", "1,2"},
		{"list_string_agg([])", "NULL"},
		{"array_to_string([1, NULL, 2], NULL)", "12"},
		{"array_to_string([], '-')", ""},
		{"array_to_string(if(false, [1], NULL), ',')", "NULL"},
		{"list_inner_product([1], [1, 2])", "ERROR: lists of one length"},
		{"list_distance([1, NULL], [1, 2])", "ERROR: NULL in it"},
		{"list_cosine_similarity([0], [0])", "nan"},
		// Series.
		{"range(5, 2, -1)", "[5,4,3]"},
		{"range(1, 10, 0)", "[]"},
		{"range(NULL)", "NULL"},
		{"generate_series(5)", "[0,1,2,3,4,5]"},
		{"generate_series(5, 1)", "[]"},
		{"range(9223372036854775806, 9223372036854775807)", "[9223372036854775806]"},
		{"generate_series(9223372036854775806, 9223372036854775807)", "[9223372036854775806,9223372036854775807]"},
		{"range(1000000000000)", "ERROR: more than"},
		{"generate_series(TIMESTAMP '2026-01-31 00:00', TIMESTAMP '2026-04-30 00:00', INTERVAL '1 month')", `["2026-01-31T00:00:00Z","2026-02-28T00:00:00Z","2026-03-28T00:00:00Z","2026-04-28T00:00:00Z"]`},
		{"range(DATE '2026-01-03', DATE '2026-01-01', INTERVAL '-1 day')", `["2026-01-03T00:00:00Z","2026-01-02T00:00:00Z"]`},
		{"range(DATE '2026-01-03', DATE '2026-01-01', INTERVAL '1 month -1 day')", "ERROR: forward in one part"},
		{"range(DATE '2026-01-03', DATE '2026-01-01', INTERVAL '0 days')", "[]"},
	})
}

// TestNestedColumns works on rows of testCols; see testInput.
func TestNestedColumns(t *testing.T) {
	in := testInput(t, checked(t))
	defer releaseInput(in)
	for _, tt := range []struct{ src, want string }{
		{"{x: i, k: k}", `{"x":1,"k":"red"} {"x":2,"k":"blue"} {"x":null,"k":"red"} {"x":-4,"k":null} {"x":5,"k":"green"} {"x":0,"k":"red"}`},
		{"struct_extract({x: i, k: k}, 'k')", "red blue red NULL green red"},
		{"struct_extract(if(b, {x: i}, NULL), 'x')", "1 NULL NULL -4 5 NULL"},
		{"list_extract([i, j], -1)", "10 20 30 NULL 50 60"},
		{"list_sort([k, s, 'c'])", `["ab","c","red"] ["a text beyond twelve","blue","c"] ["c","red",null] ["","c",null] ["AB","c","green"] ["a text beyond twelvf","c","red"]`},
		{"list_sum(if(b, [i, j], NULL))", "11 NULL NULL -4 55 NULL"},
		{"list_append(if(b, [k], NULL), s)", `["red","ab"] ["a text beyond twelve"] [null] [null,""] ["green","AB"] ["a text beyond twelvf"]`},
		{"list_distinct([k, k, 'red', s])", `["red","ab"] ["blue","red","a text beyond twelve"] ["red"] ["red",""] ["green","red","AB"] ["red","a text beyond twelvf"]`},
		{"range(i)", "[0] [0,1] NULL [] [0,1,2,3,4] []"},
		{"{x: i} = {x: 2}", "false true false false false false"},
		{"[f, 1]", `[1.5,1.0] ["NaN",1.0] [-0.5,1.0] [null,1.0] ["inf",1.0] [0.0,1.0]`},
		{"list_max([f, 1])", "1.5 nan 1.0 1.0 inf 1.0"},
		{"greatest({x: i}, {x: 1})", `{"x":1} {"x":2} {"x":null} {"x":1} {"x":5} {"x":1}`},
	} {
		t.Run(tt.src, func(t *testing.T) {
			e := parse(t, tt.src, testCols...)
			got, err := show(t, checked(t), e, in, nil)
			if joined := strings.Join(got, " "); err != nil || joined != tt.want {
				t.Errorf("got  %s, %v\nwant %s", joined, err, tt.want)
			}
			checkRows(t, e, in)
			if text := String(e); !strings.Contains(text, "(") && !strings.ContainsAny(text, "{[") {
				t.Errorf("prints as %s", text)
			}
		})
	}
}

func releaseInput(in Input) {
	for _, c := range in.Cols {
		c.Release()
	}
}

// TestZones checks clocks of zones; DuckDB 2.0 with its ICU gives the same.
func TestZones(t *testing.T) {
	checkConstants(t, []struct{ src, want string }{
		{"timezone('Europe/Berlin', TIMESTAMP '2026-01-01 12:00:00')", "2026-01-01 13:00:00"},
		{"timezone('europe/BERLIN', TIMESTAMP '2026-07-01 12:00:00')", "2026-07-01 14:00:00"},
		{"timezone('UTC', TIMESTAMP '2026-07-01 12:00:00')", "2026-07-01 12:00:00"},
		{"timezone('Asia/Kathmandu', TIMESTAMP '2026-07-01 12:00:00')", "2026-07-01 17:45:00"},
		{"timezone('America/New_York', DATE '2026-07-01')", "2026-06-30 20:00:00"},
		// Clocks are set forward at 01:00 UTC on 2026-03-29, back on 2026-10-25.
		{"timezone('Europe/Berlin', TIMESTAMP '2026-03-29 00:59:59.999999')", "2026-03-29 01:59:59.999999"},
		{"timezone('Europe/Berlin', TIMESTAMP '2026-03-29 01:00:00')", "2026-03-29 03:00:00"},
		{"timezone('Europe/Berlin', TIMESTAMP '2026-10-25 00:30:00')", "2026-10-25 02:30:00"},
		{"timezone('Europe/Berlin', TIMESTAMP '2026-10-25 01:30:00')", "2026-10-25 02:30:00"},
		{"timezone('Europe/Berlin', TIMESTAMP '2090-07-01 12:00:00')", "2090-07-01 14:00:00"},
		{"timezone('Europe/Berlin', NULL)", "NULL"},
		{"timezone(NULL, TIMESTAMP '2026-07-01 12:00:00')", "NULL"},
		{"timezone('Berlin', now())", "ERROR: there is no time zone 'Berlin': did you mean 'Europe/Berlin'?"},
		{"timezone('Europe/Berln', now())", "ERROR: did you mean 'Europe/Berlin'?"},
		{"timezone('Local', now())", "ERROR: no time zone 'Local'"},
		{"timezone('', now())", "ERROR: no time zone ''"},
		{"timezone('../../etc/passwd', now())", "ERROR: no time zone"},
		{"to_utc_timestamp(TIMESTAMP '2026-07-01 14:00:00', 'Europe/Berlin')", "2026-07-01 12:00:00"},
		{"to_utc_timestamp(TIMESTAMP '2026-03-29 02:30:00', 'Europe/Berlin')", "2026-03-29 01:30:00"}, // leapt over
		{"to_utc_timestamp(TIMESTAMP '2026-10-25 02:30:00', 'Europe/Berlin')", "2026-10-25 01:30:00"}, // twice there
		{"to_utc_timestamp(TIMESTAMP '2026-10-25 01:59:00', 'Europe/Berlin')", "2026-10-24 23:59:00"},
		{"to_utc_timestamp(TIMESTAMP '2011-12-30 12:00:00', 'Pacific/Apia')", "2011-12-30 22:00:00"}, // a day leapt over
	})
	for name := range strings.Lines(zoneList) {
		if _, err := findZone(strings.ToUpper(strings.TrimSpace(name))); err != nil {
			t.Error(err)
		}
	}
	in := testInput(t, checked(t))
	defer releaseInput(in)
	e := parse(t, "timezone(if(b, 'Europe/Berlin', 'UTC'), d + INTERVAL '1 hour')", testCols...)
	checkRows(t, e, in)
	got, err := show(t, checked(t), e, in, nil)
	want := "2026-01-01 02:00:00,NULL,2026-01-03 01:00:00,1969-12-31 02:00:00,2026-01-05 02:00:00,2026-01-06 01:00:00"
	if err != nil || strings.Join(got, ",") != want {
		t.Errorf("got %v, %v", got, err)
	}
	if e.Type().Kind != types.Timestamp {
		t.Error(e.Type())
	}
}
