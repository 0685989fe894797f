package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
)

// sourceView is one source file with what was sampled on each line.
func sourceView() View {
	return View{
		Name:   "source",
		Help:   "The file of the selection (sel=f:NAME or l:FILE:LINE), or of the line with the most: text, colours, values and calls by line (schema source/1)",
		Answer: answerSource,
	}
}

// Source is the answer of sourceView. The values at its top are of the file.
type Source struct {
	Schema string `json:"schema"`
	Head
	// File is the name the profile has, Path where it was found, How by which
	// rule; Path is empty when Missing is set.
	File string `json:"file"`
	Path string `json:"path,omitempty"`
	How  string `json:"how,omitempty"`
	// Function and Line are where to look first: those of the selection, or
	// those with the most.
	Function string          `json:"function,omitempty"`
	Line     int             `json:"line"`
	Category render.Category `json:"category"`
	// Note says why it is not the selection that is shown.
	Note string `json:"note,omitempty"`
	Values
	// Text is line First and those behind it, of Count in all; Marks colour
	// it: begin, end (UTF-16) and what, see highlight.
	Text  []string `json:"text"`
	Marks [][]int  `json:"marks,omitempty"`
	First int      `json:"first"`
	Count int      `json:"count"`
	// Lines are those with values, in order.
	Lines []SourceLine `json:"lines"`
	// Sums are of the lines that several functions have, in order: what went
	// through more than one of them counts once.
	Sums []LineSum `json:"sums,omitempty"`
	// Functions are those of the file with values, in order of their lines.
	Functions []SourceFunction `json:"functions"`
	Missing   *Missing         `json:"missing,omitempty"`
	// Stale says why the text is not what the profile is of.
	Stale *Missing `json:"stale,omitempty"`
}

// SourceLine is what was sampled on a line, and below it.
type SourceLine struct {
	Line int `json:"line"`
	// Function is an index in Source.Functions.
	Function int `json:"function"`
	Values
	// Calls are what the line calls, the largest first; More are not listed.
	Calls []LineCall `json:"calls,omitempty"`
	More  int        `json:"more,omitempty"`
}

// LineSum is what was sampled on a line, whatever the function.
type LineSum struct {
	Line int `json:"line"`
	Values
}

// LineCall is a call made on a line.
type LineCall struct {
	Name     string          `json:"name"`
	Category render.Category `json:"category"`
	// Inline tells that the compiler put the code of the callee here.
	Inline bool     `json:"inline,omitempty"`
	Value  float64  `json:"value"`
	Base   *float64 `json:"base,omitempty"`
}

// SourceFunction is a function of the file; First and Last are the first and
// last line with values.
type SourceFunction struct {
	Name  string `json:"name"`
	First int    `json:"first"`
	Last  int    `json:"last"`
	Values
}

// Missing says why there is no source or no machine code.
type Missing struct {
	Text string `json:"text"`
	// Tried are the files that were looked for.
	Tried []string `json:"tried"`
	Hint  string   `json:"hint"`
}

// maxSourceLines is how many lines of a file are sent.
const maxSourceLines = 20000

func answerSource(ctx context.Context, s *Session, q *Query) (*Answer, error) {
	d, err := s.byLine(ctx, q)
	if err != nil {
		return nil, err
	}
	a := &Source{Schema: "source/1", Head: d.Head(), Lines: []SourceLine{}, Functions: []SourceFunction{}, Text: []string{}, First: 1}
	at := d.locate(q.Sel)
	if at.file == "" {
		a.Missing = cmp.Or(d.nothingLeft(), &Missing{
			Text: "This profile does not say which files and lines its samples are of.", Tried: []string{},
			Hint: "Name the binary before the profile, profound web BINARY PROFILE, or the folder it lies in with PPROF_BINARY_PATH.",
		})
		return &Answer{JSON: a, Fresh: true}, nil
	}
	sums := d.sumFile(at.file)
	a.File, a.Line, a.Note = at.file, cmp.Or(at.line, sums.hottest(at.function)), at.note
	a.addSums(d, sums)
	a.Function = cmp.Or(at.function, a.functionAt(a.Line))
	a.Category = d.Names.Of(a.Function).Category
	text, found, err := s.Code.Sources.Lines(at.file)
	if err != nil {
		a.Missing = missingSource(at.file, err)
		return &Answer{JSON: a, Fresh: true}, nil
	}
	a.Path, a.How, a.Count = found.Path, string(found.How), len(text)
	a.Stale = staleSource(found.Path, text, a)
	from := max(0, min(a.Line-maxSourceLines/2, len(text)-maxSourceLines))
	to := min(len(text), from+maxSourceLines)
	a.First = from + 1
	a.Text = text[from:to]
	if marks := highlight(found.Path, text); marks != nil {
		a.Marks = marks[from:to]
	}
	return &Answer{JSON: a, Fresh: true}, nil
}

// nothingLeft says that the filters leave no samples; nil if there are some.
func (d *Data) nothingLeft() *Missing {
	if len(d.Filters) == 0 || d.shown != 0 || d.baseShown != 0 {
		return nil
	}
	return &Missing{Text: "No samples are left.", Tried: []string{}, Hint: "Remove a filter to see where they are."}
}

// byLine is the data of q with one entry a line.
func (s *Session) byLine(ctx context.Context, q *Query) (*Data, error) { return s.at(ctx, q, "lines") }

// at is the data of q at another granularity.
func (s *Session) at(ctx context.Context, q *Query, granularity string) (*Data, error) {
	c := *q
	c.Transforms = slices.DeleteFunc(slices.Clone(q.Transforms), func(t Transform) bool { return t.Op == "gran" })
	if granularity != "functions" {
		c.Transforms = append(c.Transforms, Transform{"gran", granularity})
	}
	return s.Data(ctx, &c)
}

// missingSource is a sentence about a file that cannot be shown.
func missingSource(name string, err error) *Missing {
	m := &Missing{Tried: []string{}, Hint: "Start profound in the folder of the program's module, or name the folder of the sources with -source_path=DIR. What stands before the path inside it is cut with -trim_path=PREFIX."}
	var none *srcfind.NotFoundError
	switch {
	case errors.As(err, &none) && none.Refused != nil:
		m.Text, m.Tried = fmt.Sprintf("The source %s is not read: %v.", name, none.Refused), append(m.Tried, none.Tried...)
	case errors.As(err, &none):
		m.Text, m.Tried = fmt.Sprintf("The source %s was found nowhere on this machine.", name), append(m.Tried, none.Tried...)
	case errors.Is(err, fs.ErrPermission):
		m.Text = fmt.Sprintf("The source %s is not read: %v.", name, err)
	default:
		m.Text = fmt.Sprintf("The source cannot be read: %v.", err)
	}
	return m
}

// spot is what a selection points at in the sources; file is "" when the
// profile has no files.
type spot struct {
	file, function string
	line           int
	note           string
}

// locate finds the file and line to show for a selection.
func (d *Data) locate(sel Selection) spot {
	switch sel.Sort {
	case 'l':
		if file := d.fileNamed(sel.Name); file != "" {
			return spot{file: file, line: sel.Line}
		}
	case 'f':
		if p := d.placeOf(sel.Name); p.file != "" {
			return p
		}
		if file := d.fileNamed(sel.Name); file != "" {
			return spot{file: file}
		}
	}
	p := d.hottest()
	if (sel.Sort == 'f' || sel.Sort == 'l') && p.file != "" {
		p.note = fmt.Sprintf("%s has no lines in this profile; this is where most was sampled.", sel.Name)
	}
	return p
}

// fileNamed is the file of the profile with this name, or the only one whose
// path ends with it.
func (d *Data) fileNamed(name string) string {
	p := d.View.Profile
	clean := view.TrimPath("", "")
	var ends []string
	for i := 1; i < p.Functions.Len(); i++ {
		raw := p.Strings[p.Functions.File[i]]
		if raw == "" || !strings.HasSuffix(raw, filepath.Base(name)) {
			continue
		}
		file := filepath.Clean(clean(raw))
		if file == filepath.Clean(name) {
			return file
		}
		if strings.HasSuffix(file, "/"+name) && !slices.Contains(ends, file) {
			ends = append(ends, file)
		}
	}
	if len(ends) == 1 {
		return ends[0]
	}
	return ""
}

// placeOf is the line of a function with the most.
func (d *Data) placeOf(function string) spot {
	sand := d.View.Sandwich(function)
	best, p := view.Amount{}, spot{function: function}
	for i, f := range sand.Frames {
		if f.Name != function || f.File == "" {
			continue
		}
		if of := sand.Of[i]; p.file == "" || compareBelow(of, best) > 0 {
			best, p.file, p.line = of, f.File, f.Line
		}
	}
	return p
}

// compareHeat orders amounts by what was sampled in something itself, then
// with all below it; now or in the base.
func compareHeat(a, b view.Amount) int {
	return cmp.Or(cmp.Compare(max(abs64(a.Flat), abs64(a.FlatBase)), max(abs64(b.Flat), abs64(b.FlatBase))), compareBelow(a, b))
}

// compareBelow orders amounts by what was sampled in something and below it.
func compareBelow(a, b view.Amount) int {
	return cmp.Compare(max(abs64(a.Cum), abs64(a.CumBase)), max(abs64(b.Cum), abs64(b.CumBase)))
}

// ownShare is from which share on the hottest line of the program's own code
// is shown first, though others have more.
const ownShare = 0.02

// hottest is the line with the most, of the program's own code if that is
// worth looking at.
func (d *Data) hottest() spot {
	rows := newTableRows(d)
	var all, own spot
	var most, mostOwn view.Amount
	for i, f := range rows.frames {
		if f.File == "" || f.Line == 0 {
			continue
		}
		p := spot{file: f.File, function: f.Name, line: f.Line}
		if all.file == "" || compareHeat(rows.of[i], most) > 0 {
			all, most = p, rows.of[i]
		}
		if d.Names.Of(f.Name).Category == render.CategoryOwn && (own.file == "" || compareHeat(rows.of[i], mostOwn) > 0) {
			own, mostOwn = p, rows.of[i]
		}
	}
	if own.file != "" && float64(max(mostOwn.Flat, -mostOwn.Flat)) >= ownShare*float64(d.View.Total) {
		return own
	}
	return all
}

// functionAt is the function a line belongs to: the last that begins before it.
func (a *Source) functionAt(line int) string {
	name := ""
	for _, f := range a.Functions {
		if f.First <= line || name == "" {
			name = f.Name
		}
	}
	return name
}
