package web

import (
	"path"
	"strings"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/why"
)

// categoryNumber is a render.Category in JSON.
type categoryNumber = render.Category

// origins tells whose code a package is, by the files of the functions of it
// that the heap knows of.
type origins struct {
	byPackage map[string]origin.Origin
	groups    map[uint32]string // a function of a group of goroutines
}

func (h *Heap) originsOf() origins {
	o := origins{byPackage: map[string]origin.Origin{}, groups: map[uint32]string{}}
	note := func(stack []goheap.Frame) {
		for _, f := range stack {
			if pkg := origin.Package(f.Func); pkg != "" && f.File != "" {
				if _, known := o.byPackage[pkg]; !known {
					o.byPackage[pkg] = origin.Of(f.Func, f.File)
					o.byPackage[path.Base(pkg)] = o.byPackage[pkg] // variables and types have short names
				}
			}
		}
	}
	g := h.Analysis.Heap
	for i := range g.Buckets {
		note(g.Buckets[i].Stack)
	}
	for i := range g.Goroutines {
		note(g.Goroutines[i].Stack)
	}
	for i := range g.Groups {
		if first := &g.Goroutines[g.Groups[i].Goroutines[0]]; len(first.Stack) > 0 {
			o.groups[g.Groups[i].Vertex] = ownFrame(first.Stack).Func
		}
	}
	return o
}

// of is the category of a variable or function.
func (o *origins) of(name string) render.Category {
	name = strings.TrimPrefix(name, "*")
	pkg := origin.Package(name)
	if by, ok := o.byPackage[pkg]; ok {
		return report.CategoryFrom(by)
	}
	if by := origin.Of(name, ""); by != origin.Own || pkg == "main" {
		return report.CategoryFrom(by)
	}
	return render.CategoryNone // of a package no stack goes through
}

// ofPackage is the category of a package, none where no stack goes through it
// and its name does not tell.
func (o *origins) ofPackage(name string) render.Category {
	if by, ok := o.byPackage[name]; ok {
		return report.CategoryFrom(by)
	}
	if by := origin.Of(name+".x", ""); by == origin.Std || by == origin.Runtime || name == "main" {
		return report.CategoryFrom(by)
	}
	return render.CategoryNone
}

// ofType is the category of a type: of the package it is of, none for those
// of the language.
func (o *origins) ofType(name string) render.Category {
	name = strings.TrimLeft(name, "*[]0123456789")
	if strings.HasPrefix(name, "map[") || strings.HasPrefix(name, "struct {") || strings.HasPrefix(name, "func(") || origin.Package(name) == "" {
		return render.CategoryNone
	}
	return o.of(name)
}

func (o *origins) ofStep(s *why.Step) render.Category {
	switch s.Kind {
	case goheap.KindObject:
		return o.ofType(s.Name)
	case goheap.KindRuntime, goheap.KindSpecial:
		return render.CategoryRuntime
	case goheap.KindGroup, goheap.KindGoroutine:
		if f, ok := o.groups[s.First]; ok {
			return o.of(f)
		}
		if f, ok := o.groups[s.Vertex]; ok {
			return o.of(f)
		}
	}
	return o.of(s.Name)
}

// ownFrame is the innermost frame of the program's own code, else the first
// that is not the runtime's, else the leaf.
func ownFrame(stack []goheap.Frame) goheap.Frame {
	best := stack[0]
	other := false
	for _, f := range stack {
		switch origin.OfFrame(f.Func, f.File) {
		case origin.Own:
			return f
		case origin.Runtime:
		default:
			if !other {
				best, other = f, true
			}
		}
	}
	return best
}
