package reason

import (
	"bufio"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/why"
)

// zoo is what must be said first of services that keep memory in the ways
// programs do; see testdata/zoo. # is a number, and … anything.
var zoo = [...]struct{ kind, sentence string }{
	{"ways", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held in 3 ways, by main.byID (package variable) map[int]*main.doc [elem].body, by main.index (package variable) .byName map[string]*main.doc [elem].body, and by main.recent (package variable) []*main.doc [].body; without all three (main.byID, main.index.byName, main.recent) 2.2# MB go free`},
	{"fields", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held in 2 ways, by main.srv (package variable) .byID map[int]*main.doc [elem].body, and by main.srv (package variable) .recent []*main.doc [].body; without both (main.srv.byID, main.srv.recent) 2.# MB go free`},
	{"shards", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held in 2 ways, by main.sharded (package variable) [].m map[string]*main.doc [elem].body, and by main.newest (package variable) .next (again and again) .body; without both (main.sharded, main.newest) # MB go free`},
	{"tree", `# MB in 4,000 []uint8 allocated at main.newDoc held.go:# are held by main.zones (package variable) map[string]*main.table [elem].root (again and again) .val.body; without this one main.zones[elem].root # MB go free`},
	{"shop", `# MB in #,# []uint8 allocated at main.shop held.go:# are held by *main.open (package variable) .orders map[int]*main.order [elem].document; without *main.open # MB go free`},
	{"names", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held by main.tenants (package variable) .m map[string][]map[string]*main.doc [elem] []map[string]*main.doc [] map[string]*main.doc [elem].body; without main.tenants.m # MB go free`},
	{"queue", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held by goroutine # [select] at main.queue.func1 created by main.queue -> main.queue.func1.feed chan *main.doc .buf []*main.doc [].body; without main.queue.func1.feed.buf # MB go free`},
	{"backlog", `# kB in 2,000 []uint8 allocated at main.backlog queues.go:# are held by 3 goroutines [select] at main.(*dispatcher).drain created by main.backlog -> main.(*dispatcher).drain.d .jobs chan main.job .buf []main.job [].payload; without this one main.(*dispatcher).drain.d.jobs.buf # MB go free`},
	{"selects", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held by 20 goroutines [select] at main.selects.func1 created by main.selects -> main.selects.func1 (select) .c chan *main.doc .buf []*main.doc [].body; without these goroutines # MB go free`},
	{"group", `# MB in 200 []uint8 allocated at main.fetch kinds.go:# are held by 200 goroutines [chan send] at main.fetch created by main.group -> main.group.gowrap1 (value for a channel) .doc.body; without these goroutines # MB go free`},
	{"syncmap", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held by main.seen (package variable) .m.root…value.body; without main.seen.m.root # MB go free`},
	{"lru", `# MB in 2,000 []uint8 allocated at main.newDoc held.go:# are held by *main.pages (package variable) .items map[string]*list.Element [elem].Value.val.body; without *main.pages # MB go free`},
	{"contexts", `# MB in #,# []uint8 allocated at main.newDoc held.go:# are held by main.base (package variable) .Context (again and again) .val.body; without main.base # MB go free`},
	{"timers", `# MB in #,# []uint8 allocated at main.newDoc held.go:# are held by timers .timer.arg func main.timers.func1 .d.body; without timers # MB go free`},
	{"pool", `# MB in # []uint8 allocated at main.pool kinds.go:# are held by main.buffers (package variable) .victim….shared.head…poolDequeue.vals []sync.eface [].val []uint8; without main.buffers.victim # MB go free`},
	{"conns", `200 goroutines [select] at main.(*conn).serve created by main.conns hold # MB in #,# objects, and stacks of # kB`},
	{"labels", `*main.metrics (package variable) .series map[string]map[string]*main.series [elem] map[string]*main.series [elem].labels map[string]string holds # kB in #,# objects; without this one *main.metrics.series[elem] # MB go free`},
	{"bus", `# MB in 2,000 []uint8 allocated at main.bus kinds.go:# are held by *main.theBus (package variable) .subs map[string][]func(main.event) [elem] []func(main.event) [] func main.…cells; without *main.theBus.subs # MB go free`},
	{"tickers", `# kB in 200 []uint8 allocated at main.tickers kinds.go:# are held by 200 goroutines [chan receive] at main.(*poller).run created by main.tickers -> main.tickers.gowrap1.p .last; without these goroutines # kB go free`},
	{"finalizers", `# kB in 200 []uint8 allocated at main.finalizers kinds.go:# are held by main.zombies (package variable) []*main.handle [].buf; without main.zombies # kB go free`},
}

func TestZoo(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("reads a process of its own: linux/amd64")
	}
	exe := filepath.Join(t.TempDir(), "zoo")
	build := exec.Command("go", "build", "-o", exe, ".")
	build.Dir = "testdata/zoo"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, tt := range zoo {
		t.Run(tt.kind, func(t *testing.T) {
			a := analyse(t, exe, tt.kind)
			rx := regexp.MustCompile("^" + strings.NewReplacer("#", `[\d.]+`, "…", ".*").Replace(regexp.QuoteMeta(tt.sentence)) + "$")
			var said []string
			for _, h := range a.Holders(3, 0.01) {
				checkJoint(t, a, &h)
				if said = append(said, Sentence(&h)); tt.kind == "fields" && len(said) == 1 {
					// The docs are the smaller part there: ask for them.
					s := a.Select(why.Filter{Type: func(name string) bool { return name == "[]uint8" }})
					said[0] = Sentence(&a.Ways(s, 1)[0])
				}
			}
			if !rx.MatchString(said[0]) {
				t.Errorf("said\n%s\nwant\n%s", strings.Join(said, "\n"), tt.sentence)
			}
		})
	}
}

// checkJoint: without the references of all ways, asked for by their names, at
// least as much goes free as is said.
func checkJoint(t *testing.T, a *why.Analysis, h *why.Holding) {
	t.Helper()
	var names []string
	for _, w := range h.Joint {
		if w.Cut == 1 && w.Path[0].Kind == goheap.KindGroup {
			return // a name is that of all goroutines that run a function
		}
		names = append(names, cutName(w.Path, w.Cut))
	}
	if len(names) == 0 || h.Many {
		return
	}
	if w, err := a.Without(names); err != nil || w.Frees.Bytes < h.Frees.Bytes {
		t.Errorf("-without %s: %+v, %v; %s", strings.Join(names, ","), w, err, Sentence(h))
	}
}

// analyse runs a service until it is ready, and reads its heap.
func analyse(t *testing.T, exe string, args ...string) *why.Analysis {
	t.Helper()
	cmd := exec.Command(exe, args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { in.Close(); cmd.Process.Kill(); cmd.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
		t.Fatalf("the service said %q: %v", line, err)
	}
	target, err := proc.Attach(cmd.Process.Pid, proc.Options{Now: time.Now})
	if errors.Is(err, proc.ErrPermission) || errors.Is(err, proc.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	f, err := os.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	program, err := goheap.OpenProgram(f, nil)
	if err != nil {
		t.Fatal(err)
	}
	img, _, err := target.Snapshot(context.Background(), program.Plan(goheap.Options{}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { img.Close() })
	h, err := goheap.Read(program, img, goheap.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return why.New(h)
}
