package web

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
)

func TestSession(t *testing.T) {
	a := getJSON[About](t, newServer(t, Options{}, shop(t)), "session")
	var kinds []string
	for _, k := range a.Kinds {
		kinds = append(kinds, k.Kind+" "+k.Value+" "+k.Cur+" "+k.Base)
	}
	want := []string{"heap inuse_space p4 ", "cpu cpu p1 ", "goroutine goroutine p4 "}
	if !slices.Equal(kinds, want) {
		t.Errorf("kinds %q, want %q", kinds, want)
	}
	if len(a.Shots) != 9 || a.Shots[0].ID != "p1" || a.Shots[0].Time != began().UnixMilli() || a.Shots[3].Name != "heap-3" {
		t.Errorf("shots %+v", a.Shots)
	}
	if a.Kind != "heap" || a.Heap || a.Badges["goroutines"] != 11 || a.Headline == "" || !slices.Contains(a.Views, "leaks") || !slices.Contains(a.Views, "retention") {
		t.Errorf("%+v", a)
	}
}

// TestContentID is the same for the same profiles and another for others.
func TestContentID(t *testing.T) {
	one, same := shop(t), shop(t)
	in := shopInput(t)
	in.Shots = in.Shots[1:]
	fewer, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	if len(one.ID) != 12 || one.ID != same.ID || one.ID == fewer.ID {
		t.Errorf("ids %s %s %s", one.ID, same.ID, fewer.ID)
	}
	in = shopInput(t)
	p := in.Shots[0].Profile.ShallowCopy()
	p.Samples.Values = slices.Clone(p.Samples.Values)
	p.Samples.Values[3] = slices.Clone(p.Samples.Values[3])
	p.Samples.Values[3][0]++
	in.Shots[0].Profile = p
	if changed, err := NewSession(in); err != nil || changed.ID == one.ID {
		t.Errorf("a value changed and the id is the same (%v)", err)
	}
}

func TestKindOf(t *testing.T) {
	types := func(list ...string) []profile.ValueType {
		var out []profile.ValueType
		for _, s := range list {
			typ, unit, _ := strings.Cut(s, "/")
			out = append(out, profile.ValueType{Type: typ, Unit: unit})
		}
		return out
	}
	for _, c := range []struct {
		name  string
		types []profile.ValueType
		text  string
		want  string
	}{
		{"heap.pb.gz", heapTypes(), "", "heap"},
		{"allocs-3.pb.gz", heapTypes(), "", "allocs"},
		{"x", cpuTypes(), "", "cpu"},
		{"x", types("goroutine/count"), "", "goroutine"},
		{"x", types("goroutineleak/count"), "", "goroutineleak"},
		{"x", types("threadcreate/count"), "", "threadcreate"},
		{"mutex.pb.gz", types("contentions/count", "delay/nanoseconds"), "main.f 1 1", "mutex"},
		{"http://h/debug/pprof/block", types("contentions/count", "delay/nanoseconds"), "sync.(*Mutex).Unlock 1 1", "block"},
		{"x", types("contentions/count", "delay/nanoseconds"), "main.f;sync.(*Mutex).Unlock 1 1", "mutex"},
		{"x", types("contentions/count", "delay/nanoseconds"), "main.f;runtime.chanrecv1 1 1", "block"},
		{"x", types("events/count", "wall/nanoseconds"), "", "wall"},
	} {
		if got := kindOf(makeProfile(t, c.types, c.text), c.name); got != c.want {
			t.Errorf("%s %v: %s, want %s", c.name, c.types, got, c.want)
		}
	}
}

// TestLooks numbers the profiles of a watched program by look, so that the
// same number is the same moment.
func TestLooks(t *testing.T) {
	shots := shopInput(t).Shots
	in := Input{Now: began()}
	for i := range 4 {
		l := leak.Look{At: shots[2*i].Time, Heap: shots[2*i].Profile, Gauges: leak.NoGauges()}
		if i != 1 {
			l.Goroutine = shots[2*i+1].Profile
		}
		in.Looks = append(in.Looks, l)
	}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	k, err := s.Kind("goroutine")
	if err != nil {
		t.Fatal(err)
	}
	if got := shotIDs(k.Shots); !slices.Equal(got, []string{"p1", "p3", "p4"}) {
		t.Errorf("goroutines %v", got)
	}
	if len(s.Moments) != 4 || s.Verdict == nil {
		t.Errorf("%d moments, verdict %v", len(s.Moments), s.Verdict)
	}
	if list, err := k.Select(Span{Role: 'p', From: 1, To: 3}, k.Cur); err != nil || len(list) != 2 {
		t.Errorf("p1..p3: %d, %v", len(list), err)
	}
	if _, err := k.Select(Span{Role: 'p', From: 2, To: 2}, k.Cur); err == nil {
		t.Error("p2 has no goroutines, and is found")
	}
}

// TestBases keeps what -base names apart and compares with it first.
func TestBases(t *testing.T) {
	in := shopInput(t)
	in.Bases = []Shot{in.Shots[0]}
	in.Shots = in.Shots[2:]
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	d, err := s.Data(context.Background(), mustQuery(t, ""))
	if err != nil {
		t.Fatal(err)
	}
	h := d.Head()
	if !slices.Equal(h.Base, []string{"b1"}) || *h.BaseTotal != 1450 || h.Total != 4950 {
		t.Errorf("%+v", h)
	}
	if d, err = s.Data(context.Background(), mustQuery(t, "base=none")); err != nil || len(d.Base) != 0 {
		t.Errorf("base=none: %v %v", d, err)
	}
}

func TestSessionEmpty(t *testing.T) {
	if _, err := NewSession(Input{}); err == nil {
		t.Error("a session of nothing")
	}
	opened, closed := 0, 0
	s, err := NewSession(Input{Sources: []string{"4711"}, Heap: func(context.Context) (*Heap, error) {
		opened++
		if opened == 1 {
			return nil, errors.New("not yet")
		}
		return &Heap{Close: func() { closed++ }}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	ask := func() error { return s.Heap(context.Background(), func(*Heap) error { return nil }) }
	if err := ask(); err == nil || !strings.Contains(err.Error(), "not yet") {
		t.Errorf("first: %v", err)
	}
	for range 2 {
		if err := ask(); err != nil || opened != 2 {
			t.Errorf("opened %d times: %v", opened, err)
		}
	}
	s.Close()
	if closed != 1 {
		t.Error("not closed")
	}
	srv := newServer(t, Options{}, s)
	if a := getJSON[About](t, srv, "session"); !a.Heap || len(a.Kinds) != 0 {
		t.Errorf("%+v", a)
	}
	wantFailure(t, srv, "flame", 404, "no profiles")
}

// TestCache bounds what is kept, waits for what is being made, and keeps no
// errors.
func TestCache(t *testing.T) {
	c := newDataCache(NewCache(100))
	ctx := context.Background()
	made := map[string]int{}
	put := func(key string, bytes int) {
		t.Helper()
		got, err := cached(ctx, c, key, func() (string, int, error) { made[key]++; return "v" + key, bytes, nil })
		if err != nil || got != "v"+key {
			t.Fatalf("%s: %q %v", key, got, err)
		}
	}
	put("a", 40)
	put("b", 40)
	put("a", 40)
	put("c", 40) // b was not used for longest
	put("a", 40)
	put("b", 40)
	if made["a"] != 1 || made["b"] != 2 || c.bytes > 100 {
		t.Errorf("made %v, %d bytes", made, c.bytes)
	}
	if _, err := cached(ctx, c, "bad", func() (int, int, error) { return 0, 0, errors.New("no") }); err == nil {
		t.Error("no error")
	}
	if n, err := cached(ctx, c, "bad", func() (int, int, error) { return 5, 1, nil }); n != 5 || err != nil {
		t.Errorf("an error was kept: %v", err)
	}
	if _, err := cached(ctx, c, "panic", func() (int, int, error) { panic("ouch") }); err == nil || !strings.Contains(err.Error(), "ouch") {
		t.Errorf("panic: %v", err)
	}
	gone, cancel := context.WithCancel(ctx)
	begin, end := make(chan bool), make(chan bool)
	go func() { <-begin; cancel() }()
	if _, err := cached(gone, c, "slow", func() (int, int, error) { close(begin); <-end; return 1, 1, nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	close(end)
	if n, err := cached(ctx, c, "slow", func() (int, int, error) { return 2, 1, nil }); n != 1 || err != nil {
		t.Errorf("made again: %d %v", n, err)
	}
}

func TestSpread(t *testing.T) {
	var shots []*Shot
	for range 10 {
		shots = append(shots, &Shot{Time: time.Time{}})
	}
	for _, n := range []int{2, 3, 9, 10, 20} {
		got := spread(shots, n)
		if len(got) != min(n, 10) || got[0] != shots[0] || got[len(got)-1] != shots[9] {
			t.Errorf("%d: %d shots", n, len(got))
		}
	}
}
