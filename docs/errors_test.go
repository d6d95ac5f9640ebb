package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// source is what the test reads off the code of the program.
type source struct {
	kinds    map[string]bool   // error types and Err… variables, as package.Name
	messages map[string]string // messages of errors about files and programs: their constant part, and where it stands
	literals []string          // all texts
}

// notShown are kinds and messages that never reach a user: inner layers turn them into others.
var notShown = []string{
	"flat.ErrDamaged", "thrift.ErrShort", "encoding.ErrCode", "encoding.ErrEnd", // parts of "is damaged"
	"namespace.ErrEntry", "namespace.ErrLeaseEnded", "namespace.ErrStale", // of the log of the store
	"connect.ErrEnough", "pager.ErrLeft", // between a query and its reader
	"simdisk.ErrStopped",                                                         // of tests
	"an aggregate was not resolved to a call", "cannot add up a column of Arrow", // of broken plans
	"scan.Fault", "recast.Error", "expr.RowError", "expr.FuncError", "connect.Error", "manual.NotFoundError",
}

// inner are files of package expr whose errors say that a plan is broken, which
// no query does.
var inner = []string{"wire", "compile.go", "eval.go", "kernel.go", "aggfold.go", "pass.go", "resolve.go"}

// TestErrorsAreDocumented holds ERRORS.md to the code, both ways: every kind
// of error and every message about a file, the store or a program is there, and
// every message there is one that the program has.
func TestErrorsAreDocumented(t *testing.T) {
	b, err := os.ReadFile("ERRORS.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	src := readSource(t)
	named := map[string]bool{}
	for _, m := range regexp.MustCompile(`<!-- kinds: (.*?) -->`).FindAllStringSubmatch(page, -1) {
		for _, k := range strings.Split(m[1], ", ") {
			named[k] = true
			if !src.kinds[k] {
				t.Errorf("ERRORS.md names the kind %s, which is not in the code", k)
			}
		}
	}
	for k := range src.kinds {
		if !named[k] && !slices.Contains(notShown, k) {
			t.Errorf("ERRORS.md has no section for the kind %s: write one, and name it in its <!-- kinds: … -->", k)
		}
	}
	for part, at := range src.messages {
		if part = strings.Trim(part, trimmed); len(part) > 5 && !slices.Contains(notShown, part) && !strings.Contains(page, part) {
			t.Errorf("ERRORS.md lacks the message %q (%s)", part, at)
		}
	}
	for _, row := range regexp.MustCompile("(?m)^\\|.*? (`.*?`) \\|").FindAllStringSubmatch(page, -1) {
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
			for _, part := range strings.Split(strings.ReplaceAll(m[1], `\|`, "|"), "…") {
				part = strings.Trim(part, trimmed)
				if len(part) > 3 && !slices.ContainsFunc(src.literals, func(l string) bool { return strings.Contains(l, part) }) {
					t.Errorf("ERRORS.md says %q, which the program never does", part)
				}
			}
		}
	}
}

// trimmed is what may stand at the ends of a constant part of a message.
const trimmed = ` "',:;`

// readSource parses all packages of the program.
func readSource(t *testing.T) *source {
	t.Helper()
	src := &source{kinds: map[string]bool{}, messages: map[string]string{}}
	files := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{".git", "tools", "difftest", "bench", "testdata", "out", "bin", "conntest", "docgen"}, d.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		src.read(f, files)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return src
}

func (s *source) read(f *ast.File, files *token.FileSet) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Name.Name == "Error" && n.Recv != nil && n.Type.Params.NumFields() == 0 {
				name := strings.TrimPrefix(text(n.Recv.List[0].Type), "*")
				if ast.IsExported(name) {
					s.kinds[f.Name.Name+"."+name] = true
				}
			}
		case *ast.ValueSpec:
			for _, name := range n.Names {
				if strings.HasPrefix(name.Name, "Err") && len(n.Values) == 1 && strings.HasPrefix(text(n.Values[0]), "errors.New") {
					s.kinds[f.Name.Name+"."+name.Name] = true
				}
			}
		case *ast.CompositeLit:
			if slices.Contains([]string{"Error", "connect.Error", "ProgramError", "connect.ProgramError"}, text(n.Type)) {
				for _, e := range n.Elts {
					if kv, ok := e.(*ast.KeyValueExpr); ok && text(kv.Key) == "Msg" {
						if part := longest(kv.Value); part != "" {
							s.messages[part] = files.Position(kv.Pos()).String()
						}
					}
				}
			}
		case *ast.CallExpr:
			if f.Name.Name == "expr" && slices.Contains([]string{"errors.New", "fmt.Errorf"}, text(n)) && len(n.Args) > 0 {
				at := files.Position(n.Pos())
				if part := longest(n.Args[0]); !slices.ContainsFunc(inner, func(name string) bool { return strings.HasPrefix(filepath.Base(at.Filename), name) }) {
					s.messages[part] = at.String()
				}
			}
		case *ast.BasicLit:
			if v, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
				s.literals = append(s.literals, v)
			}
		}
		return true
	})
}

// text is a name as it is written: Error, connect.Error, *Error, errors.New(…).
func text(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + text(e.X)
	case *ast.SelectorExpr:
		return text(e.X) + "." + e.Sel.Name
	case *ast.CallExpr:
		return text(e.Fun)
	}
	return ""
}

var verb = regexp.MustCompile(`%[-+ #0-9.]*[a-zA-Z]`)

// longest is the longest constant part of a message: of a text, of the format
// of a Sprintf, of texts that are joined.
func longest(e ast.Expr) string {
	best := ""
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			v, err := strconv.Unquote(lit.Value)
			if err != nil {
				return true
			}
			for _, part := range verb.Split(v, -1) {
				if len(strings.TrimSpace(part)) > len(strings.TrimSpace(best)) {
					best = part
				}
			}
		}
		return true
	})
	return best
}
