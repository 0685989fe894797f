package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/source"
	"github.com/profoundhq/profound/internal/symbol"
	"github.com/profoundhq/profound/internal/symbol/symbolize"
	"github.com/profoundhq/profound/internal/view"
)

// load fetches, merges, subtracts, symbolizes and prunes: from the names on
// the command line to the one profile all reports read.
func load(ctx context.Context, inv *invocation, e *env, objects *symbol.Set) (*profile.Profile, error) {
	relaxGC(append(slices.Clip(inv.sources), inv.bases...))
	p, ok, err := mergeFiles(ctx, inv, e)
	if err != nil {
		return nil, err
	}
	var src, base []source.Result
	if !ok {
		if src, base, err = fetchAll(ctx, inv, e); err != nil {
			return nil, err
		}
		inv.options.NameAbsent = !pprofReads(src)
		if p, err = combine(profilesOf(inv, e, src)); err != nil {
			return nil, err
		}
	}
	if len(inv.bases) > 0 {
		b, err := combine(profilesOf(inv, e, base))
		if err != nil {
			return nil, err
		}
		if p, err = subtract(p, b, inv); err != nil {
			return nil, err
		}
	}
	p = symbolizeProfile(ctx, p, inv, e, objects, append(src, base...))
	if !inv.allFrames {
		if p, err = view.DropFrames(p); err != nil {
			e.say(err.Error())
		}
	}
	if inv.comment != "" {
		c := p.ShallowCopy()
		c.Comments = append(slices.Clip(p.Comments), inv.comment)
		p = c
	}
	if anyRemote(src, base) && !inv.noSave {
		save(p, e)
	}
	return p, nil
}

// errMixed ends mergeFiles when the profiles need more than adding up.
var errMixed = errors.New("profiles of different types")

// mergeFiles adds many files of one kind up while they are read, so that no
// more than one of them is in memory. ok is false when the sources are not of
// that sort; then nothing was said or done.
func mergeFiles(ctx context.Context, inv *invocation, e *env) (p *profile.Profile, ok bool, err error) {
	if len(inv.sources) < 2 || len(inv.bases) > 0 {
		return nil, false, nil
	}
	opt := fetchOptions(inv, e)
	progress := newProgress(e)
	opt.Progress = progress.event
	var remarks bytes.Buffer // kept back until it is sure that this is the way
	quiet := *e
	quiet.stderr = &remarks
	dirs := binaryDirs(e)
	m := profile.NewMerger()
	added, named := 0, true
	results, ok, err := source.FetchFiles(ctx, inv.sources, opt, func(r *source.Result) error {
		named = named && !pprofReads([]source.Result{*r})
		if err := m.Add(locateBinaries(r.Profile, inv, dirs, &quiet)); err != nil {
			return errMixed
		}
		added++
		return nil
	})
	progress.done()
	switch {
	case !ok || errors.Is(err, errMixed) || added == 1:
		return nil, false, nil // a single profile is not merged: it keeps its numbers
	case ctx.Err() != nil:
		return nil, true, errInterrupted
	}
	remarks.WriteTo(e.stderr)
	for _, line := range source.Failures(results, "source") {
		e.say(line)
	}
	if err != nil {
		return nil, true, err
	}
	inv.options.NameAbsent = named
	p, err = m.Profile()
	return p, true, err
}

// relaxGC lets the heap of a short run on small files grow: collecting it
// would cost more than the memory is worth.
func relaxGC(sources []string) {
	const small, relaxed = 8 << 20, 400
	var total int64
	for _, s := range sources {
		info, err := os.Stat(s)
		if err != nil || !info.Mode().IsRegular() {
			return
		}
		total += info.Size()
	}
	if total < small {
		debug.SetGCPercent(relaxed)
	}
}

func anyRemote(lists ...[]source.Result) bool {
	for _, l := range lists {
		for _, r := range l {
			if r.Remote && r.Profile != nil {
				return true
			}
		}
	}
	return false
}

// fetchAll fetches sources and bases together.
func fetchAll(ctx context.Context, inv *invocation, e *env) (src, base []source.Result, err error) {
	opt := fetchOptions(inv, e)
	progress := newProgress(e)
	opt.Progress = progress.event
	defer progress.done()
	var wg sync.WaitGroup
	var srcErr, baseErr error
	if len(inv.bases) > 0 {
		wg.Go(func() {
			o := opt
			o.Role = "base"
			o.Progress = func(ev source.Event) {
				ev.Index = -1 - ev.Index // apart from the sources
				progress.event(ev)
			}
			base, baseErr = source.Fetch(ctx, inv.bases, o)
		})
	}
	src, srcErr = source.Fetch(ctx, inv.sources, opt)
	wg.Wait()
	progress.done()
	if err := ctx.Err(); err != nil {
		return nil, nil, errInterrupted
	}
	for _, line := range append(source.Failures(src, "source"), source.Failures(base, "base")...) {
		e.say(line)
	}
	if srcErr != nil {
		return nil, nil, srcErr
	}
	if baseErr != nil {
		return nil, nil, baseErr
	}
	return src, base, nil
}

// pprofReads tells whether pprof would show what these sources hold: not so
// for formats it refuses, and for texts whose symbols it passes over.
func pprofReads(results []source.Result) bool {
	for _, r := range results {
		if r.Profile == nil {
			continue
		}
		switch r.Kind {
		case format.KindProto, format.KindJava, format.KindCPU, format.KindThread:
			return true
		case format.KindHeap, format.KindGoCount, format.KindContention:
			if r.Profile.Functions.Len() == 1 {
				return true
			}
		}
	}
	return false
}

func fetchOptions(inv *invocation, e *env) source.Options {
	return source.Options{
		Seconds: inv.seconds, Timeout: inv.timeout, MaxBytes: inv.maxSize,
		Headers: inv.headers, BearerTokenFile: inv.tokenFile,
		TLS:   source.TLSOptions{Cert: inv.tlsCert, Key: inv.tlsKey, CA: inv.tlsCA},
		Proxy: http.ProxyFromEnvironment, Stdin: e.stdin, Messages: e.say, Now: e.now,
		Perf: source.PerfTools{ToProfile: e.lookPath("perf_to_profile"), Perf: e.lookPath("perf"), TempDir: os.TempDir()},
	}
}

// profilesOf takes the profiles out of the results, each told where its
// binaries are.
func profilesOf(inv *invocation, e *env, results []source.Result) []*profile.Profile {
	var ps []*profile.Profile
	dirs := binaryDirs(e)
	for i := range results {
		r := &results[i]
		if r.Profile == nil {
			continue
		}
		p := locateBinaries(r.Profile, inv, dirs, e)
		if r.Remote {
			p = nameMappings(p, r.URL)
		}
		ps = append(ps, p)
		r.Profile = p
	}
	return ps
}

// binaryDirs are the folders of the search path that exist.
func binaryDirs(e *env) []string {
	return slices.DeleteFunc(e.binaryPath(), func(d string) bool { _, err := os.Stat(d); return err != nil })
}

// locateBinaries looks for the object files of the mappings in dirs and
// applies the overrides of the command line to the main one. A profile without
// mappings gets one for all its locations.
func locateBinaries(p *profile.Profile, inv *invocation, dirs []string, e *env) *profile.Profile {
	c := p.ShallowCopy()
	c.Mappings = slices.Clone(p.Mappings)
	if len(dirs) > 0 {
		for i := 1; i < len(c.Mappings); i++ {
			m := &c.Mappings[i]
			file, warnings := symbol.Locate(dirs, m.File, m.BuildID)
			for _, w := range warnings {
				e.say(w.Error())
			}
			if file != "" {
				m.File = file
			}
		}
	}
	if c.NumMappings() == 0 {
		c.Mappings = append(c.Mappings, profile.Mapping{ID: 1})
		c.Locations.Mapping = slices.Repeat([]profile.MappingID{1}, c.Locations.Len())
		c.Locations.Mapping[0] = 0
	}
	m := &c.Mappings[1]
	if inv.exec != "" {
		m.File = inv.exec
	}
	if inv.buildID != "" && m.BuildID == "" {
		m.BuildID = inv.buildID
	}
	return c
}

// nameMappings gives mappings without file and build id the URL as name, so
// that merging keeps those of different servers apart; unnameMappings takes it
// away again.
func nameMappings(p *profile.Profile, u string) *profile.Profile {
	for i := 1; i < len(p.Mappings); i++ {
		if m := &p.Mappings[i]; m.File == "" && m.BuildID == "" {
			m.File = u
		}
	}
	return p
}

func unnameMappings(p *profile.Profile) *profile.Profile {
	c := p.ShallowCopy()
	c.Mappings = slices.Clone(p.Mappings)
	for i := 1; i < len(c.Mappings); i++ {
		m := &c.Mappings[i]
		if m.BuildID != "" || filepath.VolumeName(m.File) != "" {
			continue
		}
		if u, err := url.Parse(m.File); err == nil && u.IsAbs() {
			m.File = ""
		}
	}
	return c
}

// combine merges profiles after giving them common types and units. A single
// profile stays as it is.
func combine(ps []*profile.Profile) (*profile.Profile, error) {
	ps, err := profile.CommonTypes(ps)
	if err != nil {
		return nil, err
	}
	if ps, err = view.CommonUnits(ps); err != nil {
		return nil, err
	}
	if len(ps) == 1 {
		return ps[0], nil
	}
	return profile.Merge(ps)
}

func subtract(p, base *profile.Profile, inv *invocation) (*profile.Profile, error) {
	both, err := profile.CommonTypes([]*profile.Profile{p, base})
	if err != nil {
		return nil, err
	}
	if both, err = view.CommonUnits(both); err != nil {
		return nil, err
	}
	return profile.Diff(both[0], both[1], profile.DiffOptions{Mark: inv.diffBase, Normalize: inv.options.Normalize})
}

func symbolizeProfile(ctx context.Context, p *profile.Profile, inv *invocation, e *env, objects *symbol.Set, results []source.Result) *profile.Profile {
	mode, warnings := symbolize.ParseMode(inv.symbolize)
	for _, w := range warnings {
		e.say(w)
	}
	opt := symbolize.Options{Mode: mode, Objects: objects.Open, MainGiven: inv.exec != "", Warn: e.say}
	for _, r := range results {
		if r.Remote && r.Profile != nil {
			opt.Names = func(addrs []uint64) (map[uint64]string, error) {
				return source.Symbolz(ctx, r.Endpoint, addrs, fetchOptions(inv, e))
			}
			break
		}
	}
	return unnameMappings(symbolize.Symbolize(p, opt))
}

// save keeps a copy of what was fetched, as pprof does.
func save(p *profile.Profile, e *env) {
	path, err := source.Save(p, source.SaveDirs(e.getenv, runtime.GOOS, os.TempDir()), report.WriteProfile)
	if err != nil {
		e.say("Could not save profile: " + strings.TrimSpace(err.Error()))
		return
	}
	e.say(source.SavedMessage(path))
}
