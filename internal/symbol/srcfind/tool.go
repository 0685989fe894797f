package srcfind

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// tool finds name by pprof's rule: trim it; what is absolute then must exist;
// what is relative is looked for in every search directory and all of their
// parents. The error has pprof's text.
func (f *Finder) tool(s *search, name string) (string, error) {
	path := f.trim(name)
	if filepath.IsAbs(path) {
		return path, s.open(path)
	}
	for _, dir := range f.opts.SearchPath {
		for {
			file := filepath.Join(dir, path)
			if s.exists(file) {
				return file, nil
			}
			parent := filepath.Dir(dir)
			if parent == dir {
				break
			}
			dir = parent
		}
	}
	search := strings.Join(f.opts.SearchPath, string(os.PathListSeparator))
	return "", fmt.Errorf("could not find file %s on path %s", path, search)
}

// trim cuts what is in front of the part of name that may be found locally:
// without trim paths everything up to an element called like a search
// directory, else the first trim path that name starts with. Names of
// builds in a sandbox start with /proc/self/cwd.
func (f *Finder) trim(name string) string {
	slashed := filepath.ToSlash(name)
	if len(f.opts.TrimPath) == 0 {
		for _, dir := range f.opts.SearchPath {
			element := "/" + filepath.Base(filepath.ToSlash(dir)) + "/"
			if i := strings.Index(slashed, element); i >= 0 {
				return name[i+len(element):]
			}
		}
	}
	for _, prefix := range f.opts.TrimPath {
		prefix = strings.TrimSuffix(filepath.ToSlash(prefix), "/") + "/"
		if strings.HasPrefix(slashed, prefix) {
			return name[len(prefix):]
		}
	}
	for _, prefix := range []string{"/proc/self/cwd/./", "/proc/self/cwd/"} {
		if strings.HasPrefix(slashed, prefix) {
			return name[len(prefix):]
		}
	}
	return name
}
