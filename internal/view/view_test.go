package view

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	gprofile "github.com/google/pprof/profile"

	"github.com/profoundhq/profound/internal/format/pprof"
	"github.com/profoundhq/profound/internal/profile"
	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// shapes are the random profiles of these tests.
var shapes = map[string]profiletest.Shape{
	"plain":    {},
	"labels":   {Labels: true, Inlines: true},
	"negative": {Labels: true, Inlines: true, Negative: true, Zeros: true},
	"bare":     {Bare: true, Numbering: profiletest.Sparse},
	"odd":      {Odd: true, Inlines: true, Labels: true, Zeros: true, Numbering: profiletest.Huge},
	"deep":     {Inlines: true, Functions: 12, Samples: 150, Depth: 40},
}

// eachShape runs f on random profiles in our form and in the oracle's.
func eachShape(t *testing.T, f func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile)) {
	for _, name := range slices.Sorted(maps.Keys(shapes)) {
		for seed := range uint64(3) {
			t.Run(fmt.Sprintf("%s-%d", name, seed), func(t *testing.T) {
				data := profiletest.Random(seed, shapes[name]).Bytes(profiletest.Wire{})
				f(t, decode(t, data), func() *gprofile.Profile {
					p, err := gprofile.ParseData(data)
					if err != nil {
						t.Fatal(err)
					}
					return p
				})
			})
		}
	}
}

func decode(t testing.TB, data []byte) *profile.Profile {
	t.Helper()
	p, err := pprof.Decode(bytes.NewReader(data), pprof.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// dumpOf lists the samples of p: values, frames with all that is known of
// them, labels.
func dumpOf(t testing.TB, p *profile.Profile) []string {
	t.Helper()
	if err := p.Check(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := pprof.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	q, err := gprofile.ParseUncompressed(b.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	return dump(q)
}

func dump(p *gprofile.Profile) []string {
	out := make([]string, len(p.Sample))
	for i, s := range p.Sample {
		var b strings.Builder
		fmt.Fprint(&b, s.Value, s.Label, s.NumLabel)
		units := map[string][]string{}
		for k, u := range s.NumUnit {
			if slices.ContainsFunc(u, func(s string) bool { return s != "" }) {
				units[k] = u
			}
		}
		fmt.Fprint(&b, units)
		for _, l := range s.Location {
			fmt.Fprintf(&b, "\n\t%d %x", l.ID, l.Address)
			if l.Mapping != nil {
				fmt.Fprint(&b, " ", l.Mapping.File)
			}
			for _, ln := range l.Line {
				fmt.Fprintf(&b, " [%s %s %s:%d:%d]", ln.Function.Name, ln.Function.SystemName, ln.Function.Filename, ln.Line, ln.Column)
			}
		}
		out[i] = b.String()
	}
	return out
}

func sameDump(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %d samples, want %d", what, len(got), len(want))
		return
	}
	for i := range want {
		if want[i] != got[i] {
			t.Errorf("%s: sample %d\nwant %s\ngot  %s", what, i, want[i], got[i])
			return
		}
	}
}

func rx(s string) *regexp.Regexp {
	if s == "" {
		return nil
	}
	return regexp.MustCompile(s)
}

func TestFilterByName(t *testing.T) {
	exprs := []string{"Do1", "Do2.*", "T[03]", "mallocgc", "libc", "/src/shop", "pkg1|pkg2", "^example", "nothing like it", "^$", "vdso", "日本"}
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		for i, e := range exprs {
			other := exprs[(i+3)%len(exprs)]
			third := exprs[(i+5)%len(exprs)]
			for _, f := range [][4]string{{e}, {"", e}, {"", "", e}, {"", "", "", e}, {e, other}, {e, "", other}, {"", "", e, other}, {e, "", "", third}, {e, other, third, exprs[(i+7)%len(exprs)]}} {
				q := oracle()
				var want nameResult
				want.focus, want.ignore, want.hide, want.show = q.FilterSamplesByName(rx(f[0]), rx(f[1]), rx(f[2]), rx(f[3]))
				got, res := filterByName(p, rx(f[0]), rx(f[1]), rx(f[2]), rx(f[3]))
				sameDump(t, fmt.Sprintf("%q", f), dump(q), dumpOf(t, got))
				for k, pair := range [][2]bool{{want.focus, res.focus}, {want.ignore, res.ignore}, {want.hide, res.hide}, {want.show, res.show}} {
					if f[k] != "" && pair[0] != pair[1] {
						t.Errorf("%q: matched %v, want %v", f, res, want)
					}
				}
			}
		}
	})
}

func TestShowFromAndPrune(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		for _, e := range []string{"Do1", "T[03]", "mallocgc", "libc", "/src/shop/pkg1", "nothing", "operator", "."} {
			q := oracle()
			want := q.ShowFrom(rx(e))
			got, ok := filterShowFrom(p, rx(e))
			if ok != want {
				t.Errorf("show_from %s: matched %v, want %v", e, ok, want)
			}
			sameDump(t, "show_from "+e, dump(q), dumpOf(t, got))

			q = oracle()
			q.PruneFrom(rx(e))
			sameDump(t, "prune_from "+e, dump(q), dumpOf(t, PruneFrom(p, rx(e))))
		}
	})
}

func TestDropFrames(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		for _, e := range [][2]string{{".*Do1.*", ""}, {`.*Do[1-9]`, `.*Do2`}, {".*", ""}, {`.*T[03]\).*|runtime\..*`, `runtime.mallocgc`}, {"nothing", ""}, {"", ""}} {
			q := oracle()
			q.DropFrames, q.KeepFrames = e[0], e[1]
			if err := q.RemoveUninteresting(); err != nil {
				t.Fatal(err)
			}
			c := p.ShallowCopy()
			c.DropFrames, c.KeepFrames = e[0], e[1]
			got, err := DropFrames(c)
			if err != nil {
				t.Fatal(err)
			}
			sameDump(t, fmt.Sprintf("%q", e), dump(q), dumpOf(t, got))
		}
	})
	p := decode(t, profiletest.Random(1, profiletest.Shape{}).Bytes(profiletest.Wire{}))
	p.DropFrames = "("
	if _, err := DropFrames(p); err == nil || !strings.Contains(err.Error(), "drop_frames") {
		t.Errorf("broken drop_frames: %v", err)
	}
	p.DropFrames, p.KeepFrames = "x", "("
	if _, err := DropFrames(p); err == nil || !strings.Contains(err.Error(), "keep_frames") {
		t.Errorf("broken keep_frames: %v", err)
	}
}

func TestSimplifyName(t *testing.T) {
	for in, want := range map[string]string{
		"main.main":                            "main.main",
		".entry":                               "entry",
		"f(int, char)":                         "f",
		"(anonymous namespace)::f(int)":        "(anonymous namespace)::f",
		"A::operator()(int) const":             "A::operator()",
		"main.(*T).Do":                         "main.",
		"a(anonymous namespace)b(c)operator()": "a(anonymous namespace)b",
		"":                                     "",
	} {
		if got := simplifyName(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestFilterTagNames(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		for _, e := range [][2]string{{"e", ""}, {"", "e"}, {"thread|bytes", "b"}, {"nothing", ""}, {"", "."}} {
			q := oracle()
			wantShow, wantHide := q.FilterTagsByName(rx(e[0]), rx(e[1]))
			got, show, hide := filterTagNames(p, rx(e[0]), rx(e[1]))
			sameDump(t, fmt.Sprintf("%q", e), dump(q), dumpOf(t, got))
			if e[0] != "" && show != wantShow || e[1] != "" && hide != wantHide {
				t.Errorf("%q: matched %v %v, want %v %v", e, show, hide, wantShow, wantHide)
			}
		}
	})
}

// TestTagFilter compares tagfocus and tagignore with a plain reading of their
// rules.
func TestTagFilter(t *testing.T) {
	has := func(s *gprofile.Sample, ok func(key, value string) bool) bool {
		for k, vs := range s.Label {
			if slices.ContainsFunc(vs, func(v string) bool { return ok(k, v) }) {
				return true
			}
		}
		return false
	}
	num := func(s *gprofile.Sample, ok func(key string, v int64) bool) bool {
		for k, vs := range s.NumLabel {
			if slices.ContainsFunc(vs, func(v int64) bool { return ok(k, v) }) {
				return true
			}
		}
		return false
	}
	bytesIn := func(low, high int64) func(s *gprofile.Sample) bool {
		return func(s *gprofile.Sample) bool {
			return num(s, func(k string, v int64) bool { return k == "bytes" && v >= low && v <= high })
		}
	}
	const most = 1<<63 - 1
	rules := map[string]func(s *gprofile.Sample) bool{
		"worker-1": func(s *gprofile.Sample) bool {
			return has(s, func(k, v string) bool { return strings.Contains(k+":"+v, "worker-1") })
		},
		"thread:worker": func(s *gprofile.Sample) bool { return len(s.Label["thread"]) > 0 },
		"thread=/cart":  func(s *gprofile.Sample) bool { return false },
		"endpoint=cart": func(s *gprofile.Sample) bool { return slices.Contains(s.Label["endpoint"], "/cart") },
		"endpoint=cart,login": func(s *gprofile.Sample) bool {
			return slices.Contains(s.Label["endpoint"], "/cart") || slices.Contains(s.Label["endpoint"], "/login")
		},
		"cart,worker": func(s *gprofile.Sample) bool {
			return slices.Contains(s.Label["endpoint"], "/cart") && len(s.Label["thread"]) > 0
		},
		"1kb:":          bytesIn(1024, most),
		":1kb":          bytesIn(-most, 1024),
		"64b":           bytesIn(64, 64),
		"64b:2kb":       bytesIn(64, 2048),
		"bytes=256:1kb": nil, // mixed units: a regular expression
		"bytes=64b:":    bytesIn(64, most),
		"thread=64b:":   func(s *gprofile.Sample) bool { return false },
		"0.25kb:1.5kb":  bytesIn(256, 1536),
		"1.5kb:":        bytesIn(1536, most),
		":0.5kb":        bytesIn(-most, 512),
		"request=1kb:": func(s *gprofile.Sample) bool {
			return num(s, func(k string, v int64) bool { return k == "request" && v >= 1024 })
		},
		"wait=:30ms": func(s *gprofile.Sample) bool {
			return num(s, func(k string, v int64) bool { return k == "wait" && v <= 30_000_000 })
		},
		"wait=20ms:0.05s": func(s *gprofile.Sample) bool {
			return num(s, func(k string, v int64) bool { return k == "wait" && v >= 20_000_000 && v <= 50_000_000 })
		},
		"日本": func(s *gprofile.Sample) bool { return slices.Contains(s.Label["endpoint"], "日本") },
	}
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		units := labelUnits(p, func(string) {})
		for expr, rule := range rules {
			warned := 0
			m, err := compileTagFilter("tagfocus", expr, units, func(string) { warned++ })
			if err != nil {
				t.Fatal(err)
			}
			if isRange := regexp.MustCompile(`(^|=)[\d:.]`).MatchString(expr) && rule != nil; isRange != (warned == 1) {
				t.Errorf("%s: %d remarks", expr, warned)
			}
			if rule == nil {
				continue
			}
			// bytesIn is about the key bytes; others may be sizes, too.
			if !strings.Contains(expr, "=") && warned == 1 {
				bytesOnly := rule
				rule = func(s *gprofile.Sample) bool {
					return bytesOnly(s) || bytesOnly(&gprofile.Sample{NumLabel: map[string][]int64{"bytes": slices.Concat(s.NumLabel["request"], s.NumLabel["none"])}})
				}
			}
			var focused, ignored []string
			q := oracle()
			for i, text := range dump(q) {
				if rule(q.Sample[i]) {
					focused = append(focused, text)
				} else {
					ignored = append(ignored, text)
				}
			}
			got, f, _ := filterByTag(p, m, nil)
			sameDump(t, "tagfocus="+expr, focused, dumpOf(t, got))
			if f != (len(focused) > 0) {
				t.Errorf("tagfocus=%s: matched %v", expr, f)
			}
			got, _, i := filterByTag(p, nil, m)
			sameDump(t, "tagignore="+expr, ignored, dumpOf(t, got))
			if i != (len(focused) > 0) {
				t.Errorf("tagignore=%s: matched %v", expr, i)
			}
		}
	})
	for _, expr := range []string{"(", "key=[", "99999999999999999999:", "1:99999999999999999999"} {
		if _, err := compileTagFilter("tagfocus", expr, nil, func(string) {}); err == nil || !strings.Contains(err.Error(), "tagfocus") {
			t.Errorf("%q: %v", expr, err)
		}
	}
}

func TestAggregate(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		for _, g := range []struct {
			name                          string
			function, file, line, address bool
		}{
			{"", true, false, false, false}, {"functions", true, false, false, false}, {"filefunctions", true, true, false, false},
			{"files", false, true, false, false}, {"lines", true, true, true, false}, {"addresses", true, true, true, true},
		} {
			for i := range 4 {
				o := Defaults()
				o.Granularity, o.NoInlines, o.ShowColumns = g.name, i&1 != 0, i&2 != 0
				if g.name == "addresses" && !o.NoInlines {
					o.ShowColumns = true
				}
				q := oracle()
				if err := q.Aggregate(!o.NoInlines, g.function, g.file, g.line, o.ShowColumns, g.address); err != nil {
					t.Fatal(err)
				}
				got, err := aggregate(p, o)
				if err != nil {
					t.Fatal(err)
				}
				sameDump(t, fmt.Sprintf("%s noinlines=%v columns=%v", g.name, o.NoInlines, o.ShowColumns), dump(q), dumpOf(t, got))
			}
		}
		before := dumpOf(t, p)
		if _, err := aggregate(p, Options{Granularity: "nonsense"}); err == nil {
			t.Error("unknown granularity accepted")
		}
		sameDump(t, "the profile itself", dump(oracle()), before)
	})
}

func TestLabelUnits(t *testing.T) {
	eachShape(t, func(t *testing.T, p *profile.Profile, oracle func() *gprofile.Profile) {
		want, ignored := oracle().NumLabelUnits()
		var warnings []string
		got := labelUnits(p, func(s string) { warnings = append(warnings, s) })
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("units %v, want %v", got, want)
		}
		if len(ignored) != len(warnings) {
			t.Errorf("warnings %q, want for %v", warnings, ignored)
		}
	})
	m := profiletest.Random(1, profiletest.Shape{Samples: 3})
	for i, u := range []string{"ms", "s", "us"} {
		m.Samples[i].Labels = []profiletest.Label{{Key: "wait", Num: 1, Unit: u}, {Key: "alignment", Num: 8}, {Key: "depth", Num: 3}}
	}
	var warnings []string
	units := labelUnits(decode(t, m.Bytes(profiletest.Wire{})), func(s string) { warnings = append(warnings, s) })
	if want := "map[alignment:bytes depth:depth wait:ms]"; fmt.Sprint(units) != want {
		t.Errorf("units %v, want %s", units, want)
	}
	if want := []string{"For tag wait used unit ms, also encountered unit(s) s, us"}; !slices.Equal(warnings, want) {
		t.Errorf("warnings %q, want %q", warnings, want)
	}
}

// TestPrepareOrder: the total is taken before filters, or after them with
// RelativePercentages.
func TestPrepareOrder(t *testing.T) {
	p := decode(t, profiletest.Random(1, profiletest.Shape{Labels: true}).Bytes(profiletest.Wire{}))
	var all, focused int64
	q, _ := filterByName(p, rx("Do1"), nil, nil, nil)
	for _, v := range p.Samples.Values[1] {
		all += v
	}
	for _, v := range q.Samples.Values[1] {
		focused += v
	}
	o := Defaults()
	o.Focus = "Do1"
	var warnings []string
	warn := func(s string) { warnings = append(warnings, s) }
	v, err := Prepare(p, o, warn)
	if err != nil {
		t.Fatal(err)
	}
	if v.Total != all || v.Type != "cpu" || v.Unit != "nanoseconds" || !slices.Equal(v.Filters, []string{"focus=Do1"}) {
		t.Errorf("total %d of %s/%s with %q, want %d", v.Total, v.Type, v.Unit, v.Filters, all)
	}
	o.RelativePercentages = true
	if v, _ = Prepare(p, o, warn); v.Total != focused {
		t.Errorf("relative total %d, want %d", v.Total, focused)
	}
	o.Mean = true
	if v, _ = Prepare(p, o, warn); v.Type != "mean_cpu" || len(v.Divisors) != len(v.Values) {
		t.Errorf("mean: type %s, %d divisors", v.Type, len(v.Divisors))
	}
	if len(warnings) > 0 {
		t.Errorf("warnings %q", warnings)
	}
	for _, set := range []func(*Options){
		func(o *Options) { o.Focus = "nothing" }, func(o *Options) { o.Ignore = "nothing" }, func(o *Options) { o.Hide = "nothing" },
		func(o *Options) { o.Show = "nothing" }, func(o *Options) { o.ShowFrom = "nothing" }, func(o *Options) { o.TagFocus = "nothing" },
		func(o *Options) { o.TagIgnore = "nothing" }, func(o *Options) { o.TagShow = "nothing" }, func(o *Options) { o.TagHide = "nothing" },
		func(o *Options) { o.TagRoot = "nothing" }, func(o *Options) { o.TagLeaf = "nothing" },
	} {
		o, warnings := Defaults(), 0
		set(&o)
		if _, err := Prepare(p, o, func(s string) {
			if !strings.HasSuffix(s, "expression matched no samples") {
				t.Errorf("warning %q", s)
			}
			warnings++
		}); err != nil || warnings != 1 {
			t.Errorf("%v: %d warnings, %v", activeFilters(o), warnings, err)
		}
	}
	for _, set := range []func(*Options){
		func(o *Options) { o.Focus = "(" }, func(o *Options) { o.TagFocus = "(" }, func(o *Options) { o.TagHide = "(" }, func(o *Options) { o.PruneFrom = "(" },
		func(o *Options) { o.SampleIndex = "7" }, func(o *Options) { o.SampleIndex = "nothing" }, func(o *Options) { o.DivideBy = 0 }, func(o *Options) { o.Granularity = "nothing" },
		func(o *Options) { o.Focus, o.RelativePercentages = "(", true },
	} {
		o := Defaults()
		set(&o)
		if _, err := Prepare(p, o, warn); err == nil {
			t.Errorf("accepted: %+v", o)
		}
	}
}

func TestLabelFrames(t *testing.T) {
	m := profiletest.Random(1, profiletest.Shape{Samples: 3, Numbering: profiletest.Sparse})
	m.Samples[0].Labels = []profiletest.Label{{Key: "k", Str: "v"}, {Key: "k", Str: "w"}, {Key: "n", Num: 2048, Unit: "bytes"}}
	m.Samples[1].Labels = []profiletest.Label{{Key: "n", Num: 7}}
	m.Samples[2].Labels = nil
	p := decode(t, m.Bytes(profiletest.Wire{}))
	names := func(o Options) string {
		q := addLabelFrames(p, o, func(s string) { t.Error(s) })
		if err := q.Check(); err != nil {
			t.Fatal(err)
		}
		var out []string
		for i := range q.Samples.Stack {
			st := q.Stacks.Of(q.Samples.Stack[i])
			extra := len(st) - len(p.Stacks.Of(p.Samples.Stack[i]))
			leaf := 0
			if o.TagLeaf != "" {
				leaf = strings.Count(o.TagLeaf, ",") + 1
			}
			var s []string
			for j, loc := range st {
				if j < leaf || j >= len(st)-(extra-leaf) {
					fn := q.Locations.LinesOf(loc)[0].Function
					s = append(s, q.FunctionFile(fn)+"="+q.FunctionName(fn))
				}
			}
			out = append(out, strings.Join(s, " "))
		}
		return strings.Join(out, "; ")
	}
	o := Defaults()
	o.TagRoot = "k,n"
	if got, want := names(o), "n=2kB k=v,w; n=7 k=; n= k="; got != want {
		t.Errorf("tagroot: %s, want %s", got, want)
	}
	o.TagRoot, o.TagLeaf, o.NameAbsent, o.Unit = "", "k,n", true, "b"
	if got, want := names(o), "n=2048B k=v,w; n=7 k=(no k); n=(no n) k=(no k)"; got != want {
		t.Errorf("tagleaf: %s, want %s", got, want)
	}
	o.TagRoot = "k"
	if got, want := names(o), "n=2048B k=v,w k=v,w; n=7 k=(no k) k=(no k); n=(no n) k=(no k) k=(no k)"; got != want {
		t.Errorf("both: %s, want %s", got, want)
	}
}

func TestTrimPath(t *testing.T) {
	for _, tt := range []struct{ trim, search, in, want string }{
		{"", "", "/src/a.go", "/src/a.go"},
		{"/src", "", "/src/a.go", "a.go"},
		{"/src/", "", "/src/a.go", "a.go"},
		{"/x:/src", "", "/src/pkg/a.go", "pkg/a.go"},
		{"/src", "/home/me/shop", "/build/shop/a.go", "/build/shop/a.go"},
		{"", "/home/me/shop", "/build/shop/a.go", "a.go"},
		{"", "/home/me/shop", "/build/shop/b/shop/a.go", "b/shop/a.go"},
		{"", "/x:/home/me/shop", "/build/shop/a.go", "a.go"},
		{"", "", "/proc/self/cwd/a.cc", "a.cc"},
		{"", "", "/proc/self/cwd/./a.cc", "a.cc"},
		{"/srcs", "", "/src/a.go", "/src/a.go"},
	} {
		if got := TrimPath(tt.trim, tt.search)(tt.in); got != tt.want {
			t.Errorf("trim %q search %q: %q becomes %q, want %q", tt.trim, tt.search, tt.in, got, tt.want)
		}
	}
}

func TestCommonUnits(t *testing.T) {
	make1 := func(unit, periodUnit string, value int64) *profile.Profile {
		b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"}, profile.ValueType{Type: "cpu", Unit: unit})
		b.Header().PeriodType, b.Header().Period = profile.ValueType{Type: "cpu", Unit: periodUnit}, 10
		b.Sample([]profile.LocationID{b.Location(0, 1)}, []int64{1, value})
		p, err := b.Profile()
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	got, err := CommonUnits([]*profile.Profile{make1("ms", "ms", 5), make1("us", "ns", 7), make1("seconds", "ms", 2)})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []struct{ value, period int64 }{{5000, 10_000_000}, {7, 10}, {2_000_000, 10_000_000}} {
		p := got[i]
		if p.Samples.Values[1][0] != want.value || p.Samples.Values[0][0] != 1 || p.Period != want.period || p.SampleTypes[1].Unit != "us" || p.PeriodType.Unit != "ns" {
			t.Errorf("profile %d: %v %v, period %d %v; want %v", i, p.Samples.Values, p.SampleTypes, p.Period, p.PeriodType, want)
		}
	}
	one := []*profile.Profile{make1("ms", "ms", 5)}
	if got, err := CommonUnits(one); err != nil || got[0] != one[0] {
		t.Errorf("one profile is not left alone: %v", err)
	}
	if _, err := CommonUnits([]*profile.Profile{make1("ms", "ms", 5), make1("bytes", "ms", 5)}); !errors.Is(err, ErrTypes) {
		t.Errorf("time and bytes: %v", err)
	}
	if _, err := CommonUnits([]*profile.Profile{make1("ms", "ms", 5), make1("ms", "bytes", 5)}); !errors.Is(err, ErrTypes) {
		t.Errorf("periods of time and bytes: %v", err)
	}
}

// TestScalingKeepsSamples: pprof's ScaleN drops a sample whose only non-zero
// value has the ratio 1; it is a count that would go missing.
func TestScalingKeepsSamples(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "samples", Unit: "count"}, profile.ValueType{Type: "cpu", Unit: "ms"})
	b.Sample([]profile.LocationID{b.Location(0, 1)}, []int64{3, 0})
	b.Sample([]profile.LocationID{b.Location(0, 2)}, []int64{1, 5})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	q, err := p.ScaleTypes([]float64{1, 1000})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(q.Samples.Values), "[[3 1] [0 5000]]"; got != want {
		t.Errorf("ours %s, want %s", got, want)
	}
	var buf bytes.Buffer
	if err := pprof.Encode(&buf, p); err != nil {
		t.Fatal(err)
	}
	theirs, err := gprofile.ParseUncompressed(buf.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if err := theirs.ScaleN([]float64{1, 1000}); err != nil {
		t.Fatal(err)
	}
	if len(theirs.Sample) != 1 {
		t.Errorf("pprof keeps %d samples now: the difference is gone", len(theirs.Sample))
	}
}

func TestFields(t *testing.T) {
	names := map[string]bool{}
	for _, f := range Fields() {
		if names[f.Name] {
			t.Errorf("%s twice", f.Name)
		}
		names[f.Name] = true
		o := Defaults()
		for _, c := range append([]string{f.Name}, f.Choices...) {
			if g, ok := FieldByName(Fields(), c); !ok || g.Name != f.Name {
				t.Errorf("%s: found %q", c, g.Name)
			}
		}
		for _, c := range f.Choices {
			if ChoiceHelp(c) == "" {
				t.Errorf("%s has no help", c)
			}
			if err := f.Set(&o, c); err != nil || f.Get(&o) != c {
				t.Errorf("%s=%s: %v", f.Name, c, err)
			}
		}
		if f.Choices != nil {
			if err := f.Set(&o, "nonsense"); err == nil {
				t.Errorf("%s=nonsense accepted", f.Name)
			}
			continue
		}
		values := map[string]string{"t": "true", "no": "false"}
		switch f.Pointer(&o).(type) {
		case *int:
			values = map[string]string{"17": "17", "-1": "-1"}
		case *float64:
			values = map[string]string{"0.25": "0.25", "3": "3"}
		case *string:
			values = map[string]string{"a=b c": "a=b c", "": ""}
		}
		for in, want := range values {
			if err := f.Set(&o, in); err != nil || f.Get(&o) != want {
				t.Errorf("%s=%s: %q, %v", f.Name, in, f.Get(&o), err)
			}
		}
		if _, isString := f.Pointer(&o).(*string); !isString {
			if err := f.Set(&o, "x y"); err == nil {
				t.Errorf("%s accepts x y", f.Name)
			}
		}
	}
	if _, ok := FieldByName(Fields(), "nonsense"); ok {
		t.Error("found an option that does not exist")
	}
}
