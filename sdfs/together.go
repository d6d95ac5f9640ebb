package sdfs

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Written is what a Writer has written, as data: a file, a piece of one, or a file of a folder.
type Written struct {
	Entry  namespace.Entry // by which it would appear, were there no others
	Place  int64           // of several for one file, one with a lower place comes first
	Folder Folder          // the file is number Place of it; the zero Folder: it is by itself
	Spare  bool            // it is of no use beside another file of its folder
}

// Folder is names that begin with its own, which ends with a slash, as a commit writes them.
type Folder struct {
	Name string
	Mode Mode // Replace: all other files go; Append: the new ones get numbers that are free; MustNotExist: there must be no file
}

// CreatePiece begins a piece of a file that several Writers write, all committed at once: the first is made by Create, and has place 0. The
// others come behind it in the order of their places. ctx is as for Create.
func (s *Store) CreatePiece(ctx context.Context, name string, place int64) (*Writer, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	w, err := s.writer(ctx, name, namespace.Append)
	if err != nil {
		return nil, err
	}
	w.place = place
	return w, nil
}

// CreatePart begins a file of a folder, from number 0 on; its name ends with ending. One to be in a folder without files
// is refused here already, if it is number 0. ctx is as for Create.
func (s *Store) CreatePart(ctx context.Context, f Folder, number int, ending string) (*Writer, error) {
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	kind := namespace.Create
	if f.Mode == Replace {
		kind = namespace.Replace
	}
	w, err := s.writer(ctx, f.Name+partName(int64(number))+ending, kind)
	if err != nil {
		return nil, err
	}
	w.place, w.folder = int64(number), f
	if f.Mode == MustNotExist && number == 0 {
		if _, err := s.others(ctx, f, nil); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// partPrefix begins the names of the files of a folder.
const partPrefix = "part-"

func partName(number int64) string { return fmt.Sprintf(partPrefix+"%05d", number) }

// partNumber reads it; -1: it is no such name.
func partNumber(name string) int64 {
	digits, ok := strings.CutPrefix(name, partPrefix)
	if !ok {
		return -1
	}
	if i := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		digits = digits[:i]
	}
	n, err := strconv.ParseInt(digits, 10, 32)
	if err != nil {
		return -1
	}
	return n
}

// Together is the one entry by which all that was written appears. Who proposes it has the blocks.
func (s *Store) Together(ctx context.Context, list []Written) (namespace.Entry, error) {
	if err := s.begin(); err != nil {
		return namespace.Entry{}, err
	}
	defer s.end()
	e, err := s.together(ctx, list)
	return e, s.backend.Explain(err)
}

func (s *Store) together(ctx context.Context, list []Written) (namespace.Entry, error) {
	list, _ = withoutSpares(list)
	entries, folders := joined(list), foldersOf(list)
	for _, f := range folders {
		own := map[string]bool{}
		for _, w := range list {
			if w.Folder == f {
				own[w.Entry.Name] = true
			}
		}
		others, err := s.others(ctx, f, own)
		if err != nil {
			return namespace.Entry{}, err
		}
		switch f.Mode {
		case Replace:
			for _, name := range others {
				entries = append(entries, namespace.Entry{Kind: namespace.Remove, Name: name})
			}
		case Append:
			renumber(entries, f, others, own)
		}
	}
	if len(entries) == 1 {
		return entries[0], nil
	}
	return namespace.Entry{Kind: namespace.Commit, List: entries}, nil
}

// Spare says that the file of a folder is wanted only if the folder gets no other one.
func (w *Writer) Spare() { w.spare = true }

// withoutSpares parts what is wanted from what is not.
func withoutSpares(list []Written) (wanted, spare []Written) {
	full := map[string]bool{}
	for _, w := range list {
		full[w.Folder.Name] = full[w.Folder.Name] || !w.Spare
	}
	for _, w := range list {
		if w.Spare && full[w.Folder.Name] {
			spare = append(spare, w)
		} else {
			wanted = append(wanted, w)
		}
	}
	return wanted, spare
}

// joined are the entries of what was written, of each file in a row. A piece is put behind what it belongs to.
func joined(list []Written) []namespace.Entry {
	first := map[string]int{}
	for i, w := range list {
		if _, ok := first[w.Entry.Name]; !ok {
			first[w.Entry.Name] = i
		}
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Written) int {
		return cmp.Or(cmp.Compare(first[a.Entry.Name], first[b.Entry.Name]), cmp.Compare(a.Place, b.Place))
	})
	var entries []namespace.Entry
	for _, w := range list {
		last := len(entries) - 1
		if e := w.Entry; last >= 0 && entries[last].Name == e.Name && e.Kind == namespace.Append && e.File == 0 && e.Generation == 0 && e.Version == 0 {
			entries[last].Blocks = append(entries[last].Blocks, e.Blocks...)
			continue
		}
		w.Entry.Blocks = slices.Clone(w.Entry.Blocks) // it may grow
		entries = append(entries, w.Entry)
	}
	return entries
}

func foldersOf(list []Written) []Folder {
	var all []Folder
	for _, w := range list {
		if w.Folder.Name != "" && !slices.Contains(all, w.Folder) {
			all = append(all, w.Folder)
		}
	}
	return all
}

// others are the files of a folder that are there and not among own ones. Where none may be there, any is refused.
func (s *Store) others(ctx context.Context, f Folder, own map[string]bool) ([]string, error) {
	have, err := s.backend.List(ctx, f.Name)
	if err != nil {
		return nil, err
	}
	if len(have) > 0 && f.Mode == MustNotExist {
		return nil, &namespace.Refusal{Reason: ErrExists, Name: have[0].Name}
	}
	var names []string
	for _, info := range have {
		if f.Mode == Append || !own[info.Name] {
			names = append(names, info.Name)
		}
	}
	return names, nil
}

// renumber gives the files of a folder numbers above those of the ones that are there.
func renumber(entries []namespace.Entry, f Folder, have []string, own map[string]bool) {
	next := int64(0)
	for _, name := range have {
		next = max(next, 1+partNumber(strings.TrimPrefix(name, f.Name)))
	}
	for i, e := range entries {
		if own[e.Name] {
			part := strings.TrimPrefix(e.Name, f.Name)
			number := partNumber(part)
			entries[i].Name = f.Name + partName(next+number) + strings.TrimPrefix(part, partName(number))
		}
	}
}
