package source

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/profoundhq/profound/internal/profile"
)

// maxNumber is the last number pprof tries in the names of its files.
const maxNumber = 9999

// SaveDirs is where pprof keeps copies of fetched profiles, in its order:
// $PPROF_TMPDIR, $HOME/pprof, tempDir. goos decides what the home directory is
// called.
func SaveDirs(getenv func(string) string, goos, tempDir string) []string {
	var dirs []string
	if d := getenv("PPROF_TMPDIR"); d != "" {
		dirs = append(dirs, d)
	}
	home := "HOME"
	switch goos {
	case "windows":
		home = "USERPROFILE"
	case "plan9":
		home = "home"
	}
	if d := getenv(home); d != "" {
		dirs = append(dirs, filepath.Join(d, "pprof"))
	}
	return append(dirs, tempDir)
}

// Save keeps p in the first of dirs that takes it, which is made if it does not
// exist, under pprof's name: pprof.BINARY.TYPE1.TYPE2.NNN.pb.gz with the first
// free number. write encodes the profile. The file appears under its name only
// when it is complete; nothing is left of one that failed. The error names
// every directory that was tried.
func Save(p *profile.Profile, dirs []string, write func(io.Writer, *profile.Profile) error) (path string, err error) {
	prefix := savePrefix(p)
	var tried []error
	for _, dir := range dirs {
		f, err := createNumbered(dir, prefix, ".pb.gz")
		if err != nil {
			tried = append(tried, fmt.Errorf("could not use dir %s: %w", dir, err))
			continue
		}
		defer f.Abort()
		if err := write(f, p); err != nil {
			return "", fmt.Errorf("could not save profile: %w", err) // no other directory would help the encoder
		}
		if err := f.Commit(); err != nil {
			tried = append(tried, fmt.Errorf("could not use dir %s: %w", dir, err))
			continue
		}
		return f.Name(), nil
	}
	if len(tried) == 0 {
		tried = append(tried, errors.New("no directory to put it in"))
	}
	return "", fmt.Errorf("could not save profile: %w", errors.Join(tried...))
}

// SavedMessage is what pprof prints after Save.
func SavedMessage(path string) string { return "Saved profile in " + path }

// savePrefix is the name up to the number.
func savePrefix(p *profile.Profile) string {
	parts := []string{"pprof"}
	if p.NumMappings() > 0 && p.Mappings[1].File != "" {
		parts = append(parts, filepath.Base(p.Mappings[1].File))
	}
	parts = append(parts, p.TypeNames()...)
	const most = 200 // of the 255 bytes a file system takes, with number and ending
	name := fileName(strings.Join(parts, "."))
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "")
	}
	return name + "."
}

// fileName makes a file name of names a server chose: nothing in it leads to
// another directory or is unfit for a file system.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, s)
}

// TempName is the first name of the form prefix + NNN + suffix that is free in
// dir, such as profile001.svg; dir "" is the current one. Nothing is created:
// between this and a create the name may be taken.
func TempName(dir, prefix, suffix string) (string, error) {
	for n := 1; n <= maxNumber; n++ {
		name := numbered(dir, prefix, suffix, n)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			return name, nil
		} else if err != nil {
			return "", err
		}
	}
	return "", noNumber(dir, prefix, suffix)
}

func numbered(dir, prefix, suffix string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("%s%03d%s", prefix, n, suffix))
}

func noNumber(dir, prefix, suffix string) error {
	return fmt.Errorf("could not create file of the form %s: all numbers to %d are taken", numbered(dir, prefix, suffix, 1), maxNumber)
}

// AtomicFile is a file that appears under its name when it is complete. It is
// written under a hidden name beside the target and renamed by Commit. What
// cannot be replaced that way, /dev/stdout, pipes and other special files or a
// file in a directory without write permission, is written to directly.
//
//	f, err := CreateAtomic("out.svg")
//	defer f.Abort()
//	... write ...
//	err = f.Commit()
type AtomicFile struct {
	f      *os.File
	name   string
	direct bool
	done   bool
	place  func(temp string) (name string, err error)
}

// CreateAtomic begins a file that will be path, replacing what is there; a
// symbolic link stays and the file it leads to is replaced. The mode of an
// existing file is kept.
func CreateAtomic(path string) (*AtomicFile, error) {
	target := path
	mode := fs.FileMode(0o666)
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, fmt.Errorf("write %s: is a directory", path)
	case err == nil && (!info.Mode().IsRegular() || isDevicePath(path)):
		// Appending, so that output to a redirected /dev/stdout follows what is
		// there.
		return openDirect(path, os.O_APPEND)
	case err != nil && isLink(path):
		return openDirect(path, os.O_CREATE|os.O_TRUNC) // a link that leads to nothing yet
	case err == nil:
		if target, err = filepath.EvalSymlinks(path); err != nil {
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
		// The rename would replace even a file that may not be written.
		w, err := os.OpenFile(target, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		w.Close()
		mode = info.Mode().Perm()
	}
	exists := err == nil && info != nil
	f, err := hiddenTemp(filepath.Dir(target), filepath.Base(target), mode)
	if err != nil {
		if exists && errors.Is(err, fs.ErrPermission) {
			return openDirect(path, os.O_TRUNC)
		}
		return nil, &fs.PathError{Op: "create", Path: path, Err: pathCause(err)}
	}
	if exists {
		if err := f.Chmod(mode); err != nil {
			f.Close()
			os.Remove(f.Name())
			return nil, fmt.Errorf("write %s: %w", path, err)
		}
	}
	place := func(temp string) (string, error) { return path, os.Rename(temp, target) }
	return &AtomicFile{f: f, name: path, place: place}, nil
}

func pathCause(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// isDevicePath knows the names of open files. They may lead to a regular file,
// when output is redirected, but that must not be replaced: others hold it open.
func isDevicePath(path string) bool {
	clean := filepath.ToSlash(filepath.Clean(path))
	return strings.HasPrefix(clean, "/dev/") || strings.HasPrefix(clean, "/proc/")
}

func isLink(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode()&fs.ModeSymlink != 0
}

func openDirect(path string, flags int) (*AtomicFile, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|flags, 0o666)
	if err != nil {
		return nil, err
	}
	return &AtomicFile{f: f, name: path, direct: true}, nil
}

// createNumbered begins a file that will have the first free number in dir at
// the time of Commit. The directory is made if need be.
func createNumbered(dir, prefix, suffix string) (*AtomicFile, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f, err := hiddenTemp(dir, prefix+suffix, 0o644)
	if err != nil {
		return nil, err
	}
	place := func(temp string) (string, error) {
		for n := 1; n <= maxNumber; n++ {
			name := numbered(dir, prefix, suffix, n)
			if err := placeNew(temp, name); err == nil || !errors.Is(err, fs.ErrExist) {
				return name, err
			}
		}
		return "", noNumber(dir, prefix, suffix)
	}
	return &AtomicFile{f: f, place: place}, nil
}

// placeNew moves temp to name, which must not exist: by a hard link, which never
// replaces anything, or, on a file system without them, by reserving the name
// first.
func placeNew(temp, name string) error {
	err := os.Link(temp, name)
	if err == nil {
		return os.Remove(temp)
	}
	if errors.Is(err, fs.ErrExist) {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	f.Close()
	if err := os.Rename(temp, name); err != nil {
		os.Remove(name)
		return err
	}
	return nil
}

// hiddenTemp creates .base.RANDOM.tmp in dir; unlike os.CreateTemp it leaves
// the mode to the umask.
func hiddenTemp(dir, base string, mode fs.FileMode) (*os.File, error) {
	const most = 200
	base = strings.TrimPrefix(base, ".")
	if len(base) > most {
		base = strings.ToValidUTF8(base[:most], "")
	}
	for try := 0; ; try++ {
		name := filepath.Join(dir, fmt.Sprintf(".%s.%08x.tmp", base, rand.Uint32()))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if err == nil || !errors.Is(err, fs.ErrExist) || try == 100 {
			return f, err
		}
	}
}

// Name is the target; for a numbered file it is known after Commit.
func (a *AtomicFile) Name() string { return a.name }

// Write appends to the file.
func (a *AtomicFile) Write(p []byte) (int, error) { return a.f.Write(p) }

// Commit completes the file and gives it its name. After an error nothing of it
// is left.
func (a *AtomicFile) Commit() error {
	if a.done {
		return fmt.Errorf("write %s: %w", a.name, fs.ErrClosed)
	}
	a.done = true
	err := a.f.Close()
	if a.direct {
		return err
	}
	if err == nil {
		var name string
		if name, err = a.place(a.f.Name()); err == nil {
			a.name = name
			return nil
		}
	}
	os.Remove(a.f.Name())
	return err
}

// Abort drops the file; after Commit it does nothing, so it can be deferred.
func (a *AtomicFile) Abort() {
	if a.done {
		return
	}
	a.done = true
	a.f.Close()
	if !a.direct {
		os.Remove(a.f.Name())
	}
}
