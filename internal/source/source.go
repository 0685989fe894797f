// Package source turns the names a user gives into profiles: regular files,
// standard input and pipes, directories and globs, http and https URLs, unix
// sockets, perf.data files. It also does the two other things that depend on
// where a profile came from: asking the same server for the names of addresses
// (Symbolz) and keeping a copy of what was fetched (Save).
//
// The main entry is Fetch: a list of names in, a list of Results out, each a
// decoded profile with its provenance or the reason why there is none. Bytes
// become profiles in internal/format; this package never looks inside them
// beyond the first few hundred bytes, which is enough to tell a user that he
// named an executable or a web page.
//
// # Names
//
// A name is tried in this order, which keeps every name go tool pprof takes:
//
//   - /dev/stdin  /dev/fd/0       Options.Stdin
//     FILE                           anything that exists: file, pipe, directory
//     DIR                            every profile directly inside, by name
//     file:///PATH                   the file PATH
//     http:// https://               a URL
//     https+insecure://              https, the certificate is not checked
//     unix:SOCKET[:/HTTP/PATH]       HTTP over a unix socket; see below
//     GLOB                           every profile that matches, by name
//     HOST:PORT[/PATH]               http://HOST:PORT/PATH
//
// A URL without a path means /debug/pprof/profile, as in go tool pprof.
//
// The socket form splits at the first ":/" after "unix:", so
// unix:/run/app.sock:/debug/pprof/heap asks the socket /run/app.sock for
// /debug/pprof/heap; the socket path may be relative (unix:app.sock) and cannot
// itself hold ":/". An absolute path may be written with two more slashes
// (unix:///run/app.sock). Rejected: percent-encoding the socket as a host
// (http+unix://%2Frun%2Fapp.sock/...), which nobody can type.
package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"runtime"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
)

// Options is everything Fetch and Symbolz need to know about the user's wishes
// and about the world. The zero value reads files and plain URLs.
type Options struct {
	// Role is the word for these sources in messages: "source" (the default)
	// or "base".
	Role string
	// Seconds is the length of a collection that is asked for from servers,
	// as ?seconds=; below 1 leaves URLs as they are.
	Seconds int
	// Timeout is how many seconds a server may take to begin its answer, to
	// which 5 are added; below 1 means 1.5 times the length of the collection,
	// or 60 when it has none.
	Timeout int
	// MaxBytes bounds a profile, as it is read and as it is unpacked; 0 means
	// format.DefaultMaxBytes. What is larger fails with format.ErrTooLarge.
	MaxBytes int64
	// Concurrency is how many sources are read at the same time; below 1 means
	// 128 that wait (servers, pipes) and one file for each processor.
	Concurrency int
	// Types names the profiles to fetch (heap, goroutine, profile ...) from a
	// URL that names a server and no profile: an empty path, / or
	// /debug/pprof/. Empty means go tool pprof's choice, the CPU profile.
	Types []string

	// Headers are sent with every request, each as "Name: value".
	Headers []string
	// BearerTokenFile is a file with a token for the Authorization header.
	BearerTokenFile string
	TLS             TLSOptions
	// Proxy chooses the proxy of a request; nil means none.
	Proxy func(*http.Request) (*url.URL, error)

	// Stdin is read for "-"; nil means that there is none. StdinName is what it
	// is called in messages; "" is "standard input".
	Stdin     io.Reader
	StdinName string
	// Discreet keeps what is in files and answers out of errors: who asks may
	// not be who may read them.
	Discreet bool
	Perf     PerfTools

	// Messages receives the lines pprof prints while it fetches, without line
	// ends, one call at a time; nil drops them.
	Messages func(string)
	// Progress receives the state of every source, one call at a time; nil
	// drops it.
	Progress func(Event)
	// Now is the wall clock of Result.Time and of countdowns; nil leaves both
	// out.
	Now func() time.Time
	// AfterFunc runs f once in a goroutine of its own when d has passed, unless
	// stopped before: the timer of all timeouts. nil means time.AfterFunc.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// TLSOptions are the files of a TLS client, PEM encoded; "" means none.
type TLSOptions struct {
	Cert, Key string
	// CA replaces the system's certificate authorities.
	CA string
	// Insecure accepts any certificate, as https+insecure:// does.
	Insecure bool
}

// Event is the state of one source while Fetch runs.
type Event struct {
	// Index counts the sources from 0 in the order of the results; Name is what
	// is read, fit for display.
	Index int
	Name  string
	// Bytes is how many were read so far; Total how many there will be, -1 when
	// unknown.
	Bytes, Total int64
	// Wait is how long the server still collects before it answers; 0 when it
	// does not, or should be ready.
	Wait time.Duration
	// Done is set on the last event of a source.
	Done bool
}

// Result is what became of one source.
type Result struct {
	// Spec is the name as the user gave it; a directory or a glob gives several
	// results with the same Spec.
	Spec string
	// Name is what was read: a path, a URL without password.
	Name string
	// URL is where the answer came from, after redirects and without password;
	// "" for what is local.
	URL string
	// Endpoint is URL with the credentials it needs to be asked again, for
	// Symbolz; not for display.
	Endpoint string
	// Profile is nil when Err is set.
	Profile *profile.Profile
	Kind    format.Kind
	Remote  bool
	// Time is when reading began, by Options.Now.
	Time time.Time
	// Bytes is the size of what was read, before unpacking.
	Bytes int64
	// Err tells why there is no profile; it begins with the name of the source. It wraps
	// format.ErrUnrecognized or format.ErrEmpty for what is no profile, which in
	// a directory or a glob is a remark rather than a failure.
	Err error

	group int // index of the spec whose directory or glob this is of, -1 else
}

// NoneError is the error of Fetch when no source gave a profile. Its text is
// pprof's; the reasons are in the results and can be reached with errors.Is
// and errors.As.
type NoneError struct {
	Role    string
	Reasons []error
}

// Error is pprof's sentence.
func (e *NoneError) Error() string {
	return "failed to fetch any " + e.Role + " profiles"
}

// Unwrap gives the reasons, one for each source.
func (e *NoneError) Unwrap() []error { return e.Reasons }

// Fetch reads the sources named by specs, at the same time, and returns their
// results in the order of specs, the files of a directory by name. A source
// that fails has its Err set; only when all fail there is an error, and then
// the results say why. When ctx ends, Fetch returns its error at once and
// leaves nothing running, except for a read from an Options.Stdin that offers
// no way to be interrupted.
func Fetch(ctx context.Context, specs []string, opt Options) ([]Result, error) {
	if len(specs) == 0 {
		return nil, errors.New("no profile source specified")
	}
	s := newSession(opt)
	defer s.client.close()
	jobs := s.expand(specs)
	for _, j := range jobs {
		if j.remote() {
			if err := s.client.prepare(); err != nil {
				return nil, err
			}
			break
		}
	}
	results := make([]Result, len(jobs))
	for i, j := range jobs {
		results[i] = Result{Spec: j.spec, Name: j.name, Remote: j.remote(), group: j.group}
	}
	s.run(ctx, jobs, results)
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	results = foldEmptyGroups(results)
	none := &NoneError{Role: s.role()}
	for i := range results {
		if results[i].Err == nil {
			return results, nil
		}
		none.Reasons = append(none.Reasons, results[i].Err)
	}
	return results, none
}

// FetchFiles is Fetch for regular files only, one after the other, in little
// memory: each gets a profile that is valid until it returns, in the order of
// the names, and the results have none. ok is false, and nothing was read,
// when a source is anything else. An error of each ends the work and is
// returned.
func FetchFiles(ctx context.Context, specs []string, opt Options, each func(*Result) error) (results []Result, ok bool, err error) {
	s := newSession(opt)
	defer s.client.close()
	s.lend = true
	jobs := s.expand(specs)
	for _, j := range jobs {
		if _, isFile := j.in.(*file); !isFile || j.err != nil {
			return nil, false, nil
		}
	}
	results = make([]Result, len(jobs))
	none := &NoneError{Role: s.role()}
	for i := range jobs {
		r := &results[i]
		*r = Result{Spec: jobs[i].spec, Name: jobs[i].name, group: jobs[i].group}
		s.load(ctx, i, &jobs[i], r)
		if ctx.Err() != nil {
			return nil, true, ctx.Err()
		}
		if r.Err != nil {
			none.Reasons = append(none.Reasons, r.Err)
			continue
		}
		if err := each(r); err != nil {
			return nil, true, err
		}
		r.Profile = nil
	}
	if len(none.Reasons) == len(jobs) {
		return results, true, none
	}
	return foldEmptyGroups(results), true, nil
}

// Failures is what pprof prints about results that have an error: a line for
// each and, unless all failed, the count. The files of a directory that are no
// profiles get their line, but do not count as sources.
func Failures(results []Result, role string) []string {
	var lines []string
	got, want := 0, 0
	for i := range results {
		r := &results[i]
		if r.Err == nil {
			got++
		} else {
			lines = append(lines, r.Err.Error())
		}
		if r.Err == nil || r.group < 0 || !isForeign(r.Err) {
			want++
		}
	}
	if got > 0 && got != want {
		lines = append(lines, fmt.Sprintf("Fetched %d %s profiles out of %d", got, role, want))
	}
	return lines
}

// isForeign tells whether err is about an input that is no profile, rather than
// about one that could not be read.
func isForeign(err error) bool {
	return errors.Is(err, format.ErrUnrecognized) || errors.Is(err, format.ErrEmpty)
}

// foldEmptyGroups replaces the results of a directory or glob that gave no
// profile at all by one.
func foldEmptyGroups(results []Result) []Result {
	good := map[int]bool{}
	files := map[int]int{}
	for i := range results {
		good[results[i].group] = good[results[i].group] || results[i].Err == nil
		files[results[i].group]++
	}
	out := results[:0:0]
	seen := map[int]bool{}
	for _, r := range results {
		switch {
		case r.group < 0 || good[r.group]:
			out = append(out, r)
		case !seen[r.group]:
			seen[r.group] = true
			r.Err = fmt.Errorf("%s: no profiles among %s; the first: %w", r.Spec, count(files[r.group], "file"), r.Err)
			r.Name, r.group = r.Spec, -1
			out = append(out, r)
		}
	}
	return out
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// session is one call of Fetch or Symbolz: the options with their defaults and
// the HTTP client, which outlives a single source.
type session struct {
	opt    Options
	client *client
	mu     sync.Mutex // serializes Messages and Progress
	// scratch lends decoding buffers (*format.Scratch) to one source after
	// another.
	scratch sync.Pool
	readers sync.Pool // *bufio.Reader of readBuffer bytes
	lend    bool      // profiles live only until the next one is read
}

func newSession(opt Options) *session {
	if opt.AfterFunc == nil {
		opt.AfterFunc = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return &session{opt: opt, client: &client{opt: &opt}}
}

func (s *session) role() string {
	if s.opt.Role == "" {
		return "source"
	}
	return s.opt.Role
}

func (s *session) say(line string) {
	if s.opt.Messages == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Messages(line)
}

func (s *session) tell(e Event) {
	if s.opt.Progress == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opt.Progress(e)
}

// pprofConcurrency is how many sources pprof fetches at the same time.
const pprofConcurrency = 128

// run loads all jobs. Those that mostly wait, servers and pipes, have slots of
// their own: a collection of 30 seconds must run on all servers at the same
// time and must not queue behind files. Both kinds start in the order of jobs,
// so the messages about them come in that order too.
func (s *session) run(ctx context.Context, jobs []job, results []Result) {
	waiting, local := s.opt.Concurrency, s.opt.Concurrency
	if s.opt.Concurrency < 1 {
		waiting, local = pprofConcurrency, runtime.GOMAXPROCS(0)
	}
	var wg sync.WaitGroup
	start := func(waits bool, slots chan struct{}) {
		for i := range jobs {
			if jobs[i].waits() != waits {
				continue
			}
			select {
			case slots <- struct{}{}:
			case <-ctx.Done():
				return
			}
			if b, ok := jobs[i].in.(announcer); ok {
				b.announce(s)
			}
			wg.Go(func() {
				defer func() { <-slots }()
				s.load(ctx, i, &jobs[i], &results[i])
			})
		}
	}
	wg.Go(func() { start(true, make(chan struct{}, waiting)) })
	wg.Go(func() { start(false, make(chan struct{}, local)) })
	wg.Wait()
}

// load fills in the result of one job.
func (s *session) load(ctx context.Context, index int, j *job, r *Result) {
	if s.opt.Now != nil {
		r.Time = s.opt.Now()
	}
	t := &tracker{s: s, event: Event{Index: index, Name: r.Name, Total: -1}}
	err := j.err
	if err == nil {
		err = j.in.load(ctx, s, t, r)
	}
	r.Bytes = t.event.Bytes
	if err != nil {
		r.Profile = nil
		r.Err = fmt.Errorf("%s: %w", j.label, err)
		if ctx.Err() != nil {
			r.Err = ctx.Err()
		}
	}
	t.done()
}
