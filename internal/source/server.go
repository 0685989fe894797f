package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/format"
)

// Server is a server with net/http/pprof that is asked again and again, over
// the same connections. Its methods may be called at the same time.
type Server struct {
	s *session
	// at is the folder of the profiles, with a slash at the end and what the
	// user wrote behind "?".
	at *endpoint
}

// OpenServer reads spec: a URL (http, https, https+insecure) of a server, of
// its folder of profiles or of one of the profiles, unix:SOCKET[:/HTTP/PATH],
// HOST:PORT[/PATH]. Nothing is asked yet. A path that does not name a folder
// /debug/pprof is one where net/http/pprof was put; its last element is left
// out when it is the name of a profile. Of the query, what chooses how a
// profile is made is left out.
func OpenServer(spec string, opt Options) (*Server, error) {
	s := newSession(opt)
	var e *endpoint
	var err error
	if rest, ok := strings.CutPrefix(spec, "unix:"); ok {
		e, err = s.socketEndpoint(rest)
	} else {
		e, err = s.urlEndpoint(spec)
	}
	if err == nil && e == nil {
		err = errors.New("neither a URL nor HOST:PORT; write http://HOST:PORT")
	}
	if err == nil {
		err = s.client.prepare()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", Redact(spec), err)
	}
	e.url.Path, e.url.RawPath = profileFolder(e.url.Path), ""
	query := e.url.Query()
	for _, key := range [...]string{"debug", "gc", "seconds"} {
		query.Del(key) // of the one profile that was named, not of those asked for
	}
	e.url.RawQuery = query.Encode()
	return &Server{s: s, at: e}, nil
}

// profileFolder is the folder of profiles that a path of a URL means.
func profileFolder(p string) string {
	if i := strings.LastIndex(p+"/", pprofRoot); i >= 0 {
		return p[:i] + pprofRoot
	}
	p = strings.TrimSuffix(p, "/")
	switch path.Base(p) {
	case "heap", "goroutine", "goroutineleak", "allocs", "profile", "block", "mutex", "threadcreate", "trace":
		return p[:strings.LastIndexByte(p, '/')+1]
	case ".", "/":
		return pprofRoot
	}
	return p + "/"
}

// String is the folder of the profiles as a source name, without password. Its
// query is whole: commands with it are to be run.
func (v *Server) String() string { return v.at.format((*url.URL).Redacted) }

// Host is the host and port of the server, "" for a unix socket, whose path
// Socket is.
func (v *Server) Host() string {
	if v.at.socket != "" {
		return ""
	}
	return v.at.url.Host
}

// Socket is the path of the unix socket, "" for the network.
func (v *Server) Socket() string { return v.at.socket }

// Port is the port of the server, also when it is that of the scheme.
func (v *Server) Port() string {
	if p := v.at.url.Port(); p != "" || v.at.socket != "" {
		return p
	}
	if v.at.url.Scheme == "https" {
		return "443"
	}
	return "80"
}

// Close ends the connections that are not in use.
func (v *Server) Close() { v.s.client.close() }

// Get asks for name in the folder of profiles, "" for the folder itself; a
// name that begins with a slash is one beside the folder: "/debug/vars" for
// /debug/pprof/. wait is how long the server works before it begins to answer.
// read gets the answer, unpacked if it came with a Content-Encoding. The error
// begins with what was asked, and says what to do if that is known; it wraps
// context errors and what read returned.
func (v *Server) Get(ctx context.Context, name string, query url.Values, wait time.Duration, read func(io.Reader) error) error {
	e := *v.at
	e.url = new(url.URL)
	*e.url = *v.at.url
	switch before, ok := strings.CutSuffix(e.url.Path, pprofRoot); {
	case !strings.HasPrefix(name, "/"):
		e.url.Path += name
	case ok:
		e.url.Path = before + name
	default:
		e.url.Path = name
	}
	values := e.url.Query()
	for key, list := range query {
		values[key] = list
	}
	e.url.RawQuery = values.Encode()
	v.s.adjust(&e)
	if v.s.opt.Timeout < 1 && wait > 0 {
		e.timeout = wait + wait/2
	}
	u := &remote{&e}
	if err := u.get(ctx, v.s, read); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %w", e.String(), err)
	}
	return nil
}

// get is load for whoever wants the bytes.
func (u *remote) get(parent context.Context, s *session, read func(io.Reader) error) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	dog := watch(&s.opt, u.at.timeout+grace, cancel)
	defer dog.end()
	t := silent()
	resp, err := s.client.do(ctx, u.at, http.MethodGet, "", nil)
	if err != nil {
		return u.explain(ctx, err, s, t)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return &answered{u.statusError(resp, u.final(resp), s)}
	}
	dog.next()
	m := &meter{ctx: ctx, in: resp.Body, track: t, onRead: dog.read}
	in, err := contentDecoded(m, resp.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	err = read(in)
	switch {
	case m.err != nil:
		return u.explainBody(ctx, m.err, resp, s, t)
	case err != nil:
		return &answered{err}
	}
	return nil
}

// answered is an error after the server answered something.
type answered struct{ error }

// Unwrap gives the error itself.
func (a *answered) Unwrap() error { return a.error }

// Answered tells of an error of Server.Get that there was an answer, only not
// the one that was wanted: it is no use to wait for the server to come back.
func Answered(err error) bool {
	var a *answered
	return errors.As(err, &a)
}

// Profiles asks the folder which profiles there are. An answer that is not
// the index page of net/http/pprof is an error that says what it is.
func (v *Server) Profiles(ctx context.Context) ([]string, error) {
	var page []byte
	err := v.Get(ctx, "", nil, 0, func(r io.Reader) (err error) {
		page, err = io.ReadAll(io.LimitReader(r, maxPage))
		return err
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, l := range indexLink.FindAllSubmatch(page, -1) {
		names = append(names, string(l[1]))
	}
	if names == nil {
		return nil, fmt.Errorf("%s: %w", v, v.NotAProfile(page))
	}
	return names, nil
}

// NotAProfile is the error for an answer that is no profile: what it is and
// where the profiles would be. It wraps format.ErrUnrecognized.
func (v *Server) NotAProfile(answer []byte) error {
	u := &remote{v.at}
	switch line := firstLine(answer); {
	case len(bytes.TrimSpace(answer)) == 0:
		return &hinted{fmt.Errorf("%w: the answer is empty", format.ErrUnrecognized), "something answers here, but not net/http/pprof; is this its port?"}
	case isHTML(answer):
		return fmt.Errorf("%w: %w", format.ErrUnrecognized, u.pageError(answer[:min(len(answer), maxPage)], v.at))
	case knownHint(line) != "":
		return &hinted{fmt.Errorf("%w: the answer is a message: %s", format.ErrUnrecognized, line), knownHint(line)}
	case line != "":
		return &hinted{fmt.Errorf("%w: the answer begins with %q", format.ErrUnrecognized, line), "the profiles of a Go service are under " + v.at.base() + pprofRoot}
	}
	return fmt.Errorf("%w: the answer is no profile", format.ErrUnrecognized)
}

// FileName makes a file name of a name that others chose: nothing in it leads
// to another folder or is unfit for a file system.
func FileName(s string) string { return fileName(s) }
