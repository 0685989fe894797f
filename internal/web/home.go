package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
)

// Recent is a session that was opened, now or before.
type Recent struct {
	Session string   `json:"session"`
	Title   string   `json:"title"`
	Kinds   []string `json:"kinds"`
	Shots   int      `json:"shots"`
	// Time is when it was opened, in milliseconds since 1970.
	Time int64 `json:"time"`
	// Sources are what to open to have it again; none when it was sent here, or
	// when one of them had a password.
	Sources []string `json:"sources"`
	// Open tells that it need not be opened again.
	Open bool `json:"open"`
}

// maxRecent is how many sessions are remembered.
const maxRecent = 20

// Home is the answer of GET /api/home.
type Home struct {
	Schema string   `json:"schema"`
	Recent []Recent `json:"recent"`
	// CanOpen and CanUpload tell what the start page may offer.
	CanOpen   bool   `json:"canOpen"`
	CanUpload bool   `json:"canUpload"`
	Version   string `json:"version"`
}

// Opened is the answer of POST /api/open and /api/upload.
type Opened struct {
	Session string `json:"session"`
}

// homeEndpoints are the questions that are about no session.
func homeEndpoints() []Endpoint {
	return []Endpoint{
		{"GET", "home", "Sessions that are open or were opened before, the newest first (schema home/1)", nil, (*Server).home},
		{"POST", "open", `Opens {"source": "FILE, FOLDER, URL, HOST:PORT or PID"}, several by {"sources": []}, one of home again by {"session": "ID"}; answers {"session"}`, nil, (*Server).open},
		{"POST", "upload", "Opens the body, a profile or a snapshot; the header X-Name has its name, escaped as in an address; answers {\"session\"}", nil, (*Server).upload},
	}
}

// home lists what is open, then what was before.
func (s *Server) home(w http.ResponseWriter, r *http.Request) error {
	list := s.recent()
	body, err := marshal(Home{"home/1", list[:min(len(list), maxRecent)], s.opt.Open != nil, s.opt.Read != nil, s.opt.Version})
	if err != nil {
		return err
	}
	send(w, r, append(body, '\n'), "application/json")
	return nil
}

// recent are the sessions that are open and those that were, each once, the
// newest first.
func (s *Server) recent() []Recent {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := []Recent{}
	for _, x := range slices.Backward(s.sessions) {
		list = append(list, recentOf(x.Session, !x.sent))
	}
	for _, r := range s.known {
		if !slices.ContainsFunc(list, func(x Recent) bool { return x.Session == r.Session }) {
			r.Open = false
			list = append(list, r)
		}
	}
	return list
}

func recentOf(x *Session, again bool) Recent {
	r := Recent{Session: x.ID, Title: x.Title, Kinds: []string{}, Shots: len(x.Shots), Time: millis(x.Started), Sources: []string{}, Open: true}
	for i := range x.kinds {
		r.Kinds = append(r.Kinds, x.kinds[i].Name)
	}
	if again && !x.secret {
		r.Sources = append(r.Sources, x.Sources...)
	}
	return r
}

// open loads what a person names on the start page.
func (s *Server) open(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Open == nil {
		return forbidden("Name it on the command line.", "this server opens nothing else")
	}
	var ask struct {
		Source, Session string
		Sources         []string
	}
	if err := json.NewDecoder(r.Body).Decode(&ask); err != nil {
		return badRequest(`Send {"source": "..."}.`, "what to open cannot be read: %v", err)
	}
	specs := slices.DeleteFunc(append(ask.Sources, strings.TrimSpace(ask.Source)), func(x string) bool { return x == "" })
	if ask.Session != "" {
		list := s.recent()
		i := slices.IndexFunc(list, func(x Recent) bool { return x.Session == ask.Session })
		if i >= 0 && list[i].Open {
			return s.answerOpened(w, r, ask.Session)
		}
		if i < 0 || len(list[i].Sources) == 0 {
			return notFound("Open its files again.", "nothing is known of session %s", ask.Session)
		}
		specs = list[i].Sources
	}
	if len(specs) == 0 {
		return badRequest("Name a file, a folder of profound leak -save, a URL, host:port, or the number of a process.", "there is nothing to open")
	}
	for _, spec := range specs {
		if spec == "-" {
			return badRequest("Name a file, or drop it on the page.", "standard input belongs to the program, not to the page")
		}
	}
	session, err := s.opt.Open(r.Context(), specs)
	if err != nil {
		return openFailure(err, "Name a file, a folder of profound leak -save, a URL, host:port, or the number of a process; paths begin where profound was started.")
	}
	s.Add(session)
	return s.answerOpened(w, r, session.ID)
}

// upload loads what a person drops on the page.
func (s *Server) upload(w http.ResponseWriter, r *http.Request) error {
	if s.opt.Read == nil {
		return forbidden("Name the file on the command line.", "this server takes no files")
	}
	name, err := url.PathUnescape(r.Header.Get("X-Name"))
	if err != nil || name == "" {
		name = "profile"
	}
	name = filepath.Base(strings.ReplaceAll(name, `\`, "/"))
	session, err := s.opt.Read(r.Context(), name, http.MaxBytesReader(w, r.Body, s.opt.MaxUpload), r.ContentLength)
	if err != nil {
		return openFailure(err, "Send a profile in one of the formats that profound reads: profound help sources.")
	}
	s.add(session, true)
	return s.answerOpened(w, r, session.ID)
}

// openFailure is why something could not be opened: mostly the person's own
// choice, so it is no failure of the server.
func openFailure(err error, hint string) error {
	var own *Error
	var tooLarge *http.MaxBytesError
	if errors.As(err, &own) || errors.As(err, &tooLarge) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return badRequest(hint, "%v", err)
}

func (s *Server) answerOpened(w http.ResponseWriter, r *http.Request, id string) error {
	io.Copy(io.Discard, io.LimitReader(r.Body, 1<<20)) // so that the connection lives on
	body, err := marshal(Opened{id})
	if err != nil {
		return err
	}
	send(w, r, append(body, '\n'), "application/json")
	return nil
}
