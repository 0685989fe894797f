package symbol

import "testing"

// TestDemangle has the cases of pprof's symbolizer test, and of its guesses.
func TestDemangle(t *testing.T) {
	const (
		mangled = "_ZNSaIiEC1Ev"
		java    = "com.example.Foo.<init>"
		golang  = "main.(*T[...]).Method"
		rust    = "_ZN4core3ptr13drop_in_place17h1234567890abcdefE"
	)
	for _, c := range []struct {
		mode         DemangleMode
		name, system string
		force        bool
		want         string
	}{
		{DemangleDefault, mangled, mangled, false, "std::allocator::allocator"},
		{DemangleDefault, "", mangled, false, "std::allocator::allocator"},
		{DemangleTemplates, "", mangled, false, "std::allocator<int>::allocator"},
		{DemangleFull, "", mangled, false, "std::allocator<int>::allocator()"},
		{DemangleNone, mangled, mangled, false, mangled},
		{DemangleDefault, "already", mangled, false, "already"},
		{DemangleDefault, "already", mangled, true, "std::allocator::allocator"},
		{DemangleNone, "already", mangled, true, mangled},
		{DemangleDefault, "", "_" + mangled, false, "std::allocator::allocator"},
		{DemangleDefault, "", "foo::bar<int>(char)", false, "foo::bar"},
		{DemangleTemplates, "", "foo::bar<int>(char)", false, "foo::bar<int>"},
		{DemangleFull, "", "foo::bar<int>(char)", false, "foo::bar<int>(char)"},
		{DemangleDefault, "", "foo(int)", false, "foo(int)"},
		{DemangleDefault, "", "a<b<c>>::d<e>", false, "a::d"},
		{DemangleDefault, "", "a<b::c", false, "a<b::c"},
		{DemangleDefault, "", "a>b<c>::d", false, "a>b<c>::d"},
		{DemangleDefault, java, java, false, java},
		{DemangleDefault, golang, golang, false, golang},
		{DemangleDefault, "main.F[...]", "main.F[...]", false, "main.F[...]"},
		{DemangleFull, "", rust, false, "core::ptr::drop_in_place"},
		{DemangleFull, "", "_RNvC7mycrate3foo", false, "mycrate::foo"},
		{DemangleDefault, "", "", false, ""},
	} {
		if got := c.mode.Function(c.name, c.system, c.force); got != c.want {
			t.Errorf("%v of %q, %q (force %v): %q, want %q", c.mode, c.name, c.system, c.force, got, c.want)
		}
	}
	for _, m := range []DemangleMode{DemangleDefault, DemangleNone, DemangleTemplates, DemangleFull} {
		if got, err := ParseDemangleMode(m.String()); err != nil || got != m {
			t.Errorf("%v: %v %v", m, got, err)
		}
	}
	if _, err := ParseDemangleMode("some"); err == nil {
		t.Error("mode some")
	}
}
