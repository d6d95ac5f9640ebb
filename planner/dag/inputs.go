package dag

import (
	"fmt"
	"math"
)

// Input is what planning found in the file store behind the path of a Scan, a
// name or a pattern. Whoever runs the graph reads these files, each of them as
// far as its size says, and no others: so all its tasks read the same bytes,
// whatever becomes of the files meanwhile.
type Input struct {
	Path  string      `json:"path"`  // as the Scan has it
	Files []InputFile `json:"files"` // in the order of their rows
}

// InputFile is the content of a file at a moment.
type InputFile struct {
	Name       string `json:"name"`
	ID         uint64 `json:"id"`         // of the file
	Generation uint64 `json:"generation"` // within one, bytes are only added at the end
	Size       int64  `json:"size"`       // bytes
}

// Input returns the input that belongs to a path; nil: the graph has none for it.
func (g *Graph) Input(path string) *Input {
	for i := range g.Inputs {
		if g.Inputs[i].Path == path {
			return &g.Inputs[i]
		}
	}
	return nil
}

// Scans lists the paths that the graph reads, each once, in the order of its stages.
func (g *Graph) Scans() []string {
	var list []string
	seen := map[string]bool{}
	for _, st := range g.Stages {
		for _, o := range st.Ops {
			if s, ok := o.Spec.(*Scan); ok && !seen[s.Path] {
				seen[s.Path] = true
				list = append(list, s.Path)
			}
		}
	}
	return list
}

// checkInputs looks for inputs that nothing reads, and for files that cannot be
// or that are said to be two things at once.
func (g *Graph) checkInputs() error {
	scanned := map[string]bool{}
	if len(g.Inputs) > 0 {
		for _, path := range g.Scans() {
			scanned[path] = true
		}
	}
	known := map[string]InputFile{}
	for _, in := range g.Inputs {
		if !scanned[in.Path] {
			return fmt.Errorf("input %q is not read, or listed twice", in.Path)
		}
		delete(scanned, in.Path)
		if len(in.Files) == 0 {
			return fmt.Errorf("input %q has no files", in.Path)
		}
		total := int64(0)
		seen := map[string]bool{}
		for _, f := range in.Files {
			if f.Name == "" || f.ID == 0 || f.Generation == 0 || f.Size < 0 || f.Size > math.MaxInt64-total {
				return fmt.Errorf("input %q: file %q with id %d, generation %d, %d bytes", in.Path, f.Name, f.ID, f.Generation, f.Size)
			}
			if other, ok := known[f.Name]; seen[f.Name] || ok && other != f {
				return fmt.Errorf("input %q: file %q is listed twice", in.Path, f.Name)
			}
			total += f.Size
			seen[f.Name], known[f.Name] = true, f
		}
	}
	return nil
}
