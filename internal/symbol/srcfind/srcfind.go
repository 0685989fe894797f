// Package srcfind finds a source file by the name a profile or an object file
// gives it. The name may come from another machine, another GOROOT, a module
// cache, a vendor directory or a -trimpath build.
//
// A [Finder] first asks as pprof does (trim_path, source_path, see tool.go),
// so that whatever pprof finds is found at the same place. Then come the
// places Go programs have that pprof does not know (see golang.go). The answer
// says how it was found; a failure lists where it was looked for.
//
// The package reads no environment and knows no current directory: all of
// that is handed in with [Options]. Names come from profiles, which are input
// from outside: a server that shows sources must hand in an Open function that
// refuses files it does not want to show.
package srcfind

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// maxFileBytes is the default of Options.MaxBytes.
const maxFileBytes = 16 << 20

// Options are all a Finder knows about the machine. Directories are absolute.
type Options struct {
	SearchPath []string // source_path; pprof's default is the current directory
	TrimPath   []string // trim_path; empty lets pprof guess

	// ToolOnly leaves it at pprof's own rule.
	ToolOnly bool

	Dir        string // where go.mod and vendor are looked for, and above; empty: nowhere
	GOROOT     string // local toolchain; empty: unknown
	GOMODCACHE string // local module cache; empty: unknown

	// Open opens a file. nil means os.Open.
	Open func(name string) (fs.File, error)

	// MaxBytes bounds the size of a file Read accepts. 0 means 16 MiB.
	MaxBytes int64
}

// How tells by which rule a file was found.
type How string

// Rules, in the order they are tried.
const (
	Tool       How = "pprof"         // pprof's own rule
	GoRoot     How = "GOROOT"        // standard library
	ModCache   How = "module cache"  // dependency, in the version of the name
	Vendor     How = "vendor"        // vendor directory at or above Dir
	MainModule How = "main module"   // module (or workspace module) at or above Dir
	OtherRev   How = "other version" // Dir's module is the dependency, its version may differ
	Guess      How = "guess"         // a file of the module or GOROOT with the same last elements
)

// Found is where a source file lies.
type Found struct {
	Path string
	How  How
}

// NotFoundError tells that a source file was found nowhere.
type NotFoundError struct {
	Name  string   // as the profile has it
	Tried []string // files that do not open, in order, each once
	// Refused is why the first file that is there may not be read, nil if none
	// is.
	Refused error
	text    string
}

// Error is the text pprof prints in its place.
func (e *NotFoundError) Error() string { return e.text }

// Is makes errors.Is(err, fs.ErrNotExist) true.
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// Finder finds source files. It may be used from several goroutines.
type Finder struct {
	opts Options

	modules func() []module // module at or above Dir, or those of its workspace

	mu    sync.Mutex
	found map[string]answer // by name
}

type answer struct {
	found Found
	err   error
}

// maxAnswers bounds the names whose answers are kept.
const maxAnswers = 1 << 16

// New returns a Finder.
func New(opts Options) *Finder {
	if opts.Open == nil {
		opts.Open = func(name string) (fs.File, error) { return os.Open(name) }
	}
	if opts.MaxBytes <= 0 {
		opts.MaxBytes = maxFileBytes
	}
	f := &Finder{opts: opts, found: make(map[string]answer)}
	f.modules = sync.OnceValue(f.findModules)
	return f
}

// Find returns where the source file called name lies. The error is a
// *NotFoundError.
func (f *Finder) Find(name string) (Found, error) {
	f.mu.Lock()
	a, ok := f.found[name]
	f.mu.Unlock()
	if ok {
		return a.found, a.err
	}
	a.found, a.err = f.find(name)
	f.mu.Lock()
	if len(f.found) >= maxAnswers {
		clear(f.found)
	}
	f.found[name] = a
	f.mu.Unlock()
	return a.found, a.err
}

func (f *Finder) find(name string) (Found, error) {
	s := &search{f: f}
	path, toolErr := f.tool(s, name)
	if toolErr == nil {
		return Found{path, Tool}, nil
	}
	if !f.opts.ToolOnly && name != "" {
		if found, ok := f.golang(s, name); ok {
			return found, nil
		}
	}
	return Found{}, &NotFoundError{Name: name, Tried: s.tried, Refused: s.refused, text: toolErr.Error()}
}

// search collects the files that one Find has tried, and why the first that may
// not be read may not.
type search struct {
	f       *Finder
	tried   []string
	refused error
}

// open reports whether path is a file that opens; the error is Open's.
func (s *search) open(path string) error {
	file, err := s.f.opts.Open(path)
	if err == nil {
		var st fs.FileInfo
		st, err = file.Stat()
		file.Close()
		if err == nil && st.IsDir() {
			err = fmt.Errorf("open %s: is a directory", path)
		}
	}
	if err != nil && !slices.Contains(s.tried, path) {
		s.tried = append(s.tried, path)
	}
	if s.refused == nil && errors.Is(err, fs.ErrPermission) {
		s.refused = err
	}
	return err
}

func (s *search) exists(path string) bool { return s.open(path) == nil }

// errTooLong is wrapped by the error for a file over Options.MaxBytes.
var errTooLong = errors.New("source file is too long")

// Read returns the content of the source file called name.
func (f *Finder) Read(name string) ([]byte, Found, error) {
	found, err := f.Find(name)
	if err != nil {
		return nil, Found{}, err
	}
	b, err := f.readFile(found.Path)
	if err != nil {
		return nil, found, err
	}
	return b, found, nil
}

// Lines is Read cut into lines without their ends: line n of the file is at
// index n-1.
func (f *Finder) Lines(name string) ([]string, Found, error) {
	b, found, err := f.Read(name)
	if err != nil {
		return nil, found, err
	}
	lines := strings.Split(string(b), "\n")
	if last := len(lines) - 1; lines[last] == "" {
		lines = lines[:last]
	}
	for i, l := range lines {
		lines[i] = strings.TrimSuffix(l, "\r")
	}
	return lines, found, nil
}

func (f *Finder) readFile(path string) ([]byte, error) {
	file, err := f.opts.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read source: %w", err)
	}
	defer file.Close()
	b, err := io.ReadAll(io.LimitReader(file, f.opts.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read source %s: %w", path, err)
	}
	if int64(len(b)) > f.opts.MaxBytes {
		return nil, fmt.Errorf("read source %s: %w: limit %d bytes", path, errTooLong, f.opts.MaxBytes)
	}
	return b, nil
}
