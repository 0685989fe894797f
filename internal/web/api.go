package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"
)

// View is one question about a session: GET /api/{session}/NAME. Each has a
// file with a constructor, and a row in views.
type View struct {
	// Name is the last part of the address; a view of the page has the same.
	Name string
	// Help is one line for the page /api.
	Help string
	// Params are those the view has besides the common ones of Query. Plain is
	// set when it takes no others.
	Params []Param
	Plain  bool
	// Answer computes it. It must return soon after ctx ends.
	Answer func(ctx context.Context, s *Session, q *Query) (*Answer, error)
}

// Answer is what a view says. One of JSON, Columns and Body is set.
type Answer struct {
	// JSON is encoded as it is; its first field is "schema".
	JSON any
	// Columns are sent as such, or as JSON to those who ask for format=json.
	Columns *Columns
	// Body is sent as Type; FileName, if set, makes a browser save it.
	Body     []byte
	Type     string
	FileName string
	// Fresh says that the next answer may differ, as files do: nobody may keep
	// this one.
	Fresh bool
}

// views is the table of questions about a session. To add one, write a
// constructor in a file of its own and put it here; the package comment says
// how.
func views() []View {
	return []View{
		sessionView(),
		flameView(),
		tableView(),
		functionView(),
		sourceView(),
		hotView(),
		assemblyView(),
		graphView(),
		summaryView(),
		leaksView(),
		heldView(),
		timelineView(),
		compareView(),
		heapView(),
		retentionView(),
		withoutView(),
		goroutinesView(),
		reportView(),
		downloadView(),
		commandView(),
	}
}

// Endpoint is one row of the API.
type Endpoint struct {
	Method string
	// Path is below /api/, with {names} for what varies.
	Path   string
	Help   string
	Params []Param
	// handle answers, or fails before it has written anything.
	handle func(s *Server, w http.ResponseWriter, r *http.Request) error
}

// endpoints is the whole API: what is not about one session, then the views.
func endpoints() []Endpoint {
	list := append(homeEndpoints(), []Endpoint{
		{"POST", "{session}/heap", "Begin to read the objects of the process; GET tells how far it is", nil, (*Server).readHeap},
		{"POST", "{session}/export", `The page in one HTML file that needs no server: {"at": ADDRESS, "ask": [addresses of answers], "each": [those with sel=f:* for the largest functions], "lines": whether source goes with it}`, nil, (*Server).export},
		{"GET", "configs", "Saved configurations of pprof, as parameters of the page", nil, (*Server).configs},
	}...)
	for _, v := range views() {
		params := v.Params
		if !v.Plain {
			params = slices.Concat(v.Params, commonParams())
		}
		at := "{session}/" + v.Name
		if v.Name == "report" {
			at += "/{kind}"
		}
		list = append(list, Endpoint{"GET", at, v.Help, params, func(s *Server, w http.ResponseWriter, r *http.Request) error {
			return s.view(w, r, &v)
		}})
	}
	return list
}

func commonParams() []Param {
	var list []Param
	for _, p := range queryParams() {
		list = append(list, p.Param)
	}
	return list
}

// serve answers a call of the API.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, e Endpoint) {
	if err := e.handle(s, w, r); err != nil {
		s.fail(w, r, err)
	}
}

// view answers a question about a session.
func (s *Server) view(w http.ResponseWriter, r *http.Request, v *View) error {
	session, err := s.place(r.PathValue("session"))
	if err != nil {
		return err
	}
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return badRequest("", "the parameters cannot be read: %v", err)
	}
	q, err := ParseQuery(values, v.Params)
	if err != nil {
		return err
	}
	for _, name := range []string{"kind"} { // of the path
		if x := r.PathValue(name); x != "" {
			q.own["/"+name] = x
		}
	}
	tag := viewTag(s.since, session.number, r.URL.Path, q)
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == tag {
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache")
		w.WriteHeader(http.StatusNotModified)
		return nil
	}
	a, err := v.Answer(r.Context(), session.Session, q)
	if err != nil {
		return err
	}
	body, kind, err := a.encode(q.JSON)
	if err != nil {
		return err
	}
	if !a.Fresh {
		h.Set("ETag", tag)
		h.Set("Cache-Control", "no-cache")
	}
	if strings.HasPrefix(kind, "text/html") || kind == "image/svg+xml" {
		h.Set("Content-Security-Policy", documentPolicy())
	}
	if a.FileName != "" {
		h.Set("Content-Disposition", `attachment; filename="`+safeFileName(a.FileName)+`"`)
	}
	send(w, r, body, kind)
	return nil
}

// viewTag names an answer: sessions do not change, so equal questions about one
// session of one server have equal answers.
func viewTag(since time.Time, session int, path string, q *Query) string {
	sum := sha256.Sum256([]byte(fmt.Sprintf("%d %d\n%s\n%s\n%t", since.UnixNano(), session, path, q, q.JSON)))
	return `W/"` + hex.EncodeToString(sum[:9]) + `"`
}

func (a *Answer) encode(asJSON bool) (body []byte, kind string, err error) {
	switch {
	case a.Body != nil:
		return a.Body, a.Type, nil
	case a.Columns != nil && !asJSON:
		var b bytes.Buffer
		_, err := a.Columns.WriteTo(&b)
		return b.Bytes(), columnsType, err
	case a.Columns != nil:
		body, err = marshal(a.Columns)
	default:
		body, err = marshal(a.JSON)
	}
	if err != nil {
		return nil, "", fmt.Errorf("encode the answer: %w", err)
	}
	return append(body, '\n'), "application/json", nil
}

// worthGzip is from how many bytes on an answer is compressed.
const worthGzip = 2 << 10

// send writes an answer, compressed if that pays.
func send(w http.ResponseWriter, r *http.Request, body []byte, kind string) {
	h := w.Header()
	h.Set("Content-Type", kind)
	packed := strings.Contains(kind, "gzip") || strings.HasPrefix(kind, "image/") && !strings.Contains(kind, "svg")
	if len(body) >= worthGzip && !packed && acceptsGzip(r) {
		if z := compress(body, gzip.BestSpeed); z != nil {
			h.Set("Content-Encoding", "gzip")
			body = z
		}
	}
	h.Set("Content-Length", fmt.Sprint(len(body)))
	w.Write(body)
}

// safeFileName keeps what is harmless in a header and on every file system.
func safeFileName(name string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("._-", r):
			return r
		}
		return '_'
	}, name)
}

// apiPage documents the API. It is made from the tables that the requests go
// through.
func (s *Server) apiPage(w http.ResponseWriter, r *http.Request) {
	var b strings.Builder
	b.WriteString("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Profound API</title><h1>Profound API</h1>\n" +
		"<p>Answers are JSON, or columns (docs/formats/columns.md) where it says so; format=json gives those as JSON too. " +
		"Values are in base units. Errors are {\"error\", \"hint\"}. What changes something is asked for by POST.</p>\n")
	if list := s.Sessions(); len(list) > 0 {
		b.WriteString("<h2>Open sessions</h2><ul>\n")
		for _, x := range list {
			fmt.Fprintf(&b, "<li><a href=\"/api/%s/session\">%s</a> %s</li>\n", x.ID, x.ID, html.EscapeString(x.Title))
		}
		b.WriteString("</ul>\n")
	}
	table := func(params []Param) {
		b.WriteString("<table>\n")
		for _, p := range params {
			fmt.Fprintf(&b, "<tr><td><code>%s</code></td><td><code>%s</code></td><td>%s</td></tr>\n", html.EscapeString(p.Name), html.EscapeString(p.Form), html.EscapeString(p.Help))
		}
		b.WriteString("</table>\n")
	}
	common := commonParams()
	for _, e := range s.api {
		fmt.Fprintf(&b, "<h2><code>%s /api/%s</code></h2><p>%s.</p>\n", e.Method, html.EscapeString(e.Path), html.EscapeString(e.Help))
		own := slices.DeleteFunc(slices.Clone(e.Params), func(p Param) bool { return slices.Contains(common, p) })
		if len(own) > 0 {
			table(own)
		}
		if len(own) < len(e.Params) {
			b.WriteString("<p>And <a href=\"#common\">the parameters of the page</a>.</p>\n")
		}
	}
	b.WriteString("<h2 id=\"common\">Parameters of the page</h2>\n")
	table(common)
	b.WriteString("<h2>Transforms</h2><p>Values of x.</p>\n")
	var ops []Param
	for _, o := range Transforms() {
		form := o.Name
		if o.Arg != "" {
			form += ":" + o.Arg
		}
		ops = append(ops, Param{o.Name, form, o.Help})
	}
	table(ops)
	fmt.Fprintf(&b, "<p>Profound %s</p></html>\n", html.EscapeString(s.opt.Version))
	send(w, r, []byte(b.String()), "text/html; charset=utf-8")
}
