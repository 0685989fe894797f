package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"io/fs"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Options are what a server needs to know.
type Options struct {
	// Assets is the built page: index.html and what it names.
	Assets fs.FS
	// Host is the host the server was asked to listen on; "" is localhost.
	Host string
	// Token is asked of everybody unless the host is a loopback; see NewToken.
	Token string
	// Version is shown at the foot of the page /api.
	Version string
	// Stranger tells that a request comes from another user of this machine, who
	// may look, and make a server without a token open nothing; nil: nobody is.
	Stranger func(*http.Request) bool
	// Open loads what a user names: files, folders, URLs, processes, together.
	// Read loads what he sends. nil: the page cannot do that.
	// size is how many bytes the body has, -1 when that is not known.
	Open func(ctx context.Context, specs []string) (*Session, error)
	Read func(ctx context.Context, name string, body io.Reader, size int64) (*Session, error)
	// MaxUpload bounds what is sent to Read, bytes; 0 is 1 GiB.
	MaxUpload int64
	// Recent are sessions that were open at another time, the newest first;
	// Opened is told of each that is opened by names, to remember it. It may be
	// called from several places at the same time; nil drops it.
	Recent []Recent
	Opened func(Recent)
	// Start are options in the words of pprof's page: its addresses have them
	// unless they say otherwise.
	Start url.Values
	// PprofSettings is the file of saved configurations of pprof, "" for none.
	PprofSettings string
	// Now is the clock. Log receives bugs and what else the operator should
	// know; nil drops it.
	Now func() time.Time
	Log func(string)
}

// Server answers for the page and its API. Its methods may be called at the
// same time.
type Server struct {
	opt    Options
	assets map[string]*asset // by path: "/app.js"
	api    []Endpoint
	// since is when the server was made: another one may be another program,
	// and answer otherwise.
	since time.Time

	mu       sync.Mutex
	sessions []place  // the newest last
	opened   int      // how many there were
	known    []Recent // what was open ever, the newest first
}

// place is an open session. number tells it from all others the server had:
// not all sessions of one ID must answer alike. sent tells that it has no
// names to open it again.
type place struct {
	*Session
	number int
	sent   bool
}

// New makes a server without sessions.
func New(o Options) (*Server, error) {
	s := &Server{opt: o, known: slices.Clone(o.Recent)}
	if o.Now != nil {
		s.since = o.Now()
	}
	if s.remote() && o.Token == "" {
		return nil, fmt.Errorf("serve %s: a server that the network can reach needs a token", o.Host)
	}
	if !s.remote() {
		s.opt.Token = ""
	}
	if s.opt.MaxUpload <= 0 {
		s.opt.MaxUpload = 1 << 30
	}
	var err error
	if s.assets, err = readAssets(o.Assets); err != nil {
		return nil, err
	}
	s.api = endpoints()
	return s, nil
}

// NewToken makes a token from random bytes.
func NewToken(random io.Reader) (string, error) {
	b := make([]byte, 18)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b), nil
}

// maxSessions is how many sessions stay open; the oldest but the first goes.
// maxKnown is of how many is known how to open them again.
const (
	maxSessions = 16
	maxKnown    = 200
)

// Add makes a session known. The first one is what the addresses of pprof
// lead to.
func (s *Server) Add(session *Session) { s.add(session, false) }

// add is Add; sent tells that the page itself sent the profiles.
func (s *Server) add(session *Session, sent bool) {
	if !sent && s.opt.Opened != nil {
		s.opt.Opened(recentOf(session, true))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.known = slices.DeleteFunc(s.known, func(r Recent) bool { return r.Session == session.ID })
	s.known = append([]Recent{recentOf(session, !sent)}, s.known[:min(len(s.known), maxKnown-1)]...)
	s.opened++
	now := place{session, s.opened, sent}
	for i, old := range s.sessions {
		if old.ID == session.ID {
			s.sessions[i] = now
			if old.Session != session {
				go old.Close() // waits for those who look at its heap
			}
			return
		}
	}
	s.sessions = append(s.sessions, now)
	if len(s.sessions) > maxSessions {
		go s.sessions[1].Close()
		s.sessions = append(s.sessions[:1:1], s.sessions[2:]...)
	}
}

// Sessions are those that are open, the oldest first.
func (s *Server) Sessions() []*Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]*Session, len(s.sessions))
	for i, p := range s.sessions {
		list[i] = p.Session
	}
	return list
}

// session finds an open session.
func (s *Server) session(id string) (*Session, error) {
	p, err := s.place(id)
	return p.Session, err
}

// place finds an open session, or says how to have it again.
func (s *Server) place(id string) (place, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, x := range s.sessions {
		if x.ID == id {
			return x, nil
		}
	}
	for _, r := range s.known {
		if r.Session != id {
			continue
		}
		if len(r.Sources) == 0 {
			return place{}, notFound("Send or name again what it was of: files that were sent have no name to open them by, and passwords are not kept.", "session %s is not open any more", id)
		}
		return place{}, &Error{http.StatusGone, "session " + id + " is not open any more", "It was of " + strings.Join(r.Sources, " ") + ". Open it again."}
	}
	return place{}, notFound("A session is named after the content of its profiles: open the same files again, and this address works.", "session %s is not open here", id)
}

// URL is the address to print: where addr, a host and port, shows the first
// session. params are options in the words of pprof's page.
func (s *Server) URL(addr string, params url.Values) string {
	u := url.URL{Scheme: "http", Host: addr, Path: "/ui/"}
	all := maps.Clone(params)
	if s.opt.Token != "" {
		if all == nil {
			all = url.Values{}
		}
		all.Set("token", s.opt.Token)
	}
	u.RawQuery = all.Encode()
	return u.String()
}

// Handler answers everything.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	for _, e := range s.api {
		mux.HandleFunc(e.Method+" /api/"+e.Path, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, e) })
	}
	mux.HandleFunc("GET /api/{$}", s.apiPage)
	mux.HandleFunc("GET /api", s.apiPage)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, notFound("/api lists what there is.", "%s %s is not part of the API", r.Method, r.URL.Path))
	})
	mux.HandleFunc("/ui/", s.legacy)
	mux.HandleFunc("/ui", s.legacy)
	for _, p := range legacyPages() { // without /ui pprof leads there
		if p.path != "" {
			mux.HandleFunc("GET /"+p.path, func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, (&url.URL{Path: "/ui/" + p.path, RawQuery: r.URL.RawQuery}).String(), http.StatusTemporaryRedirect)
			})
		}
	}
	mux.HandleFunc("/", s.page)
	return s.guard(mux)
}

// page sends the page for every address that is no file of it: the page reads
// the address itself.
func (s *Server) page(w http.ResponseWriter, r *http.Request) {
	p := path.Clean(r.URL.Path)
	a := s.assets[p]
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		s.fail(w, r, &Error{http.StatusMethodNotAllowed, r.Method + " is not for pages", ""})
		return
	case a != nil:
	case p == "/" || isVersioned(p):
		a = s.assets["/index.html"]
	default:
		s.fail(w, r, notFound("", "there is no page %s", r.URL.Path))
		return
	}
	a.serve(w, r)
}

// isVersioned tells an address of the page, /v1/..., of whatever version: the
// page brings older ones up, and says it when a link is newer than it.
func isVersioned(p string) bool {
	p, ok := strings.CutPrefix(p, "/v")
	digits, _, _ := strings.Cut(p, "/")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// asset is one file of the page.
type asset struct {
	kind, tag     string
	data, gzipped []byte // gzipped is nil when it does not pay
}

func readAssets(files fs.FS) (map[string]*asset, error) {
	all := map[string]*asset{}
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(data)
		a := &asset{kind: contentType(name), tag: `"` + hex.EncodeToString(sum[:8]) + `"`, data: data}
		if strings.HasPrefix(a.kind, "text/") || strings.Contains(a.kind, "json") || strings.Contains(a.kind, "svg") {
			a.gzipped = compress(data, gzip.BestCompression)
		}
		all["/"+name] = a
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the page: %w", err)
	}
	if all["/index.html"] == nil {
		return nil, errors.New("read the page: there is no index.html")
	}
	return all, nil
}

// contentType is named here for what the page has: the system's table differs
// from machine to machine.
func contentType(name string) string {
	switch path.Ext(name) {
	case ".html":
		return "text/html; charset=utf-8"
	case ".js", ".mjs":
		return "text/javascript; charset=utf-8"
	case ".css":
		return "text/css; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	case ".woff2":
		return "font/woff2"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	}
	if t := mime.TypeByExtension(path.Ext(name)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// serve sends an asset, or that it did not change.
func (a *asset) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Cache-Control", "no-cache")
	h.Set("ETag", a.tag)
	h.Set("Vary", "Accept-Encoding")
	if r.Header.Get("If-None-Match") == a.tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", a.kind)
	data := a.data
	if a.gzipped != nil && acceptsGzip(r) {
		h.Set("Content-Encoding", "gzip")
		data = a.gzipped
	}
	h.Set("Content-Length", fmt.Sprint(len(data)))
	w.Write(data)
}

func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		name, q, _ := strings.Cut(strings.TrimSpace(part), ";")
		if name == "gzip" && strings.TrimSpace(q) != "q=0" {
			return true
		}
	}
	return false
}

// compress is nil when it would not save an eighth.
func compress(data []byte, level int) []byte {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		return nil
	}
	z.Write(data)
	if z.Close() != nil || b.Len() > len(data)-len(data)/8 {
		return nil
	}
	return b.Bytes()
}

// fail answers with an error: JSON for programs, a small page for people.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	if r.Context().Err() != nil && errors.Is(err, context.Canceled) {
		return // nobody is there to be told
	}
	if errors.Is(err, context.DeadlineExceeded) {
		err = &Error{http.StatusServiceUnavailable, "this took longer than " + requestTime.String(), "Narrow it down with a filter, or ask for less."}
	}
	var p *panicError
	if errors.As(err, &p) && s.opt.Log != nil {
		s.opt.Log(fmt.Sprintf("%s\n%s", p.Error(), p.stack))
	}
	e := asError(err)
	h := w.Header()
	for _, name := range []string{"ETag", "Content-Encoding", "Content-Disposition", "Content-Length"} {
		h.Del(name)
	}
	h.Set("Cache-Control", "no-store")
	if wantsPage(r) && !strings.HasPrefix(r.URL.Path, "/api/") {
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(e.Status)
		fmt.Fprintf(w, "<!doctype html><html lang=\"en\"><title>Profound</title><h1>%s</h1><p>%s</p><p><a href=\"/\">Start</a></p></html>\n",
			html.EscapeString(e.Text), html.EscapeString(e.Hint))
		return
	}
	h.Set("Content-Type", "application/json")
	w.WriteHeader(e.Status)
	body, _ := marshal(struct {
		Error string `json:"error"`
		Hint  string `json:"hint"`
	}{e.Text, e.Hint})
	w.Write(append(body, '\n'))
}

// wantsPage tells a browser that opens an address from a program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// marshal is JSON without the escapes meant for HTML.
func marshal(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
