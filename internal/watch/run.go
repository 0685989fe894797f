package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

// Run is what was kept of targets. Profiles are read twice when nothing but
// themselves tells their time: once for that, by Open, and once by Each, which
// holds those of one look at a time.
type Run struct {
	// Targets are their names; "" for files of which nothing is known.
	Targets []string
	// Looks is how many looks there will be, From and To the times of the
	// first and the last.
	Looks    int
	From, To time.Time
	// Warnings are files that are no profiles, times that had to be guessed.
	Warnings []error

	opt   Options
	looks []stored
	clues map[string]storedClues
}

// stored is a look in files.
type stored struct {
	target string
	at     time.Time
	files  [kinds]string // paths, "" for none
	fresh  bool
	gauges leak.Gauges
}

// storedClues are clues in files.
type storedClues struct {
	waiting, trace string // paths, "" for none
}

// ErrOneLook is wrapped when there is only one look, or none: growth cannot be
// seen.
var ErrOneLook = errors.New("growth can only be seen in profiles taken at different times")

// Open reads back what specs name: folders of SaveTo, folders or globs of
// profiles taken at different times, files. Each file is read for its kind
// and its time; those that are no heap or goroutine profiles are warnings. It
// fails with ErrOneLook when that leaves less than two looks, and the Run is
// then what there is.
func Open(ctx context.Context, specs []string, o Options) (*Run, error) {
	r := &Run{opt: o, clues: map[string]storedClues{}}
	if err := r.gather(ctx, specs); err != nil {
		return nil, err
	}
	slices.SortStableFunc(r.looks, func(a, b stored) int { return a.at.Compare(b.at) })
	r.Looks = len(r.looks)
	for i := range r.looks {
		if t := r.looks[i].target; !slices.Contains(r.Targets, t) {
			r.Targets = append(r.Targets, t)
		}
	}
	if r.Looks > 0 {
		r.From, r.To = r.looks[0].at, r.looks[r.Looks-1].at
	}
	switch {
	case r.Looks == 0:
		return r, fmt.Errorf("no heap or goroutine profile among what was given: %w", errors.Join(append(r.Warnings, ErrOneLook)...))
	case r.To.Equal(r.From):
		return r, fmt.Errorf("there is only one look: %w; give those of later and earlier moments too, or let a running service be watched: profound leak http://HOST:PORT", ErrOneLook)
	}
	return r, nil
}

// Each decodes the looks in the order of time and hands them to look, which
// may keep them. A few are decoded ahead. A file that has become unreadable
// since Open is a warning.
func (r *Run) Each(ctx context.Context, look func(leak.Look) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ahead := make(chan chan decoded, runtime.GOMAXPROCS(0))
	go func() {
		defer close(ahead)
		for i := range r.looks {
			c := make(chan decoded, 1)
			select {
			case ahead <- c:
			case <-ctx.Done():
				return
			}
			go func() { c <- r.load(&r.looks[i]) }()
		}
	}()
	bad := 0 // files
	for c := range ahead {
		if err := ctx.Err(); err != nil {
			return err
		}
		d := <-c
		for _, err := range d.warnings {
			if bad++; bad <= saidFiles {
				r.Warnings = append(r.Warnings, err)
			}
		}
		if err := look(d.look); err != nil {
			return err
		}
	}
	if bad > saidFiles {
		r.warn("%s more cannot be read", files(bad-saidFiles))
	}
	return ctx.Err()
}

// saidFiles is how many files that cannot be read are named.
const saidFiles = 3

// Files are what look i, in the order of Each, is read from, "" for what it
// does not have.
func (r *Run) Files(i int) (heapFile, goroutineFile, leakedFile string) {
	f := &r.looks[i].files
	return f[heap], f[goroutine], f[leaked]
}

// decoded is a look from files.
type decoded struct {
	look     leak.Look
	warnings []error
}

// load decodes the files of a look.
func (r *Run) load(s *stored) decoded {
	d := decoded{look: leak.Look{At: s.at, Target: s.target, Fresh: s.fresh, Gauges: s.gauges}}
	l := &d.look
	for k, path := range s.files {
		if path == "" {
			continue
		}
		p, err := r.decode(path, nil)
		if err != nil {
			d.warnings = append(d.warnings, err)
			continue
		}
		switch kind(k) {
		case heap:
			l.Heap = p
		case goroutine:
			l.Goroutine = p
			l.Gauges[leak.GoroutineCount] = total(p)
		case leaked:
			l.Leaked = p
		}
	}
	return d
}

// Clues are those of a target, if they were kept.
func (r *Run) Clues(ctx context.Context, target string) (leak.Clues, []error) {
	var c leak.Clues
	var warnings []error
	s := r.clues[target]
	for _, f := range [...]struct {
		path string
		to   **profile.Profile
	}{{s.waiting, &c.Waiting}, {s.trace, &c.Trace}} {
		if f.path == "" || ctx.Err() != nil {
			continue
		}
		p, err := r.decode(f.path, nil)
		if err != nil {
			warnings = append(warnings, err)
			continue
		}
		*f.to = p
	}
	return c, warnings
}

// decode reads a file. With a scratch the profile is valid only until the
// next use of it.
func (r *Run) decode(path string, scratch *format.Scratch) (*profile.Profile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int64(0)
	if info, err := f.Stat(); err == nil {
		size = info.Size()
	}
	const ratio = 5 // by which profiles shrink
	p, _, err := format.Decode(f, path, format.Options{MaxBytes: r.opt.Source.MaxBytes, SizeHint: ratio * size, Scratch: scratch, Lend: scratch != nil})
	return p, err
}

// gather lists everything that specs name.
func (r *Run) gather(ctx context.Context, specs []string) error {
	var loose []string
	for _, spec := range specs {
		paths := []string{spec}
		if _, err := os.Stat(spec); err != nil {
			if paths, _ = filepath.Glob(spec); len(paths) == 0 {
				return fmt.Errorf("%s: there is no such file; a server is named http://HOST:PORT", spec)
			}
		}
		for _, p := range paths {
			info, err := os.Stat(p)
			switch {
			case err == nil && info.IsDir():
				if err := r.folder(ctx, p); err != nil {
					return err
				}
			default:
				loose = append(loose, p)
			}
		}
	}
	if len(loose) == 0 {
		return nil
	}
	return r.loose(ctx, loose)
}
