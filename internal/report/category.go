package report

import (
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
	"github.com/profoundhq/profound/internal/view"
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

// stdRoots are the first elements of the import paths of Go's standard
// library (go list std).
const stdRoots = " archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak "

func categoryOf(name, file string) render.Category {
	pkg := GoPackage(name)
	root, _, _ := strings.Cut(pkg, "/")
	switch {
	case pkg == "":
		return render.CategoryCgo
	case pkg == "runtime" || strings.HasPrefix(pkg, "runtime/internal/") || strings.HasPrefix(pkg, "internal/runtime/"):
		return render.CategoryRuntime
	case strings.Contains(stdRoots, " "+root+" "):
		return render.CategoryStd
	case strings.Contains(file, "/pkg/mod/") || strings.Contains(file, "/vendor/") || slices.ContainsFunc(strings.Split(file, "/"), isVersioned):
		return render.CategoryDependency
	}
	return render.CategoryOwn
}

// isVersioned tells a path element of the module cache: zap@v1.27.0.
func isVersioned(elem string) bool {
	_, version, ok := strings.Cut(elem, "@")
	return ok && strings.HasPrefix(version, "v")
}

// GoPackage is the import path in a Go function name, "" for names that are
// not Go's: net/http.(*conn).serve gives net/http.
func GoPackage(name string) string {
	if strings.Contains(name, "::") || strings.HasPrefix(name, "_Z") {
		return ""
	}
	bracket := strings.IndexByte(name, '[')
	head := name
	if bracket >= 0 {
		head = name[:bracket] // type arguments contain paths of their own
	}
	slash := strings.LastIndexByte(head, '/') + 1
	dot := strings.IndexByte(head[slash:], '.')
	if dot < 0 {
		return ""
	}
	return head[:slash+dot]
}

// isOwnCode tells a frame of the program itself from one of a library. Code of
// the standard library inlined into a closure can have a name of the program.
func isOwnCode(f view.Frame) bool {
	file := f.File
	if i := strings.LastIndex(file, "/src/"); i >= 0 {
		file = file[i+len("/src/"):]
	}
	root, _, ok := strings.Cut(file, "/")
	if ok && strings.Contains(stdRoots, " "+root+" ") {
		return false
	}
	return categoryOf(f.Name, f.File) == render.CategoryOwn
}
