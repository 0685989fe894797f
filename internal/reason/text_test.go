package reason

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/retain"
	"github.com/profoundhq/profound/internal/textart"
	"github.com/profoundhq/profound/internal/why"
)

// path makes steps of words: "$name" is a package variable, "%name" a group of
// goroutines, "&name" a variable of one, "!name" one of the runtime's; the
// others are a field, or "-", and the type behind it, with a star at the end
// for what is repeated.
func path(words ...string) []why.Step {
	var out []why.Step
	for _, w := range words {
		kinds := map[byte]goheap.Kind{'$': goheap.KindGlobal, '%': goheap.KindGroup, '&': goheap.KindLocal, '!': goheap.KindSpecial}
		if k, ok := kinds[w[0]]; ok {
			out = append(out, why.Step{Name: w[1:], Kind: k})
			continue
		}
		label, name, _ := strings.Cut(w, " ")
		name, again := strings.CutSuffix(name, "*")
		out = append(out, why.Step{Label: strings.TrimPrefix(label, "-"), Name: name, Kind: goheap.KindObject, Repeated: again})
	}
	return out
}

// mixedIn is a holding of many types that is held in several ways.
func mixedIn(ways []why.Way) why.Holding {
	return why.Holding{Amount: retain.Amount{Bytes: 1 << 20, Objects: 900}, Root: goheap.KindGlobal, Path: ways[0].Path, Joint: ways, Frees: retain.Amount{Bytes: 2 << 20}}
}

func bytes(n float64) uint64 { return uint64(n * (1 << 20)) }

// orders is the finding the guide begins with.
func orders() *why.Holding {
	return &why.Holding{
		Site: &why.Site{Type: "main.Order", Stack: []goheap.Frame{
			{Func: "main.newOrder", File: "/src/shop/main.go", Line: 63}, {Func: "main.handle", File: "/src/shop/main.go", Line: 90}}},
		Amount: retain.Amount{Bytes: bytes(61.2), Objects: 23912}, Type: "main.Order", Pointed: true, Root: goheap.KindGlobal,
		Path: path("$main.cache", ".m map[string]*main.Session", "[elem] main.Session", ".Last main.Order"), Cut: 2, Frees: retain.Amount{Bytes: bytes(98.4), Objects: 60000},
	}
}

func TestSentence(t *testing.T) {
	exact := *orders()
	exact.Site, exact.Below = nil, true
	exact.Sites = []why.Site{{Type: "string", Stack: []goheap.Frame{{Func: "main.x"}}}, {Type: "main.Order", Stack: []goheap.Frame{{Func: "main.newOrder", File: "main.go", Line: 63}}}}
	one := why.Holding{Amount: retain.Amount{Bytes: 1 << 20, Objects: 1}, Type: "string", Root: goheap.KindGlobal, Path: path("$main.text", "- string"), Cut: 1, Frees: retain.Amount{Bytes: 1 << 20, Objects: 1}}
	blocked := why.Holding{
		Amount: retain.Amount{Bytes: bytes(0.8), Objects: 50}, Type: "main.Request", Pointed: true, Root: goheap.KindGroup, Below: true,
		Path: path("%50 goroutines [chan receive] at main.work", "&main.work.req", "- main.Request"), Cut: 1, Frees: retain.Amount{Bytes: bytes(0.9)}, Stacks: 100 << 10,
	}
	variable := blocked
	variable.Cut = 2
	element := exact
	element.Cut = 3
	both := blocked
	none := blocked
	none.Cut = 0
	both.Cut, both.Frees = 0, retain.Amount{Bytes: bytes(0.8)}
	both.Joint = []why.Way{{Path: both.Path, Cut: 1}, {Path: path("%50 goroutines [select] at main.read", "&main.read.req", "- main.Request"), Cut: 2}}
	three := exact
	three.Cut, three.Frees = 0, retain.Amount{Bytes: bytes(90)}
	three.Joint = []why.Way{{Path: exact.Path, Cut: 2}, {Path: path("$main.recent", "- []*main.Order", "[] main.Order"), Cut: 1}, {Path: path("$main.srv", "- main.server", ".last main.Order"), Cut: 3}}
	many := three
	many.Many, many.Frees = true, retain.Amount{}
	parts := mixedIn(three.Joint)
	group := why.Holding{Amount: retain.Amount{Bytes: 1 << 10, Objects: 9}, Root: goheap.KindGroup, Path: path("%102 goroutines [IO wait] at net.Read"), Cut: 1, Frees: retain.Amount{Bytes: 1 << 10}, Stacks: 816 << 10}
	single := group
	single.Path = path("%goroutine 7 [IO wait] at net.Read")
	mixed := why.Holding{Amount: retain.Amount{Bytes: 1 << 20, Objects: 900}, Root: goheap.KindGlobal, Path: path("$main.srv"), Cut: 1, Frees: retain.Amount{Bytes: 1 << 20}}
	field := mixed
	field.Path, field.Cut = path("$main.srv", "- main.server", ".m map[string]any"), 3
	list := why.Holding{Amount: retain.Amount{Bytes: 1 << 20, Objects: 20000}, Type: "main.node", Pointed: true, Root: goheap.KindGlobal, Path: path("$main.head", "- main.node", ".next main.node*"), Cut: 1, Frees: retain.Amount{Bytes: 1 << 20}}
	timer := why.Holding{Amount: retain.Amount{Bytes: 1 << 20, Objects: 20}, Type: "[]uint8", Root: goheap.KindSpecial, Path: path("!timers", "- runtime.timeTimer", ".arg func main.f.func1", ".buf []uint8"), Cut: 1, Frees: retain.Amount{Bytes: 1 << 20}}
	for _, tt := range []struct {
		name string
		h    *why.Holding
		want string
	}{
		{"a site", orders(), "about 61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63 are held by main.cache (package variable) .m map[string]*main.Session [elem].Last; without main.cache.m 98.4 MB go free"},
		{"exact", &exact, "61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63, with what they hold, are held by main.cache (package variable) .m map[string]*main.Session [elem].Last; without main.cache.m 98.4 MB go free"},
		{"one object", &one, "1 MB in 1 string is held by main.text (package variable); without main.text 1 MB go free"},
		{"goroutines", &blocked, "819 kB in 50 *main.Request, with what they hold, are held by 50 goroutines [chan receive] at main.work -> main.work.req; without these goroutines 922 kB go free"},
		{"a variable of one of many", &variable, "819 kB in 50 *main.Request, with what they hold, are held by 50 goroutines [chan receive] at main.work -> main.work.req; without this one main.work.req 922 kB go free"},
		{"one of many elements", &element, "61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63, with what they hold, are held by main.cache (package variable) .m map[string]*main.Session [elem].Last; without this one main.cache.m[elem] 98.4 MB go free"},
		{"two ways", &both, "819 kB in 50 *main.Request, with what they hold, are held in 2 ways, by 50 goroutines [chan receive] at main.work -> main.work.req, and by 50 goroutines [select] at main.read -> main.read.req; without both (these goroutines, this one main.read.req) 819 kB go free"},
		{"three ways", &three, "61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63, with what they hold, are held in 3 ways, by main.cache (package variable) .m map[string]*main.Session [elem].Last, by main.recent (package variable) []*main.Order [], and by main.srv (package variable) .last; without all three (main.cache.m, main.recent, main.srv.last) 90 MB go free"},
		{"many ways", &many, "61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63, with what they hold, are held in many ways, such as by main.cache (package variable) .m map[string]*main.Session [elem].Last, by main.recent (package variable) []*main.Order [], and by main.srv (package variable) .last; no few references hold them"},
		{"mixed, in three ways", &parts, "main.cache (package variable) .m map[string]*main.Session [elem].Last main.Order holds 1 MB in 900 objects, which are held in 3 ways, by main.cache (package variable) .m map[string]*main.Session [elem].Last main.Order, by main.recent (package variable) []*main.Order [] main.Order, and by main.srv (package variable) .last main.Order; without all three (main.cache.m, main.recent, main.srv.last) 2 MB go free"},
		{"many references", &none, "819 kB in 50 *main.Request, with what they hold, are held by 50 goroutines [chan receive] at main.work -> main.work.req; no single reference holds them"},
		{"a group", &group, "102 goroutines [IO wait] at net.Read hold 1 kB in 9 objects, and stacks of 816 kB"},
		{"a goroutine", &single, "goroutine 7 [IO wait] at net.Read holds 1 kB in 9 objects, and stacks of 816 kB"},
		{"mixed", &mixed, "main.srv (package variable) holds 1 MB in 900 objects; without main.srv 1 MB go free"},
		{"a mixed map", &field, "main.srv (package variable) .m map[string]any holds 1 MB in 900 objects; without main.srv.m 1 MB go free"},
		{"a list", &list, "1 MB in 20,000 *main.node are held by main.head (package variable) .next main.node (again and again); without main.head 1 MB go free"},
		{"a timer", &timer, "1 MB in 20 []uint8 are held by timers .arg func main.f.func1 .buf; without timers 1 MB go free"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Sentence(tt.h); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestFinding(t *testing.T) {
	h := orders()
	h.Sites, h.Address = []why.Site{{Type: "main.Order", Bytes: 61e6, Objects: 23900.4, Stack: []goheap.Frame{{Func: "runtime.mallocgc", File: "/go/src/runtime/malloc.go"}, {Func: "main.newOrder", File: "main.go", Line: 63}}}}, 0xc000123450
	var b strings.Builder
	finding(&b, h, Options{})
	const want = `about 61.2 MB in 23,912 *main.Order allocated at main.newOrder main.go:63 are
  held by main.cache (package variable) .m map[string]*main.Session [elem].Last;
  without main.cache.m 98.4 MB go free
  main.cache  package variable
    .m  map[string]*main.Session  <- frees 98.4 MB
      [elem]  main.Session
        .Last  main.Order
  allocated by
      main.newOrder main.go:63
      main.handle main.go:90
  allocated, by samples, about
    58.2 MB   23,900  main.Order at main.newOrder main.go:63
  one of them: 0xc000123450
`
	if got := b.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestWidth: no line is wider than asked for, whatever the names.
func TestWidth(t *testing.T) {
	long := "example.org/" + strings.Repeat("very/long/", 12) + "shop.Order"
	h := orders()
	h.Type, h.Path[3].Name, h.Path[1].Name = long, long, "map["+long+"]"+long
	h.Sites = []why.Site{{Type: long, Stack: h.Site.Stack}}
	deep := []string{"$main.x"}
	for range 40 {
		deep = append(deep, ".f "+long)
	}
	for _, width := range []int{60, 80, 132} {
		o := Options{Width: width}
		var b strings.Builder
		finding(&b, h, o)
		b.WriteString(pathLines(path(deep...), 0, "", o))
		b.WriteString(pathList([][]why.Step{path(deep...)}, true, o))
		x := &Answer{Heading: strings.Repeat("word ", 60), heads: []string{"bytes", "name"}, left: 1, Notes: []string{long + " " + strings.Repeat("x ", 90)}}
		x.add(jsonRow{}, "12.3 MB", "    "+long+"\n  "+strings.Repeat("y ", 80))
		x.text(&b, o)
		for l := range strings.Lines(b.String()) {
			if n := textart.TextWidth(strings.TrimRight(l, "\n")); n > width && !strings.HasPrefix(l, long) {
				t.Errorf("%d columns of %d: %s", n, width, l)
			}
		}
	}
}

func TestWrapWords(t *testing.T) {
	for _, tt := range []struct {
		text  string
		width int
		want  string
	}{
		{"", 10, ""},
		{"a b c", 10, "a b c"},
		{"one two three", 8, "one two|three"},
		{"frees 98.4 MB", 10, "frees|98.4 MB"},
		{"abc <- frees 1 MB", 16, "abc|<- frees 1 MB"},
		{"abcdefghijkl", 6, "abcdef|ghij|kl"},
		{"abc.defghijkl", 6, "abc.|defg|hijk|l"},
		{"日本語日本語", 6, "日本語|日本|語"},
	} {
		if got := strings.Join(wrapWords(tt.text, tt.width), "|"); got != tt.want {
			t.Errorf("%q in %d: %s, want %s", tt.text, tt.width, got, tt.want)
		}
	}
}

func TestCutName(t *testing.T) {
	for _, tt := range []struct {
		path []why.Step
		cut  int
		want string
	}{
		{path("$main.cache", ".m map[string]int"), 2, "main.cache.m"},
		{path("$main.root", "- context.cancelCtx", ".children map[x]y", "[key] z"), 3, "main.root.children"},
		{path("%3 goroutines [select] at main.f"), 1, "3 goroutines [select] at main.f"},
		{path("%3 goroutines [select] at main.f", "&main.f.req", ".Body []uint8"), 3, "main.f.req.Body"},
		{path("!timers", ".arg x"), 1, "timers"},
		{path("$main.head", "- n", ".next n*", ".val v"), 4, "main.head.next.val"},
	} {
		if got := CutName(&why.Holding{Path: tt.path, Cut: tt.cut}); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// TestTables are views of values made by hand: golden texts.
func TestTables(t *testing.T) {
	amount := func(b, o uint64) retain.Amount { return retain.Amount{Bytes: b, Objects: o} }
	for _, tt := range []struct {
		name string
		x    *Answer
		want string
	}{
		{"goroutines", Goroutines([]why.GroupHolding{
			{Name: "50 goroutines [chan receive] at main.work created by main.start", Count: 50, Stacks: 100 << 10, Holds: amount(800<<10, 200),
				Vars: []why.VarHolding{{Name: "main.work.req", Type: "main.Request", Amount: amount(790<<10, 190)}, {Type: "runtime.g", Amount: amount(10<<10, 10)}}},
			{Name: "goroutine 1 [syscall] at main.main", Count: 1, Stacks: 4 << 10},
			{Name: "2 goroutines [select] at main.x", Count: 2, Stacks: 8 << 10},
		}, 2, false), `What goroutines that wait at one place hold, and only they: heap, and their own
stacks.

count    heap  stacks  goroutines, and what holds it
   50  800 kB  100 kB  [chan receive] at main.work created by main.start
                         main.work.req 790 kB in 190 objects, main.Request
                         the runtime's record of them 10 kB in 10 objects,
                           runtime.g
    1     0 B    4 kB  goroutine 1 [syscall] at main.main
    2     0 B    8 kB  (1 group more)

`},
		{"no goroutines", Goroutines(nil, 2, false), `What goroutines that wait at one place hold, and only they: heap, and their own
stacks.
No goroutine matches.

`},
		{"queues", Queues([]why.Queue{
			{Name: "finalizers"},
			{Name: "cleanups", Count: 1, Rows: []why.QueueRow{{Name: "cleanup", About: "main.User", Func: "main.free", Count: 1, Frees: amount(1<<10, 2)}}},
			{Name: "timers", Count: 202, Rows: []why.QueueRow{{Name: "timer", Func: "main.f.func1", Count: 200, Frees: amount(2<<20, 600)}, {Name: "timer", Count: 2}}},
		}, 1), `What the runtime keeps for later: no finalizers, 1 cleanup, 202 timers. "frees"
is what goes without them.

frees  count  what
 1 kB      1  cleanup of main.User that calls main.free
 2 MB    200  timer that calls main.f.func1
              (1 kind of timers more)

`},
		{"without", Without(&why.WhatIf{Names: []string{"main.cache.m"}, References: 1, Frees: amount(3<<20, 20), Types: []why.TypeRow{{Name: "main.Order", Amount: amount(3<<20, 20)}}})[0],
			`Without main.cache.m (1 reference) 3 MB in 20 objects go free.

bytes  objects  type
 3 MB       20  main.Order

`},
		{"without what is held twice", Without(&why.WhatIf{Names: []string{"main.a", "main.b.x"}, References: 2})[0],
			`Without main.a and main.b.x (2 references) nothing goes free: all of it is held
otherwise too.

`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			tt.x.text(&b, Options{})
			if got := b.String(); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if len(tt.x.rows) != tt.x.Rows() {
				t.Errorf("%d rows for programs, %d for people", len(tt.x.rows), tt.x.Rows())
			}
		})
	}
}

func TestHoldingJSON(t *testing.T) {
	b, err := json.Marshal(holdingOf(orders()))
	if err != nil {
		t.Fatal(err)
	}
	var j jsonHolding
	if err := json.Unmarshal(b, &j); err != nil || j.Sentence != Sentence(orders()) || j.Cut != "main.cache.m" || !j.Estimated || len(j.Path) != 4 || j.Path[1].Label != ".m" || j.Site.Stack[0].Line != 63 {
		t.Errorf("%s: %v", b, err)
	}
}

// TestNamesAreTame: names come from the process that is looked at, and nothing
// in them may reach a terminal that it would obey.
func TestNamesAreTame(t *testing.T) {
	const evil = "main.\x1b]0;owned\a\x1b[2J\u202ex\x9b31m\r\n\tT"
	step := func(kind goheap.Kind) why.Step { return why.Step{Label: "." + evil, Name: evil, Kind: kind} }
	way := []why.Step{step(goheap.KindGlobal), step(goheap.KindObject), step(goheap.KindObject)}
	h := *orders()
	h.Path, h.Type, h.Sites, h.Address = way, evil, []why.Site{{Type: evil, Stack: []goheap.Frame{{Func: evil, File: evil}}}}, 1
	h.Site.Stack = []goheap.Frame{{Func: evil, File: evil}, {Func: evil}}
	joint := h
	joint.Joint = []why.Way{{Path: way, Cut: 2}, {Path: way, Cut: 1}}
	for _, width := range []int{40, 4000} {
		o := Options{Width: width}
		var b strings.Builder
		finding(&b, &h, o)
		finding(&b, &joint, o)
		object(&b, &why.Object{Holding: h, Vertex: goheap.Vertex{Name: evil}, Ways: [][]why.Step{way, way},
			Dominators: []why.DominatorRow{{Step: way[0]}, {Step: way[1]}}, Holders: []why.HolderRow{{Step: way[1], Count: 2}}, Holds: []why.TypeRow{{Name: evil}}}, 5, o)
		if err := WriteGrowths(&b, []why.Growth{{Holding: h, Type: evil, CountAfter: 3, Sites: []why.SiteGrowth{{After: h.Sites[0]}}}}, o); err != nil {
			t.Fatal(err)
		}
		for _, x := range append(Without(&why.WhatIf{Names: []string{evil}, References: 1, Types: []why.TypeRow{{Name: evil}}, Sites: h.Sites}),
			Goroutines([]why.GroupHolding{{Name: evil, Holds: retain.Amount{Bytes: 9}, Vars: []why.VarHolding{{Name: evil, Type: evil, Amount: retain.Amount{Bytes: 9}}}, Stack: h.Site.Stack}}, 3, true),
			Queues([]why.Queue{{Name: "timers", Count: 1, Rows: []why.QueueRow{{Name: evil, About: evil, Func: evil, Count: 1}}}}, 3)) {
			x.text(&b, o)
		}
		text := b.String()
		if i := strings.IndexFunc(text, func(r rune) bool { return r != '\n' && (unicode.IsControl(r) || r == '\u202e') }); i >= 0 {
			t.Errorf("%d columns: a control character reaches the terminal: %q", width, text[max(0, i-60):min(len(text), i+20)])
		}
		if !strings.Contains(text, "owned") {
			t.Error("the names are gone")
		}
	}
}
