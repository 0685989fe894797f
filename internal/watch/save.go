package watch

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/source"
)

const (
	// processFile has a line for each look; see docs/formats/leak-run.md.
	processFile = "process.jsonl"
	// runSchema is in its first line.
	runSchema = "leak-run/1"
)

// entry is a line of processFile: the head, a look or clues.
type entry struct {
	Schema string    `json:"schema,omitempty"` // of the head only
	Time   time.Time `json:"time"`
	Target string    `json:"target,omitempty"` // of the head only

	// Heap, Goroutine and Leaked are files of this look; Fresh is about Heap.
	Heap      string `json:"heap,omitempty"`
	Fresh     bool   `json:"fresh,omitempty"`
	Goroutine string `json:"goroutine,omitempty"`
	Leaked    string `json:"goroutineleak,omitempty"`

	Gauges map[string]json.RawMessage `json:"gauges,omitempty"`

	// Waiting and Trace are files of clues, Traced is in seconds.
	Waiting string  `json:"waiting,omitempty"`
	Trace   string  `json:"trace,omitempty"`
	Traced  float64 `json:"traced,omitempty"`
}

// files are where e names the profiles, by kind.
func (e *entry) files() [kinds]*string {
	return [kinds]*string{heap: &e.Heap, goroutine: &e.Goroutine, leaked: &e.Leaked}
}

// SaveTo makes the targets keep what they fetch in dir, in folders of their
// own when there are several. A run that is there already is continued.
func SaveTo(dir string, targets ...*Target) error {
	for _, t := range targets {
		at := dir
		if len(targets) > 1 {
			at = filepath.Join(dir, source.FileName(t.name))
		}
		f, err := openFolder(at, t.name, t.opt.Now())
		if err != nil {
			return fmt.Errorf("keep profiles: %w", err)
		}
		t.mu.Lock()
		t.keep = f
		t.mu.Unlock()
	}
	return nil
}

// folder is where one target keeps what it fetches.
type folder struct {
	dir string

	mu    sync.Mutex
	looks int // the number of the next look
	clue  int // and of the next clues
}

// openFolder begins, or goes on with, a run.
func openFolder(dir, target string, now time.Time) (*folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	f := &folder{dir: dir}
	for name := range kindNames {
		f.looks = max(f.looks, nextNumber(dir, kindNames[name]+"-", ".pb.gz"))
	}
	f.clue = max(nextNumber(dir, "waiting-", ".txt.gz"), nextNumber(dir, "trace-", ".out"))
	return f, f.write(&entry{Schema: runSchema, Time: now, Target: target})
}

// nextNumber is one more than the largest number in names of files that begin
// and end like this.
func nextNumber(dir, prefix, suffix string) int {
	entries, _ := os.ReadDir(dir)
	next := 0
	for _, e := range entries {
		name, begins := strings.CutPrefix(e.Name(), prefix)
		name, ends := strings.CutSuffix(name, suffix)
		if n, err := strconv.Atoi(name); begins && ends && err == nil {
			next = max(next, n+1)
		}
	}
	return next
}

// look keeps the answers and the gauges of a look.
func (f *folder) look(v *visit) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := v.seen
	e := entry{Time: s.At, Fresh: s.Fresh, Gauges: map[string]json.RawMessage{}}
	for name, value := range gaugesJSON(&s.Gauges) {
		e.Gauges[name], _ = json.Marshal(value)
	}
	for k, field := range e.files() {
		if v.raw[k] == nil {
			continue
		}
		*field = fmt.Sprintf("%s-%04d.pb.gz", kindNames[k], f.looks)
		if err := f.file(*field, v.raw[k], true); err != nil {
			return err
		}
	}
	f.looks++
	return f.write(&e)
}

// clues keeps the answers Clues got.
func (f *folder) clues(now time.Time, traced time.Duration, raw *clueBytes) error {
	if raw.waiting == nil && raw.trace == nil {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	e := entry{Time: now}
	if raw.waiting != nil {
		e.Waiting = fmt.Sprintf("waiting-%04d.txt.gz", f.clue)
		if err := f.file(e.Waiting, raw.waiting, true); err != nil {
			return err
		}
	}
	if raw.trace != nil {
		e.Trace, e.Traced = fmt.Sprintf("trace-%04d.out", f.clue), traced.Seconds()
		if err := f.file(e.Trace, raw.trace, false); err != nil {
			return err
		}
	}
	f.clue++
	return f.write(&e)
}

// file keeps data; packed says that it is to be gzip, as most profiles are.
func (f *folder) file(name string, data []byte, packed bool) error {
	out, err := source.CreateAtomic(filepath.Join(f.dir, name))
	if err != nil {
		return fmt.Errorf("keep profiles: %w", err)
	}
	defer out.Abort()
	if packed && !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		err = pack(out, data)
	} else {
		_, err = out.Write(data)
	}
	if err == nil {
		err = out.Commit()
	}
	if err != nil {
		return fmt.Errorf("keep profiles: %w", err)
	}
	return nil
}

func pack(w io.Writer, data []byte) error {
	z := gzip.NewWriter(w)
	if _, err := z.Write(data); err != nil {
		return err
	}
	return z.Close()
}

// write appends a line to processFile: after the files it names, so that a
// run that is cut off can be read up to there.
func (f *folder) write(e *entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("keep profiles: %w", err)
	}
	out, err := os.OpenFile(filepath.Join(f.dir, processFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("keep profiles: %w", err)
	}
	_, err = out.Write(append(line, '\n'))
	if e := out.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("keep profiles: %w", err)
	}
	return nil
}
