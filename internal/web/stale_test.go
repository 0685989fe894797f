package web

import (
	"strings"
	"testing"
)

func TestStaleSource(t *testing.T) {
	text := strings.Split("package p\n\nvar x = func() int { return 1 }()\n\nfunc (c *Cache[K, V]) Get() {\n\t_ = x\n}\n\nfunc init() {\n}\n\nfunc Load() {\n}", "\n")
	file := func(lines ...any) *Source { // function, line, value
		a := &Source{}
		for i := 0; i < len(lines); i += 3 {
			a.Functions = append(a.Functions, SourceFunction{Name: lines[i].(string)})
			a.Lines = append(a.Lines, SourceLine{Line: lines[i+1].(int), Function: i / 3, Values: Values{Cum: float64(lines[i+2].(int))}})
		}
		return a
	}
	for _, c := range []struct {
		a    *Source
		want string
	}{
		{file("p.(*Cache[go.shape.int,go.shape.string]).Get", 6, 5, "p.(*Cache[...]).Get.func1", 7, 5), ""},
		{file("p.Load.func2.1", 12, 5, "p.init", 3, 50, "p.init.0", 9, 7, "p.glob..func1", 3, 100), ""},
		{file("p.Load", 6, 5, "p.Cache[...].Get-fm", 5, 1), "p.Load was sampled on line 6, which is in Get here"},
		{file("p.Load", 8, 5), "line 8, which is in no function here"},
		{file("p.Load", 6, 4, "p.Load", 12, 5), ""}, // less than half is off
		{file(), ""},
	} {
		got := staleSource("/src/p.go", text, c.a)
		if (got == nil) != (c.want == "") || got != nil && !strings.Contains(got.Text, c.want) {
			t.Errorf("%+v: %+v, want %q", c.a.Lines, got, c.want)
		}
	}
	if got := staleSource("/src/p.c", text, file("load", 1, 5)); got != nil {
		t.Errorf("C: %+v", got)
	}
	if got := staleSource("/src/p.go", []string{"no Go at all {"}, file("p.Load", 1, 5)); got != nil {
		t.Errorf("not Go: %+v", got)
	}
}
