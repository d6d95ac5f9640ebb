package expr

import (
	"errors"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/expr/types"
)

func TestString(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"(i + j) * 2", "(i + j::INT) * 2"},
		{"i - (i - 1)", "i - (i - 1)"},
		{"i - i - 1", "i - i - 1"},
		{"-i + 1", "-i + 1"},
		{"i * -1", "i * -1"},
		{"not (b and i > 1)", "NOT (b AND i > 1)"},
		{"b or (b and i > 1)", "b OR b AND i > 1"},
		{"(b or b) and b", "(b OR b) AND b"},
		{"s not like 'it''s'", "s NOT LIKE 'it''s'"},
		{"i not in (1, 2)", "i NOT IN (1, 2)"},
		{"(i + 1) is null", "i + 1 IS NULL"},
		{"(i is null) = b", "(i IS NULL) = b"},
		{"s ~ 'a'", "s ~ 'a'"},
		{"try_cast(s as INT) + 1", "TRY_CAST(s AS INT) + 1"},
		{"(i + 1)::STRING", "(i + 1)::STRING"},
		{"d > '2026-01-01'", "d > DATE '2026-01-01'"},
		{"f > 1", "f > 1.0e0"},
		{"case when b then 1 else 2 end", "CASE WHEN b THEN 1 ELSE 2 END"},
		{"[i, 2]", "[i, 2]"},
		{"i < 2.5", "i < 3"},
	} {
		if got := String(parse(t, tt.src, testCols...)); got != tt.want {
			t.Errorf("%s prints as %s, want %s", tt.src, got, tt.want)
		}
	}
}

func TestFold(t *testing.T) {
	for _, tt := range []struct{ src, want string }{
		{"1 + 2 * 3", "7"},
		{"i + (1 + 2)", "i + 3"},
		{"b and true", "b"},
		{"b and false", "false"},
		{"b or true", "true"},
		{"1 // i = 1 and false", "1 // i = 1 AND false"},
		{"1 // 0", "1 // 0"},
		{"b and 1 // 0 = 1", "b AND 1 // 0 = 1"},
		{"case when 1 > 2 then i when true then j else 3 end", "j::INT"},
		{"case when false then i end", "NULL"},
		{"upper('a') || s", "'A' || s"},
		{"random() < 2", "random() < 2.0e0"},
		{"now() > d", "now() > d::TIMESTAMP"},
		{"'x'::INT", "'x'::INT"},
		{"1 in (1, 2)", "true"},
		{"true and false", "false"},
	} {
		e, err := Fold(parse(t, tt.src, testCols...))
		if err != nil || String(e) != tt.want {
			t.Errorf("%s folds to %s, %v, want %s", tt.src, String(e), err, tt.want)
		}
	}
}

func TestProperties(t *testing.T) {
	for _, tt := range []struct {
		src             string
		fails, volatile bool
	}{
		{"i + 1", true, false},
		{"f + 1", false, false},
		{"i > 1 and s like 'a%'", false, false},
		{"s::INT", true, false},
		{"try_cast(s as INT)", false, false},
		{"j::INT + 0.5e0", false, false},
		{"random() < 0.5", false, true},
		{"d > now()", false, false},
	} {
		e := parse(t, tt.src, testCols...)
		if CanFail(e) != tt.fails || Volatile(e) != tt.volatile {
			t.Errorf("%s: can fail %v, volatile %v", tt.src, CanFail(e), Volatile(e))
		}
	}
}

func TestRewriteShares(t *testing.T) {
	e := parse(t, "i + 1 > 2 and s like 'a%'", testCols...)
	moved := Rewrite(e, func(e Expr) Expr {
		if c, ok := e.(*Column); ok && c.ID == 0 {
			return &Column{ID: 7, Name: c.Name, T: c.T}
		}
		return e
	})
	if got := Columns(moved); !slices.Equal(got, []int{3, 7}) {
		t.Errorf("columns %v", got)
	}
	if got := Columns(e); !slices.Equal(got, []int{0, 3}) {
		t.Errorf("the original has columns %v", got)
	}
	if moved.(*Logic).Args[1] != e.(*Logic).Args[1] {
		t.Error("what did not change was copied")
	}
	if !Equal(e, parse(t, "i + 1 > 2 and s like 'a%'", testCols...)) || Equal(e, moved) {
		t.Error("Equal is wrong")
	}
}

func TestFuncErrors(t *testing.T) {
	_, err := NewCall("=", &Column{T: types.DATE}, Constant("yesterday"))
	var fe *FuncError
	if !errors.As(err, &fe) || fe.Arg != 1 {
		t.Errorf("got %#v, want a fault of argument 1", err)
	}
	_, err = NewAgg("uper", nil, false, nil, nil)
	if !errors.As(err, &fe) || fe.Suggest != "upper" {
		t.Errorf("got %v", err)
	}
	_, err = NewAgg("upper", nil, false, nil, nil)
	if err == nil || err.Error() != "upper is not an aggregate function: it gives a value a row, not one a group" {
		t.Errorf("got %v", err)
	}
}
