package watch

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/leak"
)

// warn adds to what is wrong with the run.
func (r *Run) warn(format string, args ...any) {
	r.Warnings = append(r.Warnings, fmt.Errorf(format, args...))
}

// folder takes in a folder: one of SaveTo, one of several targets, or one of
// profiles.
func (r *Run) folder(ctx context.Context, dir string) error {
	found, err := r.saved(dir)
	if found || err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	var paths []string
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasPrefix(e.Name(), "."):
		case e.IsDir():
			if _, err := r.saved(path); err != nil {
				return err
			}
		default:
			paths = append(paths, path)
		}
	}
	shots, err := r.scan(ctx, paths)
	if err != nil {
		return err
	}
	r.looks = append(r.looks, join(filepath.Base(filepath.Clean(dir)), shots)...)
	return nil
}

// loose takes in files that were named one by one, or by a pattern. They are
// of one target, unless each of their folders has a series of its own.
func (r *Run) loose(ctx context.Context, paths []string) error {
	shots, err := r.scan(ctx, paths)
	if err != nil {
		return err
	}
	folders := map[string][]shot{}
	for _, s := range shots {
		dir := filepath.Dir(s.path)
		folders[dir] = append(folders[dir], s)
	}
	for _, list := range folders {
		if len(folders) == 1 || len(join("", list)) < 2 {
			r.looks = append(r.looks, join("", shots)...)
			return nil
		}
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		r.looks = append(r.looks, join(filepath.Base(dir), folders[dir])...)
	}
	return nil
}

// saved reads processFile, if there is one in dir.
func (r *Run) saved(dir string) (found bool, err error) {
	f, err := os.Open(filepath.Join(dir, processFile))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	target := filepath.Base(filepath.Clean(dir))
	clock := steadyClock{warn: r.warn}
	in := bufio.NewScanner(f)
	const longest = 1 << 20
	in.Buffer(nil, longest)
	for n := 1; in.Scan(); n++ {
		var e entry
		if err := json.Unmarshal(in.Bytes(), &e); err != nil {
			r.warn("%s:%d: passed over: %w", f.Name(), n, err)
			continue
		}
		switch {
		case e.Schema != "":
			if e.Schema != runSchema {
				return true, fmt.Errorf("%s:%d: schema %q, wanted %s; it is of another version of this program", f.Name(), n, e.Schema, runSchema)
			}
			if e.Target != "" {
				target = e.Target
			}
		case e.Waiting != "" || e.Trace != "":
			r.clues[target] = storedClues{
				waiting: r.inside(dir, e.Waiting),
				trace:   r.inside(dir, e.Trace),
			}
		default:
			s := stored{target: target, fresh: e.Fresh, gauges: parseGauges(e.Gauges)}
			s.at = clock.read(e.Time, f.Name(), n)
			for _, g := range [...]leak.Gauge{leak.StartTime, leak.LastGC} { // they are by the same clock
				s.gauges[g] += clock.ahead.Seconds()
			}
			for k, name := range e.files() {
				s.files[k] = r.inside(dir, *name)
			}
			r.looks = append(r.looks, s)
		}
	}
	if err := in.Err(); err != nil {
		r.warn("%s: the rest is passed over: %w", f.Name(), err)
	}
	return true, nil
}

// steadyClock takes steps back out of times that are known to follow each
// other, because they are of one file: the wait is then taken to have been as
// long as the one before it.
type steadyClock struct {
	warn  func(format string, args ...any)
	last  time.Time     // made steady
	wait  time.Duration // between the last two
	ahead time.Duration // what is added to times
	steps int
}

// read makes the time of a line steady.
func (c *steadyClock) read(at time.Time, file string, line int) time.Time {
	if !c.last.IsZero() && at.Add(c.ahead).Before(c.last) {
		back := c.last.Sub(at.Add(c.ahead))
		if c.steps++; c.steps == 1 {
			c.warn("%s:%d: the clock was set back by %v; the lines are in their order, so that times from here on are moved", file, line, back.Round(time.Second/10))
		}
		c.ahead += back + max(c.wait, time.Millisecond)
	}
	at = at.Add(c.ahead)
	if !c.last.IsZero() {
		c.wait = at.Sub(c.last)
	}
	c.last = at
	return at
}

// inside is the path of a file that processFile names, "" if it is not there
// or leads out of the folder.
func (r *Run) inside(dir, name string) string {
	if name == "" {
		return ""
	}
	path := filepath.Join(dir, name)
	if name != filepath.Base(name) || !filepath.IsLocal(name) {
		r.warn("%s names %q, which is not in this folder; passed over", filepath.Join(dir, processFile), name)
		return ""
	}
	if _, err := os.Stat(path); err != nil {
		r.warn("%s names %s, which is not there; passed over", filepath.Join(dir, processFile), name)
		return ""
	}
	return path
}

// shot is one profile in a file.
type shot struct {
	path string
	kind kind
	at   time.Time
	// guessed is set when the time is that of the file.
	guessed bool
	other   bool // neither heap nor goroutines
	err     error
}

// scan finds out what the files are and when they were taken.
func (r *Run) scan(ctx context.Context, paths []string) ([]shot, error) {
	shots := make([]shot, len(paths))
	next := make(chan int)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(paths)) {
		wg.Go(func() {
			var scratch format.Scratch
			for i := range next {
				shots[i] = r.shot(paths[i], &scratch)
			}
		})
	}
	for i := range paths {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	wg.Wait()
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.remark(shots)
	return slices.DeleteFunc(shots, func(s shot) bool { return s.err != nil || s.other }), nil
}

func (r *Run) shot(path string, scratch *format.Scratch) shot {
	s := shot{path: path}
	p, err := r.decode(path, scratch)
	if err != nil {
		s.err = err
		return s
	}
	k, ok := kindOf(p)
	s.kind, s.other = k, !ok
	if p.TimeNanos > 0 {
		s.at = time.Unix(0, p.TimeNanos)
		return s
	}
	s.guessed = true
	info, err := os.Stat(path)
	if err != nil {
		s.err = err
		return s
	}
	s.at = info.ModTime()
	return s
}

// remark warns of files that are of no use, one by one if they are no
// profiles, and otherwise once.
func (r *Run) remark(shots []shot) {
	var other, guessed []string
	for i := range shots {
		switch s := &shots[i]; {
		case s.err != nil:
			r.Warnings = append(r.Warnings, s.err)
		case s.other:
			other = append(other, s.path)
		case s.guessed:
			guessed = append(guessed, s.path)
		}
	}
	if len(other) > 0 {
		r.warn("%s passed over: neither heap nor goroutine profiles, the first is %s", files(len(other)), other[0])
	}
	if len(guessed) > 0 {
		r.warn("%s without a time inside: that of the file is taken, which is wrong if it was copied; the first is %s", files(len(guessed)), guessed[0])
	}
}

func files(n int) string {
	if n == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", n)
}

// join makes looks of the profiles of one target: those of different kinds
// that were taken nearer to each other than to the next of their kind.
func join(target string, shots []shot) []stored {
	slices.SortStableFunc(shots, func(a, b shot) int { return a.at.Compare(b.at) })
	near := nearness(shots)
	var looks []stored
	var first time.Time
	for _, s := range shots {
		n := len(looks)
		if n == 0 || looks[n-1].files[s.kind] != "" || s.at.Sub(first) > near {
			looks = append(looks, stored{target: target, at: s.at, gauges: leak.NoGauges()})
			first = s.at
			n++
		}
		l := &looks[n-1]
		l.files[s.kind] = s.path
		if s.kind == heap {
			l.at = s.at
		}
	}
	return looks
}

// nearness is half the usual distance of profiles of one kind.
func nearness(shots []shot) time.Duration {
	var before [kinds]time.Time
	var gaps []time.Duration
	for _, s := range shots {
		if b := before[s.kind]; !b.IsZero() {
			gaps = append(gaps, s.at.Sub(b))
		}
		before[s.kind] = s.at
	}
	if len(gaps) == 0 {
		return time.Minute
	}
	slices.Sort(gaps)
	return gaps[len(gaps)/2] / 2
}
