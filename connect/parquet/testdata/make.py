"""Makes the files of this folder and of ../../arrowipc/testdata, and want.json
beside them: for each file its columns as rainsql names and prints them. What is
to be printed stands here next to the value, written by hand.

    pip install pyarrow duckdb && python make.py

want.json has the tables, and for each file the number of its table.
"""
import datetime as dt
import decimal
import json
import pathlib
import struct

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

here = pathlib.Path(__file__).parent
arrow = here.parent.parent / "arrowipc" / "testdata"
D = decimal.Decimal
NULL = "∅"

# name, Arrow type, rainsql type, [(value, text)...]
scalars = [
    ("b", pa.bool_(), "BOOL", [(True, "true"), (False, "false")]),
    ("i8", pa.int8(), "INT8", [(-128, "-128"), (127, "127")]),
    ("i16", pa.int16(), "INT16", [(-32768, "-32768"), (32767, "32767")]),
    ("i32", pa.int32(), "INT32", [(-2**31, "-2147483648"), (2**31 - 1, "2147483647")]),
    ("i64", pa.int64(), "INT", [(-2**63, "-9223372036854775808"), (2**63 - 1, "9223372036854775807")]),
    ("u8", pa.uint8(), "INT16", [(255, "255"), (0, "0")]),
    ("u16", pa.uint16(), "INT32", [(65535, "65535"), (0, "0")]),
    ("u32", pa.uint32(), "INT", [(2**32 - 1, "4294967295"), (0, "0")]),
    ("u64", pa.uint64(), "DECIMAL(20,0)", [(2**64 - 1, "18446744073709551615"), (0, "0")]),
    ("f16", pa.float16(), "FLOAT32", [(1.5, "1.5"), (-0.25, "-0.25")]),
    ("f32", pa.float32(), "FLOAT32", [(float("nan"), "nan"), (-1.5, "-1.5")]),
    ("f64", pa.float64(), "FLOAT", [(float("inf"), "inf"), (0.1, "0.1")]),
    ("dec9", pa.decimal128(9, 2), "DECIMAL(9,2)", [(D("1234567.89"), "1234567.89"), (D("-0.01"), "-0.01")]),
    ("dec18", pa.decimal128(18, 4), "DECIMAL(18,4)", [(D("-12345678901234.5678"), "-12345678901234.5678"), (D("0"), "0.0000")]),
    ("dec38", pa.decimal128(38, 10), "DECIMAL(38,10)", [(D("1234567890123456789012345678.0123456789"), "1234567890123456789012345678.0123456789"), (D("-1e-10"), "-0.0000000001")]),
    ("s", pa.string(), "STRING", [("", ""), ("größer als zwölf Zeichen 🚀", "größer als zwölf Zeichen 🚀")]),
    ("raw", pa.binary(), "BYTES", [(b"plain", "plain"), (b"\x00\xff", "\\x00\\xFF")]),
    ("fsb", pa.binary(3), "BYTES", [(b"abc", "abc"), (b"xyz", "xyz")]),
    ("d", pa.date32(), "DATE", [(dt.date(1969, 12, 31), "1969-12-31"), (dt.date(2026, 2, 28), "2026-02-28")]),
    ("t32", pa.time32("ms"), "STRING", [(dt.time(1, 2, 3, 4000), "01:02:03.004"), (dt.time(0), "00:00:00")]),
    ("t64", pa.time64("us"), "STRING", [(dt.time(23, 59, 59, 999999), "23:59:59.999999"), (dt.time(12), "12:00:00")]),
    ("tms", pa.timestamp("ms"), "TIMESTAMP", [(dt.datetime(1969, 12, 31, 23, 59, 59, 1000), "1969-12-31T23:59:59.001Z"), (dt.datetime(2026, 1, 1), "2026-01-01T00:00:00Z")]),
    ("tus", pa.timestamp("us", "UTC"), "TIMESTAMP", [(dt.datetime(2026, 1, 2, 3, 4, 5, 6, dt.timezone.utc), "2026-01-02T03:04:05.000006Z"), (dt.datetime(1, 1, 1, tzinfo=dt.timezone.utc), "0001-01-01T00:00:00Z")]),
    ("tns", pa.timestamp("ns"), "TIMESTAMP", [(-1, "1969-12-31T23:59:59.999999Z"), (1_001, "1970-01-01T00:00:00.000001Z")]),
    ("l", pa.list_(pa.int64()), "LIST<INT>", [([1, None, 3], "[1,null,3]"), ([], "[]")]),
    ("ll", pa.list_(pa.list_(pa.string())), "LIST<LIST<STRING>>", [([["a"], None, [], [None, "b"]], '[["a"],null,[],[null,"b"]]'), ([[]], "[[]]")]),
    ("st", pa.struct([("x", pa.int32()), ("y", pa.list_(pa.string()))]), "STRUCT<x INT32, y LIST<STRING>>", [({"x": 1, "y": ["p"]}, '{"x":1,"y":["p"]}'), ({"x": None, "y": None}, '{"x":null,"y":null}')]),
    ("ls", pa.list_(pa.struct([("k", pa.string()), ("v", pa.float64())])), "LIST<STRUCT<k STRING, v FLOAT>>", [([{"k": "a", "v": 1.5}, None, {"k": None, "v": None}], '[{"k":"a","v":1.5},null,{"k":null,"v":null}]'), ([None], "[null]")]),
    ("m", pa.map_(pa.string(), pa.int32()), "LIST<STRUCT<key STRING, value INT32>>", [([("a", 1), ("b", None)], '[{"key":"a","value":1},{"key":"b","value":null}]'), ([], "[]")]),
]


def build(cols, order):
    """A table whose rows take the first value, the second, or NULL, by order."""
    arrays, texts = [], []
    for _, t, _, vals in cols:
        picked = [vals[k] if k is not None else (None, NULL) for k in order]
        arrays.append(pa.array([v for v, _ in picked], type=t))
        texts.append([x for _, x in picked])
    fields = [pa.field(n, t) for n, t, _, _ in cols]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    want = {"columns": [[n, r] for n, _, r, _ in cols], "rows": [list(r) for r in zip(*texts)]}
    return table, want


want_parquet, want_arrow = {}, {}
order = [0, 1, None, 1, 0, None, None, 0] * 3
table, want = build(scalars, order)

# One file for each codec, version of pages, and with and without dictionaries.
variants = [
    ("none-v1", dict(compression="none", use_dictionary=False)),
    ("snappy-v1-dict", dict(compression="snappy", use_dictionary=True, write_page_checksum=True)),
    ("zstd-v2-dict", dict(compression="zstd", use_dictionary=True, data_page_version="2.0", write_page_checksum=True, row_group_size=7)),
    ("gzip-v2", dict(compression="gzip", use_dictionary=False, data_page_version="2.0")),
    ("brotli-v1", dict(compression="brotli", use_dictionary=False, data_page_size=64)),
    ("lz4-v2-dict", dict(compression="lz4", use_dictionary=True, data_page_version="2.0", data_page_size=64)),
]
for name, opts in variants:
    pq.write_table(table, here / f"{name}.parquet", version="2.6", store_schema=False, **opts)
    want_parquet[f"{name}.parquet"] = want

# The other encodings.
enc = [
    ("delta", pa.int64(), "INT", [(v, str(v)) for v in (10**15, -10**15, 3, 2**62, 7, -2**62)], "DELTA_BINARY_PACKED"),
    ("delta32", pa.int32(), "INT32", [(v, str(v)) for v in (2**31 - 1, -2**31, 0, 5, -5, 1)], "DELTA_BINARY_PACKED"),
    ("len", pa.string(), "STRING", [(v, v) for v in ("", "a", "längerer Text als zwölf", "bb", "x" * 40, "c")], "DELTA_LENGTH_BYTE_ARRAY"),
    ("front", pa.string(), "STRING", [(v, v) for v in ("prefix-one", "prefix-two", "prefix-two-and-more", "", "other", "otter")], "DELTA_BYTE_ARRAY"),
    ("split", pa.float64(), "FLOAT", [(v, t) for v, t in ((1.5, "1.5"), (-2.25, "-2.25"), (0.0, "0.0"), (1e10, "10000000000.0"), (3.5, "3.5"), (4.0, "4.0"))], "BYTE_STREAM_SPLIT"),
    ("split32", pa.int32(), "INT32", [(v, str(v)) for v in (1, -1, 65536, -65536, 7, 8)], "BYTE_STREAM_SPLIT"),
]
order2 = [0, 1, None, 2, 3, 4, None, 5] * 40
t2, w2 = build([c[:4] for c in enc], order2)
for v in ("1.0", "2.0"):
    pq.write_table(t2, here / f"encodings-v{v[0]}.parquet", compression="zstd", use_dictionary=False,
                   column_encoding={c[0]: c[4] for c in enc}, data_page_version=v, version="2.6", data_page_size=512, store_schema=False)
    want_parquet[f"encodings-v{v[0]}.parquet"] = w2

# Old timestamps, and no rows at all.
t3, w3 = build([("old", pa.timestamp("ns"), "TIMESTAMP", [(-1, "1969-12-31T23:59:59.999999Z"), (86_400_000_000_000, "1970-01-02T00:00:00Z")])], [0, 1, None])
pq.write_table(t3, here / "int96.parquet", use_deprecated_int96_timestamps=True, store_schema=False)
want_parquet["int96.parquet"] = w3
t4, w4 = build(scalars[:3], [])
pq.write_table(t4, here / "empty.parquet", store_schema=False)
want_parquet["empty.parquet"] = w4

# DuckDB, with what it has and Arrow has not.
duckdb.sql(f"""COPY (
  SELECT * FROM (VALUES
    (1::TINYINT, 1.50::DECIMAL(5,2), INTERVAL '1 month 2 days 3 seconds', 'f47ac10b-58cc-4372-a567-0e02b2c3d479'::UUID, 'NaN'::DOUBLE, [1, NULL], {{'a': 'x', 'b': [true]}}, TIME '10:11:12.5', 340282366920938463463374607431768211455::UHUGEINT::DOUBLE),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    (-1, -0.01, INTERVAL '0 seconds', '00000000-0000-0000-0000-000000000000', '-0.0'::DOUBLE, [], {{'a': NULL, 'b': []}}, TIME '00:00:00', 0))
  AS t(i, d, iv, u, f, l, s, t, big)) TO '{here}/duckdb.parquet'""")
want_parquet["duckdb.parquet"] = {
    "columns": [["i", "INT8"], ["d", "DECIMAL(5,2)"], ["iv", "INTERVAL"], ["u", "STRING"], ["f", "FLOAT"],
                ["l", "LIST<INT32>"], ["s", "STRUCT<a STRING, b LIST<BOOL>>"], ["t", "STRING"], ["big", "FLOAT"]],
    "rows": [
        ["1", "1.50", "1 month 2 days 00:00:03", "f47ac10b-58cc-4372-a567-0e02b2c3d479", "nan", "[1,null]", '{"a":"x","b":[true]}', "10:11:12.5", "3.402823669209385e+38"],
        [NULL] * 9,
        ["-1", "-0.01", "00:00:00", "00000000-0000-0000-0000-000000000000", "-0.0", "[]", '{"a":null,"b":[]}', "00:00:00", "0.0"]],
}

# Arrow: what Parquet has, and the types that only Arrow has.
extra = [
    ("nul", pa.null(), "STRING", [(None, NULL), (None, NULL)]),
    ("ls64", pa.large_string(), "STRING", [("large", "large"), ("a large string of some length", "a large string of some length")]),
    ("sv", pa.string_view(), "STRING", [("short", "short"), ("a view of more than twelve", "a view of more than twelve")]),
    ("bv", pa.binary_view(), "BYTES", [(b"bin", "bin"), (b"a view of more than twelve", "a view of more than twelve")]),
    ("lb64", pa.large_binary(), "BYTES", [(b"x", "x"), (b"y" * 20, "y" * 20)]),
    ("d64", pa.date64(), "DATE", [(dt.date(1969, 12, 31), "1969-12-31"), (dt.date(2026, 2, 28), "2026-02-28")]),
    ("ts", pa.timestamp("s"), "TIMESTAMP", [(dt.datetime(2026, 1, 1), "2026-01-01T00:00:00Z"), (dt.datetime(1969, 12, 31), "1969-12-31T00:00:00Z")]),
    ("dur", pa.duration("ms"), "INTERVAL", [(1500, "00:00:01.5"), (-1500, "-00:00:01.5")]),
    ("mdn", pa.month_day_nano_interval(), "INTERVAL", [((1, -2, 3_000_000_000), "1 month -2 days 00:00:03"), ((0, 0, 0), "00:00:00")]),
    ("dec32", pa.decimal32(5, 2), "DECIMAL(5,2)", [(D("123.45"), "123.45"), (D("-0.01"), "-0.01")]),
    ("dec64", pa.decimal64(15, 3), "DECIMAL(15,3)", [(D("123456789012.345"), "123456789012.345"), (D("-0.001"), "-0.001")]),
    ("dec256", pa.decimal256(38, 0), "DECIMAL(38,0)", [(D("-99999999999999999999999999999999999999"), "-99999999999999999999999999999999999999"), (D("1"), "1")]),
    ("fsl", pa.list_(pa.int16(), 2), "LIST<INT16>", [([1, 2], "[1,2]"), ([None, 4], "[null,4]")]),
    ("lv", pa.list_view(pa.string()), "LIST<STRING>", [(["a", "b"], '["a","b"]'), ([], "[]")]),
    ("ll64", pa.large_list(pa.int8()), "LIST<INT8>", [([1], "[1]"), ([2, 3], "[2,3]")]),
    ("dict", pa.dictionary(pa.int8(), pa.string()), "STRING", [("red", "red"), ("green", "green")]),
    ("dicti", pa.dictionary(pa.uint16(), pa.int64()), "INT", [(5, "5"), (6, "6")]),
    ("ree", pa.run_end_encoded(pa.int32(), pa.string()), "STRING", [("run", "run"), ("end", "end")]),
]
t5, w5 = build(scalars + extra, order)
for name, codec in (("none", None), ("lz4", "lz4"), ("zstd", "zstd")):
    opts = pa.ipc.IpcWriteOptions(compression=codec)
    with pa.ipc.new_file(arrow / f"{name}.arrow", t5.schema, options=opts) as w:
        w.write_table(t5, max_chunksize=9)
    with pa.ipc.new_stream(arrow / f"{name}.arrows", t5.schema, options=opts) as w:
        w.write_table(t5, max_chunksize=9)
    want_arrow[f"{name}.arrow"] = want_arrow[f"{name}.arrows"] = w5
legacy = pa.ipc.IpcWriteOptions(use_legacy_format=True, metadata_version=pa.ipc.MetadataVersion.V4)
t6, w6 = build(scalars, order)
with pa.ipc.new_stream(arrow / "legacy.arrows", t6.schema, options=legacy) as w:
    w.write_table(t6)
want_arrow["legacy.arrows"] = w6

# A dictionary that grows (delta), and one that is replaced.
for name, delta in (("delta", True), ("replaced", False)):
    opts = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=delta)
    schema = pa.schema([("c", pa.dictionary(pa.int32(), pa.string()))])
    parts = [(["a", "b"], [0, 1, None, 0]), (["a", "b", "c"], [2, 1, 0, 2])] if delta else [(["a", "b"], [0, 1, None, 0]), (["x"], [0, None, 0, 0])]
    rows = []
    with pa.ipc.new_stream(arrow / f"{name}.arrows", schema, options=opts) as w:
        for values, codes in parts:
            w.write_batch(pa.record_batch([pa.DictionaryArray.from_arrays(pa.array(codes, pa.int32()), values)], schema=schema))
            rows += [[NULL if k is None else values[k]] for k in codes]
    want_arrow[f"{name}.arrows"] = {"columns": [["c", "STRING"]], "rows": rows}

for folder, w in ((here, want_parquet), (arrow, want_arrow)):
    tables, files = [], {}
    for name, table in w.items():
        if table not in tables:
            tables.append(table)
        files[name] = tables.index(table)
    (folder / "want.json").write_text(json.dumps({"files": files, "tables": tables}, ensure_ascii=False, separators=(",", ":")) + "\n")
