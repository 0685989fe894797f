package web

import (
	"path/filepath"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/view"
)

// Names knows of every name an entry of a view can have (a function, a file, a
// package) whose code it is and where it lies. It is made before aggregation,
// which erases files, and is read-only.
type Names struct {
	by    map[string]NameInfo
	whose report.Categories
}

// NameInfo is what is known of a name.
type NameInfo struct {
	Category render.Category
	// Package is the import path, "" for what is not Go's.
	Package string
	// File is the source file and Line the first known line in it.
	File string
	Line int
}

func newNames(p *profile.Profile) *Names {
	n := &Names{by: make(map[string]NameInfo, p.Functions.Len()), whose: report.NewCategories(p)}
	least := firstLines(p)
	for i := 1; i < p.Functions.Len(); i++ {
		fn := profile.FunctionID(i)
		name, file := p.FunctionName(fn), p.FunctionFile(fn)
		if _, known := n.by[name]; known || name == "" {
			continue
		}
		info := NameInfo{Category: n.whose.Of(name), Package: origin.Package(name), File: file, Line: int(p.Functions.StartLine[i])}
		if info.Line == 0 {
			info.Line = least[i]
		}
		n.by[name] = info
		n.group(info.Package, NameInfo{Category: info.Category, Package: info.Package})
		if file != "" {
			n.group(filepath.Clean(file), NameInfo{Category: info.Category, Package: info.Package, File: file})
		}
	}
	return n
}

// group notes what a package or a file is, by its first function.
func (n *Names) group(name string, info NameInfo) {
	if _, known := n.by[name]; !known && name != "" {
		n.by[name] = info
	}
}

// firstLines is the least line number sampled of each function.
func firstLines(p *profile.Profile) []int {
	least := make([]int, p.Functions.Len())
	for _, ln := range p.Locations.Lines {
		if l := int(ln.Line); l > 0 && (least[ln.Function] == 0 || l < least[ln.Function]) {
			least[ln.Function] = l
		}
	}
	return least
}

// Of is what is known of a function, file or package.
func (n *Names) Of(name string) NameInfo {
	if info, ok := n.by[name]; ok {
		return info
	}
	return NameInfo{Category: n.whose.Of(name), Package: origin.Package(name)}
}

// OfFrame is Of for an entry of a view, with its own place where it has one.
func (n *Names) OfFrame(f *view.Frame) NameInfo {
	info := n.Of(entryName(f))
	if f.File != "" {
		info.File = f.File
	}
	if f.Line != 0 {
		info.Line = f.Line
	}
	return info
}

// entryName is what an entry is selected by: the function, or the file or the
// package at these granularities.
func entryName(f *view.Frame) string {
	switch {
	case f.Name != "":
		return f.Name
	case f.File != "":
		return f.File
	}
	return f.String()
}

func (n *Names) bytes() int { return 170 * len(n.by) }
