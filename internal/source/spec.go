package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"time"
)

// input is one thing that can be read: a file, a stream, a URL.
type input interface {
	load(ctx context.Context, s *session, t *tracker, r *Result) error
}

// announcer is an input that says something before it starts, in the order of
// the sources.
type announcer interface {
	announce(s *session)
}

// job is one future Result.
type job struct {
	spec  string
	name  string // what is read, for display
	label string // what errors begin with
	in    input
	err   error // set when there is nothing to load
	group int   // see Result
}

func (j *job) remote() bool {
	_, ok := j.in.(*remote)
	return ok
}

// waits tells whether the input mostly waits for somebody else.
func (j *job) waits() bool {
	switch j.in.(type) {
	case *remote, *stream, *stdin:
		return true
	}
	return false
}

// expand decides what each spec is; directories and globs give several jobs.
func (s *session) expand(specs []string) []job {
	var jobs []job
	stdinUsed := false
	for i, spec := range specs {
		group := -1
		inputs, err := s.resolve(spec)
		if err == nil && len(inputs) > 0 {
			if _, ok := inputs[0].in.(*stdin); ok {
				if stdinUsed {
					err = errors.New("standard input can be read only once")
				}
				stdinUsed = true
			}
		}
		if err != nil {
			jobs = append(jobs, job{spec: spec, name: Redact(spec), label: Redact(spec), err: err, group: -1})
			continue
		}
		if inputs[0].grouped {
			group = i
		}
		for _, in := range inputs {
			label := in.name
			if len(inputs) == 1 && !in.grouped && spec != "-" {
				label = Redact(spec) // as in pprof
			}
			jobs = append(jobs, job{spec: spec, name: in.name, label: label, in: in.in, group: group})
		}
	}
	return jobs
}

// named is an input with its name for display; grouped when it is of a
// directory or a glob.
type named struct {
	name    string
	in      input
	grouped bool
}

func one(name string, in input) []named { return []named{{name: name, in: in}} }

// resolve finds out what spec is. A file that exists wins over every other
// reading, as in pprof: profiles are called things like mem_2023-11-02_03:55:24.
func (s *session) resolve(spec string) ([]named, error) {
	switch spec {
	case "":
		return nil, errors.New("empty source name")
	case "-":
		if s.opt.Stdin == nil {
			return nil, errors.New("there is no standard input; write ./- for a file of that name")
		}
		return one(cmp.Or(s.opt.StdinName, "standard input"), &stdin{s.opt.Stdin}), nil
	case "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0":
		if s.opt.Stdin != nil {
			return one(spec, &stdin{s.opt.Stdin}), nil
		}
	}
	path := spec
	if u, err := url.Parse(spec); err == nil && u.Scheme == "file" && (u.Host == "" || u.Host == "localhost") && u.Path != "" {
		path = u.Path
	}
	info, statErr := os.Stat(path)
	if statErr == nil {
		return resolvePath(path, info)
	}
	if path != spec {
		return nil, missing(path, statErr)
	}
	if rest, ok := strings.CutPrefix(spec, "unix:"); ok {
		e, err := s.socketEndpoint(rest)
		if err != nil {
			return nil, err
		}
		return s.endpoints(e)
	}
	if strings.ContainsAny(spec, "*?[") && !strings.Contains(spec, "://") {
		found, err := resolveGlob(spec)
		if len(found) > 0 || err != nil {
			return found, err
		}
	}
	e, err := s.urlEndpoint(spec)
	switch {
	case err != nil:
		return nil, err
	case e != nil:
		return s.endpoints(e)
	case strings.ContainsAny(spec, "*?["):
		return nil, &hinted{fmt.Errorf("no file matches this pattern: %w", fs.ErrNotExist), tilde(spec)}
	}
	return nil, missing(spec, statErr)
}

// resolvePath is for what exists in the file system.
func resolvePath(path string, info fs.FileInfo) ([]named, error) {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return one(path, &file{path: path}), nil
	case mode.IsDir():
		return resolveDir(path)
	case mode&fs.ModeSocket != 0:
		return nil, &hinted{errors.New("is a socket"), "to ask the service behind it write unix:" + path + ":/debug/pprof/heap"}
	default:
		return one(path, &stream{path: path}), nil
	}
}

// resolveDir lists the regular files directly inside dir, sorted by name.
// Hidden files are left out.
func resolveDir(dir string) ([]named, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, explainFile(err)
	}
	var paths []string
	subdirs := 0
	for _, e := range entries {
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			subdirs++
		default:
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	files := regularFiles(paths)
	if len(files) == 0 {
		hint := ""
		if subdirs > 0 {
			hint = "directories inside it are not searched; name one of them"
		}
		return nil, &hinted{errors.New("directory without profiles: it has no files"), hint}
	}
	return files, nil
}

// resolveGlob lists the regular files that match pattern, sorted by name;
// nothing when none does.
func resolveGlob(pattern string) ([]named, error) {
	paths, err := filepath.Glob(pattern)
	if err != nil {
		return nil, fmt.Errorf("pattern: %w", err)
	}
	files := regularFiles(paths)
	if len(files) == 0 && len(paths) > 0 {
		return nil, errors.New("pattern matches directories or special files only")
	}
	return files, nil
}

func regularFiles(paths []string) []named {
	sort.Strings(paths)
	var files []named
	for _, p := range paths {
		if info, err := os.Stat(p); err != nil || info.Mode().IsRegular() {
			files = append(files, named{name: p, in: &file{path: p}, grouped: true})
		}
	}
	return files
}

// endpoint is a URL to ask and how.
type endpoint struct {
	url    *url.URL // scheme http or https; host localhost for a socket
	socket string   // path of a unix socket, "" for the network
	// insecure is set by https+insecure.
	insecure bool
	// bare is set when the user gave no scheme, so it may be a misspelt file.
	bare bool
	// wait is how long the server collects, as far as the URL tells; timeout
	// how long it may take to begin its answer, without the 5 seconds grace.
	wait, timeout time.Duration
}

// pprofRoot is where net/http/pprof lives.
const pprofRoot = "/debug/pprof/"

// cpuSeconds is what net/http/pprof collects when it is not told.
const cpuSeconds = 30

// urlEndpoint reads spec as a URL by pprof's rule: what does not parse, or has a
// scheme but no host, gets http:// in front. It returns nil if spec is no URL.
func (s *session) urlEndpoint(spec string) (*endpoint, error) {
	u, err := url.Parse(spec)
	bare := false
	if err != nil && strings.Contains(spec, "://") {
		return nil, fmt.Errorf("url: %w", withoutURL(err))
	}
	if err != nil || u.Host == "" && u.Scheme != "" && u.Scheme != "file" {
		bare = true
		u, err = url.Parse("http://" + spec)
	}
	if err != nil || u.Host == "" || u.Scheme == "" {
		return nil, nil
	}
	e := &endpoint{url: u, bare: bare}
	switch u.Scheme {
	case "http", "https":
	case "https+insecure":
		u.Scheme, e.insecure = "https", true
	default:
		return nil, fmt.Errorf("url scheme %q is not one of http, https, https+insecure, unix, file", u.Scheme)
	}
	return e, nil
}

// socketEndpoint reads what follows "unix:".
func (s *session) socketEndpoint(rest string) (*endpoint, error) {
	if strings.HasPrefix(rest, "//") {
		rest = "/" + strings.TrimLeft(rest, "/")
	}
	socket, target, ok := strings.Cut(rest, ":/")
	if ok {
		target = "/" + target
	}
	if socket == "" {
		return nil, errors.New("unix socket without a path; write unix:/path/to.sock:/debug/pprof/heap")
	}
	u, err := url.Parse("http://localhost" + target)
	if err != nil {
		return nil, fmt.Errorf("url: %w", withoutURL(err))
	}
	return &endpoint{url: u, socket: socket}, nil
}

// withoutURL strips the *url.Error that repeats the whole name.
func withoutURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

// endpoints makes the inputs of a URL: one, or one for each of Options.Types
// when the URL names a server only.
func (s *session) endpoints(e *endpoint) ([]named, error) {
	path := strings.TrimSuffix(e.url.Path, "/")
	root := strings.TrimSuffix(pprofRoot, "/")
	if len(s.opt.Types) == 0 || path != "" && !strings.HasSuffix(path, root) {
		if path == "" {
			e.url.Path = pprofRoot + "profile"
		}
		s.adjust(e)
		return one(e.String(), &remote{e}), nil
	}
	prefix := strings.TrimSuffix(path, root) + pprofRoot
	var all []named
	for _, t := range s.opt.Types {
		if t == "cpu" {
			t = "profile"
		}
		c := *e
		c.url = new(url.URL)
		*c.url = *e.url
		c.url.Path, c.url.RawPath = prefix+t, ""
		s.adjust(&c)
		all = append(all, named{name: c.String(), in: &remote{&c}})
	}
	return all, nil
}

// adjust applies Seconds and Timeout. The query is encoded anew even if it is
// not changed, as pprof does, so that both print the same URL.
func (s *session) adjust(e *endpoint) {
	values := e.url.Query()
	if s.opt.Seconds > 0 {
		values.Set("seconds", strconv.Itoa(s.opt.Seconds))
		e.wait = time.Duration(s.opt.Seconds) * time.Second
	} else if n, err := strconv.ParseInt(values.Get("seconds"), 10, 32); err == nil && n > 0 {
		e.wait = time.Duration(n) * time.Second
	}
	e.url.RawQuery = values.Encode()
	switch {
	case s.opt.Timeout > 0:
		e.timeout = time.Duration(s.opt.Timeout) * time.Second
	case e.wait > 0:
		e.timeout = e.wait + e.wait/2
	default:
		e.timeout = 60 * time.Second
	}
	if e.wait == 0 && strings.HasSuffix(e.url.Path, pprofRoot+"profile") {
		e.wait = cpuSeconds * time.Second
	}
}

// String is the endpoint as the user would write it, without secrets.
func (e *endpoint) String() string { return redactQuery(e.format((*url.URL).Redacted)) }

// secret is the endpoint with its credentials.
func (e *endpoint) secret() string { return e.format((*url.URL).String) }

func (e *endpoint) format(text func(*url.URL) string) string {
	if e.socket != "" {
		return "unix:" + e.socket + ":" + e.url.RequestURI()
	}
	u := *e.url
	if e.insecure {
		u.Scheme = "https+insecure"
	}
	return text(&u)
}

// base is the server alone, for hints.
func (e *endpoint) base() string {
	if e.socket != "" {
		return "unix:" + e.socket + ":"
	}
	b := endpoint{url: &url.URL{Scheme: e.url.Scheme, Host: e.url.Host}, insecure: e.insecure}
	return b.String()
}

// Redact is a source name without the secrets it may carry, for display: the
// password of a user, and parameters of a query that are called after one.
func Redact(spec string) string {
	spec = redactQuery(spec)
	for _, scheme := range []string{"", "http://"} {
		u, err := url.Parse(scheme + spec)
		if err == nil && u.User != nil {
			return strings.TrimPrefix(u.Redacted(), scheme)
		}
	}
	return spec
}

// redacted stands for a secret, as in (*url.URL).Redacted.
const redacted = "xxxxx"

// redactQuery blanks the values of the query of a URL that are secrets by their
// keys. All else stays as it was written.
func redactQuery(spec string) string {
	before, query, ok := strings.Cut(spec, "?")
	if !ok {
		return spec
	}
	query, fragment, _ := strings.Cut(query, "#")
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		if key, value, _ := strings.Cut(pair, "="); value != "" && isSecret(key) {
			pairs[i] = key + "=" + redacted
		}
	}
	if fragment != "" {
		fragment = "#" + fragment
	}
	return before + "?" + strings.Join(pairs, "&") + fragment
}

// isSecret tells by the key of a parameter that its value is one.
func isSecret(key string) bool {
	if plain, err := url.QueryUnescape(key); err == nil {
		key = plain
	}
	key = strings.ToLower(key)
	for _, word := range [...]string{"token", "key", "secret", "sig", "pass", "auth", "cred"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}
