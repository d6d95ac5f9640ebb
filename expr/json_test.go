package expr

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"
)

// TestJSON checks results of DuckDB 2.0, but for what json.go says differs:
// numbers keep their digits, and what is no JSON by RFC 8259 is refused.
func TestJSON(t *testing.T) {
	checkConstants(t, []struct{ src, want string }{
		{`json_extract('{"a": {"b": [1, 2.50, "x"]}}', '$.a')`, `{"b":[1,2.50,"x"]}`},
		{`json_extract('{"a": {"b": [1, 2.50, "x"]}}', '$.a.b[#-1]')`, `"x"`},
		{`json_extract('{"a": {"b": [1, 2.50, "x"]}}', '$.a.b[-1]')`, `"x"`},
		{`json_extract('{"a": {"b": [1, 2]}}', '/a/b/1')`, "2"},
		{`json_extract('{"a/b": {"1": 7}}', '/a~1b/1')`, "7"},
		{`json_extract('{"a.b": 1}', 'a.b')`, "1"},
		{`json_extract('{"a b": 1}', '$."a b"')`, "1"},
		{`json_extract('{"a": 1, "a": 2}', '$.a')`, "1"},
		{`json_extract('{"a": "x"}', '$.A')`, "NULL"},
		{`json_extract('{"a": null}', '$.a')`, "null"},
		{`json_extract(' [ 1 , [ 2 ] ] ', '$')`, "[1,[2]]"},
		{`json_extract('[1, 2, 3]', -1)`, "3"},
		{`json_extract('[1, 2, 3]', 3)`, "NULL"},
		{`json_extract('{"a": 1}', NULL)`, "NULL"},
		{`json_extract('[[1, 2], [3, 4]]', '$[*][0]')`, `["1","3"]`},
		{`json_extract('{"a": {"x": 1}, "b": {"x": 2}}', '$.*.x')`, `["1","2"]`},
		{`json_extract('{"a": 1}', '$.b[*]')`, "[]"},
		{`json_extract('{"\u0061": 1}', '$.a')`, "1"},
		{`json_extract('{"a": 1}', '$.a.')`, "ERROR: wrong at '.'"},
		{`json_extract('{"a": 1}', '$a')`, "ERROR: wrong at 'a'"},
		{`json_extract('{bad', '$.a')`, "ERROR: no JSON from byte 2 on: '{bad'"},
		{`json_extract('', '$.a')`, "ERROR: no JSON from byte 1 on"},
		{`json_extract_string('{"a": null}', '$.a')`, "NULL"},
		{`json_extract_string('{"a": "x\n\u00e4\ud83d\ude00"}', '$.a')`, "x\nä😀"},
		{`json_extract_string('["p", null, "\ud83d"]', '$[*]')`, `["p",null,"�"]`},
		{`json_value('{"a": [1]}', '$.a')`, "NULL"},
		{`json_value('{"a": "x"}', '$.a')`, `"x"`},
		{`json_value('{"a": null}', '$.a')`, "NULL"},
		{`json_value('[1]', '$[*]')`, "ERROR: wildcard"},
		{`json_exists('{"a": null}', '$.b')`, "false"},
		{`json_valid('{a: 1}')`, "false"},
		{`json_valid('[1,]')`, "false"},
		{`json_valid('1 2')`, "false"},
		{`json_valid(NULL)`, "NULL"},
		{`json_type('-1')`, "BIGINT"},
		{`json_type('18446744073709551616')`, "DOUBLE"},
		{`json_type('{"a": [1]}', '$.a')`, "ARRAY"},
		{`json_type('null')`, "NULL"},
		{`json_array_length('{"a": [1, 2, 3]}', '$.a')`, "3"},
		{`json_array_length('1')`, "0"},
		{`json_array_length('{"a": 1}', '$.b')`, "NULL"},
		{`json_keys('[1]')`, "[]"},
		{`json_keys('{"a": {"x": 1}}', '$.a')`, `["x"]`},
		{`to_json([1, NULL])`, "[1,null]"},
		{`to_json('x"y')`, `"x\"y"`},
		{`to_json(NULL)`, "NULL"},
		{`json_object('a', 1, 'b', NULL)`, `{"a":1,"b":null}`},
		{`json_object('a')`, "ERROR: keys and values in turn"},
		{`json_object(1, 2)`, "ERROR: a key of json_object is a STRING"},
		{`json_object(if(false, 'a', NULL), 2)`, "ERROR: a key of json_object is NULL"},
		{`json_array()`, "[]"},
		{`json_contains('[1, 2, [3, 4]]', '[3]')`, "true"},
		{`json_contains('{"a": {"b": 1}}', '{"b": 1}')`, "true"},
		{`json_contains('{"a": {"b": 1}}', '1')`, "true"},
		{`json_contains('[1, 2]', '[2, 1]')`, "true"},
		{`json_contains('1', '1.0')`, "false"},
		{`json_contains('[1.50]', '1.5')`, "true"},
	})
}

// FuzzJSON holds that what passes is what encoding/json takes, and that no
// function falls over it.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"x\u00e4\\"],"b":null}`, `[[],{},""]`, `"\ud83d"`, "[1,]", "{", `{"a" :`, "-", "01", " true "} {
		f.Add([]byte(s), "$.a[0]")
		f.Add([]byte(s), "/a/0")
	}
	f.Fuzz(func(t *testing.T, s []byte, path string) {
		v, err := trimJSON(s)
		if (err == nil) != json.Valid(s) && bytes.Count(s, []byte("["))+bytes.Count(s, []byte("{")) < maxJSONDepth {
			t.Fatalf("%q: %v, encoding/json says %v", s, err, json.Valid(s))
		}
		p, pathErr := parseJSONPath(path)
		if err != nil {
			return
		}
		small := appendMinified(nil, v)
		var want bytes.Buffer
		if err := json.Compact(&want, v); err != nil || !bytes.Equal(small, want.Bytes()) {
			t.Fatalf("%q: minified %q, want %q, %v", v, small, want.Bytes(), err)
		}
		if !jsonContains(v, small) || jsonTypeOf(v) == "" {
			t.Fatalf("%q does not contain itself", v)
		}
		if v[0] == '"' && utf8.Valid(v) {
			var text string
			if err := json.Unmarshal(v, &text); err != nil || string(appendJSONText(nil, v)) != text {
				t.Fatalf("%q: %q, want %q, %v", v, appendJSONText(nil, v), text, err)
			}
		}
		if pathErr != nil {
			return
		}
		p.find(v, func(found []byte) bool {
			if !json.Valid(found) {
				t.Fatalf("%q: %s leads to %q", v, path, found)
			}
			return true
		})
	})
}
