package why

import (
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/goheap"
)

func TestAsk(t *testing.T) {
	g := &goheap.Goroutine{ID: 7, State: "waiting", Wait: "chan receive", Stack: []goheap.Frame{{Func: "main.work", File: "/src/main.go", Line: 12}}, Create: goheap.Frame{Func: "main.start"}}
	for _, tt := range []struct {
		ask                   Ask
		what                  string
		site, typ, goroutines bool // what lets through the stack of g, the type main.T, g
	}{
		{Ask{}, "", true, true, true},
		{Ask{At: `main\.go:12$`}, `what was allocated at "main\\.go:12$"`, true, true, true},
		{Ask{At: "other"}, `what was allocated at "other"`, false, true, true},
		{Ask{Type: "T$"}, `objects of types like "T$"`, true, true, true},
		{Ask{Type: "U", Goroutine: "7"}, `objects of types like "U" in what goroutine 7 holds`, true, false, true},
		{Ask{Goroutine: "8"}, "what goroutine 8 holds", true, true, false},
		{Ask{Goroutine: "chan rec"}, `what goroutines like "chan rec" hold`, true, true, true},
		{Ask{Goroutine: "main.start"}, `what goroutines like "main.start" hold`, true, true, true},
		{Ask{Goroutine: "select"}, `what goroutines like "select" hold`, true, true, false},
	} {
		f, err := tt.ask.Filter()
		if err != nil {
			t.Errorf("%+v: %v", tt.ask, err)
			continue
		}
		site, typ, goroutines := f.Site == nil || f.Site(g.Stack), f.Type == nil || f.Type("main.T"), f.Goroutine == nil || f.Goroutine(g)
		if what := tt.ask.What(); what != tt.what || site != tt.site || typ != tt.typ || goroutines != tt.goroutines {
			t.Errorf("%+v: %q, lets through %t %t %t", tt.ask, what, site, typ, goroutines)
		}
	}
	for name, ask := range map[string]Ask{"at": {At: "("}, "type": {Type: "["}, "goroutine": {Goroutine: "*"}} {
		if _, err := ask.Filter(); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%+v: %v", ask, err)
		}
	}
}
