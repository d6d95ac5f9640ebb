// Package logictest runs readable test files: queries, the plans they get, the
// rows or errors they give. `go test ./logictest -rewrite` writes down what
// they give now; read the difference before you keep it.
//
// A file is a sequence of blocks. A block is a line with its kind, then text up
// to a line "----", then what is expected, up to a line "====":
//
//	file NAME   makes a file of the text (nothing is expected, so no "----")
//	ordered     a script whose rows, as csv, come in this order
//	rows        a script whose rows come in any order; the header stays first
//	error       a script that fails with this message
//	plan        a pipeline and its optimised plan
//	stages      a pipeline and its stages, at a parallelism of 4
//	show NAME   a script, then the file NAME that it has written
//
// Lines that begin with # between blocks are comments. Every script runs several
// times: with one task and with four, over splits of the usual size and over
// tiny ones, and with each optimiser rule left out; all must agree.
package logictest

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// block is one test of a file.
type block struct {
	kind string
	arg  string // NAME
	text string
	want string
	line int
}

// comment is a block of lines to keep as they are.
const comment = "#"

// read cuts a test file into blocks.
func read(path string) ([]block, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := strings.Split(string(b), "\n")
	var blocks []block
	for i := 0; i < len(lines); {
		head := lines[i]
		if strings.TrimSpace(head) == "" || strings.HasPrefix(head, "#") {
			blocks = append(blocks, block{kind: comment, text: head})
			i++
			continue
		}
		bl := block{line: i + 1}
		bl.kind, bl.arg, _ = strings.Cut(head, " ")
		if !slices.Contains([]string{"file", "ordered", "rows", "error", "plan", "stages", "show"}, bl.kind) {
			return nil, fmt.Errorf("%s:%d: unknown block %q", path, i+1, head)
		}
		part := &bl.text
		for i++; ; i++ {
			if i >= len(lines) {
				return nil, fmt.Errorf("%s:%d: a block without ====", path, bl.line)
			}
			if lines[i] == "====" {
				i++
				break
			}
			if lines[i] == "----" && part == &bl.text {
				part = &bl.want
				continue
			}
			*part += lines[i] + "\n"
		}
		blocks = append(blocks, bl)
	}
	return blocks, nil
}

// write puts blocks back into a file.
func write(path string, blocks []block) error {
	var sb strings.Builder
	for _, b := range blocks {
		if b.kind == comment {
			sb.WriteString(b.text + "\n")
			continue
		}
		sb.WriteString(strings.TrimSpace(b.kind+" "+b.arg) + "\n" + b.text)
		if b.kind != "file" {
			sb.WriteString("----\n" + b.want)
		}
		sb.WriteString("====\n")
	}
	return os.WriteFile(path, []byte(strings.TrimRight(sb.String(), "\n")+"\n"), 0o644)
}
