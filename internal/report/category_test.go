package report

import (
	"testing"

	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/render"
)

// TestCategories looks at a program without Go, then with.
func TestCategories(t *testing.T) {
	build := func(names ...[2]string) *profile.Profile {
		b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"})
		server := b.Mapping(profile.Mapping{Start: 0x1000, Limit: 0x2000, File: "/srv/bin/server"})
		libc := b.Mapping(profile.Mapping{Start: 0x8000, Limit: 0x9000, File: "/lib/libc-2.15.so"})
		var stack []profile.LocationID
		for i, n := range names {
			m, addr := server, uint64(0x1000+i)
			if n[0] == "memcpy" || n[0] == "[libc-2.15.so]" {
				m, addr = libc, uint64(0x8000+i)
			}
			stack = append(stack, b.Location(m, addr, profile.Line{Function: b.Function(n[0], n[0], n[1], 0)}))
		}
		b.Sample(stack, []int64{1})
		p, err := b.Profile()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	native := [][2]string{
		{"serve(int)", "/src/server.cc"}, {"[server]", ""}, {"stripped", ""}, {"memcpy", ""},
		{"[libc-2.15.so]", ""}, {"std::string::append", ""},
	}
	c := NewCategories(build(native...))
	want := []render.Category{render.CategoryOwn, render.CategoryOwn, render.CategoryOwn, render.CategoryCgo, render.CategoryCgo, render.CategoryStd}
	for i, n := range native {
		if c.Of(n[0]) != want[i] {
			t.Errorf("%s is %v, want %v", n[0], c.Of(n[0]), want[i])
		}
	}
	c = NewCategories(build(append(native, [2]string{"main.main", "/src/main.go"})...))
	if c.Of("serve(int)") != render.CategoryCgo || c.Of("main.main") != render.CategoryOwn {
		t.Errorf("with Go: %v %v", c.Of("serve(int)"), c.Of("main.main"))
	}
}
