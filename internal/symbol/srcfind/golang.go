package srcfind

import (
	"path/filepath"
	"slices"
	"strings"
	"unicode"
)

// golang finds name in the places Go builds take sources from.
func (f *Finder) golang(s *search, name string) (Found, bool) {
	name = slashed(name)
	if slices.Contains(strings.Split(name, "/"), "..") {
		return Found{}, false // no Go tool writes such names
	}
	rules := []struct {
		how  How
		rule func(*search, string) (string, bool)
	}{
		{GoRoot, f.inGoRoot},
		{ModCache, f.inModCache},
		{Vendor, f.inVendor},
		{MainModule, f.inModules},
		{OtherRev, f.inOtherRevision},
		{Guess, f.guess},
	}
	for _, r := range rules {
		if path, ok := r.rule(s, name); ok {
			return Found{path, r.how}, true
		}
	}
	return Found{}, false
}

// slashed writes a Windows path with slashes on every system.
func slashed(name string) string {
	if drive(name) || strings.HasPrefix(name, `\\`) {
		return strings.ReplaceAll(name, `\`, "/")
	}
	return filepath.ToSlash(name)
}

// drive reports whether name starts like C:\ or C:/.
func drive(name string) bool {
	return len(name) > 2 && name[1] == ':' && (name[2] == '/' || name[2] == '\\') && unicode.IsLetter(rune(name[0]))
}

func absolute(name string) bool { return strings.HasPrefix(name, "/") || drive(name) }

// join puts a slash-separated name under a local directory.
func join(dir, name string) (string, bool) {
	local := filepath.FromSlash(name)
	if dir == "" || !filepath.IsLocal(local) {
		return "", false
	}
	return filepath.Join(dir, local), true
}

// try looks for name under dir.
func (s *search) try(dir, name string) (string, bool) {
	path, ok := join(dir, name)
	return path, ok && s.exists(path)
}

// inGoRoot finds files of the standard library and of the toolchain:
// "$GOROOT/src/...", "runtime/proc.go" of a -trimpath build, and
// "/any/goroot/src/..." of another machine.
func (f *Finder) inGoRoot(s *search, name string) (string, bool) {
	if rest, ok := strings.CutPrefix(name, "$GOROOT/"); ok {
		return s.try(f.opts.GOROOT, rest)
	}
	if !absolute(name) {
		if !stdName(name) {
			return "", false
		}
		return s.try(f.opts.GOROOT, "src/"+name)
	}
	for _, root := range srcDirs(name) {
		if goRootName(root.dir) && stdName(root.rest) {
			if path, ok := s.try(f.opts.GOROOT, "src/"+root.rest); ok {
				return path, true
			}
		}
	}
	return "", false
}

// stdName reports whether the first element of name has no dot, as all
// packages of the standard library.
func stdName(name string) bool {
	first, _, ok := strings.Cut(name, "/")
	return ok && first != "" && !strings.ContainsAny(first, ".@")
}

type srcDir struct {
	dir  string // in front of /src/
	rest string // behind it
}

// srcDirs splits name at each "/src/".
func srcDirs(name string) []srcDir {
	var out []srcDir
	for from := 0; ; {
		i := strings.Index(name[from:], "/src/")
		if i < 0 {
			return out
		}
		out = append(out, srcDir{name[:from+i], name[from+i+len("/src/"):]})
		from += i + 1
	}
}

// goRootName guesses whether dir is a GOROOT: /usr/local/go, ~/sdk/go1.26.1,
// .../toolchain@v0.0.1-go1.26.1.linux-amd64, C:/Program Files/Go, Homebrew's
// .../go/1.26.1/libexec, the tool cache of CI runners .../go/1.26.1/x64.
func goRootName(dir string) bool {
	els := strings.Split(strings.ToLower(dir), "/")
	last := els[len(els)-1]
	if last == "go" || strings.HasPrefix(last, "go1") || strings.HasPrefix(last, "go-1") || strings.HasPrefix(last, "toolchain@") ||
		strings.HasPrefix(last, "golang") || last == "goroot" {
		return true
	}
	return len(els) >= 3 && slices.Contains([]string{"libexec", "x64", "arm64"}, last) && strings.HasPrefix(els[len(els)-3], "go")
}

// versioned is a name of the form module@version/rest.
type versioned struct {
	module, version, rest string
}

// splitVersion finds module@version/rest at the end of name. An absolute name
// has a module cache in front, .../pkg/mod/ or a directory called mod.
func splitVersion(name string) (versioned, bool) {
	at := strings.Index(name, "@v")
	if at < 0 {
		return versioned{}, false
	}
	version, rest, ok := strings.Cut(name[at+1:], "/")
	mod := name[:at]
	if absolute(mod) {
		i := strings.LastIndex(mod, "/pkg/mod/")
		n := len("/pkg/mod/")
		if i < 0 {
			i, n = strings.LastIndex(mod, "/mod/"), len("/mod/")
		}
		if i < 0 {
			return versioned{}, false
		}
		mod = mod[i+n:]
	}
	return versioned{mod, version, rest}, ok && mod != "" && rest != ""
}

// escape writes upper-case letters as the module cache does: "!x" for "X".
func escape(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r >= 'A' && r <= 'Z' {
			b.WriteByte('!')
			r += 'a' - 'A'
		}
		b.WriteRune(r)
	}
	return b.String()
}

// unescape is the reverse of escape.
func unescape(s string) string {
	var b strings.Builder
	bang := false
	for _, r := range s {
		switch {
		case r == '!':
			bang = true
			continue
		case bang && r >= 'a' && r <= 'z':
			r += 'A' - 'a'
		}
		bang = false
		b.WriteRune(r)
	}
	return b.String()
}

// inModCache finds module@version/rest, escaped (in the paths of a module
// cache) or not (in -trimpath names).
func (f *Finder) inModCache(s *search, name string) (string, bool) {
	v, ok := splitVersion(name)
	if !ok {
		return "", false
	}
	if path, ok := s.try(f.opts.GOMODCACHE, v.module+"@"+v.version+"/"+v.rest); ok {
		return path, true
	}
	return s.try(f.opts.GOMODCACHE, escape(v.module)+"@"+escape(v.version)+"/"+v.rest)
}

// inVendor finds the file in a vendor directory at or above Dir.
func (f *Finder) inVendor(s *search, name string) (string, bool) {
	rel := name
	if v, ok := splitVersion(name); ok {
		rel = unescape(v.module) + "/" + v.rest
	} else if _, rest, ok := strings.Cut("/"+name, "/vendor/"); ok {
		rel = rest
	} else if absolute(name) {
		return "", false
	}
	if first, _, _ := strings.Cut(rel, "/"); !strings.Contains(first, ".") {
		return "", false // no import path of a dependency
	}
	for _, dir := range upward(f.opts.Dir) {
		if path, ok := s.try(dir, "vendor/"+rel); ok {
			return path, true
		}
	}
	return "", false
}

// upward lists dir and its parents.
func upward(dir string) []string {
	var out []string
	for dir != "" {
		out = append(out, dir)
		parent := filepath.Dir(dir)
		if parent == dir {
			break
		}
		dir = parent
	}
	return out
}

// inModules finds modulepath/file.go of the main module (or of a workspace
// module): the names of -trimpath builds, and the tails of GOPATH names.
func (f *Finder) inModules(s *search, name string) (string, bool) {
	for _, m := range f.modules() {
		if m.path == "" {
			continue
		}
		rest, ok := strings.CutPrefix(name, m.path+"/")
		if !ok && absolute(name) {
			_, rest, ok = strings.Cut(name, "/"+m.path+"/")
		}
		if !ok {
			continue
		}
		if path, ok := s.try(m.dir, rest); ok {
			return path, true
		}
	}
	return "", false
}

// inOtherRevision finds module@version/rest in Dir's own module: someone who
// works on a dependency looks at a profile of a program that uses it.
func (f *Finder) inOtherRevision(s *search, name string) (string, bool) {
	v, ok := splitVersion(name)
	if !ok {
		return "", false
	}
	for _, m := range f.modules() {
		if m.path == unescape(v.module) {
			return s.try(m.dir, v.rest)
		}
	}
	return "", false
}

// guess finds the longest tail of an absolute name, at least a directory and
// a file, under the modules; and a standard-library name behind any src/.
func (f *Finder) guess(s *search, name string) (string, bool) {
	if !absolute(name) {
		return "", false
	}
	els := strings.Split(strings.TrimPrefix(name, "/"), "/")
	if _, ok := splitVersion(name); !ok {
		for i := 1; i+1 < len(els); i++ {
			for _, m := range f.modules() {
				if path, ok := s.try(m.dir, strings.Join(els[i:], "/")); ok {
					return path, true
				}
			}
		}
	}
	for _, root := range srcDirs(name) {
		if stdName(root.rest) {
			if path, ok := s.try(f.opts.GOROOT, "src/"+root.rest); ok {
				return path, true
			}
		}
	}
	return "", false
}
