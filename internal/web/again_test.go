package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/leak"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/symbol/srcfind"
)

// TestContentIDOfAll: whatever is different gives another ID.
func TestContentIDOfAll(t *testing.T) {
	with := func(change func(p *profile.Profile)) func(*Input) {
		return func(in *Input) {
			p := in.Shots[0].Profile.ShallowCopy()
			change(p)
			in.Shots[0].Profile = p
		}
	}
	labels := func(n int64) func(*Input) {
		return with(func(p *profile.Profile) {
			p.LabelSets = profile.LabelSets{Offsets: []uint32{0, 0, 1}, Labels: []profile.Label{{Key: 1, Num: n}}}
			p.Samples.Labels = slices.Clone(p.Samples.Labels)
			p.Samples.Labels[0] = 1
		})
	}
	moment := func(v float64) func(*Input) {
		return func(in *Input) {
			l := leak.Look{At: began(), Gauges: leak.NoGauges()}
			l.Gauges[leak.Resident] = v
			in.Looks = []leak.Look{l}
		}
	}
	seen := map[string]string{}
	for name, change := range map[string]func(*Input){
		"as it is":      func(*Input) {},
		"label 1":       labels(1),
		"label 2":       labels(2),
		"duration":      with(func(p *profile.Profile) { p.DurationNanos++ }),
		"period":        with(func(p *profile.Profile) { p.Period++ }),
		"default type":  with(func(p *profile.Profile) { p.DefaultSampleType = "inuse_space" }),
		"stack offsets": with(func(p *profile.Profile) { p.Stacks.Offsets = slices.Clone(p.Stacks.Offsets); p.Stacks.Offsets[2]-- }),
		"moment":        moment(1),
		"later moment":  moment(2),
		"heap":          func(in *Input) { in.Heap, in.HeapID = noSuchHeap, "of 10:00" },
		"later heap":    func(in *Input) { in.Heap, in.HeapID = noSuchHeap, "of 11:00" },
		"no profiles":   func(in *Input) { in.Shots, in.Heap, in.HeapID = nil, noSuchHeap, "of 10:00" },
		"later alone":   func(in *Input) { in.Shots, in.Heap, in.HeapID = nil, noSuchHeap, "of 11:00" },
	} {
		in := shopInput(t)
		change(&in)
		s, err := NewSession(in)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if other := seen[s.ID]; other != "" {
			t.Errorf("%s has the ID of %s", name, other)
		}
		seen[s.ID] = name
	}
}

func noSuchHeap(context.Context) (*Heap, error) { return nil, errors.New("no heap") }

// TestReplaced: a session that takes the place of another of its ID has answers
// of its own, and the heap of the other is closed.
func TestReplaced(t *testing.T) {
	closed := make(chan bool, 1)
	open := func() *Session {
		in := shopInput(t)
		in.Heap = func(context.Context) (*Heap, error) { return &Heap{Close: func() { closed <- true }}, nil }
		s, err := NewSession(in)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	old, now := open(), open()
	srv := newServer(t, Options{}, old)
	if err := old.Heap(context.Background(), func(*Heap) error { return nil }); err != nil {
		t.Fatal(err)
	}
	at := "/api/" + old.ID + "/flame"
	tag := request(t, srv.Handler(), "GET", at).Header.Get("ETag")
	srv.Add(old) // is there
	if r := request(t, srv.Handler(), "GET", at); len(closed) > 0 || r.StatusCode != 200 {
		t.Errorf("added twice: %s, %d closed", r.Status, len(closed))
	}
	srv.Add(now)
	<-closed
	if r := request(t, srv.Handler(), "GET", at, "If-None-Match", tag); r.StatusCode != 200 || r.Header.Get("ETag") == tag {
		t.Errorf("%s: the answer of another session", r.Status)
	}
	if err := old.Heap(context.Background(), func(*Heap) error { return nil }); err == nil || asError(err).Status != http.StatusGone {
		t.Errorf("the heap was read again after it was closed: %v", err)
	}
	if len(srv.Sessions()) != 1 {
		t.Errorf("%d sessions", len(srv.Sessions()))
	}
}

// TestOpenAgain: what was closed to make room can be opened again by its ID;
// what had a password, or was sent, cannot, and says so.
func TestOpenAgain(t *testing.T) {
	make := func(n int, source string) *Session {
		in := shopInput(t)
		in.Sources, in.Shots = []string{source}, in.Shots[:1]
		in.Shots[0].Profile = in.Shots[0].Profile.ShallowCopy()
		in.Shots[0].Profile.TimeNanos = int64(n)
		in.Secret = strings.Contains(source, "xxxxx")
		s, err := NewSession(in)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	var remembered []Recent
	srv := newServer(t, Options{
		Open: func(_ context.Context, specs []string) (*Session, error) {
			n, err := strconv.Atoi(specs[0])
			return make(n, specs[0]), err
		},
		Opened: func(r Recent) { remembered = append(remembered, r) },
	})
	var ids []string
	for n := range 2*maxSessions + 10 {
		source := strconv.Itoa(n)
		if n == 2 {
			source = "https://host/heap?token=xxxxx"
		}
		s := make(n, source)
		ids = append(ids, s.ID)
		srv.add(s, n == 3)
	}
	at := func(n int) int { return request(t, srv.Handler(), "GET", "/api/"+ids[n]+"/session").StatusCode }
	again := func(n int) int {
		status, _ := post(srv, "/api/open", `{"session":"`+ids[n]+`"}`)
		return status
	}
	if at(1) != http.StatusGone || again(1) != http.StatusOK || at(1) != http.StatusOK {
		t.Errorf("by name: %d", at(1))
	}
	for n := 2; n <= 3; n++ {
		if at(n) != http.StatusNotFound || again(n) != http.StatusNotFound {
			t.Errorf("%d: %d, again %d", n, at(n), again(n))
		}
	}
	if len(remembered[2].Sources) != 0 {
		t.Errorf("remembered %q", remembered[2].Sources)
	}
	if home := srv.recent(); len(srv.known) > maxKnown || len(home) < 2*maxSessions {
		t.Errorf("%d known, %d recent", len(srv.known), len(home))
	}
}

// TestBasesOnly: a kind that was given as a base only has answers or sentences
// in every view.
func TestBasesOnly(t *testing.T) {
	in := shopInput(t)
	for _, shot := range in.Shots {
		if shot.Name == "cpu.pb.gz" {
			in.Bases = []Shot{shot, shot}
		}
	}
	in.Shots = in.Shots[:len(in.Shots)-1]
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	for _, v := range views() {
		name := v.Name
		if name == "report" {
			name = "report/top"
		}
		for _, q := range []string{"", "&base=none", "&base=b1", "&sel=f:main.parse", "&trend=4"} {
			if v.Plain && q != "" {
				continue
			}
			ask := name + "?kind=cpu" + q
			if v.Plain {
				ask = name
			}
			r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/"+ask)
			if body, _ := io.ReadAll(r.Body); r.StatusCode >= 500 {
				t.Errorf("%s: %s %.300s", ask, r.Status, body)
			}
		}
	}
	wantFailure(t, srv, "compare?kind=cpu", http.StatusNotFound, "given as a base")
	getJSON[any](t, srv, "compare?kind=cpu&base=b1&cur=b2&format=json")
}

// TestLackingValue: a profile without the value that is shown is left out of
// what goes through all of them; where it is asked for, it is named.
func TestLackingValue(t *testing.T) {
	in := Input{Now: began()}
	for i, types := range [][]profile.ValueType{cpuTypes()[1:], cpuTypes(), cpuTypes()} {
		text := "main.main;main.work 7\nmain.main;main.rest 2"
		if len(types) == 2 {
			text = "main.main;main.work 3 7\nmain.main;main.rest 1 2"
		}
		in.Shots = append(in.Shots, Shot{Name: "cpu-" + strconv.Itoa(i), Kind: "cpu", Time: began().Add(time.Duration(i) * time.Minute), Profile: makeProfile(t, types, text)})
	}
	heap := makeProfile(t, heapTypes(), "main.main;main.work 1 2 3 4")
	old := makeProfile(t, heapTypes()[3:], "main.main;main.work 4")
	for i, p := range []*profile.Profile{old, heap, heap} {
		in.Shots = append(in.Shots, Shot{Name: "heap-" + strconv.Itoa(i), Kind: "heap", Time: began().Add(time.Duration(i) * time.Minute), Profile: p})
	}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	for _, ask := range []string{
		"table?kind=cpu&value=samples&cur=p3&trend=24", "function?kind=cpu&value=samples&cur=p3&sel=f:main.work", "timeline?kind=cpu&value=samples&sel=f:main.work",
		"summary?kind=cpu&value=samples&cur=p3", "summary?kind=heap&value=alloc_space", "compare?kind=heap&value=alloc_space", "table?kind=heap&value=alloc_space&trend=3",
	} {
		get(t, srv, ask)
	}
	type table struct {
		Meta struct{ Shots []string }
	}
	if a := getJSON[table](t, srv, "table?kind=cpu&value=samples&cur=p3&trend=24&format=json"); !slices.Equal(a.Meta.Shots, []string{"p2", "p3"}) {
		t.Errorf("trend of %q", a.Meta.Shots)
	}
	wantFailure(t, srv, "table?kind=cpu&value=samples&cur=p1", http.StatusBadRequest, "cpu-0")
	wantFailure(t, srv, "compare?kind=cpu&value=none", http.StatusBadRequest, "has a value")
	wantFailure(t, srv, "table?kind=cpu&value=samples&cur=all", http.StatusBadRequest, "cpu-0")
}

// edited is a file that changes.
type edited struct{ text []string }

func (g *edited) Lines(name string) ([]string, srcfind.Found, error) {
	return g.text, srcfind.Found{Path: name}, nil
}

// TestEdited: what shows text of files is not kept, as files change.
func TestEdited(t *testing.T) {
	text := &edited{text: strings.Split(strings.Repeat("before\n", 40), "\n")}
	in := shopInput(t)
	in.Code.Sources = text
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{}, s)
	for _, ask := range []string{"source?sel=f:main.newOrder", "function?sel=f:main.newOrder", "report/list?of=newOrder", "report/weblist?of=newOrder"} {
		at := "/api/" + s.ID + "/" + ask
		text.text = strings.Split(strings.Repeat("before\n", 40), "\n")
		tag := request(t, srv.Handler(), "GET", at).Header.Get("ETag")
		text.text = strings.Split(strings.Repeat("edited\n", 40), "\n")
		r := request(t, srv.Handler(), "GET", at, "If-None-Match", tag)
		if body, _ := io.ReadAll(r.Body); !strings.Contains(string(body), "edited") || r.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %s %q, %.100s", ask, r.Status, r.Header.Get("Cache-Control"), body)
		}
	}
	if r := request(t, srv.Handler(), "GET", "/api/"+s.ID+"/assembly?sel=f:main.newOrder"); r.Header.Get("ETag") != "" {
		t.Error("machine code is kept")
	}
}

// TestAllocTile: a rate is of one program, and a part is no more than the whole.
func TestAllocTile(t *testing.T) {
	rate := func(first, last *profile.Profile) *Tile {
		t.Helper()
		s, err := NewSession(Input{Now: began(), Shots: []Shot{{Name: "a", Kind: "heap", Time: began(), Profile: first}, {Name: "b", Kind: "heap", Time: began().Add(time.Minute), Profile: last}}})
		if err != nil {
			t.Fatal(err)
		}
		tile, err := s.allocTile(context.Background(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		return tile
	}
	of := func(text, file, build string) *profile.Profile {
		p := makeProfile(t, heapTypes(), text).ShallowCopy()
		p.Mappings = append(slices.Clip(p.Mappings[:1]), profile.Mapping{ID: 1, File: file, BuildID: build})
		return p
	}
	few, many := "main.a 1 600 1 1\nmain.b 1 100 1 1", "main.a 1 600 1 1\nmain.b 1 700 1 1"
	for _, tt := range []struct {
		last  *profile.Profile
		known bool
	}{
		{of(many, "/bin/x", "b1"), true},
		{of(many, "/tmp/copy", "b1"), true},
		{of(many, "/bin/x", ""), true},
		{of(many, "/bin/x", "b2"), false},
		{of(many, "/bin/y", ""), false},
	} {
		if tile := rate(of(few, "/bin/x", "b1"), tt.last); (tile != nil) != tt.known || tt.known && (tile.Value != 10 || tile.Below != "100 % in") {
			t.Errorf("%+v: %+v", tt.last.Mappings[1], tile)
		}
	}
	if tile := rate(makeProfile(t, heapTypes(), "main.a 1 900 1 1\nmain.b 1 100 1 1"), makeProfile(t, heapTypes(), "main.a 1 100 1 1\nmain.b 1 1300 1 1")); tile == nil || tile.Below != "" || tile.Name != "" {
		t.Errorf("more than the whole: %+v", tile)
	}
}

func TestConfidenceWords(t *testing.T) {
	for looks, want := range map[int]string{1: "1 profile, take 3 more", 2: "2 profiles, take 2 more", 3: "3 profiles, take 1 more"} {
		if _, why := confidence(&leak.Verdict{Looks: looks}, &leak.Finding{Class: leak.Growing}); why != want {
			t.Errorf("%q, want %q", why, want)
		}
	}
}

// TestSharedCache: sessions share what may be kept, and a closed one keeps
// nothing.
func TestSharedCache(t *testing.T) {
	c := NewCache(100)
	ctx := context.Background()
	a, b := newDataCache(c), newDataCache(c)
	put := func(part *dataCache, value string) string {
		got, err := cached(ctx, part, "key", func() (string, int, error) { return value, 60, nil })
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if put(a, "of a") != "of a" || put(b, "of b") != "of b" || c.bytes != 60 || put(a, "again") != "again" {
		t.Errorf("%d bytes", c.bytes)
	}
	in := shopInput(t)
	in.Cache = NewCache(0)
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Data(ctx, mustQuery(t, "x=focus:main")); err != nil || in.Cache.bytes == 0 {
		t.Errorf("%d bytes, %v", in.Cache.bytes, err)
	}
	if s.Close(); in.Cache.bytes != 0 || len(in.Cache.entries) != 0 || in.Cache.order.Len() != 0 {
		t.Errorf("%d bytes in %d entries are left", in.Cache.bytes, len(in.Cache.entries))
	}
}

// TestStranger: another user of the machine may look, and no more; a token is
// better than a name.
func TestStranger(t *testing.T) {
	asked := 0
	o := Options{
		Stranger: func(*http.Request) bool { asked++; return true },
		Open:     func(context.Context, []string) (*Session, error) { return shop(t), nil },
	}
	srv := newServer(t, o, shop(t))
	for _, path := range []string{"/api/open", "/api/upload", "/api/" + srv.Sessions()[0].ID + "/heap"} {
		if status, answer := post(srv, path, `{"source":"x"}`); status != http.StatusForbidden || !strings.Contains(answer["error"].(string), "another user") || answer["hint"] == "" {
			t.Errorf("%s: %d %v", path, status, answer)
		}
	}
	if r := request(t, srv.Handler(), "GET", "/api/home"); r.StatusCode != http.StatusOK || asked != 3 {
		t.Errorf("%s, asked %d times", r.Status, asked)
	}
	o.Host, o.Token = "0.0.0.0", "token"
	if status, _ := post(newServer(t, o), "/api/open", `{"source":"x"}`, "Authorization", "Bearer token"); status != http.StatusOK {
		t.Errorf("with the token: %d", status)
	}
}
