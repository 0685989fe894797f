package leaktest

import (
	"slices"
	"strings"
	"testing"
)

func TestParseDump(t *testing.T) {
	text := `goroutine 1 [running]:
main.main()
	/src/main.go:9 +0x14

goroutine 18 [chan receive (nil chan), 5 minutes, locked to thread]:
main.(*T).work[...](0xc000012345, {0x1, 0x2})
	/src/main.go:33 +0x14
main.run(...)
	/src/main.go:40
created by main.start in goroutine 7
	/src/main.go:90 +0x29f

goroutine 19 gp=0xc0001 m=nil [select]:
...additional frames elided...
created by main.start
	/src/main.go:91 +0x29f

not a goroutine
`
	got := parseDump(text)
	want := []goroutine{
		{id: 1, state: "running", calls: []call{{"main.main", "/src/main.go:9"}}},
		{
			id: 18, state: "chan receive (nil chan)", waited: 5, creator: 7,
			calls:   []call{{"main.(*T).work[...]", "/src/main.go:33"}, {"main.run", "/src/main.go:40"}},
			created: call{"main.start", "/src/main.go:90"},
		},
		{id: 19, state: "select", created: call{"main.start", "/src/main.go:91"}},
	}
	same := func(a, b goroutine) bool {
		return slices.Equal(a.calls, b.calls) && a.id == b.id && a.state == b.state && a.waited == b.waited &&
			a.created == b.created && a.creator == b.creator
	}
	if !slices.EqualFunc(got, want, same) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

// TestDumpAndProfileAgree: the key of a goroutine is the same by its dump and
// by the profile.
func TestDumpAndProfileAgree(t *testing.T) {
	mark(t)
	stop := make(chan int)
	defer close(stop)
	go generic(stop)
	go func() {
		func() { <-stop }()
	}()
	var keys []string
	poll(defaultSettle, func() bool {
		keys = nil
		for _, g := range dumpAll() {
			if g.state == "chan receive" && strings.HasPrefix(g.created.function, self+"TestDumpAndProfileAgree") {
				keys = append(keys, g.key())
			}
		}
		return len(keys) == 2
	})
	r := remains{t: t, o: &options{}}
	ours, err := r.labelledStacks()
	if err != nil {
		t.Fatal(err)
	}
	if len(keys) != 2 {
		t.Fatalf("%d goroutines in the dump", len(keys))
	}
	for _, k := range keys {
		if ours[k] != 1 {
			t.Errorf("%d goroutines with the stack %q in the profile:\n%v", ours[k], k, ours)
		}
	}
}

func TestEntry(t *testing.T) {
	for want, calls := range map[string][]call{
		"":       nil,
		"main.f": {{"runtime.gopark", ""}, {"main.f", ""}},
		"main.g": {{"main.g", ""}, {"runtime.goexit", ""}}, // has not run yet
	} {
		if g := (goroutine{calls: calls}); g.entry() != want {
			t.Errorf("%v: entry is %q", calls, g.entry())
		}
	}
}

func generic[T any](c chan T) { <-c }

func FuzzParseDump(f *testing.F) {
	f.Add("goroutine 18 [chan receive, 5 minutes]:\nmain.f(0x1)\n\t/src/main.go:3 +0x1\ncreated by main.g in goroutine 1\n\t/a.go:1 +0x1\n")
	f.Add("goroutine 1 [")
	f.Fuzz(func(t *testing.T, text string) {
		for _, g := range parseDump(text) {
			_ = g.key() + g.entry() + remedy(&g)
		}
	})
}
