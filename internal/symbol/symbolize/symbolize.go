// Package symbolize gives the locations of a profile their functions and
// lines: from object files on this machine, from the server the profile came
// from, and by demangling the names there are. It joins package symbol, which
// knows files and addresses, to package profile.
package symbolize

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol"
)

// Mode is what -symbolize asks for.
type Mode struct {
	None          bool
	Local, Remote bool
	Force         bool
	Demangle      symbol.DemangleMode
}

// ParseMode reads a colon separated -symbolize value. Words it does not know
// are ignored and reported.
func ParseMode(s string) (Mode, []string) {
	m := Mode{Local: true, Remote: true}
	var warnings []string
	for _, word := range strings.Split(strings.ToLower(s), ":") {
		switch word {
		case "":
		case "none", "no":
			return Mode{None: true}, warnings
		case "local", "fastlocal":
			m.Local, m.Remote = true, false
		case "remote":
			m.Local, m.Remote = false, true
		case "force":
			m.Force = true
		default:
			name, ok := strings.CutPrefix(word, "demangle=")
			d, err := symbol.ParseDemangleMode(name)
			if !ok || err != nil {
				warnings = append(warnings, "ignoring unrecognized symbolization option: "+s,
					"expecting -symbolize=[local|fastlocal|remote|none][:force][:demangle=[none|full|templates|default]")
				continue
			}
			if name != "default" {
				m.Demangle, m.Force = d, true
			}
		}
	}
	return m, warnings
}

// Options are what Symbolize works with.
type Options struct {
	Mode Mode
	// Objects opens local object files.
	Objects func(path string) (*symbol.Object, error)
	// Names asks the profile's server for the function names of addresses of
	// its own address space; nil when there is none.
	Names func(addrs []uint64) (map[uint64]string, error)
	// MainGiven is set when the user named the main binary: it is used whatever
	// its build id.
	MainGiven bool
	// Warn receives what could not be done, a line each.
	Warn func(string)
}

// Symbolize returns p with the symbols found. Partial results are normal: what
// stays unknown is said by Warn.
func Symbolize(p *profile.Profile, opt Options) *profile.Profile {
	if opt.Mode.None {
		return p
	}
	e := &editor{p: p, opt: opt, index: map[string]profile.FunctionID{}}
	if opt.Mode.Local {
		e.local()
	}
	if opt.Mode.Remote && opt.Names != nil {
		e.remote()
	}
	return demangle(e.result(), opt.Mode)
}

// editor collects the new lines of locations.
type editor struct {
	p     *profile.Profile
	opt   Options
	lines map[profile.LocationID][]profile.Line
	maps  []profile.Mapping // copy on first change
	added []addedFunction
	index map[string]profile.FunctionID
}

type addedFunction struct {
	name, file string
	start      int64
}

func (e *editor) mapping(id profile.MappingID) *profile.Mapping {
	if e.maps == nil {
		e.maps = slices.Clone(e.p.Mappings)
	}
	return &e.maps[id]
}

func (e *editor) function(name, file string, start int64) profile.FunctionID {
	key := fmt.Sprintf("%s\x00%s\x00%d", name, file, start)
	id, ok := e.index[key]
	if !ok {
		id = profile.FunctionID(e.p.Functions.Len() + len(e.added))
		e.added = append(e.added, addedFunction{name, file, start})
		e.index[key] = id
	}
	return id
}

func (e *editor) set(loc profile.LocationID, lines []profile.Line) {
	if e.lines == nil {
		e.lines = map[profile.LocationID][]profile.Line{}
	}
	e.lines[loc] = lines
}

// locationsOf groups locations by mapping.
func locationsOf(p *profile.Profile) [][]profile.LocationID {
	byMapping := make([][]profile.LocationID, len(p.Mappings))
	for id := 1; id < p.Locations.Len(); id++ {
		m := p.Locations.Mapping[id]
		byMapping[m] = append(byMapping[m], profile.LocationID(id))
	}
	return byMapping
}

// local looks every mapping without symbols up in its object file.
func (e *editor) local() {
	var byMapping [][]profile.LocationID
	missing := false
	for i := 1; i < len(e.p.Mappings); i++ {
		m := &e.p.Mappings[i]
		if !e.opt.Mode.Force && (m.HasFunctions || m.HasFilenames || m.HasLineNumbers) {
			continue
		}
		if byMapping == nil {
			byMapping = locationsOf(e.p)
		}
		locs := byMapping[i]
		switch {
		case len(locs) == 0 || m.File == "" && e.known(locs):
			continue
		case m.File == "" && i == 1:
			e.opt.Warn("Main binary filename not available.")
			continue
		case m.File == "":
			missing = true
			continue
		case unsymbolizable(m.File) || m.BuildID == "" && isURL(m.File):
			continue
		}
		name := filepath.Base(m.File)
		if m.BuildID != "" {
			name += " (build ID " + m.BuildID + ")"
		}
		obj, err := e.opt.Objects(m.File)
		if err != nil {
			e.opt.Warn(fmt.Sprintf("Local symbolization failed for %s: %v", name, err))
			missing = true
			continue
		}
		if id := obj.BuildID(); !(i == 1 && e.opt.MainGiven) && m.BuildID != "" && id != "" && id != m.BuildID {
			e.opt.Warn(fmt.Sprintf("Local symbolization failed for %s: build ID mismatch", name))
			continue
		}
		e.localMapping(profile.MappingID(i), locs, obj)
	}
	if missing {
		e.opt.Warn("Some binary filenames not available. Symbolization may be incomplete.\n" +
			"Try setting PPROF_BINARY_PATH to the search path for local binaries.")
	}
}

// known tells whether all locations have lines already, as those of text
// formats have that never had a binary.
func (e *editor) known(locs []profile.LocationID) bool {
	for _, loc := range locs {
		if len(e.p.Locations.LinesOf(loc)) == 0 {
			return false
		}
	}
	return true
}

func (e *editor) localMapping(id profile.MappingID, locs []profile.LocationID, obj *symbol.Object) {
	m := &e.p.Mappings[id]
	for _, loc := range locs {
		addr := e.p.Locations.Address[loc]
		base, err := obj.BaseAt(addr, m.Start, m.Limit, m.Offset, m.KernelRelocation)
		if err != nil {
			base = obj.ToolBase(m.Start)
		}
		frames := obj.Frames(addr - base)
		if len(frames) == 0 {
			continue
		}
		lines := make([]profile.Line, len(frames))
		nm := e.mapping(id)
		for i, f := range frames {
			nm.HasFunctions = nm.HasFunctions || f.Func != ""
			nm.HasFilenames = nm.HasFilenames || f.File != ""
			nm.HasLineNumbers = nm.HasLineNumbers || f.Line != 0
			lines[i] = profile.Line{Function: e.function(f.Func, f.File, int64(f.StartLine)), Line: int64(f.Line), Column: int64(f.Column)}
		}
		nm.HasInlineFrames = true
		e.set(loc, lines)
	}
}

// unsymbolizable names mappings that are no files with code of their own.
func unsymbolizable(file string) bool {
	base := filepath.Base(file)
	return strings.HasPrefix(base, "[") || strings.HasPrefix(base, "linux-vdso") ||
		strings.HasPrefix(file, "/dev/dri/") || file == "//anon" || file == "" || strings.HasPrefix(file, "/memfd:")
}

func isURL(file string) bool {
	u, err := url.Parse(file)
	return err == nil && u.IsAbs() && strings.Contains(strings.ToLower(u.Scheme), "http")
}

// remote asks the server for the names of what is still unknown.
func (e *editor) remote() {
	var addrs []uint64
	var locs []profile.LocationID
	for id := 1; id < e.p.Locations.Len(); id++ {
		loc := profile.LocationID(id)
		m := e.p.Locations.Mapping[loc]
		known := e.p.Mappings[m].HasFunctions || e.maps != nil && e.maps[m].HasFunctions
		if m == 0 || e.p.Locations.Address[loc] == 0 || known && !e.opt.Mode.Force {
			continue
		}
		addrs = append(addrs, e.p.Locations.Address[loc])
		locs = append(locs, loc)
	}
	if len(addrs) == 0 {
		return
	}
	names, err := e.opt.Names(addrs)
	if err != nil {
		e.opt.Warn("remote symbolization: " + err.Error())
	}
	for i, loc := range locs {
		if name := names[addrs[i]]; name != "" {
			e.set(loc, []profile.Line{{Function: e.function(name, "", 0)}})
			e.mapping(e.p.Locations.Mapping[loc]).HasFunctions = true
		}
	}
}

// result is the profile with the changes applied.
func (e *editor) result() *profile.Profile {
	if len(e.lines) == 0 {
		return e.p
	}
	p := e.p.MapLines(func(id profile.LocationID, lines, out []profile.Line) []profile.Line {
		if l, ok := e.lines[id]; ok {
			lines = l
		}
		return append(out, lines...)
	})
	if e.p.Locations.Folded != nil {
		p.Locations.Folded = slices.Clone(e.p.Locations.Folded)
		for id := range e.lines {
			p.Locations.Folded[id] = false
		}
	}
	if e.maps != nil {
		p.Mappings = e.maps
	}
	p.Strings = slices.Clip(p.Strings)
	f := &p.Functions
	f.Name, f.SystemName, f.File = slices.Clip(f.Name), slices.Clip(f.SystemName), slices.Clip(f.File)
	f.StartLine, f.ID = slices.Clip(f.StartLine), slices.Clip(f.ID)
	var number uint64
	if f.ID != nil {
		number = slices.Max(f.ID)
	}
	for _, a := range e.added {
		p.Strings = append(p.Strings, a.name, a.file)
		name := profile.StringID(len(p.Strings) - 2)
		if f.ID != nil {
			number++
			f.ID = append(f.ID, number)
		}
		f.Name = append(f.Name, name)
		f.SystemName = append(f.SystemName, name)
		f.File = append(f.File, name+1)
		f.StartLine = append(f.StartLine, a.start)
	}
	return p
}

// demangle makes C++ and Rust names readable, and undoes earlier demangling
// first when forced.
func demangle(p *profile.Profile, mode Mode) *profile.Profile {
	var names []profile.StringID
	strs := p.Strings
	for i := 1; i < p.Functions.Len(); i++ {
		name, system := p.Strings[p.Functions.Name[i]], p.Strings[p.Functions.SystemName[i]]
		if !mode.Force && name == system && plain(name) {
			continue
		}
		got := mode.Demangle.Function(name, system, mode.Force)
		if got == name {
			continue
		}
		if names == nil {
			names = slices.Clone(p.Functions.Name)
			strs = slices.Clip(strs)
		}
		strs = append(strs, got)
		names[i] = profile.StringID(len(strs) - 1)
	}
	if names == nil {
		return p
	}
	c := p.ShallowCopy()
	c.Strings = strs
	c.Functions.Name = names
	return c
}

// plain tells names that no demangler changes: without the prefixes of
// mangled names and the marks of C++.
func plain(name string) bool {
	return !strings.HasPrefix(name, "_") && !strings.ContainsAny(name, "<[:(") && name != ""
}
