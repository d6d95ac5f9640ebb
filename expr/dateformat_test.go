package expr

import "testing"

// TestFormats checks strptime and strftime against what DuckDB 2.0 gives,
// except where a comment says otherwise.
func TestFormats(t *testing.T) {
	checkConstants(t, []struct{ src, want string }{
		{"strftime('0044-03-15 (BC)'::DATE, '%Y %y')", "-43 43"},
		{"strftime(TIMESTAMP '2024-12-30 12:34:56.789012', '%a %b %j %U %W %V %G %u %w %p %I %g %n')", "Mon Dec 365 52 53 01 2025 1 1 PM 12 789 789012000"},
		{"strftime(TIMESTAMP '2026-01-02 03:04:05', '%-d.%-m.%-y %-j %-H %-I %-M %-S %%')", "2.1.26 2 3 3 4 5 %"},
		{"strftime(TIMESTAMP '2026-01-02 03:04:05', '%c|%x|%X|%T')", "2026-01-02 03:04:05|2026-01-02|03:04:05|03:04:05"},
		{"strftime(DATE '2026-01-02', '%Z')", "UTC"}, // in DuckDB only of TIMESTAMPTZ, which TIMESTAMP here is
		{"strftime(DATE '2026-01-02', '%-a')", "ERROR: %-a is no specifier"},
		{"strftime(DATE '2026-01-02', '')", "ERROR: the format is empty"},

		{"strptime('12', '%I')", "1900-01-01 12:00:00"},
		{"strptime('12 AM', '%I %p')", "1900-01-01 00:00:00"},
		{"strptime('1 PM', '%H %p')", "1900-01-01 13:00:00"},
		{"try_strptime('13 PM', '%H %p')", "NULL"},
		{"strptime('1.5', '%S.%g')", "1900-01-01 00:00:01.5"},
		{"try_strptime('1.1234', '%S.%g')", "NULL"},
		{"try_strptime('1.1234567', '%S.%f')", "NULL"},
		{"strptime('1.123456789', '%S.%n')", "1900-01-01 00:00:01.123456"}, // nanoseconds are cut off
		{"strptime('10:11:12', '%T')", "1900-01-01 10:11:12"},
		{"strptime('2026   1', '%Y %m')", "2026-01-01 00:00:00"},
		{"try_strptime('20261', '%Y %m')", "NULL"},
		// Days by weeks and by the day of the year.
		{"strptime('0', '%U')", "1899-12-31 00:00:00"},
		{"strptime('0', '%W')", "1899-12-25 00:00:00"},
		{"strptime('53', '%V')", "1900-12-31 00:00:00"},
		{"strptime('2026', '%G')", "2025-12-29 00:00:00"},
		{"strptime('2026 5', '%Y %U')", "2026-02-01 00:00:00"},
		{"strptime('2024 53 6', '%Y %U %w')", "2025-01-11 00:00:00"},
		{"strptime('2026 5 0', '%Y %W %w')", "2026-02-08 00:00:00"},
		{"strptime('2020-W53-7', '%G-W%V-%u')", "2021-01-03 00:00:00"},
		{"strptime('2026-W01-4', '%G-W%V-%u')", "2026-01-01 00:00:00"},
		{"strptime('2026 5 3', '%Y %U %d')", "2026-01-03 00:00:00"},
		{"strptime('2026 2025', '%G %Y')", "2025-01-01 00:00:00"},
		{"strptime('2024-366', '%Y-%j')", "2024-12-31 00:00:00"},
		{"try_strptime('2023-366', '%Y-%j')", "NULL"}, // in DuckDB the next year's first
		{"try_strptime('0', '%V')", "NULL"},
		{"try_strptime('54', '%U')", "NULL"},
		{"try_strptime('7', '%w')", "NULL"},
		{"try_strptime('0', '%u')", "NULL"},
		{"strptime('2026 5', '%Y %V')", "ERROR: %V is the week of a year %G"}, // in DuckDB text fails, not the format
		{"strptime('5 6', '%U %j')", "ERROR: more than one way"},
		// Zones.
		{"strptime('2026-01-31 +01:30', '%Y-%m-%d %z')", "2026-01-30 22:30:00"},
		{"strptime('2026-07-31 europe/berlin', '%Y-%m-%d %Z')", "2026-07-30 22:00:00"},
		{"strptime('2026-03-29 02:30 Europe/Berlin', '%Y-%m-%d %H:%M %Z')", "2026-03-29 01:30:00"},
		{"strptime('2026-10-25 02:30 Europe/Berlin', '%Y-%m-%d %H:%M %Z')", "2026-10-25 01:30:00"},
		{"strptime('2026-10-25 +01 UTC', '%Y-%m-%d %z %Z')", "2026-10-24 23:00:00"},
		{"try_strptime('2026-10-25 Nowhere', '%Y-%m-%d %Z')", "NULL"},
		// Lists of formats.
		{"strptime('2026', ['%m.%Y', NULL, '%Y'])", "2026-01-01 00:00:00"},
		{"strptime('x', ['%m.%Y', '%Y'])", "ERROR: 'x' does not have the form '%m.%Y' or '%Y'"},
		{"try_strptime('x', ['%m.%Y', '%Y'])", "NULL"},
		{"strptime('2026', ['%Y', '%Q'])", "ERROR: %Q is no specifier"},
		{"strptime('2026', [])", "ERROR: no format"},
		{"strptime('2026', NULL)", "NULL"},
	})
}

// TestGivenByDuckDB checks what a comparison with DuckDB 2.0 found.
func TestGivenByDuckDB(t *testing.T) {
	checkConstants(t, []struct{ src, want string }{
		{"date_diff('week', DATE '2026-01-04', DATE '2026-01-05')", "0"},
		{"date_diff('week', DATE '2026-01-13', DATE '2026-01-01')", "-1"},
		{"date_diff('week', TIMESTAMP '2026-01-01 23:00', TIMESTAMP '2026-01-08 01:00')", "1"},
		{"date_trunc('era', DATE '2026-01-01')", "ERROR: 'era' is no unit of time"},
		{"date_diff('timezone', DATE '2026-01-01', DATE '2026-01-01')", "ERROR: 'timezone' is no unit of time"},
		{"isoyear(INTERVAL '1 day')", "ERROR: isoyear"},
		{"extract('week', INTERVAL '1 day')", "ERROR: an INTERVAL has no such part"},
		{"year(INTERVAL '14 months')", "1"},
		{"'1_000'::INT", "1000"},
		{"'-1_0.5_0'::DECIMAL(9,2)", "-10.50"},
		{"'1e1_0'::FLOAT", "10000000000.0"},
		{"try_cast('1__0' as INT)", "NULL"},
		{"try_cast('_1' as INT)", "NULL"},
		{"try_cast('1_' as FLOAT)", "NULL"},
		{"try_cast('1_.5' as FLOAT)", "NULL"},
		{"'0x1F'::INT", "31"},
		{"'0b11'::INT8", "3"},
		{"try_cast('0xFFFFFFFFFFFFFFFF' as INT)", "NULL"},
		{"try_cast('0x-1' as INT)", "NULL"},
		{"try_cast('-0x1' as INT)", "NULL"},
		{"'9'::INTERVAL", "00:00:09"},
		{"unhex('abc')::STRING", `\x0A\xBC`},
		{`regexp_replace('2.5', '([0-9])', '<\1>', 'g')`, "<2>.<5>"},
		{`regexp_replace('2.5', '[0-9]', '<\\1>')`, `<\1>.5`},
		{`regexp_replace('x', '[0-9]', '<\1>')`, "ERROR: no group 1"},
		{`regexp_replace('x', '[0-9]', '<\q>')`, `ERROR: \q in the replacement means nothing`},
		{`regexp_replace('x', '[0-9]', '<\')`, `ERROR: a \ ends the replacement`},
		{"concat([1], NULL, [2.5])", "[1.0,2.5]"},
		{"concat([], ['a'], NULL, NULL)", `["a"]`},
		{"concat('a', [1])", "a[1]"},
		{"typeof(concat(NULL, NULL))", "STRING"},
		{"reverse('e' || chr(769) || 'a')", "ae\u0301"},
		{"reverse('🇩🇪🇫🇷x')", "x🇫🇷🇩🇪"},
		{"hex(reverse('a' || chr(13) || chr(10)))", "0A0D61"},
	})
}
