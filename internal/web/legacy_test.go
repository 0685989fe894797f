package web

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
)

// TestLegacy leads the addresses of pprof's page to the same view here.
func TestLegacy(t *testing.T) {
	settings := filepath.Join(t.TempDir(), "settings.json")
	err := os.WriteFile(settings, []byte(`{"configs":[{"name":"mine","focus":"parse","nodecount":20,"granularity":"lines","noinlines":true,"trim":true,"unit":"minimum"},{"name":"bad","focus":"("}]}`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	s := shop(t)
	srv := newServer(t, Options{PprofSettings: settings}, s)
	page, api := "/v1/"+s.ID+"/", "/api/"+s.ID+"/"
	for _, c := range []struct {
		from    string
		browser bool
		want    string
	}{
		{"/ui", true, page + "summary"},
		{"/ui/", true, page + "summary"},
		{"/ui/?f=work", true, page + "flame?x=focus:work"},
		{"/ui/flamegraph", true, page + "flame"},
		{"/ui/flamegraph2?i=a&f=b&h=c&s=d&sf=e", true, page + "flame?x=focus:b&x=ignore:a&x=hide:c&x=show:d&x=showfrom:e"},
		{"/ui/flamegraph?tf=x%3D1&ti=y&ts=z&th=w&prunefrom=p", true, page + "flame?x=tagfocus:x=1&x=tagignore:y&x=tagshow:z&x=taghide:w&x=prunefrom:p"},
		{"/ui/flamegraph?si=alloc_space&g=lines&noinlines=t", true, page + "flame?value=alloc_space&x=noinlines&x=gran:lines"},
		{"/ui/flamegraph?si=cpu", true, page + "flame?kind=cpu&value=cpu"},
		{"/ui/flamegraph?p=%5Emain%5C.serve%24", true, page + "flame?dir=around&sel=f:main.serve"},
		{"/ui/flamegraph?p=serve", true, page + "flame?q=serve"},
		{"/ui/graph?n=40&ef=0.01&calltree=true", true, page + "graph?calltree=true&ef=0.01&n=40"},
		{"/ui/top?sort=cum&rel=1&unit=ms&unknown=5", true, page + "table?order=-cum&rel=true&unit=ms"},
		{"/ui/top?sort=cum", false, api + "report/top?sort=cum"},
		{"/ui/flamegraph?sort=cum", true, page + "flame"},
		{"/ui/top?f=parse", false, api + "report/top?x=focus:parse"},
		{"/ui/peek?f=parse&h=x", true, page + "table?q=parse&x=hide:x"},
		{"/ui/peek?f=parse", false, api + "report/peek?of=parse&x=focus:parse&x=gran:lines"},
		{"/ui/peek?f=parse&i=x&g=files", false, api + "report/peek?of=parse&x=ignore:x&x=focus:parse&x=gran:lines"},
		{"/ui/source?f=%5Emain%5C.serve%24", true, page + "source?sel=f:main.serve"},
		{"/ui/source?f=main", false, api + "report/list?of=main"},
		{"/ui/disasm?f=main", false, api + "report/disasm?of=main"},
		{"/ui/download", true, api + "download"},
		{"/ui/flamegraph?config=mine", true, page + "flame?n=20&x=focus:parse&x=noinlines&x=gran:lines"},
		{"/ui/flamegraph?config=mine&f=walk&n=5", true, page + "flame?n=5&x=focus:walk&x=noinlines&x=gran:lines"},
	} {
		accept := "*/*"
		if c.browser {
			accept = "text/html,*/*"
		}
		r := request(t, srv.Handler(), "GET", c.from, "Accept", accept)
		got, err := url.QueryUnescape(r.Header.Get("Location"))
		if err != nil || got != c.want || r.StatusCode != http.StatusFound {
			t.Errorf("%s: %s %s\nwant %s", c.from, r.Status, got, c.want)
			continue
		}
		if u, err := url.Parse(r.Header.Get("Location")); err != nil {
			t.Error(err)
		} else if c.browser && u.RawQuery != "" { // the page must be able to read it
			mustQuery(t, u.RawQuery, Param{Name: "dir"}, Param{Name: "order"})
		}
	}
	for from, want := range map[string]int{"/ui/?f=(": 400, "/ui/?config=none": 404, "/ui/?n=x": 400, "/ui/?n=-2": 400, "/ui/?nf=NaN": 400, "/ui/?ef=1.5": 400, "/ui/nowhere": 404, "/ui/top/x": 404, "/ui/saveconfig?config=x": 405} {
		if r := request(t, srv.Handler(), "GET", from); r.StatusCode != want {
			t.Errorf("%s: %s, want %d", from, r.Status, want)
		}
	}
	r := request(t, srv.Handler(), "GET", "/flamegraph?f=x")
	if at := r.Header.Get("Location"); r.StatusCode != http.StatusTemporaryRedirect || at != "/ui/flamegraph?f=x" {
		t.Errorf("without /ui: %s %s", r.Status, at)
	}
	var configs struct {
		Configs []struct{ Name, Query, Error string }
	}
	if err := json.Unmarshal(getPath(t, srv, "/api/configs"), &configs); err != nil {
		t.Fatal(err)
	}
	if len(configs.Configs) != 2 || configs.Configs[0].Query != "n=20&x=focus%3Aparse&x=noinlines&x=gran%3Alines" || configs.Configs[1].Error == "" {
		t.Errorf("%+v", configs)
	}
	// What the command line says holds until an address says otherwise.
	start := newServer(t, Options{PprofSettings: settings, Start: url.Values{"f": {"main"}, "g": {"lines"}}}, s).Handler()
	for from, want := range map[string]string{
		"/ui/top": api + "report/top?x=focus:main&x=gran:lines", "/ui/top?f=&g=files": api + "report/top?x=gran:files", "/ui/peek": api + "report/peek?x=focus:main&x=gran:lines", "/ui/source?f=serve": api + "report/list?of=serve&x=gran:lines",
		"/ui/top?f=serve":            api + "report/top?x=focus:serve&x=gran:lines",
		"/ui/flamegraph?config=mine": page + "flame?n=20&x=focus:parse&x=noinlines&x=gran:lines",
	} {
		if got, err := url.QueryUnescape(request(t, start, "GET", from).Header.Get("Location")); err != nil || got != want {
			t.Errorf("%s: %s %v, want %s", from, got, err, want)
		}
	}
	if r := request(t, newServer(t, Options{}).Handler(), "GET", "/ui/"); r.Header.Get("Location") != "/" {
		t.Errorf("without a session: %v", r.Header)
	}
}
