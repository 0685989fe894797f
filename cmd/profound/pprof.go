package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"runtime"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
	"github.com/profoundhq/profound/internal/web"
)

// session is one loaded profile with what reports on it need.
type session struct {
	env     *env
	kinds   []report.Kind
	profile *profile.Profile
	objects *symbol.Set
	color   bool
	// forceColor colours what is piped, too.
	forceColor bool
	json       bool
	// shell is set while commands come from the shell's prompt.
	shell bool
	// temps are the files shown by viewers; nil outside the shell, where each
	// lives as long as its viewer.
	temps *tempDir
	// cache is what sessions of the page share.
	cache *web.Cache
}

// runPprof serves a command line of pprof's.
func runPprof(ctx context.Context, args []string, e *env) error {
	kinds := report.Kinds()
	inv, err := parseInvocation(args, kinds, e.say)
	if err != nil {
		return err
	}
	if inv.help {
		_, err := io.WriteString(e.stdout, pprofUsage(kinds))
		return err
	}
	s := &session{env: e, kinds: kinds, objects: symbol.NewSet(objectOptions()), json: inv.json}
	defer func() { s.objects.Close() }() // the shell may put another set there
	s.forceColor = inv.color == "always" || inv.color == "auto" && e.forcedColour()
	s.color = inv.color == "always" || inv.color == "auto" && e.colour()
	if inv.http != "" {
		return s.serve(ctx, inv)
	}
	if s.profile, err = load(ctx, inv, e, s.objects); err != nil {
		return err
	}
	if inv.kind != nil {
		return s.report(ctx, inv.kind, inv.param, inv.options)
	}
	return s.interact(ctx, inv.options)
}

func objectOptions() symbol.Options {
	return symbol.Options{Inlines: true, DebugDirs: debugDirs()}
}

// debugDirs are where distributions put separate debug files.
func debugDirs() []string { return []string{"/usr/lib/debug"} }

// prepare computes a report.
func (s *session) prepare(k *report.Kind, param string, o view.Options) (*report.Report, error) {
	v, err := view.Prepare(s.profile, k.Options(o), s.env.say)
	if err != nil {
		return nil, err
	}
	v.ObjNames = k.Name == "callgrind" || k.Name == "kcachegrind"
	r := report.New(v)
	if k.Param {
		if r.Symbol, err = regexp.Compile(param); err != nil {
			return nil, fmt.Errorf("parsing argument regexp %s: %w", param, err)
		}
	}
	r.Objects = s.objects
	if k.Ext != "" {
		r.Categories = report.NewCategories(s.profile)
	}
	r.Sources = s.sources(o)
	return r, nil
}

func (s *session) sources(o view.Options) *srcfind.Finder { return srcfind.New(s.sourceOptions(o)) }

// sourceOptions say where sources are looked for.
func (s *session) sourceOptions(o view.Options) srcfind.Options {
	e := s.env
	path := filepath.SplitList(o.SourcePath)
	if len(path) == 0 && e.dir != "" {
		path = []string{e.dir}
	}
	modCache := e.getenv("GOMODCACHE")
	if modCache == "" {
		gopath := filepath.SplitList(e.getenv("GOPATH"))
		if len(gopath) == 0 {
			gopath = []string{filepath.Join(e.home(), "go")}
		}
		modCache = filepath.Join(gopath[0], "pkg", "mod")
	}
	return srcfind.Options{
		SearchPath: path, TrimPath: filepath.SplitList(o.TrimPath),
		Dir: e.dir, GOROOT: goroot(e), GOMODCACHE: modCache,
	}
}

// goroot finds the local toolchain without running it.
func goroot(e *env) string {
	if r := e.getenv("GOROOT"); r != "" {
		return r
	}
	for _, dir := range filepath.SplitList(e.getenv("PATH")) {
		name := "go"
		if runtime.GOOS == "windows" {
			name = "go.exe"
		}
		path, err := filepath.EvalSymlinks(filepath.Join(dir, name))
		if err != nil {
			continue
		}
		root := filepath.Dir(filepath.Dir(path))
		if _, err := os.Stat(filepath.Join(root, "src", "runtime")); err == nil {
			return root
		}
	}
	return ""
}

// report computes and writes one report to where it belongs.
func (s *session) report(ctx context.Context, k *report.Kind, param string, o view.Options) error {
	r, err := s.prepare(k, param, o)
	if err != nil {
		return err
	}
	return s.write(ctx, k, r, o)
}

// write computes a prepared report and puts it where it belongs.
func (s *session) write(ctx context.Context, k *report.Kind, r *report.Report, o view.Options) error {
	dest := s.destination(k, o)
	r.Colour = s.color && dest.terminal
	res, err := s.compute(ctx, k, r)
	if err != nil {
		return err
	}
	write := res.WriteText
	if s.json {
		write = func(w io.Writer) error {
			enc := json.NewEncoder(w)
			enc.SetEscapeHTML(false)
			return enc.Encode(res.JSON())
		}
	}
	return dest.write(ctx, write)
}

// compute runs a report until it is done or ctx is; then it goes on alone and
// keeps the open binaries.
func (s *session) compute(ctx context.Context, k *report.Kind, r *report.Report) (report.Result, error) {
	type computed struct {
		res report.Result
		err error
	}
	done := make(chan computed, 1)
	go func() {
		res, err := k.Compute(r)
		done <- computed{res, err}
	}()
	select {
	case c := <-done:
		if ctx.Err() != nil {
			return nil, errInterrupted
		}
		return c.res, c.err
	case <-ctx.Done():
		s.objects = symbol.NewSet(objectOptions())
		return nil, errInterrupted
	}
}

// destination is where a report goes.
type destination struct {
	s        *session
	path     string // file, "" for standard output
	prefix   string // make a numbered file of this name
	ext      string
	viewer   string
	terminal bool
}

func (s *session) destination(k *report.Kind, o view.Options) destination {
	d := destination{s: s, path: o.Output, ext: k.Ext}
	switch {
	case o.Output != "":
	case k.Viewer != "" && !s.json:
		d.viewer = k.Viewer
	case k.Ext != "" && !s.json && (s.env.stdoutTTY || s.shell):
		d.prefix = "profile"
	default:
		d.terminal = s.env.stdoutTTY || s.forceColor
	}
	return d
}

// write runs f on the destination; a file appears only when it is complete.
func (d destination) write(ctx context.Context, f func(io.Writer) error) error {
	if d.viewer != "" {
		return d.view(ctx, f)
	}
	path := d.path
	if d.prefix != "" {
		var err error
		if path, err = source.TempName("", d.prefix, "."+d.ext); err != nil {
			return err
		}
	}
	if path == "" {
		return f(gate{ctx, d.s.env.stdout})
	}
	d.s.env.say("Generating report in " + path)
	out, err := source.CreateAtomic(path)
	if err != nil {
		return err
	}
	if err := f(gate{ctx, out}); err != nil {
		out.Abort()
		return err
	}
	return out.Commit()
}
