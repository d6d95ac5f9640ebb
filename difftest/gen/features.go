package gen

// Feature is a part of the language that a run may leave out. Probe fails with
// "not supported yet" where rainsql does not have it.
type Feature struct {
	Name  string
	Probe string
	Verbs []string // that only it makes
}

// Features lists them all. What is not named here is always used.
func Features() []Feature {
	return []Feature{
		{"join", "FROM range(2) AS a INNER JOIN range(2) AS b ON a.value = b.value", []string{"INNER JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "SEMI JOIN", "ANTI JOIN", "CROSS JOIN"}},
		{"scalar", "FROM range(2) AS a EXTEND (FROM range(3) AGGREGATE max(value) AS m) AS x", nil},
		{"in", "FROM range(2) AS a FILTER value IN (FROM range(1))", nil},
		{"exists", "FROM range(2) AS a FILTER EXISTS (FROM range(3) AS b FILTER b.value = a.value)", nil},
		{"over", "FROM range(2) EXTEND sum(value) OVER (ORDER BY value ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS s", []string{"OVER"}},
		{"unnest", "TRANSFORM [1, 2] AS l UNNEST l AS x", []string{"UNNEST"}},
		{"struct", "TRANSFORM {a: 1} AS s", nil},
		{"structorder", "TRANSFORM {a: 1} AS s SORT s", nil},
		{"timezone", "TRANSFORM TIMESTAMP '2026-01-31 10:00:00' AT TIME ZONE 'Europe/Berlin' AS t", nil},
		{"windows", "FROM range(2) EXTEND TIMESTAMP '2026-01-31' AS ts AGGREGATE count(*) AS n BY tumble(ts, 10s)", []string{"WINDOW"}},
		{"exec", "FROM range(2) TRANSFORM USING EXEC 'cat' (columns = (value INT))", []string{"EXEC"}},
	}
}

// Verbs lists the verbs that every run uses.
func Verbs() []string {
	return []string{"FILTER", "TRANSFORM", "TRANSFORM DISTINCT", "EXTEND", "SET", "DROP", "RENAME", "AGGREGATE", "GROUP BY", "DISTINCT", "DISTINCT ON",
		"SORT", "LIMIT", "AS", "UNION", "UNION ALL", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"}
}
