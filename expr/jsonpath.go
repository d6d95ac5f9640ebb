package expr

import (
	"fmt"
	"strconv"
	"strings"
)

// jsonPath leads from a JSON value to values in it.
type jsonPath struct {
	steps []jsonStep
	many  bool // a wildcard is in it: to any number of values
}

type jsonStep struct {
	kind  jsonStepKind
	key   string
	index int64 // negative ones count from the end
}

type jsonStepKind uint8

const (
	stepKey      jsonStepKind = iota
	stepIndex                 // [n]
	stepEither                // of a pointer: a key, or an index
	stepAllKeys               // .*
	stepAllItems              // [*]
)

// parseJSONPath reads $.a."b c"[0].*[*], a JSON pointer /a/b/0, or else a key.
func parseJSONPath(path string) (jsonPath, error) {
	switch {
	case path == "":
		return jsonPath{}, nil
	case path[0] == '/':
		var p jsonPath
		for part := range strings.SplitSeq(path[1:], "/") {
			key := strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
			step := jsonStep{kind: stepKey, key: key}
			if n, err := strconv.ParseUint(key, 10, 62); err == nil {
				step.kind, step.index = stepEither, int64(n)
			}
			p.steps = append(p.steps, step)
		}
		return p, nil
	case path[0] != '$':
		return jsonPath{steps: []jsonStep{{kind: stepKey, key: path}}}, nil
	}
	var p jsonPath
	for rest := path[1:]; rest != ""; {
		step, left, ok := parseJSONStep(rest)
		if !ok {
			return p, fmt.Errorf("the JSON path '%s' is wrong at '%s': it is made of .key, .\"a key\", [0], [-1], .* and [*] behind a $", path, rest)
		}
		p.many = p.many || step.kind == stepAllKeys || step.kind == stepAllItems
		p.steps, rest = append(p.steps, step), left
	}
	return p, nil
}

func parseJSONStep(s string) (step jsonStep, rest string, ok bool) {
	switch {
	case strings.HasPrefix(s, ".*"):
		return jsonStep{kind: stepAllKeys}, s[2:], true
	case strings.HasPrefix(s, `."`):
		end := strings.IndexByte(s[2:], '"')
		if end < 0 {
			return step, s, false
		}
		return jsonStep{kind: stepKey, key: s[2 : 2+end]}, s[3+end:], true
	case s[0] == '.':
		end := strings.IndexAny(s[1:], ".[")
		if end < 0 {
			end = len(s) - 1
		}
		return jsonStep{kind: stepKey, key: s[1 : 1+end]}, s[1+end:], end > 0
	case s[0] == '[':
		inner, left, found := strings.Cut(s[1:], "]")
		if !found {
			return step, s, false
		}
		if inner == "*" {
			return jsonStep{kind: stepAllItems}, left, true
		}
		n, err := strconv.ParseInt(strings.TrimPrefix(inner, "#"), 10, 62)
		if err != nil || strings.HasPrefix(inner, "#") && n >= 0 {
			return step, s, false
		}
		return jsonStep{kind: stepIndex, index: n}, left, true
	}
	return step, s, false
}

// find calls f with each value that the path leads to, until it returns false.
func (p *jsonPath) find(v []byte, f func(v []byte) bool) { findJSON(v, p.steps, f) }

// first returns the value that the path leads to, or nil.
func (p *jsonPath) first(v []byte) (found []byte) {
	findJSON(v, p.steps, func(v []byte) bool {
		found = v
		return false
	})
	return found
}

func findJSON(v []byte, steps []jsonStep, f func(v []byte) bool) (more bool) {
	if len(steps) == 0 {
		return f(v)
	}
	more = true
	s, rest := steps[0], steps[1:]
	object, array := v[0] == '{', v[0] == '['
	switch {
	case object && (s.kind == stepKey || s.kind == stepEither):
		eachJSON(v, func(key, value []byte) bool {
			if !isJSONKey(key, s.key) {
				return true
			}
			more = findJSON(value, rest, f)
			return false
		})
	case array && (s.kind == stepIndex || s.kind == stepEither):
		at := s.index
		if at < 0 {
			at += int64(jsonSize(v))
		}
		eachJSON(v, func(_, value []byte) bool {
			if at == 0 {
				more = findJSON(value, rest, f)
			}
			at--
			return at >= 0
		})
	case object && s.kind == stepAllKeys, array && s.kind == stepAllItems:
		eachJSON(v, func(_, value []byte) bool {
			more = findJSON(value, rest, f)
			return more
		})
	}
	return more
}
