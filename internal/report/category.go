package report

import (
	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
)

// Categories tells whose code each function is, by name, from where its
// source lies. It is made from the profile before aggregation, which erases
// files.
type Categories map[string]render.Category

// NewCategories looks every function up once.
func NewCategories(p *profile.Profile) Categories {
	c := make(Categories, p.Functions.Len())
	for id := 1; id < p.Functions.Len(); id++ {
		fn := profile.FunctionID(id)
		name := p.FunctionName(fn)
		if _, ok := c[name]; !ok {
			c[name] = categoryOf(name, p.FunctionFile(fn))
		}
	}
	return c
}

// Of is the category of a function that may be unknown.
func (c Categories) Of(name string) render.Category {
	if cat, ok := c[name]; ok {
		return cat
	}
	return categoryOf(name, "")
}

func categoryOf(name, file string) render.Category {
	switch origin.Of(name, file) {
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
