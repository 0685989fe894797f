package view

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// Frame is what a node stands for at the granularity of the view: a place in
// the program. Two locations with equal frames are one node.
type Frame struct {
	Name      string
	Address   uint64 // 0 unless the granularity is addresses
	File      string // cleaned and trimmed
	StartLine int    // of the function; only with Object
	Line      int
	Column    int
	Object    string // object file; only where it tells nodes apart
}

// Parts are the components of the printed name: address, name, place.
func (f *Frame) Parts() []string {
	parts := make([]string, 0, 3)
	if f.Address != 0 {
		hex := strconv.FormatUint(f.Address, 16)
		parts = append(parts, "0000000000000000"[len(hex):]+hex)
	}
	if f.Name != "" {
		parts = append(parts, f.Name)
	}
	switch {
	case f.Line != 0:
		s := f.File + ":" + strconv.Itoa(f.Line)
		if f.Column != 0 {
			s += ":" + strconv.Itoa(f.Column)
		}
		parts = append(parts, s)
	case f.File != "":
		parts = append(parts, f.File)
	case f.Name != "":
	case f.Object != "":
		parts = append(parts, "["+filepath.Base(f.Object)+"]")
	default:
		parts = append(parts, "<unknown>")
	}
	return parts
}

// String is the printed name.
func (f *Frame) String() string {
	if f.Name != "" && f.Address == 0 && f.Line == 0 && f.File == "" {
		return f.Name
	}
	return strings.Join(f.Parts(), " ")
}

// sortKey orders frames whose names and values are equal, as pprof does.
func (f *Frame) sortKey() string {
	return fmt.Sprintf("{%s  %d %s %d %d %d %s}", f.Name, f.Address, f.File, f.StartLine, f.Line, f.Column, f.Object)
}

// frameTable numbers the distinct frames of a profile and maps locations to
// them. Frame numbers are int32; -1 stands for a frame that is not kept.
type frameTable struct {
	frames []Frame
	// offsets and ids are CSR over locations: the frames of the lines of a
	// location, innermost first; a location without lines has one frame.
	offsets []uint32
	ids     []int32
	// inlined tells which frames stand for an inlined call somewhere.
	inlined []bool
	names   []string // printed names by frame, "" for those not asked for yet
}

// name is the printed name of a frame, made once.
func (t *frameTable) name(f int32) string {
	if t.names == nil {
		t.names = make([]string, len(t.frames))
	}
	if t.names[f] == "" {
		t.names[f] = t.frames[f].String()
	}
	return t.names[f]
}

// nameAll makes the names of all frames, so that several goroutines may ask for
// them.
func (t *frameTable) nameAll() {
	for f := range t.frames {
		t.name(int32(f))
	}
}

type frameKey struct {
	name, file, object int32
	addr               uint64
	start, line, col   int64
}

// buildFrames numbers the frames. trim rewrites file names.
func buildFrames(p *profile.Profile, objNames bool, trim func(string) string) *frameTable {
	t := &frameTable{offsets: make([]uint32, 1, p.Locations.Len()+1)}
	t.ids = make([]int32, 0, len(p.Locations.Lines)+p.Locations.Len())
	names := newNamer()
	fnName, fnFile := names.functions(p, trim)
	object := make([]int32, len(p.Mappings))
	for i, m := range p.Mappings {
		object[i] = names.id(m.File)
	}
	known := make(map[frameKey]int32, p.Functions.Len())
	keys := make([]frameKey, 0, p.Functions.Len()) // by frame
	number := func(k frameKey) int32 {
		id, ok := known[k]
		if !ok {
			id = int32(len(t.frames))
			known[k] = id
			keys = append(keys, k)
			t.frames = append(t.frames, Frame{
				Name: names.list[k.name], Address: k.addr, File: names.list[k.file],
				StartLine: int(k.start), Line: int(k.line), Column: int(k.col), Object: names.list[k.object],
			})
			t.inlined = append(t.inlined, false)
		}
		return id
	}
	last := make([]int32, p.Functions.Len()) // by function: the frame it had last, mostly the next too, plus 1
	for id := range p.Locations.Len() {
		addr := p.Locations.Address[id]
		lines := p.Locations.LinesOf(profile.LocationID(id))
		if id > 0 && len(lines) == 0 {
			t.ids = append(t.ids, number(frameKey{addr: addr, object: object[p.Locations.Mapping[id]]}))
		}
		for i, ln := range lines {
			k := frameKey{name: fnName[ln.Function], file: fnFile[ln.Function], addr: addr, line: ln.Line, col: ln.Column}
			if objNames || k.name == 0 {
				k.object = object[p.Locations.Mapping[id]]
				k.start = p.Functions.StartLine[ln.Function]
			}
			n := last[ln.Function] - 1
			if n < 0 || keys[n] != k {
				n = number(k)
				last[ln.Function] = n + 1
			}
			t.ids = append(t.ids, n)
			if i < len(lines)-1 {
				t.inlined[n] = true
			}
		}
		t.offsets = append(t.offsets, uint32(len(t.ids)))
	}
	return t
}

// of lists the frames of one location, innermost first.
func (t *frameTable) of(loc profile.LocationID) []int32 {
	return t.ids[t.offsets[loc]:t.offsets[loc+1]]
}

// namer numbers strings by content; 0 is "".
type namer struct {
	ids  map[string]int32
	list []string
}

// functions numbers the names and files of functions; trim, if not nil, rewrites
// files.
func (n *namer) functions(p *profile.Profile, trim func(string) string) (name, file []int32) {
	name, file = make([]int32, p.Functions.Len()), make([]int32, p.Functions.Len())
	files := map[profile.StringID]int32{0: 0}
	for i := range name {
		name[i] = n.id(p.Strings[p.Functions.Name[i]])
		id, known := files[p.Functions.File[i]]
		if !known {
			path := p.Strings[p.Functions.File[i]]
			if path != "" && trim != nil {
				path = trim(path)
			}
			if path != "" {
				id = n.id(filepath.Clean(path))
			}
			files[p.Functions.File[i]] = id
		}
		file[i] = id
	}
	return name, file
}

func newNamer() *namer {
	return &namer{ids: map[string]int32{"": 0}, list: []string{""}}
}

func (n *namer) id(s string) int32 {
	id, ok := n.ids[s]
	if !ok {
		id = int32(len(n.list))
		n.ids[s] = id
		n.list = append(n.list, s)
	}
	return id
}

// TrimPath returns the function that cuts the configured or guessed prefixes
// from source names: those of trimPath; without any, everything up to the
// base name of a directory of searchPath; and /proc/self/cwd.
func TrimPath(trimPath, searchPath string) func(string) string {
	var guesses []string
	if trimPath == "" {
		for _, dir := range filepath.SplitList(filepath.ToSlash(searchPath)) {
			guesses = append(guesses, "/"+filepath.Base(dir)+"/")
		}
	}
	prefixes := append(filepath.SplitList(filepath.ToSlash(trimPath)), "/proc/self/cwd/./", "/proc/self/cwd/")
	for i, p := range prefixes {
		if !strings.HasSuffix(p, "/") {
			prefixes[i] = p + "/"
		}
	}
	return func(path string) string {
		slashed := filepath.ToSlash(path)
		for _, g := range guesses {
			if i := strings.Index(slashed, g); i >= 0 {
				return path[i+len(g):]
			}
		}
		for _, p := range prefixes {
			if strings.HasPrefix(slashed, p) {
				return path[len(p):]
			}
		}
		return path
	}
}

// Stack is one sample's stack of frames, innermost first, for reports that
// print samples as they are.
type Stack struct {
	Frames []*Frame
	Inline []bool // the frame was inlined into the next
}

// StackFrames lists the frames of a stack. Unlike in graphs, file names are
// not trimmed.
func (v *View) StackFrames(id profile.StackID) Stack {
	if v.frames == nil {
		v.frames = buildFrames(v.Profile, false, nil)
	}
	var s Stack
	for _, loc := range v.Profile.Stacks.Of(id) {
		ids := v.frames.of(loc)
		for i, f := range ids {
			s.Frames = append(s.Frames, &v.frames.frames[f])
			s.Inline = append(s.Inline, i < len(ids)-1)
		}
	}
	return s
}
