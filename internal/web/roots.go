package web

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// OpenUnder opens files below roots only, also after symbolic links: a
// profile names any file, and who sends one must not read others through it.
// Hidden folders and files below a root are refused too.
func OpenUnder(roots []string) func(name string) (fs.File, error) {
	var clean []string
	for _, r := range roots {
		if abs, err := filepath.Abs(r); r != "" && err == nil {
			clean = append(clean, abs)
		}
	}
	return func(name string) (fs.File, error) {
		path, err := filepath.Abs(name)
		if err != nil {
			return nil, err
		}
		why, refused := errors.New("sources are read below the module, GOROOT, the module cache and -source_path only"), error(nil)
		for _, root := range clean {
			rel, err := filepath.Rel(root, path)
			if err != nil || !filepath.IsLocal(rel) {
				continue
			}
			if strings.HasPrefix(rel, ".") || strings.Contains(filepath.ToSlash(rel), "/.") {
				why = errors.New("it is hidden") // unless another root is the hidden folder
				continue
			}
			f, err := openIn(root, rel)
			if err == nil {
				return f, nil
			}
			refused = cmp.Or(refused, err)
		}
		if refused != nil {
			return nil, refused
		}
		if _, err := os.Lstat(path); err != nil {
			return nil, err // there is no such file: look elsewhere
		}
		return nil, fmt.Errorf("open %s: %w: %w", name, fs.ErrPermission, why)
	}
}

func openIn(root, rel string) (fs.File, error) {
	dir, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Open(rel)
}
