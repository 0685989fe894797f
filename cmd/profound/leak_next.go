package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"unicode"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/verdict"
	"github.com/profoundhq/profound/internal/watch"
)

// lookFurther makes the command lines that show more of a finding.
type lookFurther struct {
	e       *env
	targets []*watch.Target
	specs   []string // files that were judged
	reasons map[int][]string
}

// held is who holds what finding i is about.
func (l lookFurther) held(i int) []string { return l.reasons[i] }

// commands are the lines for one finding: who holds it, the source, the
// callers.
func (l lookFurther) commands(f *leak.Finding) []string {
	at := verdict.Blame(f)
	program := l.e.program()
	var out []string
	if c := l.why(f, at); c != "" {
		out = append(out, program+" "+c)
	}
	kind := "heap"
	if f.Resource == leak.Goroutines {
		kind = "goroutine"
	}
	source := l.profile(kind)
	if source == "" || f.Resource != leak.Heap && f.Resource != leak.Goroutines {
		return out
	}
	if at != nil && f.Resource == leak.Heap {
		return append(out, fmt.Sprintf("%s -list %s %s", program, quote(pattern(at.Function)), source))
	}
	if len(f.Path) > 0 {
		to := f.Path[len(f.Path)-1]
		if f.Resource == leak.Goroutines {
			to = f.Path[0] // what the goroutines run; below they wait here and there
		}
		out = append(out, fmt.Sprintf("%s -peek %s %s", program, quote(pattern(to.Function)), source))
	}
	return out
}

// why asks who holds the memory, if there is a process or a snapshot to ask.
func (l lookFurther) why(f *leak.Finding, at *leak.Frame) string {
	objects := savedObjects(l.specs)
	if pid := liveObjects(l.targets); pid != "" {
		objects = pid
	}
	switch {
	case objects == "" || f.Resource == leak.OffHeap:
		return ""
	case at == nil:
		return "why " + quote(objects)
	}
	return fmt.Sprintf("why -at %s %s", quote(pattern(at.Function)), quote(objects))
}

// profile names a profile of a kind that can be looked at.
func (l lookFurther) profile(kind string) string {
	switch {
	case len(l.targets) > 0 && l.targets[0].URL() != "":
		return quote(strings.TrimSuffix(l.targets[0].URL(), "/") + "/" + kind)
	case len(l.specs) == 0:
		return ""
	}
	last := l.specs[len(l.specs)-1]
	if names := profilesIn(last, kind); len(names) > 0 {
		return quote(filepath.Join(last, names[len(names)-1]))
	}
	return quote(last)
}

// profilesIn are the names of the files of a kind in a folder, in their order.
func profilesIn(dir, kind string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		rest, ok := strings.CutPrefix(e.Name(), kind)
		if ok && strings.IndexFunc(rest, unicode.IsLetter) != 0 { // not goroutineleak
			names = append(names, e.Name())
		}
	}
	return names
}

// pattern matches a function and no other.
func pattern(function string) string {
	name := origin.ShortName(function)
	if _, method, ok := strings.Cut(name, "."); ok {
		name = method // without the package
	}
	return regexp.QuoteMeta(name) + "$"
}

// quote makes a word safe for a shell.
func quote(s string) string {
	if strings.IndexFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:=@,+%", r))
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
