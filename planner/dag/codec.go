package dag

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/rainsql/rainsql/expr"
)

// Version is that of the wire form. A decoder refuses any other.
const Version = 1

// MaxWireBytes bounds what Decode reads.
const MaxWireBytes = 64 << 20

// specs makes an empty spec by its name on the wire.
var specs = map[string]func() Spec{
	"scan":      func() Spec { return &Scan{} },
	"range":     func() Spec { return &Range{} },
	"values":    func() Spec { return &Values{} },
	"receive":   func() Spec { return &Receive{} },
	"filter":    func() Spec { return &Filter{} },
	"project":   func() Spec { return &Project{} },
	"aggregate": func() Spec { return &Aggregate{} },
	"distinct":  func() Spec { return &Distinct{} },
	"position":  func() Spec { return &Position{} },
	"sort":      func() Spec { return &Sort{} },
	"topk":      func() Spec { return &TopK{} },
	"limit":     func() Spec { return &Limit{} },
	"union":     func() Spec { return &Union{} },
	"setop":     func() Spec { return &SetOp{} },
	"join":      func() Spec { return &Join{} },
	"unnest":    func() Spec { return &Unnest{} },
	"exec":      func() Spec { return &Exec{} },
	"window":    func() Spec { return &Window{} },
	"sink":      func() Spec { return &Sink{} },
	"result":    func() Spec { return &Result{} },
}

// Name is what a spec is called on the wire and in EXPLAIN.
func Name(s Spec) string {
	switch s.(type) {
	case *Scan:
		return "scan"
	case *Range:
		return "range"
	case *Values:
		return "values"
	case *Receive:
		return "receive"
	case *Filter:
		return "filter"
	case *Project:
		return "project"
	case *Aggregate:
		return "aggregate"
	case *Distinct:
		return "distinct"
	case *Position:
		return "position"
	case *Sort:
		return "sort"
	case *TopK:
		return "topk"
	case *Limit:
		return "limit"
	case *Union:
		return "union"
	case *SetOp:
		return "setop"
	case *Join:
		return "join"
	case *Unnest:
		return "unnest"
	case *Exec:
		return "exec"
	case *Window:
		return "window"
	case *Sink:
		return "sink"
	case *Result:
		return "result"
	}
	return fmt.Sprintf("%T", s)
}

type wireGraph struct {
	Version int `json:"version"`
	*Graph
}

// Encode writes a graph in its wire form: JSON, the same for equal graphs.
func Encode(g *Graph) ([]byte, error) {
	return json.Marshal(wireGraph{Version: Version, Graph: g})
}

// Decode reads a graph and checks it, so that running it cannot meet a column,
// a type or a function that does not exist. Text that is no graph is an error.
func Decode(b []byte) (*Graph, error) {
	if len(b) > MaxWireBytes {
		return nil, fmt.Errorf("plan of %d bytes is larger than %d", len(b), MaxWireBytes)
	}
	w := wireGraph{Graph: &Graph{}}
	if err := strict(b, &w); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	if w.Version != Version {
		return nil, fmt.Errorf("plan of version %d: this program reads version %d", w.Version, Version)
	}
	if w.Graph == nil {
		return nil, fmt.Errorf("not a plan: it is empty")
	}
	if err := w.Check(); err != nil {
		return nil, fmt.Errorf("not a plan: %w", err)
	}
	return w.Graph, nil
}

func strict(b []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return fmt.Errorf("text after the end")
	}
	return nil
}

type wireOp struct {
	Op     string          `json:"op"`
	Inputs []int           `json:"inputs,omitempty"`
	Spec   json.RawMessage `json:"spec"`
}

// MarshalJSON implements json.Marshaler.
func (o Op) MarshalJSON() ([]byte, error) {
	spec, err := json.Marshal(o.Spec)
	if err != nil {
		return nil, err
	}
	return json.Marshal(wireOp{Op: Name(o.Spec), Inputs: o.Inputs, Spec: spec})
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *Op) UnmarshalJSON(b []byte) error {
	var w wireOp
	if err := strict(b, &w); err != nil {
		return err
	}
	make, ok := specs[w.Op]
	if !ok {
		return fmt.Errorf("unknown operator %q", w.Op)
	}
	o.Spec, o.Inputs = make(), w.Inputs
	if len(w.Spec) == 0 {
		return fmt.Errorf("operator %q without its spec", w.Op)
	}
	return strict(w.Spec, o.Spec)
}

// MarshalJSON implements json.Marshaler.
func (e Expr) MarshalJSON() ([]byte, error) { return expr.MarshalExpr(e.Expr) }

// UnmarshalJSON implements json.Unmarshaler.
func (e *Expr) UnmarshalJSON(b []byte) (err error) {
	e.Expr, err = expr.UnmarshalExpr(b)
	return err
}

// MarshalJSON implements json.Marshaler.
func (a Agg) MarshalJSON() ([]byte, error) { return expr.MarshalAgg(a.AggCall) }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Agg) UnmarshalJSON(b []byte) (err error) {
	a.AggCall, err = expr.UnmarshalAgg(b)
	return err
}
