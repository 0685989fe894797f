package web

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// TestGoroutines counts against a plain sum over the samples.
func TestGoroutines(t *testing.T) {
	srv := newServer(t, Options{}, shop(t))
	g := getJSON[Goroutines](t, srv, "goroutines?base=p1") // p1 of heap and of goroutines
	if g.Count != 8+3 || g.BaseCount == nil || *g.BaseCount != 5+3 || len(g.Groups) != 2 || g.Heap || g.Waits {
		t.Fatalf("%+v", g)
	}
	serve := g.Groups[0]
	if serve.Name != "waiting at main.serve from main.main" || serve.Count != 8 || *serve.Base != 5 || !slices.Equal(serve.Trend, []int64{5, 6, 7, 8}) || serve.At.Function != "main.serve" {
		t.Errorf("%+v", serve)
	}
	if !strings.Contains(g.Sentence, "3 more waiting at main.serve") {
		t.Error(g.Sentence)
	}
	one := getJSON[Goroutines](t, srv, "goroutines?x=focus:watch")
	if one.Count != 3 || len(one.Groups) != 1 || one.BaseCount != nil {
		t.Errorf("filtered: %+v", one)
	}
	wantFailure(t, srv, "goroutines?heap=yes", 404, "PID")
}

// TestGoroutineDump: states, waits and starters as debug=2 tells them.
func TestGoroutineDump(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "goroutine", Unit: "count"})
	frame := func(name string) profile.LocationID {
		return b.Location(0, 0, profile.Line{Function: b.Function(name, name, fileOf(name), 1), Line: 3})
	}
	stack := []profile.LocationID{frame("runtime.gopark"), frame("runtime.chanrecv1"), frame("main.watch"), frame("created by main.start")}
	b.Sample(stack, []int64{7}, b.NumLabel("wait", 12, "minutes"), b.StringLabel("state", "chan receive"), b.StringLabel("created_by", "main.start"))
	b.Sample(stack, []int64{2}, b.StringLabel("state", "chan receive"), b.StringLabel("created_by", "main.start"))
	b.Sample([]profile.LocationID{frame("sync.runtime_SemacquireMutex"), frame("sync.(*Mutex).Lock"), frame("main.put")}, []int64{1}, b.StringLabel("state", "sync.Mutex.Lock"))
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSession(Input{Shots: []Shot{{Name: "dump", Kind: "goroutine", Profile: p}}})
	if err != nil {
		t.Fatal(err)
	}
	g := getJSON[Goroutines](t, newServer(t, Options{}, s), "goroutines")
	watch := g.Groups[0]
	if watch.Name != "chan receive at main.watch" || watch.Count != 9 || watch.Started != "main.start" || watch.Stacks != 1 || watch.Wait == nil || watch.Wait.Longest != 12*60e9 || watch.Wait.Known != 7 || !watch.Wait.Minutes {
		t.Errorf("%+v %+v", watch, watch.Wait)
	}
	if lock := g.Groups[1]; lock.State != "lock" || lock.At.Function != "main.put" || lock.Wait != nil || !g.Waits {
		t.Errorf("%+v", lock)
	}
}

// TestGoroutinesUntold: the text of debug=1 leaves out where goroutines wait,
// so nothing says that they run.
func TestGoroutinesUntold(t *testing.T) {
	types := []profile.ValueType{{Type: "goroutine", Unit: "count"}}
	for _, c := range []struct{ text, want string }{
		{"runtime.goexit;main.watch;runtime.[hidden] 9\nruntime.goexit;main.nap;time.Sleep 2\nruntime.main;main.main;runtime/pprof.write 1",
			"9 state not told at main.watch, 2 sleep at main.nap, 1 running at main.main from runtime.main"},
		{"main.main;main.serve 3", "3 state not told at main.serve from main.main"},
		{"main.main;main.serve 3\nmain.watch;runtime.gopark 2", "3 running at main.serve from main.main, 2 waiting at main.watch"},
	} {
		s, err := NewSession(Input{Shots: []Shot{{Name: "dump", Kind: "goroutine", Profile: makeProfile(t, types, c.text)}}})
		if err != nil {
			t.Fatal(err)
		}
		g := getJSON[Goroutines](t, newServer(t, Options{}, s), "goroutines")
		var got []string
		for _, x := range g.Groups {
			got = append(got, fmt.Sprint(x.Count, " ", x.Name))
		}
		if strings.Join(got, ", ") != c.want {
			t.Errorf("%s\nwant %s", strings.Join(got, ", "), c.want)
		}
		if told := !strings.Contains(c.want, stateUntold); told != (len(g.Warnings) == 0) {
			t.Errorf("warnings %q", g.Warnings)
		}
	}
}

// TestGoroutinesOfHeap: a heap alone tells of goroutines, and groups can be
// asked for by the name they have here.
func TestGoroutinesOfHeap(t *testing.T) {
	srv, a := leakyServer(t), leaky(t)
	g := getJSON[Goroutines](t, srv, "goroutines?heap=yes")
	if int(g.Count) != len(a.Analysis.Heap.Goroutines) || !g.Heap {
		t.Fatalf("%d goroutines, want %d", g.Count, len(a.Analysis.Heap.Goroutines))
	}
	i := slices.IndexFunc(g.Groups, func(x Group) bool { return strings.Contains(x.At.Function, "blockedWorker") })
	if i < 0 {
		t.Fatalf("no group of blocked workers: %+v", g.Groups)
	}
	x := g.Groups[i]
	if x.Count != 50 || x.State != "chan receive" || x.Holds == nil || x.Holds.Bytes == 0 || len(x.Vars) == 0 || len(x.Stack) == 0 {
		t.Errorf("%+v", x)
	}
	r := getJSON[Retention](t, srv, "retention?sel=g:"+strings.ReplaceAll(x.Name, " ", "+"))
	if r.Start == nil || r.Start.Bytes != x.Holds.Bytes {
		t.Errorf("%s holds %+v, asked for it has %+v", x.Name, x.Holds, r.Start)
	}
}
