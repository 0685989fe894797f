package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/view"
)

// legacyPage is a page of pprof's web interface and what shows the same here.
type legacyPage struct {
	path, view string
	// report is what a program that asks gets instead.
	report string
	// symbol tells that the parameter f names functions and does not filter;
	// that of peek does both.
	symbol bool
}

func legacyPages() []legacyPage {
	return []legacyPage{
		{"", "summary", "", false},
		{"flamegraph", "flame", "", false},
		{"flamegraph2", "flame", "", false},
		{"flamegraphold", "flame", "", false},
		{"graph", "graph", "svg", false},
		{"top", "table", "top", false},
		{"peek", "table", "peek", true},
		{"source", "source", "list", true},
		{"disasm", "source", "disasm", true},
	}
}

// legacy sends the addresses of pprof's web interface to what shows the same
// thing here. Programs are sent to the text that pprof's page would hold.
func (s *Server) legacy(w http.ResponseWriter, r *http.Request) {
	sessions := s.Sessions()
	if len(sessions) == 0 {
		http.Redirect(w, r, "/", http.StatusFound)
		return
	}
	session := sessions[0]
	name := strings.Trim(strings.TrimPrefix(r.URL.Path, "/ui"), "/")
	switch name {
	case "download":
		http.Redirect(w, r, "/api/"+session.ID+"/download", http.StatusFound)
		return
	case "saveconfig", "deleteconfig":
		s.fail(w, r, &Error{http.StatusMethodNotAllowed, "configurations are read here, and saved by pprof only", "An address holds everything: keep it as a bookmark."})
		return
	}
	pages := legacyPages()
	i := slices.IndexFunc(pages, func(p legacyPage) bool { return p.path == name })
	if i < 0 {
		s.fail(w, r, notFound("There are /ui/flamegraph, graph, top, peek, source, disasm and download.", "pprof has no page %s", r.URL.Path))
		return
	}
	page := pages[i]
	params := r.URL.Query()
	if err := s.applyConfig(params); err != nil {
		s.fail(w, r, err)
		return
	}
	symbol := page.symbol && r.URL.Query().Get("f") != "" // f of the command line filters
	q, err := legacyQuery(params, symbol)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	q.Kind = session.kindWith(q.Value)
	out := q.Values()
	to := "/v1/" + session.ID + "/" + page.view
	if name == "" && len(out) > 0 {
		to = "/v1/" + session.ID + "/flame"
	}
	if page.report == "" || wantsPage(r) {
		forPage(page.view, out)
	} else {
		to = "/api/" + session.ID + "/report/" + page.report
		out.Del("dir")
		if page.report == "peek" {
			forPeek(out, r.URL.Query().Get("f"))
		}
		if symbol {
			out.Set("of", params.Get("f"))
			out.Del("sel")
			out.Del("q")
		}
	}
	if len(out) > 0 {
		to += "?" + out.Encode()
	}
	http.Redirect(w, r, to, http.StatusFound)
}

// forPage puts options of reports into the words of a view that has its own.
func forPage(view string, out url.Values) {
	if by := out.Get("sort"); by != "" && view == "table" {
		out.Set("order", "-"+by) // the largest first, as in reports
	}
	out.Del("sort")
}

// forPeek does as pprof's page peek: it goes by lines, and f is also a filter.
func forPeek(out url.Values, f string) {
	x := slices.DeleteFunc(out["x"], func(t string) bool { return strings.HasPrefix(t, "gran:") })
	if f != "" {
		x = append(x, "focus:"+f)
	}
	out["x"] = append(x, "gran:lines")
}

// kindWith is the kind that has a value, "" if it is the one shown first.
func (s *Session) kindWith(value string) string {
	for i := range s.kinds {
		k := &s.kinds[i]
		for _, shot := range k.Shots {
			if _, err := shot.Profile.SampleIndex(value); err == nil {
				if i == 0 {
					return ""
				}
				return k.Name
			}
		}
	}
	return ""
}

// legacyQuery is the state that parameters of pprof ask for; what pprof does
// not know is left out, as pprof does.
func legacyQuery(params url.Values, symbol bool) (*Query, error) {
	q := &Query{Options: view.Defaults(), own: map[string]string{}}
	for _, op := range Transforms() {
		f, ok := view.FieldByName(view.Fields(), op.option)
		if !ok || f.URL == "" && op.option != "" || op.option == "" || symbol && op.Name == "focus" {
			continue
		}
		v := params.Get(f.URL)
		if v == "" {
			continue
		}
		if op.Arg == "" { // a switch
			on, err := view.ParseBool(v)
			if err != nil {
				return nil, badRequest("", "%s=%s: %v", f.URL, v, err)
			}
			if on {
				q.Transforms = append(q.Transforms, Transform{Op: op.Name})
			}
			continue
		}
		t, err := ParseTransform(op.Name + ":" + v)
		if err != nil {
			return nil, badRequest("Change it in the address.", "%s=%s: %v", f.URL, v, err)
		}
		q.Transforms = append(q.Transforms, t)
	}
	for _, p := range optionParams() {
		if v, ok := params[p.Name]; ok {
			if err := p.set(q, v[len(v)-1]); err != nil {
				return nil, badRequest(p.written(), "%v", err)
			}
		}
	}
	q.Value = params.Get("si")
	if pivot := params.Get("p"); pivot != "" {
		q.selectMatching(pivot)
		if q.Sel.Sort == 'f' {
			q.own["dir"] = "around"
		}
	}
	if symbol && params.Get("f") != "" {
		q.selectMatching(params.Get("f"))
	}
	return q, nil
}

// selectMatching selects the function an expression stands for, if it stands
// for one; else it searches for the expression.
func (q *Query) selectMatching(expr string) {
	if name, ok := literal(expr); ok {
		q.Sel = Selection{Sort: 'f', Name: name}
		return
	}
	q.Search = expr
}

// literal is the one text an expression such as ^main\.work$ matches.
func literal(expr string) (string, bool) {
	inner, begins := strings.CutPrefix(expr, "^")
	inner, ends := strings.CutSuffix(inner, "$")
	if !begins || !ends {
		return "", false
	}
	re, err := syntax.Parse(inner, syntax.Perl)
	if err != nil || re.Op != syntax.OpLiteral || re.Flags&syntax.FoldCase != 0 {
		return "", false
	}
	name := string(re.Rune)
	return name, name != ""
}

// pprofSettings is pprof's settings.json.
type pprofSettings struct {
	Configs []map[string]any `json:"configs"`
}

// applyConfig fills in the parameters of the saved configuration that
// config=NAME asks for, without one those of the command line; what the address
// says itself goes first.
func (s *Server) applyConfig(params url.Values) error {
	name := params.Get("config")
	if name == "" {
		for key, v := range s.opt.Start {
			if !params.Has(key) {
				params[key] = v
			}
		}
		return nil
	}
	settings, err := s.readSettings()
	if err != nil {
		return err
	}
	for _, c := range settings.Configs {
		if c["name"] != name {
			continue
		}
		for key, v := range configParams(c) {
			if !params.Has(key) {
				params[key] = v
			}
		}
		return nil
	}
	return notFound("/api/configs lists them.", "pprof has no saved configuration %q", name)
}

// configParams are the parameters a saved configuration stands for.
func configParams(c map[string]any) url.Values {
	out := url.Values{}
	d := view.Defaults()
	for _, f := range view.Fields() {
		v, ok := c[f.Name]
		if !ok || f.URL == "" || !f.Saved {
			continue
		}
		if text := fmt.Sprint(v); text != f.Get(&d) {
			out.Set(f.URL, text)
		}
	}
	return out
}

func (s *Server) readSettings() (*pprofSettings, error) {
	settings := &pprofSettings{}
	if s.opt.PprofSettings == "" {
		return settings, nil
	}
	data, err := os.ReadFile(s.opt.PprofSettings)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return settings, nil
	case err != nil:
		return nil, fmt.Errorf("read the settings of pprof: %w", err)
	}
	if err := json.Unmarshal(data, settings); err != nil {
		return nil, &Error{http.StatusInternalServerError, fmt.Sprintf("the settings of pprof in %s cannot be read: %v", s.opt.PprofSettings, err), "Repair or remove the file."}
	}
	return settings, nil
}

// configs lists the saved configurations of pprof as queries of the page.
func (s *Server) configs(w http.ResponseWriter, r *http.Request) error {
	type entry struct {
		Name  string `json:"name"`
		Query string `json:"query"`
		Error string `json:"error,omitempty"`
	}
	settings, err := s.readSettings()
	if err != nil {
		return err
	}
	list := []entry{}
	for _, c := range settings.Configs {
		name, _ := c["name"].(string)
		e := entry{Name: name}
		if q, err := legacyQuery(configParams(c), false); err != nil {
			e.Error = err.Error()
		} else {
			e.Query = q.String()
		}
		list = append(list, e)
	}
	body, err := marshal(struct {
		Schema  string  `json:"schema"`
		Configs []entry `json:"configs"`
	}{"configs/1", list})
	if err != nil {
		return err
	}
	send(w, r, append(body, '\n'), "application/json")
	return nil
}
