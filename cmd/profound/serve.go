package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/view"
	"github.com/profoundhq/profound/internal/web"
	assets "github.com/profoundhq/profound/web"
)

// serve answers -http: the page at the address given, until ctx ends. It
// listens on loopback unless a host is named. inv may name no sources.
func (s *session) serve(ctx context.Context, inv *invocation) error {
	host, port, err := net.SplitHostPort(inv.http)
	if err != nil {
		return usagef("-http=%s: %w; write it like localhost:8080 or :0", inv.http, err)
	}
	if host == "" {
		host = "localhost"
	}
	s.cache = web.NewCache(0)
	server, err := s.newServer(inv, host)
	if err != nil {
		return err
	}
	if len(inv.sources) > 0 {
		opened, err := (&opener{s: s, inv: inv}).open(ctx)
		if err != nil {
			return err
		}
		server.Add(opened)
	}
	l, err := net.Listen("tcp", net.JoinHostPort(host, port))
	if err != nil {
		return fmt.Errorf("-http=%s: %w", inv.http, err)
	}
	addr := l.Addr().(*net.TCPAddr)
	page := server.URL(net.JoinHostPort(host, fmt.Sprint(addr.Port)), startParams(inv.options))
	srv := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 256 << 10}
	s.env.say("Serving web UI on " + page)
	if !inv.noBrowser {
		if err := s.openBrowser(page); err != nil {
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

// newServer makes the server of the page, without sessions.
func (s *session) newServer(inv *invocation, host string) (*web.Server, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	o := web.Options{
		Assets: assets.FS(), Host: host, Version: strings.TrimSpace(versionText(info)), Now: s.env.now, Log: s.env.say,
		PprofSettings: pprofSettings(s.env), Start: startParams(inv.options), Stranger: isStranger,
		Recent: recentSessions(s.env), Opened: rememberSession(s.env),
		Open: func(ctx context.Context, specs []string) (*web.Session, error) {
			return (&opener{s: s, inv: inv.forSources(specs), asked: true}).open(ctx)
		},
		Read: func(ctx context.Context, name string, body io.Reader, size int64) (*web.Session, error) {
			return (&opener{s: s, inv: inv.forSources([]string{"-"}), stdin: body, name: name, size: size, asked: true}).open(ctx)
		},
	}
	var err error
	if o.Token, err = web.NewToken(rand.Reader); err != nil {
		return nil, err
	}
	return web.New(o)
}

// forSources is the command line for other sources: how to fetch and to
// symbolize, without what was said of the sources it names.
func (inv *invocation) forSources(specs []string) *invocation {
	c := *inv
	c.sources, c.bases, c.exec, c.buildID, c.comment = specs, nil, "", "", ""
	return &c
}

// startParams are the options of the command line as parameters of pprof's
// page, which is where the browser is led first.
func startParams(o view.Options) url.Values {
	params := url.Values{}
	d := view.Defaults()
	for _, f := range view.Fields() {
		if v := f.Get(&o); f.URL != "" && v != f.Get(&d) {
			params.Set(f.URL, v)
		}
	}
	return params
}

// pprofSettings is the file in which pprof keeps saved configurations.
func pprofSettings(e *env) string {
	dir := e.getenv("XDG_CONFIG_HOME")
	switch {
	case runtime.GOOS == "windows":
		dir = e.getenv("AppData")
	case runtime.GOOS == "darwin":
		dir = filepath.Join(e.home(), "Library", "Application Support")
	case dir == "":
		dir = filepath.Join(e.home(), ".config")
	}
	path := filepath.Join(dir, "pprof", "settings.json")
	if _, err := os.Stat(path); err != nil || !filepath.IsAbs(path) {
		return ""
	}
	return path
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
