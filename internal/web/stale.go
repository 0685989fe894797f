package web

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
)

// staleSource tells that a source file is of another version than the profile:
// most of what was sampled in it lies on lines that belong to other functions
// here. It is nil when the lines fit, and for what is not Go.
func staleSource(path string, text []string, a *Source) *Missing {
	if filepath.Ext(path) != ".go" {
		return nil
	}
	declared := declarations(path, text)
	if len(declared) == 0 {
		return nil
	}
	var all, off float64
	var worst *SourceLine
	for i := range a.Lines {
		l := &a.Lines[i]
		own := namesIn(a.Functions[l.Function].Name)
		if own["init"] || own["glob"] { // of the package, on any line
			continue
		}
		all += l.Cum
		if d := declared.at(l.Line); d == nil || !own[d.name] {
			off += l.Cum
			if worst == nil || l.Cum > worst.Cum {
				worst = l
			}
		}
	}
	if worst == nil || off < all/2 {
		return nil
	}
	where := "in no function here"
	if d := declared.at(worst.Line); d != nil {
		where = "in " + d.name + " here"
	}
	return &Missing{
		Text:  fmt.Sprintf("This file is of another version than the profile: %s was sampled on line %d, which is %s.", a.Functions[worst.Function].Name, worst.Line, where),
		Tried: []string{}, Hint: "The values do not belong to the text beside them. Name the folder of the right sources with -source_path=DIR.",
	}
}

// declaration is a function of a file and the lines it takes.
type declaration struct {
	name        string
	first, last int
}

type declarationList []declaration

// declarations finds the functions of a Go file, in order; none if it cannot
// be parsed.
func declarations(path string, text []string) (out declarationList) {
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, path, strings.Join(text, "\n"), parser.SkipObjectResolution)
	if err != nil {
		return nil
	}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			line := func(p token.Pos) int { return set.PositionFor(p, false).Line }
			out = append(out, declaration{fn.Name.Name, line(fn.Pos()), line(fn.End())})
		}
	}
	return out
}

// at is the function that a line is in, nil if there is none.
func (l declarationList) at(line int) *declaration {
	for i := range l {
		if l[i].first <= line && line <= l[i].last {
			return &l[i]
		}
	}
	return nil
}

// namesIn are the identifiers in a function's name behind its package: for
// time.(*Timer).Stop.func1 they are Timer, Stop and func1.
func namesIn(function string) map[string]bool {
	rest := strings.TrimPrefix(function, origin.Package(function))
	if i := strings.IndexByte(rest, '['); i >= 0 { // type arguments
		if k := strings.LastIndexByte(rest, ']'); k > i {
			rest = rest[:i] + "." + rest[k+1:]
		}
	}
	out := map[string]bool{}
	for _, name := range strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(".()*-", r) }) {
		out[name] = true
	}
	return out
}
