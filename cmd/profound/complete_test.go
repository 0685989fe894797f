package main

import (
	"bytes"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/view"
)

func newTestCompleter(t testing.TB, dir string) (*completer, *bytes.Buffer) {
	t.Helper()
	ts := newTestShell(t, "")
	sh := &shell{s: ts.s, options: view.Defaults(), fields: view.Fields()}
	if dir != "" {
		t.Chdir(dir)
	}
	return newCompleter(sh), &ts.out
}

func TestTab(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"report.txt", "report.svg", "other", ".hidden", "a name", "sub/inside.txt"} {
		writeFile(t, dir, name, "")
	}
	c, out := newTestCompleter(t, dir)
	tests := []struct {
		line string // the cursor stands at the bar, or at the end
		want string
		list string // a candidate that is listed
	}{
		{"tr", "tr", "traces"},
		{"trac", "traces", ""},
		{"pe", "peek ", ""},
		{"he", "help ", ""},
		{"und", "undo", ""},
		{"focu", "focus=", ""},
		{"relat", "relative_percentages", ""},
		{"zzz", "zzz", ""},
		{"total_in", "total_inuse_", ""},
		{"alloc_o", "alloc_objects", ""},
		{"help filt", "help filters", ""},
		{"help flat-", "help flat-and-cum", ""},
		{"sort=", "sort=", "flat"},
		{"sort=c", "sort=cum", ""},
		{"sort = c", "sort = cum", ""},
		{"mean=t", "mean=true", ""},
		{"sample_index=alloc_s", "sample_index=alloc_space", ""},
		{"unit=mi", "unit=minimum", ""},
		{"tagroot=ten", "tagroot=tenant", ""},
		{"tagroot=bytes,ten", "tagroot=bytes,tenant", ""},
		{"tagfocus=ten", "tagfocus=tenant=", ""},
		{"peek AddA", `peek shop\.\(\*Cart\)\.AddAll`, ""},
		{"peek Add", `peek shop\.\(\*Cart\)\.Add`, ""},
		{`peek shop\.\(\*Cart\)\.Add`, `peek shop\.\(\*Cart\)\.Add`, "shop.(*Cart).AddAll"},
		{"peek (*Cart).AddAl", `peek shop\.\(\*Cart\)\.AddAll`, ""},
		{"peek growslice", `peek bytes\.growSlice`, ""},
		{"peek b.*Slice", `peek bytes\.growSlice`, ""},
		{"peek shop.*Add", "peek shop.*Add", "shop.(*Cart).Add"},
		{"peek Pai", `peek shop\.Pair\[int,\sstring\]`, ""},
		{"top10 -grow", `top10 -bytes\.growSlice`, ""},
		{"top main|grow", `top main|bytes\.growSlice`, ""},
		{"focus=grow", `focus=bytes\.growSlice`, ""},
		{"top -c", "top -cum", ""},
		{"tags ten", "tags tenant", ""},
		{"top >oth", "top >other", ""},
		{"top > rep", "top > report.", ""},
		{"top > report.", "top > report.", "report.svg"},
		{"top > sub", "top > sub/", ""},
		{"top > sub/", "top > sub/inside.txt", ""},
		{"top > a", "top > a", ""},
		{"top | pa", "top | pa", ""},
		{"top |pa", "top |pager", ""},
		{"nothing ma", "nothing ma", ""},
		{"peek AddA| -cum", `peek shop\.\(\*Cart\)\.AddAll| -cum`, ""},
	}
	for _, tc := range tests {
		out.Reset()
		left, right, cursor := tc.line, "", strings.Index(tc.line, "| -")
		if cursor >= 0 {
			left, right = tc.line[:cursor], tc.line[cursor+1:]
			tc.want = strings.Replace(tc.want, "| -", " -", 1)
		}
		head, words, tail := c.tab(left+right, len([]rune(left)))
		got := head + tail
		if len(words) > 1 {
			t.Fatalf("%q: %d candidates are left to the editor", tc.line, len(words))
		}
		if len(words) == 1 {
			got = head + words[0] + tail
		}
		if got != tc.want {
			t.Errorf("%q becomes %q, want %q", tc.line, got, tc.want)
		}
		if listed := out.Len() > 0; listed != (tc.list != "") || !strings.Contains(out.String(), tc.list) {
			t.Errorf("%q lists %q, want %q", tc.line, out.String(), tc.list)
		}
	}
}

// TestCompletedNamesMatch: what is inserted is one word and finds its name.
func TestCompletedNamesMatch(t *testing.T) {
	for _, name := range []string{"main.main", "shop.(*Cart).Add", "shop.Pair[int, string]", "a.b.func1.2", `operator"" _x`, "f<T>::g(int*)", "x^y$z", "π.ρ"} {
		word := escape(name)
		if strings.Contains(word, " ") {
			t.Errorf("%q has a space", word)
		}
		if re, err := regexp.Compile("^" + word + "$"); err != nil || !re.MatchString(name) {
			t.Errorf("%q does not match %q: %v", word, name, err)
		}
		if got := unescape(word); got != name {
			t.Errorf("unescape(%q) = %q", word, got)
		}
	}
}

func TestFunctionsByWeight(t *testing.T) {
	c, _ := newTestCompleter(t, "")
	got := c.functions()
	want := []string{"net/http.(*conn).serve", "shop.(*Cart).Add", "shop.Serve"}
	if !slices.Equal(got[:3], want) {
		t.Errorf("the heaviest functions are %q, want %q", got[:3], want)
	}
}

func TestList(t *testing.T) {
	c, out := newTestCompleter(t, "")
	c.width = func() int { return 40 }
	var names []string
	for i := range 200 {
		names = append(names, strings.Repeat("x", 8)+string(rune('a'+i%26)))
	}
	names[7] = strings.Repeat("long", 30)
	c.list(names)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != listRows+2 {
		t.Errorf("%d lines", len(lines))
	}
	for _, l := range lines {
		if n := len([]rune(l)); n > 40 {
			t.Errorf("%d columns: %q", n, l)
		}
	}
	if last := lines[len(lines)-1]; last != "... and 190 more" {
		t.Errorf("last line %q", last)
	}
}

func TestClosest(t *testing.T) {
	names := []string{"focus", "ignore", "top", "tree", "tagfocus", "sample_index"}
	for word, want := range map[string]string{
		"focsu": "focus", "tpo": "top", "to": "top", "ignroe": "ignore", "sampleindex": "sample_index",
		"sample-index": "sample_index", "zzzzzz": "", "x": "", "": "",
	} {
		if got := closest(word, names); got != want {
			t.Errorf("closest(%q) = %q, want %q", word, got, want)
		}
	}
}
