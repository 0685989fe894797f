package report

import (
	"path"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
)

// Categories tells whose code each function is, by name, from where its
// source lies. It is made from the profile before aggregation, which erases
// files.
type Categories map[string]render.Category

// NewCategories looks every function up once. In a profile with nothing of Go
// in it, what is no library's is the program's own.
func NewCategories(p *profile.Profile) Categories {
	c := make(Categories, p.Functions.Len())
	native := true
	for id := 1; id < p.Functions.Len(); id++ {
		fn := profile.FunctionID(id)
		name := p.FunctionName(fn)
		if _, ok := c[name]; !ok {
			c[name] = CategoryFrom(origin.Of(name, p.FunctionFile(fn)))
			native = native && origin.Package(name) == ""
		}
	}
	if native {
		c.claim(p)
	}
	return c
}

// claim makes foreign functions the program's own: those whose source is
// known, and those of its main binary, the first that is mapped.
func (c Categories) claim(p *profile.Profile) {
	binary := ""
	if p.NumMappings() > 0 {
		binary = p.Mappings[1].File
	}
	if binary != "" {
		c["["+path.Base(binary)+"]"] = render.CategoryOwn // views call what has no symbols so
	}
	for id := 1; id < p.Functions.Len(); id++ {
		fn := profile.FunctionID(id)
		name, file := p.FunctionName(fn), p.FunctionFile(fn)
		if c[name] == render.CategoryCgo && strings.ContainsRune(file, '.') && !strings.HasPrefix(file, "/usr/") {
			c[name] = render.CategoryOwn
		}
	}
	for i := 1; binary != "" && i < p.Locations.Len(); i++ {
		if m := p.Locations.Mapping[i]; m == 0 || p.Mappings[m].File != binary {
			continue
		}
		for _, ln := range p.Locations.LinesOf(profile.LocationID(i)) {
			if name := p.FunctionName(ln.Function); c[name] == render.CategoryCgo {
				c[name] = render.CategoryOwn
			}
		}
	}
}

// Of is the category of a function that may be unknown.
func (c Categories) Of(name string) render.Category {
	if cat, ok := c[name]; ok {
		return cat
	}
	return CategoryFrom(origin.Of(name, ""))
}

// CategoryFrom is the category that stands for an origin.
func CategoryFrom(o origin.Origin) render.Category {
	switch o {
	case origin.Own:
		return render.CategoryOwn
	case origin.Dependency:
		return render.CategoryDependency
	case origin.Std:
		return render.CategoryStd
	case origin.Runtime:
		return render.CategoryRuntime
	}
	return render.CategoryCgo
}
