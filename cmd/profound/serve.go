package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// serve answers -http: the page of -html at the address given, its filters
// taken from pprof's URL parameters, and the profile for download. It listens
// on loopback unless a host is named, and then too refuses requests that were
// made for another host name.
func (s *session) serve(ctx context.Context, inv *invocation) error {
	host, port, err := net.SplitHostPort(inv.http)
	if err != nil {
		return usagef("-http=%s: %w; write it like localhost:8080 or :0", inv.http, err)
	}
	if host == "" {
		host = "localhost"
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("-http=%s: %w", inv.http, err)
	}
	addr := l.Addr().(*net.TCPAddr)
	url := "http://" + net.JoinHostPort(host, fmt.Sprint(addr.Port)) + "/ui/"
	srv := &http.Server{Handler: s.handler(inv.options, host), ReadHeaderTimeout: 10 * time.Second}
	s.env.say("Serving web UI on " + url)
	if !inv.noBrowser {
		if err := s.openBrowser(url); err != nil {
			s.env.say(err.Error())
		}
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(l) }()
	select {
	case err = <-done:
	case <-ctx.Done():
		stop, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		err = srv.Shutdown(stop)
	}
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

func (s *session) handler(o view.Options, host string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ui/download", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.google.protobuf+gzip")
		w.Header().Set("Content-Disposition", "attachment;filename=profile.pb.gz")
		report.WriteProfile(w, s.profile) // the client went away; nobody to tell
	})
	mux.HandleFunc("GET /ui/", func(w http.ResponseWriter, r *http.Request) { s.page(w, r, "html", "", o) })
	for path, name := range map[string]string{"top": "top", "peek": "peek", "source": "weblist", "disasm": "disasm"} {
		mux.HandleFunc("GET /ui/"+path, func(w http.ResponseWriter, r *http.Request) {
			s.page(w, r, name, r.URL.Query().Get("f"), o)
		})
	}
	mux.HandleFunc("GET /", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/ui/?"+r.URL.RawQuery, http.StatusTemporaryRedirect)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if ip := net.ParseIP(host); ip != nil && !ip.IsLoopback() {
			mux.ServeHTTP(w, r) // asked to serve the network: any name will do
			return
		}
		if name, _, err := net.SplitHostPort(r.Host); err == nil && !allowedHost(name, host) || err != nil && !allowedHost(r.Host, host) {
			http.Error(w, "this server answers for "+host+" only", http.StatusForbidden)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// allowedHost keeps other web sites from reading a local server through a
// name of their own.
func allowedHost(name, host string) bool {
	return strings.EqualFold(name, host) || name == "localhost" || net.ParseIP(name) != nil
}

func (s *session) page(w http.ResponseWriter, r *http.Request, kind, param string, o view.Options) {
	for _, f := range view.Fields() {
		if f.URL == "" || kind != "html" && kind != "top" && f.Name == "focus" {
			continue
		}
		if v := r.URL.Query().Get(f.URL); v != "" {
			if err := f.Set(&o, v); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
	}
	k := report.KindByName(s.kinds, kind)
	if k.Param && param == "" {
		param = "."
	}
	rep, err := s.prepare(k, param, o)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	res, err := k.Compute(rep)
	if err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	var b bytes.Buffer
	if err := res.WriteText(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	if k.Ext == "html" {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
	} else {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	}
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Referrer-Policy", "no-referrer")
	b.WriteTo(w)
}

// openBrowser shows url in the user's browser, without waiting for it.
func (s *session) openBrowser(url string) error {
	cmd, err := startViewer(viewers("browser", s.env), url, true, s.env)
	if err != nil {
		return err
	}
	go cmd.Wait()
	return nil
}
