package view

import (
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

// stacksOf are the stacks of a profile, root first, a line each.
func stacksOf(p *profile.Profile) []string {
	var out []string
	for _, id := range p.Samples.Stack {
		var names []string
		for _, loc := range p.Stacks.Of(id) {
			for _, ln := range p.Locations.LinesOf(loc) {
				names = append([]string{p.FunctionName(ln.Function)}, names...)
			}
		}
		out = append(out, strings.Join(names, " "))
	}
	return out
}

func TestFoldPackagesAndCutRoots(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
	for _, stack := range []string{
		"runtime.goexit runtime.main main.main main.run net/http.serve net/http.write runtime.malloc",
		"runtime.goexit runtime.gc runtime.drain",
		"main.main runtime.call main.run main.run",
		"poll runtime.x",
	} {
		var frames []profile.LocationID
		for _, name := range strings.Fields(stack) {
			frames = append([]profile.LocationID{b.Location(0, 0, profile.Line{Function: b.Function(name, name, "x.go", 1), Line: 1})}, frames...)
		}
		b.Sample(frames, []int64{1})
	}
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	is := make([]bool, p.Functions.Len())
	for i := range is {
		is[i] = PackageName(p.FunctionName(profile.FunctionID(i))) == "runtime"
	}
	for _, c := range []struct {
		name string
		got  *profile.Profile
		want []string
	}{
		{"all packages", FoldPackages(p, nil), []string{"runtime main net/http runtime", "runtime", "main runtime main", "(no package) runtime"}},
		{"main open", FoldPackages(p, map[string]bool{"main": true}), []string{"runtime main.main main.run net/http runtime", "runtime", "main.main runtime main.run", "(no package) runtime"}},
		{"roots", CutRoots(p, is), []string{"main.main main.run net/http.serve net/http.write runtime.malloc", "runtime.goexit runtime.gc runtime.drain", "main.main runtime.call main.run main.run", "poll runtime.x"}},
	} {
		if got := stacksOf(c.got); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
		if err := c.got.Check(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
