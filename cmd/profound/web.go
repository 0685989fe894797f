package main

import (
	"context"
	"errors"
	"flag"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/view"
	"github.com/profoundhq/profound/internal/watch"
	"github.com/profoundhq/profound/internal/web"
)

const webHelp = `usage: profound web [flags] [SOURCE...]

Opens a page in the browser: where a program spends its time and memory, when
that changed, and why memory is kept. Sources stay apart, so that they can be
compared; without any, the page asks for one.

SOURCE is a file, a folder of "profound leak -save", a URL, host:port (its
heap, goroutines, mutexes and blocking; -seconds N adds N seconds of CPU), the
number of a process of this machine, a core file, or a file of profound
snapshot; any of them together.

  -http HOST:PORT   where to listen (default: a free port of localhost). When
                    the network can reach it, the address has a token.
  -no_browser       print the address and open no browser

The other flags are those of reports: profound help flags.
`

// runWeb is "profound web".
func runWeb(ctx context.Context, args []string, e *env) error {
	kinds := report.Kinds()
	fs, p := newFlagSet(kinds)
	rest, err := parseArgs(fs, args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, err := io.WriteString(e.stdout, webHelp)
		return err
	case err != nil:
		return usagef("web: %w\n\n%s", err, webHelp)
	}
	if p.inv.http == "" {
		p.inv.http = "localhost:0"
	}
	inv, err := p.finish(rest, kinds, e.say)
	if err != nil {
		return err
	}
	s := &session{env: e, kinds: kinds, objects: symbol.NewSet(objectOptions())}
	defer func() { s.objects.Close() }()
	inv.separate = true
	return s.serve(ctx, inv)
}

// serverProfiles are what is asked of a server that was named without a
// profile: all that come at once.
func serverProfiles() []string { return []string{"heap", "goroutine", "mutex", "block"} }

// opener makes a session of the page out of what a command line names.
type opener struct {
	s   *session
	inv *invocation
	// stdin is what "-" reads, nil for that of the program; name is what it is
	// called then.
	stdin io.Reader
	name  string
	// size is how many bytes it has, -1 when that is not known.
	size int64
	// asked is set when the page asks: it is told what failed, not the terminal.
	asked bool
	in    web.Input
	heaps []namedHeap
}

// open sorts the sources and reads each sort its own way.
func (o *opener) open(ctx context.Context) (*web.Session, error) {
	e := o.s.env
	o.in = web.Input{
		Code: web.Code{Sources: o.s.sourcesUnder(o.inv.options), Objects: o.s.objects, Editor: editorURL(e)},
		Now:  e.now(), Cache: o.s.cache,
	}
	var fetch []string
	for _, spec := range o.inv.sources {
		shown := source.Redact(spec)
		o.in.Sources, o.in.Secret = append(o.in.Sources, shown), o.in.Secret || shown != spec
		var err error
		switch {
		case isRun(spec):
			err = o.openRun(ctx, spec)
		case isHeap(spec):
			o.nameHeap(spec)
		case isPID(spec):
			err = o.openProcess(ctx, spec)
		default:
			fetch = append(fetch, spec)
		}
		if err != nil {
			if ctx.Err() != nil {
				return nil, errInterrupted
			}
			return nil, err
		}
	}
	if len(fetch) > 0 || len(o.inv.bases) > 0 {
		if err := o.fetch(ctx, fetch); err != nil {
			return nil, err
		}
	}
	o.in.Together = !o.inv.separate && !o.asked && len(o.in.Looks) == 0 // as pprof: they are one profile
	o.in.Subtract = !o.inv.diffBase
	o.openHeaps()
	if o.name != "" {
		o.in.Sources, o.in.Title, o.in.Sent = []string{o.name}, o.name, true
	}
	return web.NewSession(o.in)
}

// isPID tells the number of a process from a file of that name.
func isPID(spec string) bool {
	n, err := strconv.ParseUint(spec, 10, 31)
	return err == nil && n > 0 && !exists(spec)
}

// isRun tells a folder of profiles that were taken one after the other.
func isRun(spec string) bool {
	info, err := os.Stat(spec)
	if err != nil || !info.IsDir() {
		return false
	}
	for _, pattern := range []string{"process.jsonl", "*/process.jsonl"} {
		if list, _ := filepath.Glob(filepath.Join(spec, pattern)); len(list) > 0 {
			return true
		}
	}
	return false
}

// isHeap tells a core or a snapshot of a heap.
func isHeap(spec string) bool {
	head, err := headOf(spec)
	return err == nil && proc.Sniff(head) != ""
}

// openRun reads the looks of a folder.
func (o *opener) openRun(ctx context.Context, dir string) error {
	run, err := watch.Open(ctx, []string{dir}, o.watchOptions())
	if err != nil && !errors.Is(err, watch.ErrOneLook) {
		return err
	}
	i := 0
	err = run.Each(ctx, func(l leak.Look) error {
		heap, goroutine, leaked := run.Files(i)
		i++
		o.in.Looks = append(o.in.Looks, l)
		o.in.LookFiles = append(o.in.LookFiles, [3]string{heap, goroutine, leaked})
		return nil
	})
	if err != nil {
		return err
	}
	for _, w := range run.Warnings {
		o.in.Warnings = append(o.in.Warnings, w.Error())
	}
	for _, t := range run.Targets {
		clues, warnings := run.Clues(ctx, t)
		for _, w := range warnings {
			o.in.Warnings = append(o.in.Warnings, w.Error())
		}
		if clues.Waiting != nil || clues.Trace != nil {
			o.in.Clues = clues
		}
	}
	if objects := savedObjects([]string{dir}); objects != "" {
		o.nameHeap(objects)
	}
	return nil
}

func (o *opener) watchOptions() watch.Options {
	return watch.Options{Source: o.fetchOptions(), Now: o.s.env.now}
}

func (o *opener) fetchOptions() source.Options {
	opt := fetchOptions(o.inv, o.s.env)
	opt.Discreet = o.asked
	if o.stdin != nil {
		opt.Stdin, opt.StdinName, opt.MaxBytes = o.stdin, o.name, o.unpacked()
	}
	if o.inv.separate {
		opt.Types = serverProfiles()
		if o.inv.seconds > 0 {
			opt.Types = append(opt.Types, "profile")
		}
	}
	return opt
}

// What is sent may be so many times as large when it is unpacked, and so many
// bytes if that is more: profiles shrink to a fifth or so.
const (
	sentRatio = 64
	sentLeast = 256 << 20
)

// unpacked bounds a profile that is sent, bytes: by what was sent, and by the
// memory there is, of which it gets half. -max_size goes first.
func (o *opener) unpacked() int64 {
	if o.inv.maxSize > 0 {
		return o.inv.maxSize
	}
	most := min(max(sentLeast, sentRatio*o.size), format.DefaultMaxBytes)
	return min(most, int64(proc.Available()/2))
}

// openProcess looks at a process once, and can ask it for its objects.
func (o *opener) openProcess(ctx context.Context, spec string) error {
	o.heaps = append(o.heaps, namedHeap{spec: spec, live: true, id: processID(spec)})
	o.in.Title = "process " + spec
	t, err := watch.Connect(ctx, spec, o.watchOptions())
	if errors.Is(err, procstat.ErrGone) {
		return err
	}
	if err != nil {
		o.in.Warnings = append(o.in.Warnings, err.Error())
		return nil
	}
	defer t.Close()
	seen, err := t.Look(ctx, watch.Ask{})
	if err != nil {
		o.in.Warnings = append(o.in.Warnings, err.Error())
		return nil
	}
	o.in.Looks = append(o.in.Looks, seen.Look)
	o.in.LookFiles = append(o.in.LookFiles, [3]string{})
	for _, w := range seen.Warnings {
		o.in.Warnings = append(o.in.Warnings, w.Error())
	}
	return nil
}

// fetch reads profiles by name and makes each ready by itself, as load does
// for all of them together.
func (o *opener) fetch(ctx context.Context, specs []string) error {
	inv, e := *o.inv, o.s.env
	inv.sources = specs
	progress := newProgress(e)
	defer progress.done()
	get := func(specs []string, role string) ([]web.Shot, error) {
		if len(specs) == 0 {
			return nil, nil
		}
		opt := o.fetchOptions()
		opt.Role, opt.Progress = role, progress.event
		results, err := source.Fetch(ctx, specs, opt)
		progress.done()
		if ctx.Err() != nil {
			return nil, errInterrupted
		}
		failures := source.Failures(results, role)
		if err != nil && o.asked && len(failures) > 0 {
			return nil, errors.New(strings.Join(failures, "; "))
		}
		for _, line := range failures {
			e.say(line)
			if err == nil {
				o.in.Warnings = append(o.in.Warnings, line)
			}
		}
		if err != nil {
			return nil, err
		}
		return o.shots(ctx, &inv, results), nil
	}
	var err error
	if o.in.Shots, err = get(specs, "source"); err != nil {
		return err
	}
	o.in.Bases, err = get(inv.bases, "base")
	return err
}

// shots symbolizes profiles and drops the frames they declare to be noise.
func (o *opener) shots(ctx context.Context, inv *invocation, results []source.Result) []web.Shot {
	e := o.s.env
	var shots []web.Shot
	for i := range results {
		r := &results[i]
		if r.Profile == nil {
			continue
		}
		for _, p := range profilesOf(inv, e, results[i:i+1]) {
			p = symbolizeProfile(ctx, p, inv, e, o.s.objects, results[i:i+1])
			if !inv.allFrames {
				dropped, err := view.DropFrames(p)
				if err != nil {
					e.say(err.Error())
				} else {
					p = dropped
				}
			}
			if r.Remote && !inv.noSave {
				save(p, e)
			}
			name := r.Name
			if o.name != "" {
				name = o.name
			}
			shots = append(shots, web.Shot{Name: name, Profile: withComment(p, inv.comment), Kind: kindOfText(r.Kind)})
		}
	}
	return shots
}

func withComment(p *profile.Profile, comment string) *profile.Profile {
	if comment == "" {
		return p
	}
	c := p.ShallowCopy()
	c.Comments = append(slices.Clip(p.Comments), comment)
	return c
}

// kindOfText is the kind of profile where the format alone tells it; "" leaves
// it to the values.
func kindOfText(k format.Kind) string {
	if k == format.KindGoroutines {
		return "goroutine"
	}
	return ""
}

// sourcesUnder finds sources, but reads none outside the folders where
// sources are: profiles come from others, and name any file they like.
func (s *session) sourcesUnder(o view.Options) report.Sources {
	e := s.env
	opt := s.sourceOptions(o)
	roots := []string{opt.GOROOT, opt.GOMODCACHE, moduleRoot(e.dir)}
	roots = append(roots, filepath.SplitList(o.SourcePath)...)
	open := web.OpenUnder(roots)
	opt.Open = func(name string) (fs.File, error) { return open(name) }
	return srcfind.New(opt)
}

// moduleRoot is the folder with go.mod at or above dir, else dir.
func moduleRoot(dir string) string {
	for d := dir; d != ""; d = filepath.Dir(d) {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		if d == filepath.Dir(d) {
			break
		}
	}
	return dir
}
