package arch

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// sourceFile is one parsed Go file of the repository.
type sourceFile struct {
	path string // from the root, with slashes
	dir  string
	test bool
	text []byte
	fset *token.FileSet
	ast  *ast.File
	// imports gives the import path of each package name used in the file.
	imports map[string]string
}

func (f *sourceFile) at(n ast.Node) string {
	return fmt.Sprintf("%s:%d", f.path, f.fset.Position(n.Pos()).Line)
}

const root = "../.."

// skipped folders hold nothing we wrote, or what others made.
func skipped(name string) bool {
	return name == ".git" || name == "testdata" || name == "bench-out" || name == "bin" || name == "node_modules"
}

// goFiles parses every Go file of the repository.
func goFiles(t *testing.T) []*sourceFile {
	t.Helper()
	var files []*sourceFile
	fset := token.NewFileSet()
	walk(t, func(name string, d fs.DirEntry) {
		if !strings.HasSuffix(name, ".go") {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		f := &sourceFile{
			path: name, dir: path.Dir(name), test: strings.HasSuffix(name, "_test.go"),
			text: text, fset: fset, ast: parsed, imports: map[string]string{},
		}
		for _, spec := range parsed.Imports {
			p, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			local := path.Base(p)
			if spec.Name != nil {
				local = spec.Name.Name
			}
			f.imports[local] = p
		}
		files = append(files, f)
	})
	if len(files) < 10 {
		t.Fatalf("found only %d Go files below %s", len(files), root)
	}
	return files
}

// walk visits the files of the repository, named from its root.
func walk(t *testing.T, visit func(name string, d fs.DirEntry)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if skipped(d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		visit(filepath.ToSlash(rel), d)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// within tells whether pkg is tree or lies below it.
func within(pkg, tree string) bool { return pkg == tree || strings.HasPrefix(pkg, tree+"/") }

// rowOf is the most exact row for a package.
func rowOf(pkg string) *houseRow {
	var best *houseRow
	for i := range house {
		if r := &house[i]; within(pkg, r.pkg) && (best == nil || len(r.pkg) > len(best.pkg)) {
			best = r
		}
	}
	return best
}

// ours cuts the module from one of our own import paths.
func ours(imp string) (string, bool) { return strings.CutPrefix(imp, module) }

func TestTableOfPackages(t *testing.T) {
	for _, r := range house {
		for _, imp := range strings.Fields(r.may) {
			to := rowOf(imp)
			if to == nil || to.pkg != imp {
				t.Errorf("the row of %s allows %s, which has no row of its own; add one to the table house", r.pkg, imp)
				continue
			}
			sameTree := strings.HasPrefix(imp, "internal/") && topOf(imp) == topOf(r.pkg)
			if to.level > r.level || to.level == r.level && !sameTree {
				t.Errorf("the row of %s (level %d) allows %s (level %d): imports point down only; move what both need below both", r.pkg, r.level, imp, to.level)
			}
		}
	}
}

// topOf is the tree a package of internal belongs to: internal/format for
// internal/format/legacy.
func topOf(pkg string) string {
	parts := strings.SplitN(pkg, "/", 3)
	return strings.Join(parts[:min(2, len(parts))], "/")
}

func TestImports(t *testing.T) {
	for _, f := range goFiles(t) {
		row := rowOf(f.dir)
		if row == nil {
			t.Errorf("%s: the package %s is not in the table house of internal/arch; add a row with its level and what it may import", f.path, f.dir)
			continue
		}
		for _, spec := range f.ast.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if pkg, ok := ours(imp); ok {
				if !f.test && !slices.Contains(strings.Fields(row.may), pkg) {
					t.Errorf("%s: %s may not import %s; take what is needed as a parameter or an interface, move it down, or, if the plan changes, add it to the row of %s in internal/arch", f.at(spec), f.dir, pkg, row.pkg)
				}
				continue
			}
			if problem := checkLibrary(f, imp); problem != "" {
				t.Errorf("%s: %s", f.at(spec), problem)
			}
		}
	}
}

// checkLibrary says what is wrong with importing imp, which is not ours.
func checkLibrary(f *sourceFile, imp string) string {
	first, _, _ := strings.Cut(imp, "/")
	if !strings.Contains(first, ".") {
		return "" // the standard library
	}
	for _, l := range libraries {
		if !within(imp, l.module) {
			continue
		}
		if f.test || slices.ContainsFunc(strings.Fields(l.may), func(tree string) bool { return within(f.dir, tree) }) {
			return ""
		}
		return fmt.Sprintf("%s may not import %s; %s", f.dir, imp, l.instead)
	}
	return fmt.Sprintf("%s is no dependency of ours; use the standard library, or add the module to the table libraries of internal/arch and its reason to ARCHITECTURE.md", imp)
}

// TestDependenciesHaveReasons wants a sentence in ARCHITECTURE.md for each
// module this one needs directly.
func TestDependenciesHaveReasons(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(root, "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	direct := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.]+\.[a-z]+/\S+) v\S+$`)
	for _, m := range direct.FindAllSubmatch(mod, -1) {
		if !bytes.Contains(page, append([]byte("`"), append(m[1], '`')...)) {
			t.Errorf("go.mod: %s has no reason; write one sentence about it in ARCHITECTURE.md under Dependencies, or do without it", m[1])
		}
	}
}

func TestSurroundings(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test || exempt(f.dir) {
			continue
		}
		for _, spec := range f.ast.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			if instead, ok := outside[imp+"."]; ok {
				t.Errorf("%s: only the commands may use %s; %s", f.at(spec), imp, instead)
			}
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			sel, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			id, ok := sel.X.(*ast.Ident)
			if !ok {
				return true
			}
			name := f.imports[id.Name] + "." + sel.Sel.Name
			if instead, ok := outside[name]; ok {
				t.Errorf("%s: only the commands may use %s; %s", f.at(sel), name, instead)
			}
			return true
		})
	}
}

func exempt(dir string) bool {
	for tree := range mayReadOutside {
		if within(dir, tree) {
			return true
		}
	}
	return false
}

func TestNoInitNoBuildTags(t *testing.T) {
	for _, f := range goFiles(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s: no init functions; make the value where it is used, or return it from a function", f.at(fn))
			}
		}
		if m := regexp.MustCompile(`(?m)^//go:build .*`).Find(f.text); m != nil && !f.test && !within(f.dir, "internal/proc") {
			t.Errorf("%s: %s: build tags belong to internal/proc; ask runtime.GOOS, or use what the standard library has for all systems", f.path, m)
		}
	}
}

func TestPackageVariables(t *testing.T) {
	used := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.VAR {
				continue
			}
			for _, s := range gen.Specs {
				spec := s.(*ast.ValueSpec)
				for i, name := range spec.Names {
					key := f.dir + "." + name.Name
					if _, ok := mutable[key]; ok {
						used[key] = true
						continue
					}
					if name.Name == "_" || embedded(gen, spec) || i < len(spec.Values) && constantInEffect(f, name.Name, spec.Values[i]) {
						continue
					}
					t.Errorf("%s: the package variable %s could be changed; make it a const, an array literal or a function that returns it, or hold it in a struct somebody owns", f.at(name), name.Name)
				}
			}
		}
	}
	for key := range mutable {
		if !used[key] {
			t.Errorf("internal/arch: the table mutable lists %s, which is no package variable; take the row out", key)
		}
	}
}

// embedded tells whether the variable is filled by go:embed.
func embedded(gen *ast.GenDecl, spec *ast.ValueSpec) bool {
	for _, doc := range []*ast.CommentGroup{gen.Doc, spec.Doc} {
		if doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }) {
			return true
		}
	}
	return false
}

// constantInEffect knows values nobody can change by accident: errors,
// regular expressions, replacers, values made once on first use, array
// literals and strings. Values of error types count by their name, errX.
func constantInEffect(f *sourceFile, name string, value ast.Expr) bool {
	switch v := value.(type) {
	case *ast.CallExpr:
		sel, ok := v.Fun.(*ast.SelectorExpr)
		if !ok {
			return false
		}
		id, ok := sel.X.(*ast.Ident)
		if !ok {
			return false
		}
		switch f.imports[id.Name] + "." + sel.Sel.Name {
		case "errors.New", "fmt.Errorf", "regexp.MustCompile", "strings.NewReplacer", "sync.OnceValue", "sync.OnceValues":
			return true
		}
	case *ast.CompositeLit:
		if array, ok := v.Type.(*ast.ArrayType); ok {
			return array.Len != nil
		}
		return strings.HasPrefix(name, "err") || strings.HasPrefix(name, "Err")
	case *ast.BasicLit:
		return v.Kind == token.STRING
	}
	return false
}

// TestTablesStayAsTheyAre looks for writes to the package variables that
// TestPackageVariables lets pass.
func TestTablesStayAsTheyAre(t *testing.T) {
	files := goFiles(t)
	vars := map[string]bool{} // dir.name
	for _, f := range files {
		for _, d := range f.ast.Decls {
			if gen, ok := d.(*ast.GenDecl); ok && gen.Tok == token.VAR && !f.test {
				for _, s := range gen.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						vars[f.dir+"."+name.Name] = true
					}
				}
			}
		}
	}
	for _, f := range files {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil {
				continue
			}
			local := localNames(fn)
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				var written []ast.Expr
				switch s := n.(type) {
				case *ast.AssignStmt:
					if s.Tok != token.DEFINE {
						written = s.Lhs
					}
				case *ast.IncDecStmt:
					written = []ast.Expr{s.X}
				}
				for _, e := range written {
					id := base(e)
					if id != nil && vars[f.dir+"."+id.Name] && !local[id.Name] {
						t.Errorf("%s: writes to the package variable %s; keep what changes in a struct somebody owns", f.at(id), id.Name)
					}
				}
				return true
			})
		}
	}
}

// localNames are the names a function declares anywhere in it, parameters
// included. A package variable of the same name is taken for the local one.
func localNames(fn *ast.FuncDecl) map[string]bool {
	names := map[string]bool{}
	ast.Inspect(fn, func(n ast.Node) bool {
		switch d := n.(type) {
		case *ast.Field:
			for _, id := range d.Names {
				names[id.Name] = true
			}
		case *ast.AssignStmt:
			if d.Tok == token.DEFINE {
				for _, e := range d.Lhs {
					if id, ok := e.(*ast.Ident); ok {
						names[id.Name] = true
					}
				}
			}
		case *ast.ValueSpec:
			for _, id := range d.Names {
				names[id.Name] = true
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{d.Key, d.Value} {
				if id, ok := e.(*ast.Ident); ok && d.Tok == token.DEFINE {
					names[id.Name] = true
				}
			}
		}
		return true
	})
	return names
}

// base is the variable an assignable expression begins with: x in x.f[i].
func base(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

func TestPackageComments(t *testing.T) {
	docs := map[string]string{}
	names := map[string]string{}
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		names[f.dir] = f.ast.Name.Name
		if f.ast.Doc == nil {
			continue
		}
		if docs[f.dir] != "" {
			t.Errorf("%s: %s has a second package comment; keep one", f.path, f.dir)
		}
		docs[f.dir] = f.ast.Doc.Text()
	}
	for dir, name := range names {
		want := "Package " + name + " "
		if name == "main" {
			want = "" // godoc shows whatever a command's comment says
		}
		switch doc := docs[dir]; {
		case doc == "":
			t.Errorf("%s: no package comment; say in one file what the package is for, its main type and its neighbours", dir)
		case !strings.HasPrefix(doc, want):
			t.Errorf("%s: the package comment begins with %.20q; begin it with %q", dir, doc, want)
		}
	}
}

func TestExportedNamesAreDocumented(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			for _, name := range undocumented(d) {
				t.Errorf("%s: %s is exported and has no comment; say what it is, its unit, its order, who owns it, or make it unexported", f.at(name), name.Name)
			}
		}
	}
}

// undocumented lists the exported names of a declaration that have no comment.
func undocumented(d ast.Decl) []*ast.Ident {
	var out []*ast.Ident
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Doc == nil && d.Name.IsExported() && exportedReceiver(d) {
			out = append(out, d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && d.Doc == nil && s.Doc == nil && s.Comment == nil {
					out = append(out, s.Name)
				}
			case *ast.ValueSpec:
				if d.Doc != nil || s.Doc != nil || s.Comment != nil {
					continue
				}
				for _, name := range s.Names {
					if name.IsExported() {
						out = append(out, name)
					}
				}
			}
		}
	}
	return out
}

// exportedReceiver is true for functions and for methods of exported types.
// Methods the standard library's interfaces ask for speak for themselves.
func exportedReceiver(d *ast.FuncDecl) bool {
	if d.Recv == nil {
		return true
	}
	switch d.Name.Name {
	case "String", "Error", "Unwrap", "Is", "Len", "Less", "Swap", "Read", "Write", "Close", "MarshalJSON", "UnmarshalJSON":
		return false
	}
	typ := d.Recv.List[0].Type
	if star, ok := typ.(*ast.StarExpr); ok {
		typ = star.X
	}
	if index, ok := typ.(*ast.IndexExpr); ok {
		typ = index.X
	}
	id, ok := typ.(*ast.Ident)
	return ok && id.IsExported()
}

func TestFilesAreShort(t *testing.T) {
	for _, f := range goFiles(t) {
		if n := bytes.Count(f.text, []byte("\n")); n > maxLines {
			t.Errorf("%s has %d lines, more than %d; split it by what its parts are about", f.path, n, maxLines)
		}
	}
}

func TestNoMachinePaths(t *testing.T) {
	rx := regexp.MustCompile(machinePaths)
	walk(t, func(name string, d fs.DirEntry) {
		if _, ok := mayNamePaths[name]; ok || !d.Type().IsRegular() {
			return
		}
		if info, err := d.Info(); err != nil || info.Size() > 4<<20 {
			return
		}
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			return // gone, or not a text
		}
		for i, line := range strings.Split(string(text), "\n") {
			if m := rx.FindString(line); m != "" {
				t.Errorf("%s:%d: %q is a path of one machine; write a path from the root of the repository, or one nobody has, such as /src/app", name, i+1, m)
			}
		}
	})
}

func TestFunctionsAreShort(t *testing.T) {
	for _, f := range goFiles(t) {
		if f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			if n := f.fset.Position(fn.End()).Line - f.fset.Position(fn.Pos()).Line + 1; n > maxFuncLines {
				t.Errorf("%s: %s has %d lines, more than %d; give its parts names", f.at(fn), fn.Name.Name, n, maxFuncLines)
			}
			if n := fn.Type.Params.NumFields(); n > maxParams {
				t.Errorf("%s: %s takes %d parameters, more than %d; put those that belong together into a struct", f.at(fn), fn.Name.Name, n, maxParams)
			}
		}
	}
}
