package srcfind

import (
	"path/filepath"
	"strings"
)

// module is a Go module on this machine.
type module struct {
	path string // "github.com/me/app"; empty if go.mod does not tell
	dir  string
}

// findModules returns the module at or above Dir and, behind it, those of a
// go.work file at or above it.
func (f *Finder) findModules() []module {
	var out []module
	add := func(dir string) bool {
		b, err := f.readFile(filepath.Join(dir, "go.mod"))
		if err != nil {
			return false // no module there
		}
		for _, m := range out {
			if m.dir == dir {
				return true
			}
		}
		out = append(out, module{path: modulePath(string(b)), dir: dir})
		return true
	}
	dirs := upward(f.opts.Dir)
	for _, dir := range dirs {
		if add(dir) {
			break
		}
	}
	for _, dir := range dirs {
		b, err := f.readFile(filepath.Join(dir, "go.work"))
		if err != nil {
			continue // no workspace there
		}
		for _, use := range directive(string(b), "use") {
			if !filepath.IsAbs(use) {
				use = filepath.Join(dir, filepath.FromSlash(use))
			}
			add(use)
		}
		break
	}
	return out
}

func modulePath(gomod string) string {
	if ps := directive(gomod, "module"); len(ps) > 0 {
		return ps[0]
	}
	return ""
}

// directive returns the first argument of each line with this verb in a go.mod
// or go.work file, also inside of "verb ( ... )".
func directive(text, verb string) []string {
	var out []string
	inside := false
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "//")
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0:
			continue
		case inside && fields[0] == ")":
			inside = false
		case inside:
			out = append(out, strings.Trim(fields[0], "\"`"))
		case fields[0] == verb && len(fields) > 1 && fields[1] == "(":
			inside = true
		case fields[0] == verb && len(fields) > 1:
			out = append(out, strings.Trim(fields[1], "\"`"))
		}
	}
	return out
}
