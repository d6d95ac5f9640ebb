package main

import (
	"os"
	"strings"
	"testing"
)

// What each kind of unusable file gets: an exit status of 1 and exactly this message.
func TestWrongFiles(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"empty.csv": "",
		"torn.csv":  "a,b\n1,2\n3",
		"noise.csv": "a,b\n\x00\x01\x02\xff,\n",
		"latin.csv": "a,b\n1,caf\xe9\n",
		"late.csv":  "n,m\n" + strings.Repeat("1,2\n", 20_480) + "1,two\n",
		"late.json": "",
		"huge.csv":  "a,b\n1," + strings.Repeat("x", 65<<20) + "\n",
		"open.csv":  "a,b\n1,\"x\n2,y\n",
		"bad.jsonl": "{\"a\": 1}\n{\"a\": }\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir("folder", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("secret.csv", []byte("a\n1\n"), 0); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ query, want string }{
		{"FROM './empty.csv'", "command:1:6: ./empty.csv: is empty, so there is no header to name its columns\n" +
			"  1 | FROM './empty.csv'\n    |      ^^^^^^^^^^^^^ header = false with columns = (name TYPE, …) would read it as no rows\n"},
		{"FROM './torn.csv' (columns = (a INT, b INT))", "./torn.csv:3: row has 1 field, expected 2; " +
			"on_error = 'skip' leaves such rows out, on_error = 'null' fills them up\n"},
		{"FROM './noise.csv'", "command:1:6: ./noise.csv:2: holds NUL bytes, so it is not text\n" +
			"  1 | FROM './noise.csv'\n    |      ^^^^^^^^^^^^^ give its true format: (format = '…')\n"},
		{"FROM './late.csv'", "./late.csv:20482: column \"m\": value 'two' is not INT; " +
			"columns = (m STRING) would read it as text, on_error = 'null' or 'skip' would pass over it\n"},
		{"FROM './huge.csv' (columns = (a INT, b STRING))", "./huge.csv:2: row is longer than 64 MB; a quote may be left open; quote = '' turns quoting off\n"},
		{"FROM './open.csv' (columns = (a INT, b STRING))", "./open.csv:2: a quote that opens here is never closed; close it; quote = '' turns quoting off\n"},
		{"FROM './folder' (format = 'csv')", "command:1:6: ./folder: is a directory\n" +
			"  1 | FROM './folder' (format = 'csv')\n    |      ^^^^^^^^^^ name a file in it\n"},
		{"FROM './late.json'", "command:1:6: ./late.json: has no rows with keys, so its columns are not known\n" +
			"  1 | FROM './late.json'\n    |      ^^^^^^^^^^^^^ columns = (name TYPE, …) would tell them\n"},
		{"FROM './bad.jsonl'", "command:1:6: ./bad.jsonl:2: not valid JSON: expected a value at byte 7 of the row\n" +
			"  1 | FROM './bad.jsonl'\n    |      ^^^^^^^^^^^^^ on_error = 'skip' leaves such rows out\n"},
		{"FROM './latin.csv' (columns = (a INT, b STRING))", "./latin.csv:2: column \"b\": text is not valid UTF-8: 'caf\\xe9'; columns = (b BYTES) would read it as it is\n"},
		{"FROM range(0, 100000) INTO '/dev/full' (format = 'csv')", "/dev/full: write failed: the disk is full; free some space; nothing was left behind\n"},
		{"FROM range(0, 3) INTO './folder'", "command:1:23: ./folder: is a directory\n" +
			"  1 | FROM range(0, 3) INTO './folder'\n    |                       ^^^^^^^^^^ name a file in it\n"},
		{"FROM './secret.csv'", "command:1:6: ./secret.csv: permission denied\n" +
			"  1 | FROM './secret.csv'\n    |      ^^^^^^^^^^^^^^ check who may read it\n"},
	} {
		t.Run(c.query, func(t *testing.T) {
			if strings.Contains(c.query, "secret") && os.Geteuid() == 0 {
				t.Skip("root may read every file")
			}
			code, out, errs := invoke(t, "", "-c", c.query, "--format", "null")
			if code != exitFailed || out != "" || errs != c.want {
				t.Errorf("status %d, standard output %q, standard error\n%s\nwant\n%s", code, out, errs, c.want)
			}
		})
	}
}
