package main

// bug is a fault to plant: a text of a file of rainsql, which must stand there
// exactly once, and what takes its place.
type bug struct {
	name     string
	file     string
	old, new string
	feature  string // of the language that it needs; "" none
}

// bugs are faults of the kinds that programs like this one really have.
var bugs = []bug{
	{"NULL sorts first", "expr/vec/compare.go", "\t\tcase ni:\n\t\t\treturn 1\n\t\tcase nj:\n\t\t\treturn -1", "\t\tcase ni:\n\t\t\treturn -1\n\t\tcase nj:\n\t\t\treturn 1", ""},
	{"LIMIT forgets its OFFSET in later batches", "exec/operators/limit.go", "to = min(n, from+l.count)", "to = min(n, l.count)", ""},
	{"top-k gives one row too few", "exec/operators/top_k.go", "order[:min(t.count, len(order))]", "order[:min(max(t.count-1, 0), len(order))]", ""},
	{"EXCEPT ALL takes all equal rows away", "exec/operators/set_op.go", "\tcase s.all && n > 0:\n\t\ts.counts[g]--", "\tcase s.all && n > 0:", ""},
	{"filters behind DISTINCT ON go below it", "planner/optimize/push_filters.go", "\t\tif !n.Ordered {\n", "\t\tif n.Ordered || !n.Ordered {\n", ""},
	{"variance of partial aggregates forgets the distance of means", "expr/aggmoments.go", "m.m2 += o.m2 + d*d*float64(m.n)*float64(o.n)/float64(n)", "m.m2 += o.m2", ""},
	{"sample variance divides by n", "expr/aggmoments.go", "m.m2 / float64(m.n-1)", "m.m2 / float64(m.n)", ""},
	{"sum loses the sign of negative values", "expr/aggsum.go", "s.hi += v>>63 + int64(carry)", "s.hi += int64(carry)", ""},
	{"x IN (…, NULL) is false", "expr/in.go", "\t\t\tunknown[i] = n.null\n", "\t\t\tunknown[i] = false\n", ""},
	{"NULL AND x is false", "expr/logic.go", "\t\tcase valid.Null(i):\n\t\t\tunknown[p] = true\n\t\tcase bits.At(i) == l.or: // decided", "\t\tcase valid.Null(i):\n\t\t\tunknown[p] = l.or\n\t\tcase bits.At(i) == l.or: // decided", ""},
	{"NULL equals NULL in the keys of a join", "planner/dag/build_join.go", "spec.NullSafe = append(spec.NullSafe, k.NullSafe)", "spec.NullSafe = append(spec.NullSafe, k.NullSafe || len(n.Keys) > 0)", "join"},
	{"a join loses the last partner of each key", "exec/operators/join_build.go", "return t.order[t.from[g]:t.from[g+1]]", "return t.order[t.from[g]:max(t.from[g], t.from[g+1]-1)]", "join"},
	{"RIGHT and FULL JOIN forget which rows had partners", "exec/operators/join.go", "j.build.matched[j.pairs.build[k]] = true", "j.build.matched[j.pairs.build[k]] = false", "join"},
	{"NOT IN (pipeline) forgets the list's NULLs", "exec/operators/join_in.go", "out[i] = g != noGroup && (null.Null(i) || k.hasNull[g])", "out[i] = g != noGroup && null.Null(i)", "in"},
	{"UNNEST takes a NULL list for its neighbour's", "exec/operators/unnest.go", "\t\tif list.IsNull(i) {\n\t\t\tcontinue\n\t\t}\n\t\tfrom, to := list.ValueOffsets(i)", "\t\tfrom, to := list.ValueOffsets(i)\n\t\tif list.IsNull(i) && i > 0 {\n\t\t\tfrom, to = list.ValueOffsets(i - 1)\n\t\t}", "unnest"},
	{"dense_rank counts rows", "exec/operators/window_rank.go", "int64(r.peer[at]-r.peer[from]) + 1 })", "int64(at-from) + 1 })", "over"},
	{"a frame ends one row too early", "exec/operators/window_frame.go", "end(f.Start, 0), end(f.End, 1)", "end(f.Start, 0), end(f.End, 0)", "over"},
	{"a frame reaches into the partition before", "exec/operators/window_frame.go", "return int32(min(max(at+k+behind, from), to))", "return int32(min(max(at+k+behind, 0), to))", "over"},
	{"percent_rank divides by all rows", "exec/operators/window_rank.go", "float64(r.rank(at, from)-1) / float64(to-from-1)", "float64(r.rank(at, from)-1) / float64(to-from)", "over"},
	{"substring counts bytes of what is no ASCII", "expr/texts.go", "func isASCII[T string | []byte](s T) bool {", "func isASCII[T string | []byte](s T) bool {\n\tif len(s) < 8 {\n\t\treturn true\n\t}", ""},
}
