package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/report"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
	"github.com/profoundhq/profound/internal/why"
)

// Shot is one profile of a session.
type Shot struct {
	// ID is p1, p2 ... in order of time among the shots of its kind; shots of
	// different kinds taken at one look have the same. A shot that was given
	// as a base is b1, b2 ...
	ID string
	// Name is what it was read from.
	Name string
	// Kind is heap allocs cpu goroutine goroutineleak block mutex threadcreate,
	// or the name of its value.
	Kind string
	// Time is when it was taken, zero when unknown. Target is the process it
	// is of, if several were watched.
	Time   time.Time
	Target string
	// Profile is read-only.
	Profile *profile.Profile
	// Bytes is about how much memory the profile takes.
	Bytes int

	// unsaved tells that no file has it: it was taken of a process.
	unsaved bool
}

// Moment is what a process told of itself at one look.
type Moment struct {
	At     time.Time
	Target string
	Gauges leak.Gauges
}

// Session is what was loaded together. It does not change once made; its
// methods may be called at the same time.
type Session struct {
	// ID is made of the content: the same profiles, the same ID.
	ID string
	// Title says in a few words what it is of; Sources are the names that were
	// opened, as on a command line, without passwords.
	Title   string
	Sources []string
	// Shots are in order of kind, then time; those given as a base come last.
	Shots []*Shot
	// Moments are the gauges of a watched process, in order of time; nil
	// without.
	Moments []Moment
	// Verdict judges growth over time, nil when there is nothing to judge.
	Verdict *leak.Verdict
	// Warnings are what could not be read.
	Warnings []string
	// Code finds sources and machine code for the views that show them.
	Code Code
	// Started is when the session was opened.
	Started time.Time

	// subtract is Input.Subtract.
	subtract bool
	secret   bool // see Input
	sent     bool // see Input
	kinds    []Kind
	heap     lazyHeap
	data     *dataCache
}

// Code is where views find sources and object files. NewSession replaces nil
// Sources by some that find nothing; Objects may be nil.
type Code struct {
	Sources report.Sources
	Objects report.Objects
	// Editor is the address that opens a file in the user's editor, with
	// {file} and {line} in it, "" if there is none.
	Editor string
}

// noSources finds nothing.
type noSources struct{}

// Lines fails.
func (noSources) Lines(name string) ([]string, srcfind.Found, error) {
	return nil, srcfind.Found{}, fmt.Errorf("%s: sources are not read here: %w", name, fs.ErrNotExist)
}

// Heap is the objects of a process, a core or a snapshot.
type Heap struct {
	*why.Analysis
	Program why.Program
	// Taken is when the process was looked at, zero if unknown.
	Taken time.Time
	// Earlier is what an earlier heap of the program had, nil without one.
	// Remark says why there is none although one was named.
	Earlier *why.Earlier
	Remark  string
	// Close gives back memory and files; nil if there is nothing to give back.
	Close func()
}

// Kind is one kind of profile in a session.
type Kind struct {
	Name string
	// Shots are in order of time, Bases those given as a base.
	Shots, Bases []*Shot
	// Value is the sample type shown first, Why says why that.
	Value, Why string
	// Cur and Base are what is shown first.
	Cur, Base Span
}

// Input is what a session is made of.
type Input struct {
	Title    string
	Sources  []string
	Warnings []string
	// Shots need a Profile and a Name; Kind is found out when it is "", Time
	// taken from the profile when it is zero. Bases are what -base names.
	Shots, Bases []Shot
	// Together tells that the shots of a kind make one profile, as pprof has
	// it: all are shown unless an address says otherwise. Subtract tells that
	// the bases come from -base, not -diff_base: shares are not of them.
	Together, Subtract bool
	// Looks are those of a watched program; their profiles become shots.
	// LookFiles names them: heap, goroutine, goroutineleak; nil: they have no
	// files.
	Looks     []leak.Look
	LookFiles [][3]string
	Clues     leak.Clues
	Limit     float64 // of memory, bytes, 0 for that of the looks
	// Heap reads the objects of the process, core or snapshot; nil without.
	// HeapDoing says what is being done meanwhile. HeapPlan, for a process,
	// says in sentences what reading it will do to it: then it is not read
	// before somebody asks for just that. Both may be nil.
	Heap      func(context.Context) (*Heap, error)
	HeapDoing func() string
	HeapPlan  func(context.Context) (string, error)
	// HeapID tells this heap from all others: of a file, of a process.
	HeapID string
	// Secret tells that one of the Sources had a password: without it they
	// cannot be opened again.
	Secret bool
	// Sent tells that the profiles came over the network and lie in no file
	// here.
	Sent bool
	Code Code
	Now  time.Time
	// Cache keeps prepared views; nil is one for this session alone.
	Cache *Cache
}

// NewSession sorts shots into kinds and times, judges growth when there is
// time in them, and gives the whole an ID.
func NewSession(in Input) (*Session, error) {
	s := &Session{
		Title: in.Title, Sources: in.Sources, Warnings: slices.Clip(in.Warnings), Code: in.Code, Started: in.Now,
		heap: lazyHeap{open: in.Heap, doing: in.HeapDoing, plan: in.HeapPlan}, data: newDataCache(in.Cache),
		secret: in.Secret, sent: in.Sent,
	}
	if s.Code.Sources == nil {
		s.Code.Sources = noSources{}
	}
	s.takeShots(in.Shots, 'p')
	s.takeLooks(in.Looks, in.LookFiles)
	s.takeShots(in.Bases, 'b')
	if len(s.Shots) == 0 && in.Heap == nil {
		return nil, errors.New("there is no profile to show")
	}
	s.kinds, s.subtract = makeKinds(s.Shots, in.Together), in.Subtract
	s.judge(in)
	s.ID = contentID(s, in.HeapID)
	if s.Title == "" {
		s.Title = titleOf(s)
	}
	return s, nil
}

// takeShots numbers shots by kind and time.
func (s *Session) takeShots(shots []Shot, role byte) {
	byKind := map[string][]*Shot{}
	for _, shot := range shots {
		shot.complete()
		byKind[shot.Kind] = append(byKind[shot.Kind], &shot)
	}
	for _, kind := range slices.SortedFunc(maps.Keys(byKind), compareKinds) {
		list := byKind[kind]
		slices.SortStableFunc(list, func(a, b *Shot) int { return a.Time.Compare(b.Time) })
		for i, shot := range list {
			shot.ID = shotID(role, i+1)
		}
		s.Shots = append(s.Shots, list...)
	}
}

// takeLooks makes shots of looks, numbered by look. They come after shots of
// the same kind that were given by themselves.
func (s *Session) takeLooks(looks []leak.Look, files [][3]string) {
	before := len(s.Shots)
	for i, l := range looks {
		s.Moments = append(s.Moments, Moment{At: l.At, Target: l.Target, Gauges: l.Gauges})
		for k, p := range [...]struct {
			kind    string
			profile *profile.Profile
		}{{"heap", l.Heap}, {"goroutine", l.Goroutine}, {"goroutineleak", l.Leaked}} {
			if p.profile == nil || slices.ContainsFunc(s.Shots[:before], func(x *Shot) bool { return x.Kind == p.kind }) {
				continue
			}
			shot := &Shot{ID: shotID('p', i+1), Name: fmt.Sprintf("%s %d", p.kind, i+1), Kind: p.kind, Time: l.At, Target: l.Target, Profile: p.profile, unsaved: true}
			if i < len(files) && files[i][k] != "" {
				shot.Name, shot.unsaved = files[i][k], false
			}
			shot.complete()
			s.Shots = append(s.Shots, shot)
		}
	}
	slices.SortStableFunc(s.Shots[before:], func(a, b *Shot) int { return compareKinds(a.Kind, b.Kind) })
}

// complete fills in what the profile itself tells.
func (s *Shot) complete() {
	if s.Kind == "" {
		s.Kind = kindOf(s.Profile, s.Name)
	}
	if s.Time.IsZero() && s.Profile.TimeNanos != 0 {
		s.Time = time.Unix(0, s.Profile.TimeNanos)
	}
	s.Bytes = profileBytes(s.Profile)
}

// has tells whether the profile has a value, "" for the one it shows first.
func (s *Shot) has(value string) bool {
	_, err := s.Profile.SampleIndex(value)
	return err == nil
}

// judge hands what was taken over time to the leak detector.
func (s *Session) judge(in Input) {
	h := leak.NewHistory()
	looks := in.Looks
	if len(looks) < 2 { // one is of a process that was named beside profiles
		looks = looksOf(s.Shots)
	}
	if len(looks) < 2 || !looks[len(looks)-1].At.After(looks[0].At) {
		return
	}
	for _, l := range looks {
		for _, w := range h.Add(l) {
			s.Warnings = append(s.Warnings, w.Error())
		}
	}
	s.Verdict = leak.Judge(h, leak.Options{Clues: in.Clues, Limit: in.Limit})
}

// looksOf makes a look of every shot of a kind that can leak.
func looksOf(shots []*Shot) []leak.Look {
	var looks []leak.Look
	for _, shot := range shots {
		l := leak.Look{At: shot.Time, Target: shot.Target, Gauges: leak.NoGauges()}
		switch {
		case shot.Time.IsZero() || shot.ID[0] != 'p':
			continue
		case shot.Kind == "heap":
			l.Heap = shot.Profile
		case shot.Kind == "goroutine":
			l.Goroutine = shot.Profile
		default:
			continue
		}
		looks = append(looks, l)
	}
	slices.SortStableFunc(looks, func(a, b leak.Look) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Target, b.Target))
	})
	return together(looks)
}

// together makes one look of a heap and goroutines that were taken at the same
// moment.
func together(looks []leak.Look) []leak.Look {
	var out []leak.Look
	for _, l := range looks {
		if n := len(out); n > 0 && out[n-1].At.Equal(l.At) && out[n-1].Target == l.Target && (out[n-1].Heap == nil) != (l.Heap == nil) && (out[n-1].Goroutine == nil) != (l.Goroutine == nil) {
			if l.Heap != nil {
				out[n-1].Heap = l.Heap
			} else {
				out[n-1].Goroutine = l.Goroutine
			}
			continue
		}
		out = append(out, l)
	}
	return out
}

// Kinds lists the kinds there are, the one to show first at the front.
func (s *Session) Kinds() []Kind { return s.kinds }

// Kind finds a kind by its name, "" for the first.
func (s *Session) Kind(name string) (*Kind, error) {
	for i := range s.kinds {
		if name == "" || s.kinds[i].Name == name {
			return &s.kinds[i], nil
		}
	}
	if len(s.kinds) == 0 {
		return nil, notFound("Open a profile of it as well: profound web FILE...", "this session has no profiles, only a heap")
	}
	names := make([]string, len(s.kinds))
	for i, k := range s.kinds {
		names[i] = k.Name
	}
	return nil, notFound("There are: "+joinWords(names)+".", "this session has no profile of kind %q", name)
}

// Select lists the shots a span means; def is used for the default span. The
// result is empty for None.
func (k *Kind) Select(span, def Span) ([]*Shot, error) {
	if span.IsDefault() {
		span = def
	}
	if span.None || span.IsDefault() {
		return nil, nil
	}
	if span.All {
		return k.Shots, nil
	}
	list := k.Shots
	if span.Role == 'b' {
		list = k.Bases
	}
	var out []*Shot
	for _, shot := range list {
		if _, n, err := parseShotID(shot.ID); err == nil && n >= span.From && n <= span.To {
			out = append(out, shot)
		}
	}
	if len(out) == 0 {
		hint := "There is none of this kind."
		if len(list) > 0 {
			hint = fmt.Sprintf("There are %s to %s.", list[0].ID, list[len(list)-1].ID)
		}
		return nil, notFound(hint, "there is no %s profile %s", k.Name, span)
	}
	return out, nil
}

// HasHeap tells whether Heap can be asked.
func (s *Session) HasHeap() bool { return s.heap.open != nil }

// Heap hands the objects of the process to use, and to nobody else meanwhile.
// They are read at the first call, which may take seconds; those of a process
// only when that was asked for (Server.readHeap).
func (s *Session) Heap(ctx context.Context, use func(*Heap) error) error {
	if s.heap.open == nil {
		return noHeap()
	}
	return s.heap.with(ctx, use)
}

// Close gives back what the session holds, when nobody looks at its heap any
// more. Its heap cannot be asked for afterwards.
func (s *Session) Close() {
	s.heap.close()
	s.data.clear()
}
