// Package origin reads the names of functions: whose code one is (the
// program's own, a dependency's, the standard library's, the runtime's, or
// none of Go's), its package, and a short form for where the full one does
// not fit. Pictures are coloured by it, and the search for a leak stops at
// the program's own code.
package origin

import (
	"slices"
	"strings"
)

// Origin says whose code a function is.
type Origin uint8

// The origins. Foreign is what is not Go: C, C++, Rust, the kernel.
const (
	Foreign Origin = iota
	Own
	Dependency
	Std
	Runtime
)

// stdRoots are the first elements of the import paths of Go's standard
// library (go list std).
const stdRoots = " archive bufio builtin bytes cmp compress container context crypto database debug embed encoding errors expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime slices sort strconv strings structs sync syscall testing text time unicode unique unsafe vendor weak "

func isStd(root string) bool { return strings.Contains(stdRoots, " "+root+" ") }

// Of tells whose code the function name is; file is its source file as the
// profile has it, "" if unknown.
func Of(name, file string) Origin {
	pkg := Package(name)
	root, _, _ := strings.Cut(pkg, "/")
	switch {
	case pkg == "":
		return ofNative(name, file)
	case pkg == "runtime" || strings.HasPrefix(pkg, "runtime/internal/") || strings.HasPrefix(pkg, "internal/runtime/"):
		return Runtime
	case isStd(root):
		return Std
	case strings.Contains(file, "/pkg/mod/") || strings.Contains(file, "/vendor/") || slices.ContainsFunc(strings.Split(file, "/"), isVersioned):
		return Dependency
	}
	return Own
}

// ofNative is Of for what has no Go package: assembly of Go by the folder it
// lies in, other languages by what their tools call things.
func ofNative(name, file string) Origin {
	if strings.HasSuffix(file, ".s") {
		if pkg := sourcePackage(file); pkg != "" {
			return Of(pkg+"."+name, file)
		}
	}
	holds := func(part string) bool { return strings.Contains(file, part) }
	starts := func(part string) bool { return strings.HasPrefix(name, part) }
	switch {
	case slices.ContainsFunc([]string{"/.cargo/", "/cargo/registry/", "/node_modules/", "/site-packages/", "/dist-packages/", "/vcpkg/", "/conan/"}, holds):
		return Dependency
	case slices.ContainsFunc([]string{"/rustc/", "/include/c++/", "/c++/v1/", "/glibc"}, holds),
		slices.ContainsFunc([]string{"std::", "core::", "alloc::", "__gnu_cxx::", "operator new", "operator delete"}, starts):
		return Std
	}
	return Foreign
}

// sourcePackage is the package of the standard library that a source file
// belongs to, "" for others.
func sourcePackage(file string) string {
	if i := strings.LastIndex(file, "/src/"); i >= 0 {
		file = file[i+len("/src/"):]
	}
	i := strings.LastIndexByte(file, '/')
	if i < 0 {
		return ""
	}
	if root, _, _ := strings.Cut(file, "/"); !isStd(root) {
		return ""
	}
	return file[:i]
}

// OfFrame is Of for one line of a stack. Code of the standard library inlined
// into a closure can have a name of the program; its file tells.
func OfFrame(name, file string) Origin {
	o := Of(name, file)
	if o != Own {
		return o
	}
	if sourcePackage(file) != "" {
		return Std
	}
	return Own
}

// isVersioned tells a path element of the module cache: zap@v1.27.0.
func isVersioned(elem string) bool {
	_, version, ok := strings.Cut(elem, "@")
	return ok && strings.HasPrefix(version, "v")
}

// Package is the import path in a Go function name, "" for names that are
// not Go's: net/http.(*conn).serve gives net/http.
func Package(name string) string {
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
