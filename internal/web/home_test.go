package web

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// post asks a server to do something.
func post(s *Server, path, body string, header ...string) (status int, answer map[string]any) {
	r := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	json.Unmarshal(w.Body.Bytes(), &answer)
	return w.Code, answer
}

// TestOpen opens by names, again by the ID of a session that was open at
// another time, and what is sent; home lists them, the newest first.
func TestOpen(t *testing.T) {
	var asked [][]string
	var remembered []Recent
	var sent string
	first, second := shop(t), sessionOf(t, "main.main;main.other 7")
	second.Sources = []string{"other.pb.gz"}
	third := sessionOf(t, "main.main;main.third 9")
	s := newServer(t, Options{
		Recent: []Recent{{Session: "0123456789ab", Title: "of yesterday", Sources: []string{"a", "b"}}, {Session: first.ID}},
		Opened: func(r Recent) { remembered = append(remembered, r) },
		Open: func(_ context.Context, specs []string) (*Session, error) {
			asked = append(asked, specs)
			if specs[0] == "none" {
				return nil, errors.New("none: no such file")
			}
			return second, nil
		},
		Read: func(_ context.Context, name string, body io.Reader, _ int64) (*Session, error) {
			data, err := io.ReadAll(body)
			sent = name + "=" + string(data)
			return third, err
		},
		MaxUpload: 10,
	}, first)
	for _, tt := range []struct {
		path, body string
		status     int
		want       string // of the answer
	}{
		{"/api/open", `{"source":" other.pb.gz "}`, 200, second.ID},
		{"/api/open", `{"sources":["a","b"]}`, 200, second.ID},
		{"/api/open", `{"session":"0123456789ab"}`, 200, second.ID},
		{"/api/open", `{"session":"` + first.ID + `"}`, 200, first.ID}, // is open
		{"/api/open", `{"session":"unknown"}`, 404, "nothing is known"},
		{"/api/open", `{"source":"none"}`, 400, "no such file"},
		{"/api/open", `{"source":"-"}`, 400, "standard input"},
		{"/api/open", `{"source":" "}`, 400, "nothing to open"},
		{"/api/open", `{`, 400, "cannot be read"},
		{"/api/upload", "12345678901", 413, "larger than 10 bytes"},
		{"/api/upload", "1234567890", 200, third.ID},
	} {
		status, answer := post(s, tt.path, tt.body, "X-Name", url.PathEscape(`C:\x/Größe.pb`))
		if text, _ := json.Marshal(answer); status != tt.status || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.path, tt.body, status, text, tt.status, tt.want)
		}
	}
	if len(asked) != 4 || !slices.Equal(asked[0], []string{"other.pb.gz"}) || !slices.Equal(asked[2], []string{"a", "b"}) {
		t.Errorf("asked for %q", asked)
	}
	if sent != "Größe.pb=1234567890" {
		t.Errorf("sent %q", sent)
	}
	if len(remembered) != 4 || remembered[1].Session != second.ID || remembered[1].Sources[0] != "other.pb.gz" {
		t.Errorf("remembered %+v", remembered)
	}
	var home Home
	if err := json.Unmarshal(getPath(t, s, "/api/home"), &home); err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, r := range home.Recent {
		ids = append(ids, r.Session)
	}
	if !slices.Equal(ids, []string{third.ID, second.ID, first.ID, "0123456789ab"}) || !home.Recent[0].Open || home.Recent[3].Open || len(home.Recent[0].Sources) != 0 {
		t.Errorf("home %+v", home)
	}
}

// TestOpenGuarded: another site cannot make the server open anything, and a
// session that was open at another time says how to get it back.
func TestOpenGuarded(t *testing.T) {
	s := newServer(t, Options{
		Recent: []Recent{{Session: "0123456789ab", Sources: []string{"run"}}},
		Open:   func(context.Context, []string) (*Session, error) { t.Error("opened"); return nil, nil },
	}, shop(t))
	for _, h := range [][]string{{"Origin", "http://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
		if status, _ := post(s, "/api/open", `{"source":"x"}`, h...); status != 403 {
			t.Errorf("%s: %d", h, status)
		}
	}
	r := request(t, s.Handler(), "GET", "/api/0123456789ab/session")
	body, _ := io.ReadAll(r.Body)
	if r.StatusCode != http.StatusGone || !strings.Contains(string(body), "run") {
		t.Errorf("%d %s", r.StatusCode, body)
	}
	for _, path := range []string{"/v9/x/flame", "/v1/x/y", "/v12"} {
		if r := request(t, s.Handler(), "GET", path); r.StatusCode != 200 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	for _, path := range []string{"/v", "/vx/y", "/version", "/v1x"} {
		if r := request(t, s.Handler(), "GET", path); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
}

// TestOwnPattern matches the program's own functions and no others.
func TestOwnPattern(t *testing.T) {
	text := "runtime.goexit;main.main;main.(*T[go.shape.int]).run;github.com/acme/shop/cart.Add 1\n" +
		"main.main;net/http.Serve;github.com/acme/shop.Do;gopkg.in/own%2ev1.F 2\n"
	s := sessionOf(t, text)
	rx, err := regexp.Compile(ownPattern(s))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		"main.main": true, "main.(*T[go.shape.int]).run": true, "github.com/acme/shop/cart.Add": true, "github.com/acme/shop.Do": true, "gopkg.in/own%2ev1.F": true,
		"runtime.goexit": false, "net/http.Serve": false, "mainly.F": false, "github.com/acme/shopping.F": false, "x/main.F": false,
	} {
		if rx.MatchString(name) != want {
			t.Errorf("%s matches %s: %t", rx, name, !want)
		}
	}
	if got := ownPattern(sessionOf(t, "std::vector::push 1")); got != "" {
		t.Errorf("C++: %q", got)
	}
}

// sessionOf is a session of one CPU profile.
func sessionOf(t testing.TB, text string) *Session {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, l := range lines {
		lines[i] = l + strings.Repeat(" "+l[strings.LastIndex(l, " ")+1:], len(cpuTypes())-1)
	}
	s, err := NewSession(Input{Shots: []Shot{{Name: "cpu.pb.gz", Profile: makeProfile(t, cpuTypes(), strings.Join(lines, "\n"))}}, Now: began()})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
