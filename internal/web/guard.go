package web

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/render"
)

// Limits of one request.
const (
	maxRequestBytes = 1 << 20
	maxURLBytes     = 64 << 10
	requestTime     = 5 * time.Minute
)

// uploadPath is where files are sent to; Options.MaxUpload bounds them.
const uploadPath = "/api/upload"

// policy is the content security policy: nothing from elsewhere, no script
// or style that stands in the page itself.
const policy = "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

// documentPolicy is that of reports which are documents of their own, HTML or
// SVG: styles in them, and of scripts only those that we put there, known by
// their hash.
func documentPolicy() string {
	p := "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; frame-ancestors 'none'; form-action 'none'; script-src"
	for _, script := range []string{render.PageScript(), render.SVGScript()} {
		sum := sha256.Sum256([]byte(script))
		p += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	return p
}

// guard lets through what the page itself, a person or a program of this
// machine asks for, and keeps out what other web sites make a browser ask for.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cache-Control", "no-store")
		defer s.recovered(w, r)
		if err := s.admit(r); err != nil {
			s.fail(w, r, err)
			return
		}
		if s.welcome(w, r) {
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), requestTime)
		defer cancel()
		if r.Body != nil && r.URL.Path != uploadPath {
			r.Body = http.MaxBytesReader(w, r.Body, maxRequestBytes)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// recovered turns a panic into a sentence.
func (s *Server) recovered(w http.ResponseWriter, r *http.Request) {
	v := recover()
	if v == nil || v == http.ErrAbortHandler {
		return
	}
	s.fail(w, r, newPanic(v))
}

// admit refuses requests that were made for another name, or by the page of
// another site.
func (s *Server) admit(r *http.Request) error {
	if len(r.URL.RawQuery) > maxURLBytes {
		return &Error{http.StatusRequestURITooLong, "the address is too long", "Take filters out of it."}
	}
	if !s.remote() && !s.answersFor(r.Host) {
		return forbidden("Open it as http://localhost.", "this server answers for %s only", s.hostName())
	}
	if o := r.Header.Get("Origin"); o != "" && !sameOrigin(o, r.Host) {
		return forbidden("", "a page of %s may not ask this server", o)
	}
	if s.opt.Stranger != nil && !s.remote() && r.Method != http.MethodGet && r.Method != http.MethodHead && s.opt.Stranger(r) {
		return forbidden("Start profound as the user who asks, or with -http=0.0.0.0:PORT: then the address that is printed has a token.", "another user of this machine may look, but not open or read anything")
	}
	switch site := r.Header.Get("Sec-Fetch-Site"); site {
	case "", "same-origin", "none":
	default:
		// A link from elsewhere may lead to a page, never to data.
		page := r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" &&
			r.Header.Get("Sec-Fetch-Dest") == "document" && !strings.HasPrefix(r.URL.Path, "/api/")
		if !page {
			return forbidden("", "another site may not ask this server")
		}
	}
	return nil
}

func sameOrigin(origin, host string) bool {
	u, err := url.Parse(origin)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && strings.EqualFold(u.Host, host)
}

// remote tells that the server was asked to serve the network.
func (s *Server) remote() bool { return !isLoopback(s.opt.Host) }

// isLoopback tells whether only this machine can reach a host.
func isLoopback(host string) bool {
	if host == "" || strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func (s *Server) hostName() string {
	if s.opt.Host == "" {
		return "localhost"
	}
	return s.opt.Host
}

// answersFor keeps other web sites from reading a local server through a name
// of their own that leads to it. A number cannot be such a name.
func (s *Server) answersFor(host string) bool {
	name, _, err := net.SplitHostPort(host)
	if err != nil {
		name = strings.Trim(host, "[]")
	}
	return strings.EqualFold(name, s.hostName()) || strings.EqualFold(name, "localhost") || net.ParseIP(name) != nil
}

// welcome checks the token of a server that the network can reach. It comes
// with the address that was printed and becomes a cookie. The answer is
// complete when it returns true.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) (done bool) {
	if s.opt.Token == "" {
		return false
	}
	query := r.URL.Query()
	if given := query.Get("token"); given != "" {
		if !s.isToken(given) {
			s.fail(w, r, forbidden("Use the address as it was printed last.", "this is not the token of this server"))
			return true
		}
		if r.Method == http.MethodGet && !strings.HasPrefix(r.URL.Path, "/api/") {
			s.setCookie(w, r, query)
			return true
		}
		query.Del("token")
		r.URL.RawQuery = query.Encode()
		return false
	}
	if c, err := r.Cookie(s.cookieName()); err == nil && s.isToken(c.Value) {
		return false
	}
	if bearer, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok && s.isToken(bearer) {
		return false
	}
	s.fail(w, r, forbidden("Open the address with the token that profound printed when it started.", "this server shows itself to those who have its token"))
	return true
}

func (s *Server) isToken(given string) bool {
	return subtle.ConstantTimeCompare([]byte(given), []byte(s.opt.Token)) == 1
}

// cookieName differs from server to server: cookies do not know ports.
func (s *Server) cookieName() string {
	sum := sha256.Sum256([]byte(s.opt.Token))
	return "profound-" + hex.EncodeToString(sum[:4])
}

// setCookie keeps the token and goes on to the address without it. It goes on
// by a page, not a redirect: a browser sends a strict cookie only where the
// page itself leads.
func (s *Server) setCookie(w http.ResponseWriter, r *http.Request, query url.Values) {
	http.SetCookie(w, &http.Cookie{Name: s.cookieName(), Value: s.opt.Token, Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode, Secure: r.TLS != nil})
	query.Del("token")
	to := (&url.URL{Path: "/" + strings.TrimLeft(r.URL.Path, "/"), RawQuery: query.Encode()}).String()
	to = html.EscapeString(to)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintf(w, "<!doctype html><title>Profound</title><meta http-equiv=\"refresh\" content=\"0;url=%s\"><p><a href=\"%s\">Go on to Profound</a></p>\n", to, to)
}
