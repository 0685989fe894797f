package web

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

// pageFiles are a page in small.
func pageFiles() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Profound</title>
<link rel="icon" href="/icon.svg" type="image/svg+xml">
<link rel="preload" href="/fonts/a.woff2" as="font" type="font/woff2" crossorigin>
<link rel="stylesheet" href="/app.css">
<script src="/theme.js"></script>
<script type="module" src="/app.js"></script>
</head>
<body><div id="app"></div></body>
</html>
`)},
		"icon.svg":      {Data: []byte("<svg/>")},
		"app.css":       {Data: []byte("@font-face{src:url(/fonts/a.woff2)}")},
		"fonts/a.woff2": {Data: []byte("font")},
		"theme.js":      {Data: []byte("1")},
		"app.js":        {Data: []byte("2")},
		"NOTICES.txt":   {Data: []byte("</template><script>3</script>")},
	}
}

// exported asks for a copy and reads what it has in itself.
func exported(t *testing.T, srv *Server, ask exportAsk) (page string, copied savedCopy, r *http.Response) {
	t.Helper()
	body, err := json.Marshal(ask)
	if err != nil {
		t.Fatal(err)
	}
	q := httptest.NewRequestWithContext(context.Background(), "POST", "/api/"+srv.Sessions()[0].ID+"/export", bytes.NewReader(body))
	q.Host = "localhost:8080"
	w := httptest.NewRecorder()
	srv.Handler().ServeHTTP(w, q)
	r = w.Result()
	data, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if r.StatusCode != http.StatusOK {
		return string(data), copied, r
	}
	inside := between(string(data), `<script type="application/json" id="saved">`, "</script>")
	if err := json.Unmarshal([]byte(inside), &copied); err != nil {
		t.Fatalf("%v: %.200s", err, inside)
	}
	return string(data), copied, r
}

// answerIn is an answer of a copy.
func answerIn(t *testing.T, c savedCopy, key string) (kind string, body []byte) {
	t.Helper()
	kind, text, ok := strings.Cut(strings.TrimPrefix(c.Answers[key], "data:"), ";base64,")
	if !ok {
		t.Fatalf("no answer %q", key)
	}
	z, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	if body, err = unzip(z); err != nil {
		t.Fatal(err)
	}
	return kind, body
}

// TestExport compares each answer in a copy with what the server answers.
func TestExport(t *testing.T) {
	in := shopInput(t)
	in.Title = `</script><script>alert(1)</script>`
	in.Sources = []string{"it's here"}
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{Assets: pageFiles()}, s)
	api := "/api/" + s.ID + "/"
	ask := exportAsk{At: "/v1/" + s.ID + "/flame?sel=f:main.main", Ask: []string{api + "flame", "", api + "session", api + "table?x=hide:%5Emain%5C.ren&kind=heap", api + "leaks", api + "retention", api + "function?sel=f:none"}, Each: []string{api + "function?kind=cpu&sel=f:*&value=cpu"}}
	page, c, r := exported(t, srv, ask)
	if got := strings.Count(strings.ToLower(page), "</script"); got != 3 {
		t.Errorf("%d ends of scripts in\n%s", got, page)
	}
	if strings.Contains(page, `src="/`) || strings.Contains(page, `href="/`) || strings.Contains(page, "url(/") || strings.Contains(page, "preload") {
		t.Errorf("the copy names a file:\n%s", page)
	}
	for _, want := range []string{"default-src 'none'", digest("1"), digest("2"), "script-src" + digest("1") + digest("2") + ";", "<script>1</script>", `<script type="module">2</script>`, "<style>@font-face{src:url(data:font/woff2;base64,Zm9udA==)}</style>", "data:image/svg+xml;base64,", "&lt;/template&gt;"} {
		if !strings.Contains(page, want) {
			t.Errorf("no %s in\n%s", want, page)
		}
	}
	if c.At != ask.At || !strings.HasPrefix(c.Note, "Saved copy of "+in.Title+", 1 Mar 2026 10:00.") || !strings.HasSuffix(c.Note, `profound web 'it'\''s here'`) {
		t.Errorf("%q %q", c.At, c.Note)
	}
	if r.Header.Get("X-Saved") == "" || !strings.HasPrefix(r.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%v", r.Header)
	}
	for _, address := range []string{"flame", "session", "table?x=hide:%5Emain%5C.ren&kind=heap", "leaks", "function?kind=cpu&sel=f:main.token&value=cpu", "function?kind=cpu&sel=f:net/http.(*conn).serve&value=cpu"} {
		key, err := url.QueryUnescape(api + address)
		if err != nil {
			t.Fatal(err)
		}
		kind, got := answerIn(t, c, key)
		r := request(t, srv.Handler(), "GET", api+address)
		want, err := io.ReadAll(r.Body)
		if err != nil || kind != r.Header.Get("Content-Type") || !bytes.Equal(got, want) {
			t.Errorf("%s: %s %.80q, want %s %.80q (%v)", address, kind, got, r.Header.Get("Content-Type"), want, err)
		}
	}
	for key := range c.Answers {
		if strings.Contains(key, "/retention") || strings.Contains(key, "f:none") {
			t.Errorf("%s has no answer, and is in the copy", key)
		}
	}
	for _, bad := range []string{"/api/000000000000/flame", "/api/home", api + "report/top", api + "flame?nothing=1", api + "flame?x=focus:("} {
		if text, _, r := exported(t, srv, exportAsk{Ask: []string{bad}}); r.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s %s", bad, r.Status, text)
		}
	}
}

// TestExportSource lets out only lines of source that were asked for.
func TestExportSource(t *testing.T) {
	in := shopInput(t)
	var file strings.Builder
	for i := range 200 {
		fmt.Fprintf(&file, "secret%d\n", i+1)
	}
	in.Code.Sources = texts{"/src/main/x.go": file.String()}
	in.Code.Editor = "editor://{file}"
	s, err := NewSession(in)
	if err != nil {
		t.Fatal(err)
	}
	srv := newServer(t, Options{Assets: pageFiles()}, s)
	api := "/api/" + s.ID + "/"
	ask := exportAsk{At: "/v1/" + s.ID + "/source", Ask: []string{api + "source", api + "session", api + "function?sel=f:main.newOrder", api + "hot", api + "assembly"}, Each: []string{api + "function?sel=f:*", api + "source?sel=f:*"}}
	secrets := func(c savedCopy) []string {
		var all []string
		for key := range c.Answers {
			_, body := answerIn(t, c, key)
			all = append(all, regexp.MustCompile(`secret\d+|editor:`).FindAllString(string(body), -1)...)
		}
		slices.Sort(all)
		return slices.Compact(all)
	}
	_, c, _ := exported(t, srv, ask)
	if got := secrets(c); len(got) > 0 {
		t.Errorf("not asked for: %q", got)
	}
	_, body := answerIn(t, c, api+"source?sel=l:/src/main/x.go")
	var f Source
	if err := json.Unmarshal(body, &f); err != nil || f.Missing == nil || len(f.Lines) == 0 {
		t.Errorf("the file without its text: %+v %v", f, err)
	}
	ask.Lines = true
	_, c, _ = exported(t, srv, ask)
	// Sampled are lines 7, 9, 20 and 30.
	got := secrets(c)
	for _, want := range []int{1, 7, 20, 30, 40} {
		if !slices.Contains(got, fmt.Sprintf("secret%d", want)) {
			t.Errorf("line %d is missing in %q", want, got)
		}
	}
	for i := 41; i <= 200; i++ {
		if slices.Contains(got, fmt.Sprintf("secret%d", i)) {
			t.Errorf("line %d is far from all that was sampled", i)
		}
	}
	if live := getJSON[Source](t, srv, "source?sel=f:main.newOrder"); len(live.Text) < 200 || live.Path == "" {
		t.Errorf("the export took lines from the server: %d", len(live.Text))
	}
}

// TestExportTrim leaves out the largest, but not what is shown.
func TestExportTrim(t *testing.T) {
	e := &exporter{answers: map[string]string{"/api/1/flame?x=^a": strings.Repeat("a", 500), "/api/1/graph": strings.Repeat("a", 400), "/api/1/graph?by=function": strings.Repeat("a", 300), "/api/1/session": strings.Repeat("a", 900), "/api/1/table": "a"}}
	if left := e.trim(1500, "/api/1/flame?x=%5Ea"); !slices.Equal(left, []string{"Graph"}) || len(e.answers) != 3 {
		t.Errorf("%q left out, %d stay", left, len(e.answers))
	}
	if left := e.trim(1500); len(left) > 0 {
		t.Errorf("%q left out of what is small", left)
	}
}

// TestExportPageFails says what is wrong with a page that cannot be put
// together.
func TestExportPageFails(t *testing.T) {
	for name, data := range map[string]string{"app.js": "x='</SCRIPT>'", "theme.js": "<!--", "app.css": "url(/fonts/none.woff2)", "index.html": "<p>"} {
		files := pageFiles()
		files[name] = &fstest.MapFile{Data: []byte(data)}
		assets, err := readAssets(files)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := copyPage(assets, &savedCopy{}); err == nil {
			t.Errorf("%s %q: no error", name, data)
		}
	}
}
