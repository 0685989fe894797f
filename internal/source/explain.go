package source

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode"
)

// hinted is an error with what to do about it.
type hinted struct {
	err  error
	hint string // may be ""
}

// Error is the error and, after a semicolon, the hint.
func (h *hinted) Error() string {
	if h.hint == "" {
		return h.err.Error()
	}
	return h.err.Error() + "; " + h.hint
}

// Unwrap gives the error without the hint.
func (h *hinted) Unwrap() error { return h.err }

// explain makes a sentence of a request that got no answer.
func (u *remote) explain(ctx context.Context, err error, s *session, t *tracker) error {
	if context.Cause(ctx) == errSlow {
		return u.slow("no answer", s, t)
	}
	err = withoutURL(err)
	return &hinted{err, u.hint(err, s)}
}

// hint finds the advice for a failed connection.
func (u *remote) hint(err error, s *session) string {
	var (
		dns       *net.DNSError
		op        *net.OpError
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		record    tls.RecordHeaderError
	)
	host := u.at.url.Host
	switch {
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "this is the proxy " + u.proxy(s) + "; name the hosts to reach without it in NO_PROXY"
	case u.at.socket != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ECONNREFUSED)):
		return "nothing listens on the socket " + u.at.socket + "; is the service running?"
	case u.at.socket != "" && errors.Is(err, fs.ErrPermission):
		return "the socket " + u.at.socket + " is not open to this user"
	case errors.As(err, &dns) && u.at.bare:
		return "there is neither a file nor a host of this name"
	case errors.As(err, &dns):
		return "check the name of the host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nothing listens on " + host + "; is the service running, and is this its port?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to " + host + " from here"
	case errors.As(err, &authority):
		return "name its authority with -tls_ca, or write https+insecure:// to skip the check"
	case errors.As(err, &name), errors.As(err, &invalid):
		return "write https+insecure:// to skip the check"
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the server does not speak TLS on this port: write http://"
	case errors.As(err, &op) && op.Op == "remote error": // a TLS alert
		return "the server refused the TLS handshake; it may want a client certificate: -tls_cert and -tls_key"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the server closed the connection without an answer; its WriteTimeout may be shorter than the collection, it may have crashed, or it speaks TLS (https://)"
	}
	return ""
}

// proxy is the proxy for this request, without password; "" for none.
func (u *remote) proxy(s *session) string {
	if s.opt.Proxy == nil || u.at.socket != "" {
		return ""
	}
	p, err := s.opt.Proxy(&http.Request{URL: u.at.url})
	if err != nil || p == nil {
		return ""
	}
	return p.Redacted()
}

// slow is the error of the watchdog.
func (u *remote) slow(what string, s *session, t *tracker) error {
	err := fmt.Errorf("timeout: %s within %v", what, u.at.timeout+grace)
	if n := t.bytes(); n > 0 {
		err = fmt.Errorf("timeout: %s within %v, after %d bytes", what, u.at.timeout+grace, n)
	}
	hint := fmt.Sprintf("raise -timeout, now %d seconds", int(u.at.timeout/time.Second))
	if p := u.proxy(s); p != "" {
		hint += "; the request went to the proxy " + p
	}
	return &hinted{err, hint}
}

// explainBody makes a sentence of an answer that broke off.
func (u *remote) explainBody(ctx context.Context, err error, resp *http.Response, s *session, t *tracker) error {
	if context.Cause(ctx) == errSlow {
		return u.slow("no end of the answer", s, t)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) {
		got := fmt.Sprintf("after %d bytes", t.bytes())
		if resp.ContentLength >= 0 {
			got = fmt.Sprintf("after %d of %d bytes", t.bytes(), resp.ContentLength)
		}
		return &hinted{fmt.Errorf("the answer broke off %s: %w", got, err), "the server may have stopped, or its WriteTimeout is too short; try again"}
	}
	return fmt.Errorf("read answer: %w", err)
}

// statusError makes a sentence of an answer that is no 200. Its beginning is
// pprof's: the text of the answer is shown if it comes from a pprof endpoint;
// from others only a short line of plain text is.
func (u *remote) statusError(resp *http.Response, final *endpoint, s *session) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxMessage))
	if in, err := contentDecoded(strings.NewReader(string(body)), resp.Header.Get("Content-Encoding")); err == nil {
		body, _ = io.ReadAll(io.LimitReader(in, maxMessage))
	}
	plain := strings.Contains(resp.Header.Get("Content-Type"), "text/plain")
	line := ""
	switch {
	case plain && resp.Header.Get("X-Go-Pprof") != "":
		line = printable(strings.TrimSpace(string(body)))
	case !isHTML(body):
		line = firstLine(body)
	}
	if s.opt.Discreet && knownHint(line) == "" {
		line = ""
	}
	err := errors.New("server response: " + resp.Status)
	if line != "" {
		err = errors.New("server response: " + resp.Status + " - " + line)
	}
	return &hinted{err, u.statusHint(resp, final, line, s)}
}

func (u *remote) statusHint(resp *http.Response, final *endpoint, line string, s *session) string {
	var hint string
	pprofAnswer := resp.Header.Get("X-Go-Pprof") != ""
	switch code := resp.StatusCode; {
	case knownHint(line) != "":
		hint = knownHint(line)
	case code == http.StatusUnauthorized && u.credentials(s):
		hint = "the server does not accept these credentials"
	case code == http.StatusUnauthorized, code == http.StatusForbidden:
		hint = `if the server wants credentials, give them with -header "Authorization: ..." or -bearer_token_file`
	case code == http.StatusProxyAuthRequired:
		hint = "the proxy wants credentials, as http://USER:PASSWORD@HOST in its URL"
	case code == http.StatusNotFound && pprofAnswer:
		hint = "the profiles of this process are listed at " + final.base() + pprofRoot
	case code == http.StatusNotFound:
		hint = "is net/http/pprof registered on this server? its profiles would be at " + final.base() + pprofRoot
	case code == http.StatusBadGateway, code == http.StatusServiceUnavailable, code == http.StatusGatewayTimeout:
		hint = "something between here and the service could not reach it, or not for so long; fetch from the service itself"
	}
	var more []string
	if hint != "" {
		more = append(more, hint)
	}
	if f := u.at; final.String() != f.String() {
		where := "redirected to " + final.String()
		if (resp.StatusCode == http.StatusUnauthorized || resp.StatusCode == http.StatusForbidden) && !trusts(f.url, final.url) && u.credentials(s) {
			where += ", where the credentials were not sent"
		}
		more = append(more, where)
	}
	if p := u.proxy(s); p != "" && resp.StatusCode >= 500 && !pprofAnswer {
		more = append(more, "the request went to the proxy "+p)
	}
	return strings.Join(more, "; ")
}

// credentials tells whether the request carried any.
func (u *remote) credentials(s *session) bool {
	return u.at.url.User != nil || s.client.header.Get("Authorization") != ""
}

// knownHint knows the messages of net/http/pprof and net/http and what to do
// about them.
func knownHint(message string) string {
	for _, k := range []struct{ text, hint string }{
		{"cpu profiling already in use", "another CPU profile of this process is being taken; try again when it has ended"},
		{"profile duration exceeds server's WriteTimeout", "ask for fewer -seconds, or raise the WriteTimeout of the server"},
		{"Client sent an HTTP request to an HTTPS server", "write https://"},
	} {
		if strings.Contains(message, k.text) {
			return k.hint
		}
	}
	return ""
}

// indexLink finds the profiles in the index page of net/http/pprof.
var indexLink = regexp.MustCompile(`href=['"]?([A-Za-z0-9_.-]+)\?debug=`)

// pageError is about a page that came instead of a profile.
func (u *remote) pageError(page []byte, final *endpoint) error {
	base := final.base() + pprofRoot
	if i := strings.LastIndex(final.url.Path, pprofRoot); i >= 0 {
		base = final.base() + final.url.Path[:i] + pprofRoot
	}
	if links := indexLink.FindAllSubmatch(page, -1); links != nil {
		var names []string
		example := ""
		for _, l := range links {
			names = append(names, string(l[1]))
			if example == "" || string(l[1]) == "heap" {
				example = base + string(l[1])
			}
		}
		return &hinted{errors.New("the answer is the index page of net/http/pprof, not a profile"),
			"ask for one of its profiles, such as " + example + " (there are " + strings.Join(names, ", ") + ", profile)"}
	}
	hint := "the profiles of a Go service are under " + base + ", such as " + base + "heap"
	if final.String() != u.at.String() {
		hint = "redirected to " + final.String() + ": if that is a login page, give credentials with -header or -bearer_token_file; " + hint
	}
	return &hinted{errors.New("the answer is an HTML page, not a profile"), hint}
}

// firstLine is the first line of body if that is short text for people.
func firstLine(body []byte) string {
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	line = strings.TrimSpace(line)
	const most = 200
	if len(line) > most || printable(line) != line {
		return ""
	}
	return line
}

// printable replaces what a terminal might obey: the text comes from a server.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) && r != unicode.ReplacementChar {
			return r
		}
		return '?'
	}, s)
}

// explainFile takes the path, which stands before every error, out of err.
func explainFile(err error) error {
	var pe *fs.PathError
	if !errors.As(err, &pe) {
		return err
	}
	if errors.Is(err, fs.ErrPermission) {
		return &hinted{pe.Err, "this user may not read it"}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return &hinted{pe.Err, ""}
	}
	return fmt.Errorf("%s: %w", pe.Op, pe.Err)
}

// missing is the error for a name that is no file and no URL, with a guess at
// what was meant.
func missing(spec string, statErr error) error {
	if !errors.Is(statErr, fs.ErrNotExist) {
		return explainFile(statErr)
	}
	var pe *fs.PathError
	err := statErr
	if errors.As(statErr, &pe) {
		err = pe.Err
	}
	return &hinted{err, missingHint(spec)}
}

func missingHint(spec string) string {
	if strings.HasPrefix(spec, "-") {
		return "it looks like a flag, but what follows -- is a source; write it before --, or ./" + spec + " for a file of this name"
	}
	if hint := tilde(spec); hint != "" {
		return hint
	}
	if i := strings.Index(spec, pprofRoot); i > 0 && !strings.HasPrefix(spec, "/") {
		return "for a server write http://" + spec
	}
	if spec == "localhost" {
		return "for a server write " + spec + ":PORT"
	}
	dir, base := filepath.Split(spec)
	if dir != "" {
		if parent := missingParent(filepath.Clean(dir)); parent != "" {
			return "there is no directory " + parent
		}
	}
	if near := nearest(dir, base); near != "" {
		return "did you mean " + dir + near + "?"
	}
	return ""
}

func tilde(spec string) string {
	if strings.HasPrefix(spec, "~") {
		return "~ stands for the home directory only where the shell sees it, outside quotes"
	}
	return ""
}

// missingParent is the first part of dir that does not exist, "" if all do.
func missingParent(dir string) string {
	gone := ""
	for {
		if _, err := os.Stat(dir); err == nil {
			return gone
		}
		gone = dir
		up := filepath.Dir(dir)
		if up == dir {
			return gone
		}
		dir = up
	}
}

// maxEntries bounds the directory that is searched for a similar name.
const maxEntries = 5000

// nearest is the entry of dir most like name, "" when none is: at most two
// letters apart without regard to case, or name with an extension.
func nearest(dir, name string) string {
	if dir == "" {
		dir = "."
	}
	d, err := os.Open(dir)
	if err != nil {
		return ""
	}
	defer d.Close()
	entries, err := d.Readdirnames(maxEntries)
	if err != nil {
		return ""
	}
	best, bestDistance := "", 3
	want := strings.ToLower(name)
	for _, e := range entries {
		have := strings.ToLower(e)
		distance := editDistance(want, have)
		if strings.HasPrefix(have, want+".") {
			distance = 1
		}
		if 2*distance > len(want) {
			continue
		}
		if distance < bestDistance || distance == bestDistance && e < best {
			best, bestDistance = e, distance
		}
	}
	return best
}

// editDistance is Levenshtein's distance of two names, in bytes; 3 when it is
// surely more than 2.
func editDistance(a, b string) int {
	if len(a)-len(b) > 2 || len(b)-len(a) > 2 {
		return 3
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
