package web

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/view"
)

func mustQuery(t testing.TB, text string, own ...Param) *Query {
	t.Helper()
	values, err := url.ParseQuery(text)
	if err != nil {
		t.Fatal(err)
	}
	q, err := ParseQuery(values, own)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// TestQueryRoundTrip prints what was parsed: keys sorted, defaults left out,
// transforms in their order.
func TestQueryRoundTrip(t *testing.T) {
	own := []Param{{Name: "dir"}}
	for in, want := range map[string]string{
		"":                               "",
		"kind=&value=&q=":                "",
		"value=cpu&kind=cpu":             "kind=cpu&value=cpu",
		"cur=p3&base=p1":                 "base=p1&cur=p3",
		"cur=p5..p2":                     "cur=p2..p5",
		"cur=all&base=none":              "base=none&cur=all",
		"base=b1..b1":                    "base=b1",
		"x=hide:b&x=focus:a&dir=up":      "dir=up&x=hide:b&x=focus:a",
		"x=noinlines&x=gran:lines":       "x=noinlines&x=gran:lines",
		"x=root:a:b:c":                   "x=root:a:b:c",
		"sel=f:main.work":                "sel=f:main.work",
		"sel=l:/src/a.go:63":             "sel=l:/src/a.go:63",
		"sel=l:C:/a.go":                  "sel=l:C:/a.go",
		"n=80&nf=0.005&trim=true&rel=no": "n=80",
		"mean=t":                         "mean=true",
		"q=a+b":                          "q=a b",
		"format=json":                    "",
	} {
		q := mustQuery(t, in, own...)
		got, err := url.QueryUnescape(q.String())
		if err != nil || got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		if again := mustQuery(t, q.String(), own...); again.String() != q.String() {
			t.Errorf("%s: a second time %s", in, again)
		}
	}
}

func TestQueryRefuses(t *testing.T) {
	for in, word := range map[string]string{
		"nothing=1":                 "nothing",
		"cur=3":                     "names no profile",
		"cur=p0":                    "names no profile",
		"cur=p1..b2":                "names no profile",
		"cur=p99999999999999999999": "names no profile",
		"x=focus:(":                 "regular expression",
		"x=focus":                   "needs",
		"x=noinlines:x":             "takes nothing",
		"x=shrink:a":                "no transform",
		"x=gran:words":              "choose from",
		"x=":                        "no transform",
		"sel=main":                  "selected",
		"sel=z:main":                "selected",
		"n=many":                    "whole number",
		"sort=sideways":             "sideways",
	} {
		values, _ := url.ParseQuery(in)
		_, err := ParseQuery(values, nil)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want something with %q", in, err, word)
		}
	}
}

// TestQueryFlags says the same on the command line.
func TestQueryFlags(t *testing.T) {
	q := mustQuery(t, "value=cpu&x=focus:a&x=hide:b&x=focus:c&x=merge:main.f&x=root:main.g&x=gran:lines&x=noinlines&x=collapse:*&n=7&mean=true")
	flags, rest := q.Flags()
	want := []string{"-focus=a", "-hide=b", `-show_from=^main\.g$`, "-lines", "-noinlines", "-mean=true", "-nodecount=7", "-sample_index=cpu"}
	if !slices.Equal(flags, want) {
		t.Errorf("%q, want %q", flags, want)
	}
	var left []string
	for _, r := range rest {
		left = append(left, r.String())
	}
	if want := []string{"focus:c", "merge:main.f", "collapse:*"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

// TestParamNames: no name stands for two things.
func TestParamNames(t *testing.T) {
	seen := map[string]bool{"format": true, "token": true}
	for _, p := range queryParams() {
		if seen[p.Name] || p.Help == "" || p.Form == "" {
			t.Errorf("parameter %q is there twice, or says nothing of itself", p.Name)
		}
		seen[p.Name] = true
	}
	for _, v := range views() {
		for _, p := range v.Params {
			if seen[p.Name] {
				t.Errorf("view %s: parameter %s is taken", v.Name, p.Name)
			}
		}
	}
	for _, o := range Transforms() {
		if _, ok := view.FieldByName(view.Fields(), o.option); (o.option != "") != ok || (o.option == "") == (o.exact == nil) {
			t.Errorf("transform %s does nothing, or two things", o.Name)
		}
	}
}

func FuzzParseQuery(f *testing.F) {
	f.Add("kind=heap&cur=p2..p5&base=p1&x=focus:a&x=root:main.f&sel=f:main.g&q=text&n=5")
	f.Add("x=gran:lines&x=noinlines&x=tagfocus:a=1mb:&sel=l:/a.go:7")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := url.ParseQuery(text)
		if err != nil {
			return
		}
		q, err := ParseQuery(values, []Param{{Name: "dir"}})
		if err != nil {
			return
		}
		again := mustQuery(t, q.String(), Param{Name: "dir"})
		if again.String() != q.String() {
			t.Errorf("%q becomes %q, then %q", text, q, again)
		}
	})
}
