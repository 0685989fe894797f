package origin

import "testing"

func TestFoldTypeArgs(t *testing.T) {
	for in, want := range map[string]string{
		"main.f":                     "main.f",
		"main.Map[...].Get":          "main.Map[...].Get",
		"main.Map[go.shape.int].Get": "main.Map[int].Get",
		"a/b.Map[go.shape.string,x.com/y/z.T].Get":                          "a/b.Map[string,z.T].Get",
		"m.F[struct { X github.com/very/long/path.Type; Y int; Z string }]": "m.F[...]",
		"m.F[int].func1[string]":                                            "m.F[int].func1[string]",
		"std::vector<int>::at[abi:cxx11]":                                   "std::vector<int>::at[abi:cxx11]",
		"broken[":                                                           "broken[",
	} {
		if got := FoldTypeArgs(in); got != want {
			t.Errorf("FoldTypeArgs(%q) = %q, want %q", in, got, want)
		}
	}
}
