package web

import (
	"cmp"
	"context"
	"path/filepath"
	"slices"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/view"
)

// hotView is where to go in the sources: what has the most.
func hotView() View {
	return View{
		Name:   "hot",
		Help:   "The lines, functions and files with the most, largest flat value first (schema hot/1)",
		Params: []Param{{"most", "100", "At most so many of each"}},
		Answer: answerHot,
	}
}

// Hot is the answer of hotView.
type Hot struct {
	Schema string `json:"schema"`
	Head
	Lines     []HotPlace `json:"lines"`
	Functions []HotPlace `json:"functions"`
	Files     []HotPlace `json:"files"`
	// More are how many there are besides, in the same order.
	More [3]int `json:"more"`
}

// HotPlace is a line, a function or a file.
type HotPlace struct {
	Name     string          `json:"name,omitempty"`
	File     string          `json:"file,omitempty"`
	Line     int             `json:"line,omitempty"`
	Category render.Category `json:"category"`
	Values
}

func answerHot(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	most, err := q.OwnInt("most", 100, 1, 10000)
	if err != nil {
		return nil, err
	}
	a := &Hot{Schema: "hot/1"}
	lines, err := s.byLine(ctx, q)
	if err != nil {
		return nil, err
	}
	functions, err := s.at(ctx, q, "functions")
	if err != nil {
		return nil, err
	}
	a.Head = lines.Head()
	a.Lines, a.More[0] = hotPlaces(lines, true, most)
	a.Functions, a.More[1] = hotPlaces(functions, false, most)
	a.Files, a.More[2] = hotFiles(lines, most)
	return &Answer{JSON: a}, nil
}

// hotPlaces lists the entries of a view that lie somewhere.
func hotPlaces(d *Data, lines bool, most int) (list []HotPlace, more int) {
	rows := newTableRows(d)
	list = []HotPlace{}
	for i, f := range rows.frames {
		info := d.Names.OfFrame(f)
		if lines && (f.File == "" || f.Line == 0 || rows.of[i].Flat == 0 && rows.of[i].FlatBase == 0) {
			continue
		}
		if len(list) == most {
			more++
			continue
		}
		list = append(list, HotPlace{Name: f.Name, File: info.File, Line: info.Line, Category: info.Category, Values: d.values(rows.of[i])})
	}
	return list, more
}

// hotFiles adds up by file. The granularity files does not: as go tool pprof's,
// it has an entry for each function of a file.
func hotFiles(d *Data, most int) (list []HotPlace, more int) {
	p := d.View.Profile
	clean := view.TrimPath("", "")
	number := map[string]int{"": -1}
	var files []HotPlace
	var sums []tally
	of := make([]int, p.Functions.Len())
	for i := range of {
		fn := profile.FunctionID(i)
		file := p.FunctionFile(fn)
		if file != "" {
			file = filepath.Clean(clean(file))
		}
		at, known := number[file]
		if !known {
			at = len(files)
			number[file] = at
			files = append(files, HotPlace{File: file, Category: d.Names.Of(p.FunctionName(fn)).Category})
		}
		of[i] = at
	}
	sums = make([]tally, len(files))
	value, was := d.stackValues()
	for id := range p.Stacks.Len() {
		s := stackValue{uint32(id) + 1, value[id], was[id]}
		for i, loc := range p.Stacks.Of(profile.StackID(id)) {
			for k, ln := range p.Locations.LinesOf(loc) {
				if at := of[ln.Function]; at >= 0 {
					sums[at].add(s, i == 0 && k == 0)
				}
			}
		}
	}
	order := make([]int, len(files))
	for i := range order {
		order[i] = i
		files[i].Values = d.values(sums[i].Amount)
	}
	order = slices.DeleteFunc(order, func(i int) bool { return sums[i].Amount == view.Amount{} })
	slices.SortFunc(order, func(x, y int) int {
		return cmp.Or(compareHeat(sums[y].Amount, sums[x].Amount), cmp.Compare(files[x].File, files[y].File))
	})
	list = []HotPlace{}
	for _, i := range order[:min(most, len(order))] {
		list = append(list, files[i])
	}
	return list, len(order) - len(list)
}
