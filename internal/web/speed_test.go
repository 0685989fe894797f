package web

import (
	"bytes"
	"context"
	"flag"
	"maps"
	"net/url"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/profoundhq/profound/internal/bench/synth"
	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
)

var (
	clickFile    = flag.String("clicks", "", "the profile BenchmarkClicks asks about, instead of one that is made")
	clickSamples = flag.Int("samples", 1_000_000, "how many samples the profile has that BenchmarkClicks makes")
)

// BenchmarkClicks asks a session of a million samples what clicks ask:
// questions whose answers are not kept, while what the page showed before is.
// Each round asks about five functions of different weight.
func BenchmarkClicks(b *testing.B) {
	s := newServer(b, Options{}, clickSession(b))
	get(b, s, "flame")
	names := clickNames(b, s)
	before := cacheKeys(s.Sessions()[0].data)
	exact := func(n string) string { return "^" + regexp.QuoteMeta(n) + "$" }
	for _, c := range []struct {
		name string
		ask  func(name string) string
	}{
		{"focus", func(n string) string { return "flame?x=" + url.QueryEscape("focus:"+exact(n)) }},
		{"ignore", func(n string) string { return "flame?x=" + url.QueryEscape("ignore:"+exact(n)) }},
		{"hide", func(n string) string { return "flame?x=" + url.QueryEscape("hide:"+exact(n)) }},
		{"hide-many", func(n string) string { return "flame?x=" + url.QueryEscape("hide:"+`\.func1$|`+exact(n)) }},
		{"show", func(n string) string { return "flame?x=" + url.QueryEscape("show:"+exact(n)) }},
		{"show-many", func(n string) string { return "flame?x=" + url.QueryEscape("show:"+`\.func1$|`+exact(n)) }},
		{"showfrom", func(n string) string { return "flame?x=" + url.QueryEscape("showfrom:"+exact(n)) }},
		{"showfrom-many", func(n string) string { return "flame?x=" + url.QueryEscape("showfrom:"+`\.func1$|`+exact(n)) }},
		{"root", func(n string) string { return "flame?x=" + url.QueryEscape("root:"+n) }},
		{"drop", func(n string) string { return "flame?x=" + url.QueryEscape("drop:"+n) }},
		{"merge", func(n string) string { return "flame?x=" + url.QueryEscape("merge:"+n) }},
		{"collapse", func(n string) string { return "flame?x=" + url.QueryEscape("collapse:"+n) }},
		{"collapse-all", func(n string) string {
			return "flame?x=" + url.QueryEscape("collapse:*") + "&sel=" + url.QueryEscape("f:"+n)
		}},
		{"tagfocus", func(n string) string {
			return "flame?x=" + url.QueryEscape("tagfocus:endpoint=/"+string(n[len(n)-1]))
		}},
		{"pivot", func(n string) string { return "flame?dir=around&sel=" + url.QueryEscape("f:"+n) }},
		{"up", func(n string) string { return "flame?dir=up&sel=" + url.QueryEscape("f:"+n) }},
		{"down", func(n string) string { return "flame?sel=" + url.QueryEscape("f:"+n) }},
		{"table", func(n string) string { return "table?x=" + url.QueryEscape("focus:^"+regexp.QuoteMeta(n)) }},
		{"function", func(n string) string { return "function?sel=" + url.QueryEscape("f:"+n) }},
		{"summary", func(string) string { return "summary" }},
		{"summary-focus", func(n string) string { return "summary?x=" + url.QueryEscape("focus:"+exact(n)) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			var times []float64
			for b.Loop() {
				for _, n := range names {
					start := time.Now()
					request(b, s.Handler(), "GET", "/api/"+s.Sessions()[0].ID+"/"+c.ask(n), "Accept-Encoding", "gzip")
					times = append(times, float64(time.Since(start).Microseconds())/1e3)
					b.StopTimer()
					forget(s.Sessions()[0].data, before)
					b.StartTimer()
				}
			}
			slices.Sort(times)
			b.ReportMetric(times[len(times)/2], "median-ms")
			b.ReportMetric(times[len(times)-1], "slowest-ms")
			b.ReportMetric(0, "ns/op") // of five questions: no use
		})
	}
}

func clickSession(b *testing.B) *Session {
	b.Helper()
	var data []byte
	if *clickFile != "" {
		var err error
		if data, err = os.ReadFile(*clickFile); err != nil {
			b.Fatal(err)
		}
	} else {
		var w bytes.Buffer
		if _, err := synth.Write(&w, synth.Options{Samples: *clickSamples, Functions: 50_000, Locations: 200_000, Depth: 40, Labels: true, Seed: 1}); err != nil {
			b.Fatal(err)
		}
		data = w.Bytes()
	}
	p := decodeProfile(b, data)
	s, err := NewSession(Input{Shots: []Shot{{Name: "cpu", Profile: p}}, Now: began()})
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func decodeProfile(b *testing.B, data []byte) *profile.Profile {
	b.Helper()
	p, _, err := format.Decode(bytes.NewReader(data), "cpu", format.Options{})
	if err != nil {
		b.Fatal(err)
	}
	return p
}

// clickNames are functions of different weight.
func clickNames(b *testing.B, s *Server) []string {
	b.Helper()
	var names []string
	d, err := s.Sessions()[0].Data(context.Background(), &Query{Options: defaultOptions()})
	if err != nil {
		b.Fatal(err)
	}
	rows := newTableRows(d)
	for _, share := range []float64{0.0005, 0.002, 0.01, 0.03, 0.1} {
		names = append(names, entryName(rows.frames[int(share*float64(len(rows.frames)))]))
	}
	return names
}

func cacheKeys(c *dataCache) map[cacheKey]bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	keys := map[cacheKey]bool{}
	for k := range maps.Keys(c.entries) {
		keys[k] = true
	}
	return keys
}

// forget throws away what was not kept before.
func forget(c *dataCache, but map[cacheKey]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range c.entries {
		if !but[e.key] {
			c.remove(e)
		}
	}
}
