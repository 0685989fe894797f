package web

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"math"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/origin"
	"github.com/profoundhq/profound/internal/profile"
)

// kindOrder is the order in which kinds are offered.
const kindOrder = " heap cpu goroutine allocs mutex block goroutineleak threadcreate "

// compareKinds orders kinds: as in kindOrder, then by name.
func compareKinds(a, b string) int {
	place := func(k string) int {
		if i := strings.Index(kindOrder, " "+k+" "); i >= 0 {
			return i
		}
		return len(kindOrder)
	}
	if d := place(a) - place(b); d != 0 {
		return d
	}
	return strings.Compare(a, b)
}

// kindOf tells what kind of profile p is, by its values; where these leave it
// open, by its name and its functions.
func kindOf(p *profile.Profile, name string) string {
	has := func(t string) bool { return slices.Contains(p.TypeNames(), t) }
	base := strings.ToLower(filepath.Base(name))
	switch {
	case has("inuse_space") && has("alloc_space"):
		if p.DefaultSampleType == "alloc_space" || strings.HasPrefix(base, "allocs") {
			return "allocs"
		}
		return "heap"
	case has("inuse_space"):
		return "heap"
	case has("contentions"):
		switch {
		case strings.Contains(base, "mutex"):
			return "mutex"
		case strings.Contains(base, "block"):
			return "block"
		}
		return contentionKind(p)
	case has("cpu"):
		return "cpu"
	}
	for _, k := range [...]string{"goroutineleak", "goroutine", "threadcreate"} {
		if has(k) || p.PeriodType.Type == k {
			return k
		}
	}
	if i, err := p.SampleIndex(""); err == nil && p.SampleTypes[i].Type != "" {
		return strings.TrimPrefix(p.SampleTypes[i].Type, "inuse_")
	}
	return "profile"
}

// contentionKind tells mutex profiles, which are sampled where a lock is given
// back, from block profiles, sampled where it is waited for.
func contentionKind(p *profile.Profile) string {
	unlocks, others := 0, 0
	for _, id := range p.Samples.Stack {
		frames := p.Stacks.Of(id)
		if len(frames) == 0 {
			continue
		}
		lines := p.Locations.LinesOf(frames[0])
		if len(lines) == 0 {
			continue
		}
		name := strings.ToLower(p.FunctionName(lines[len(lines)-1].Function))
		if strings.Contains(name, "unlock") || strings.Contains(name, "lostcontended") {
			unlocks++
		} else {
			others++
		}
	}
	if unlocks > others {
		return "mutex"
	}
	return "block"
}

// makeKinds groups shots and picks what is shown first of each; together tells
// that those of a kind make one profile.
func makeKinds(shots []*Shot, together bool) []Kind {
	var kinds []Kind
	for _, shot := range shots {
		i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == shot.Kind })
		if i < 0 {
			i = len(kinds)
			kinds = append(kinds, Kind{Name: shot.Kind})
		}
		if shot.ID[0] == 'b' {
			kinds[i].Bases = append(kinds[i].Bases, shot)
		} else {
			kinds[i].Shots = append(kinds[i].Shots, shot)
		}
	}
	slices.SortStableFunc(kinds, func(a, b Kind) int { return compareKinds(a.Name, b.Name) })
	for i := range kinds {
		kinds[i].setDefaults(together)
	}
	return kinds
}

// setDefaults picks the sample type and the profiles to show first. What a
// profile holds adds up over a time (CPU) or is of one moment (heap): the
// former are shown together, of the latter the last, unless all are to be
// shown together.
func (k *Kind) setDefaults(together bool) {
	list := k.Shots
	if len(list) == 0 {
		list = k.Bases
		k.Cur = Span{Role: 'b', From: 1, To: len(list)}
	}
	p := list[len(list)-1].Profile
	k.Value, k.Why = defaultValue(p)
	if len(k.Shots) == 0 {
		return
	}
	last := list[len(list)-1].ID
	k.Cur, _ = ParseSpan(last)
	if (together || !ofOneMoment(k.Name)) && len(list) > 1 {
		k.Cur = Span{All: true}
	}
	if len(k.Bases) > 0 {
		k.Base = Span{Role: 'b', From: 1, To: len(k.Bases)}
	}
}

func ofOneMoment(kind string) bool {
	switch kind {
	case "heap", "allocs", "goroutine", "goroutineleak", "threadcreate", "mutex", "block":
		return true // the last three add up since the start of the process
	}
	return false
}

// defaultValue is the sample type to show first and why: what the profile
// says, unless there is nothing in it, then the first with something.
func defaultValue(p *profile.Profile) (value, why string) {
	i, err := p.SampleIndex("")
	if err != nil || len(p.SampleTypes) == 0 {
		return "", "there is no value"
	}
	why = "the profile's last value"
	if p.DefaultSampleType != "" {
		why = "the profile asks for it"
	}
	has := func(i int) bool {
		return slices.ContainsFunc(p.Samples.Values[i], func(v int64) bool { return v != 0 })
	}
	if !has(i) {
		for j := range p.SampleTypes {
			if has(j) {
				return p.SampleTypes[j].Type, p.SampleTypes[i].Type + " has no samples"
			}
		}
	}
	return p.SampleTypes[i].Type, why
}

// titleOf names a session after the program, else after its first source.
func titleOf(s *Session) string {
	for _, shot := range s.Shots[:min(1, len(s.Shots))] {
		if m := shot.Profile.Mappings; len(m) > 1 && m[1].File != "" {
			return filepath.Base(m[1].File)
		}
		if module := ownModule(shot.Profile); module != "" {
			return path.Base(module)
		}
	}
	if len(s.Sources) > 0 {
		return filepath.Base(s.Sources[0])
	}
	return "profile"
}

// ownModule guesses the module of the program: that with most of its own
// functions; "" when all are in package main.
func ownModule(p *profile.Profile) string {
	functions, most := map[string]int{}, ""
	for i := 1; i < p.Functions.Len(); i++ {
		fn := profile.FunctionID(i)
		name := p.FunctionName(fn)
		root := moduleRoot(origin.Package(name))
		if !strings.Contains(root, "/") || origin.Of(name, p.FunctionFile(fn)) != origin.Own {
			continue
		}
		functions[root]++
		if n := functions[root]; n > functions[most] || n == functions[most] && root < most {
			most = root
		}
	}
	return most
}

// profileBytes is about how much memory the columns of p take.
func profileBytes(p *profile.Profile) int {
	n := 4*len(p.Stacks.Frames) + 8*len(p.Stacks.Offsets) + 24*len(p.Locations.Lines) + 24*p.Locations.Len() +
		24*p.Functions.Len() + 24*len(p.LabelSets.Labels) + 8*p.Samples.Len()
	for _, col := range p.Samples.Values {
		n += 8 * len(col)
	}
	for _, s := range p.Strings {
		n += 16 + len(s)
	}
	return n
}

// contentID is the first 12 hex digits of a SHA-256 over what the session
// holds: profiles, gauges, and the name of the heap.
func contentID(s *Session, heap string) string {
	h := newHasher()
	for _, shot := range s.Shots {
		h.text(shot.ID + " " + shot.Kind + " " + shot.Target)
		h.number(uint64(shot.Time.UnixNano()))
		h.profile(shot.Profile)
	}
	for _, m := range s.Moments {
		h.text(m.Target)
		h.number(uint64(m.At.UnixNano()))
		for _, v := range m.Gauges {
			h.number(math.Float64bits(v))
		}
	}
	h.text(heap)
	if len(s.Shots) == 0 {
		for _, src := range s.Sources {
			h.text(src)
		}
	}
	return hex.EncodeToString(h.sum.Sum(nil))[:12]
}

type hasher struct {
	sum hash.Hash
	buf []byte
}

func newHasher() *hasher { return &hasher{sum: sha256.New(), buf: make([]byte, 0, 1<<16)} }

func (h *hasher) flush() {
	h.sum.Write(h.buf)
	h.buf = h.buf[:0]
}

func (h *hasher) number(n uint64) {
	if len(h.buf)+8 > cap(h.buf) {
		h.flush()
	}
	h.buf = binary.LittleEndian.AppendUint64(h.buf, n)
}

func (h *hasher) text(s string) {
	h.number(uint64(len(s)))
	h.flush()
	h.sum.Write([]byte(s))
}

// numbers hashes a column and how long it is.
func numbers[T ~uint32 | ~uint64 | ~int64](h *hasher, col []T) {
	h.number(uint64(len(col)))
	for _, n := range col {
		h.number(uint64(n))
	}
}

// profile hashes what is sampled, how, where, and what that is called.
func (h *hasher) profile(p *profile.Profile) {
	numbers(h, []int64{p.TimeNanos, p.DurationNanos, p.Period})
	h.text(p.PeriodType.Type + " " + p.PeriodType.Unit + " " + p.DefaultSampleType)
	for _, t := range p.SampleTypes {
		h.text(t.Type + " " + t.Unit)
	}
	for _, m := range p.Mappings {
		h.text(m.BuildID + " " + m.File)
	}
	for _, name := range p.Strings {
		h.text(name)
	}
	for i, n := range p.Functions.Name {
		h.number(uint64(n)<<32 | uint64(p.Functions.File[i]))
	}
	for i, a := range p.Locations.Address {
		h.number(a)
		h.number(uint64(p.Locations.LineOffsets[i]))
	}
	for _, ln := range p.Locations.Lines {
		h.number(uint64(ln.Function)<<32 ^ uint64(ln.Line))
	}
	numbers(h, p.Stacks.Frames)
	numbers(h, p.Stacks.Offsets)
	numbers(h, p.LabelSets.Offsets)
	for _, l := range p.LabelSets.Labels {
		h.number(uint64(l.Key)<<32 | uint64(l.Str))
		h.number(uint64(l.Num))
		h.number(uint64(l.Unit))
	}
	for i, id := range p.Samples.Stack {
		h.number(uint64(id)<<32 | uint64(p.Samples.Labels[i]))
	}
	for _, col := range p.Samples.Values {
		numbers(h, col)
	}
	h.flush()
}
