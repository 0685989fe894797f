package web

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/profoundhq/profound/internal/reason"
)

// What a saved copy has, see export.
const (
	// exportKnown is how many functions it knows all about: of what is shown,
	// and of each other kind of profile.
	exportKnown, exportKnownElse = 200, 25
	// exportListed is of how many functions it has lines of source, or at
	// least the values of the lines.
	exportListed = 30
	// exportAround is how many lines of source it has around those sampled.
	exportAround = 10
	// exportBytes bounds the answers in it; the largest are left out.
	exportBytes = 40_000_000
)

// exportAsk is what the page sends to have a copy of itself.
type exportAsk struct {
	// At is the address of the page.
	At string `json:"at"`
	// Ask are the addresses of answers the copy needs; the first is that of
	// the view that is shown.
	Ask []string `json:"ask"`
	// Each are addresses with sel=f:*, for the functions with the most; those of
	// the view source lead to their files too. The first is of what is shown.
	Each []string `json:"each"`
	// Lines lets lines of source into the copy.
	Lines bool `json:"lines"`
}

// savedCopy is what a copy has in itself; web/src/saved.ts reads it.
type savedCopy struct {
	At string `json:"at"`
	// Note says what it is a copy of, from when, what was too large for it,
	// and how to have the live page.
	Note string `json:"note"`
	// Answers are gzip in data URLs, by their unescaped address.
	Answers map[string]string `json:"answers"`
}

// export answers with the page in one HTML file that needs no server and no
// network. The page says what it will ask, and finds the answers in it.
func (s *Server) export(w http.ResponseWriter, r *http.Request) error {
	session, err := s.session(r.PathValue("session"))
	if err != nil {
		return err
	}
	var ask exportAsk
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		return badRequest(`Send {"at": ADDRESS, "ask": [ADDRESS ...]}.`, "what to export cannot be read: %v", err)
	}
	e := &exporter{session: session, lines: ask.Lines, listed: map[string]int{}, answers: map[string]string{}}
	if err := e.collect(r.Context(), &ask); err != nil {
		return err
	}
	tooLarge := ""
	if left := e.trim(exportBytes, ask.Ask[:min(1, len(ask.Ask))]...); len(left) > 0 {
		tooLarge = " Too large to go with it: " + joinWords(left) + "."
	}
	page, err := copyPage(s.assets, &savedCopy{ask.At, e.note(s.opt.Now, tooLarge), e.answers})
	if err != nil {
		return fmt.Errorf("export the page: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Length", fmt.Sprint(len(page)))
	h.Set("Content-Disposition", `attachment; filename="`+safeFileName(session.Title)+`.html"`)
	h.Set("X-Saved", fmt.Sprintf("%.1f MB saved.%s", float64(len(page))/(1<<20), tooLarge))
	w.Write(page)
	return nil
}

// exporter collects the answers of one copy.
type exporter struct {
	session *Session
	lines   bool
	listed  map[string]int // functions whose lines are in it, with where they begin
	answers map[string]string
}

// collect asks for everything. What cannot be answered is not in the copy, as
// it is not on the page.
func (e *exporter) collect(ctx context.Context, ask *exportAsk) error {
	sel, err := selectionOf(ask.At)
	if err != nil {
		return err
	}
	names := map[string][]string{} // by what is asked for them
	for i, address := range ask.Each {
		source := strings.Contains(address, "/source?")
		most := exportKnownElse
		switch {
		case i == 0:
			most = exportKnown
		case source:
			most = exportListed
		}
		d, err := e.data(ctx, address)
		if err != nil {
			return err
		}
		if d == nil { // nothing is left by the filters
			continue
		}
		names[address] = largest(d, sel, most)
		for _, name := range names[address] {
			if source && ask.Lines {
				e.listed[name] = d.Names.Of(name).Line
			}
		}
	}
	for _, address := range ask.Ask {
		if address == "" { // a view that asks nothing
			continue
		}
		if err := e.add(ctx, address); err != nil {
			return err
		}
	}
	for _, address := range ask.Each {
		for _, name := range names[address] {
			if err := e.add(ctx, withSelection(address, "f:"+name)); err != nil {
				return err
			}
		}
	}
	return ctx.Err()
}

// selectionOf is what is selected at an address of the page.
func selectionOf(address string) (Selection, error) {
	_, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil || values.Get("sel") == "" {
		return Selection{}, err
	}
	return ParseSelection(values.Get("sel"))
}

// withSelection puts a selection in place of the mark in an address of
// exportAsk.Each.
func withSelection(address, sel string) string {
	return strings.Replace(address, "sel=f:*", "sel="+url.QueryEscape(sel), 1)
}

// question is what an address asks: one of the views, of this session.
func (e *exporter) question(address string) (*View, *Query, error) {
	path, query, _ := strings.Cut(address, "?")
	name, own := strings.CutPrefix(path, "/api/"+e.session.ID+"/")
	all := views()
	i := slices.IndexFunc(all, func(v View) bool { return v.Name == name })
	if !own || i < 0 {
		return nil, nil, badRequest("Ask for views of the session.", "%s cannot be exported", address)
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, nil, badRequest("", "the parameters of %s cannot be read: %v", address, err)
	}
	q, err := ParseQuery(values, all[i].Params)
	return &all[i], q, err
}

// data are the functions an address is about, nil when there are none.
func (e *exporter) data(ctx context.Context, address string) (*Data, error) {
	_, q, err := e.question(address)
	if err != nil {
		return nil, err
	}
	d, err := e.session.at(ctx, q, "functions")
	if err != nil {
		return nil, ctx.Err()
	}
	return d, nil
}

// largest are the functions with the most, flat and cum in turn, behind the
// selected one.
func largest(d *Data, sel Selection, most int) []string {
	rows := newTableRows(d)
	size := func(i int) float64 {
		return max(math.Abs(float64(rows.of[i].Cum)), math.Abs(float64(rows.of[i].CumBase)))
	}
	byCum := make([]int, len(rows.frames)) // they come by flat
	for i := range byCum {
		byCum[i] = i
	}
	slices.SortStableFunc(byCum, func(a, b int) int { return cmp.Compare(size(b), size(a)) })
	var names []string
	if sel.Sort == 'f' {
		names = append(names, sel.Name)
	}
	seen := map[string]bool{}
	for i := range byCum {
		names = append(names, entryName(rows.frames[i]), entryName(rows.frames[byCum[i]]))
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		again := seen[name]
		seen[name] = true
		return again || name == ""
	})
	return names[:min(most, len(names))]
}

// add puts the answer of an address into the copy.
func (e *exporter) add(ctx context.Context, address string) error {
	key, err := url.QueryUnescape(address)
	if err != nil || e.answers[key] != "" {
		return nil
	}
	v, q, err := e.question(address)
	if err != nil {
		return err
	}
	a, err := v.Answer(ctx, e.session, q)
	if err != nil || !e.bare(a) {
		return ctx.Err()
	}
	body, kind, err := a.encode(q.JSON)
	if err != nil {
		return err
	}
	if e.answers[key], err = packed(body, kind); err != nil {
		return err
	}
	for _, next := range e.next(address, a) {
		if err := e.add(ctx, next); err != nil {
			return err
		}
	}
	return nil
}

// next are the questions a click on an answer asks.
func (e *exporter) next(address string, a *Answer) []string {
	api := "/api/" + e.session.ID + "/"
	var list []string
	switch j := a.JSON.(type) {
	case *Source:
		if sel := between(address, "sel=", "&"); strings.HasPrefix(sel, "f:") && j.File != "" { // a line of it may be selected
			list = append(list, withFile(address, j.File))
		}
	case *Hot:
		for _, line := range j.Lines {
			list = append(list, withFile(address, line.File))
		}
	case *Leaks:
		for i := range j.Findings {
			if e.session.HasHeap() && reason.Holdable(&e.session.Verdict.Findings[i]) {
				list = append(list, fmt.Sprintf("%sheld?finding=%d", api, i))
			}
		}
	case *Goroutines:
		for _, g := range j.Groups[:min(len(j.Groups), exportKnownElse)] {
			if e.session.HasHeap() {
				list = append(list, api+"retention?sel="+url.QueryEscape("g:"+g.Name))
			}
		}
	case *Retention:
		for _, name := range j.cuts() {
			list = append(list, api+"without?name="+url.QueryEscape(name))
		}
		for _, row := range j.Rows[:min(len(j.Rows), exportKnownElse)] {
			switch {
			case j.By == "types" && j.Start == nil:
				list = append(list, api+"retention?sel="+url.QueryEscape("t:"+row.Name))
			case row.Children > 0 && row.Rows == nil && !strings.Contains(address, "node="):
				list = append(list, address+separator(address)+fmt.Sprintf("node=%d", row.ID))
			}
		}
	}
	return list
}

// withFile is the address of a file of sources, beside that of something else.
func withFile(address, file string) string {
	path, query, _ := strings.Cut(address, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return address
	}
	values.Set("sel", "l:"+file)
	return path[:strings.LastIndex(path, "/")] + "/source?" + values.Encode()
}

// separator is what stands before one more parameter of an address.
func separator(address string) string {
	if strings.Contains(address, "?") {
		return "&"
	}
	return "?"
}

// cuts are the references an answer offers to look at the heap without.
func (r *Retention) cuts() []string {
	var list []string
	for _, w := range r.Ways[:min(len(r.Ways), 4)] {
		for _, step := range w.Path {
			list = append(list, step.Without)
		}
	}
	for _, tile := range r.Tiles {
		if r.Start == nil {
			list = append(list, tile.Without)
		}
	}
	slices.Sort(list)
	return slices.DeleteFunc(slices.Compact(list), func(name string) bool { return name == "" })
}

// bare takes out of an answer what belongs to this machine, and lines of
// source that were not asked for. It is false when nothing is left.
func (e *exporter) bare(a *Answer) bool {
	const missing = "Source lines were not saved with this copy."
	switch j := a.JSON.(type) {
	case *About:
		j.Editor = ""
	case *Assembly:
		return e.lines
	case *Function:
		j.Source = ""
		if _, ok := e.listed[j.Name]; ok || len(j.Lines) == 0 {
			return true
		}
		j.SourceMissing = missing
		for i := range j.Lines {
			j.Lines[i].Text, j.Lines[i].Marks = "", nil
		}
	case *Source:
		j.Path = ""
		had := len(j.Text) > 0
		e.clip(j)
		switch {
		case had && len(j.Text) == 0:
			j.Count, j.Stale, j.Missing = 0, nil, &Missing{Text: missing, Tried: []string{}}
		case had && j.Note == "":
			j.Note = "only lines of the largest functions were saved"
		}
	}
	return true
}

// clip leaves the lines of the functions that are listed, from where they
// begin, and some around those sampled. Lines between two of them are empty.
func (e *exporter) clip(f *Source) {
	text, marks := make([]string, len(f.Text)), make([][]int, len(f.Marks))
	from, to := len(text), 0
	for _, fn := range f.Functions {
		begin, ok := e.listed[fn.Name]
		if !ok {
			continue
		}
		if begin == 0 || begin > fn.First {
			begin = fn.First
		}
		a, b := max(0, min(begin, fn.First-exportAround)-f.First), min(len(text), fn.Last+exportAround+1-f.First)
		if a >= b {
			continue
		}
		copy(text[a:b], f.Text[a:b])
		if len(marks) > 0 {
			copy(marks[a:b], f.Marks[a:b])
		}
		from, to = min(from, a), max(to, b)
	}
	if from >= to {
		f.Text, f.Marks = []string{}, nil
		return
	}
	f.Text, f.First = text[from:to], f.First+from
	if len(marks) > 0 {
		f.Marks = marks[from:to]
	}
}

// packed is an answer as text: a data URL of its gzip.
func packed(body []byte, kind string) (string, error) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(body); err != nil {
		return "", err
	}
	if err := z.Close(); err != nil {
		return "", err
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(b.Bytes()), nil
}

// trim leaves out the largest answers until the rest is within a size, and
// names the views they are of. What must be kept is kept.
func (e *exporter) trim(bytes int, keep ...string) []string {
	for i := range keep {
		keep[i], _ = url.QueryUnescape(keep[i])
	}
	keys, total := sortedKeys(e.answers), 0
	for _, a := range e.answers {
		total += len(a)
	}
	slices.SortStableFunc(keys, func(a, b string) int { return len(e.answers[b]) - len(e.answers[a]) })
	left := []string{}
	for _, key := range keys {
		if total <= bytes {
			break
		}
		path, _, _ := strings.Cut(key, "?")
		name := path[strings.LastIndex(path, "/")+1:]
		if name == "session" || slices.Contains(keep, key) {
			continue
		}
		total -= len(e.answers[key])
		delete(e.answers, key)
		if !slices.Contains(left, title(name)) {
			left = append(left, title(name))
		}
	}
	return left
}

// note says what the copy is of.
func (e *exporter) note(now func() time.Time, more string) string {
	text := "Saved copy of " + e.session.Title
	if now != nil {
		text += now().Format(", 2 Jan 2006 15:04")
	}
	text += "." + more + " The live page: profound web"
	for _, name := range e.session.Sources {
		text += " " + shellWord(name)
	}
	return text
}
