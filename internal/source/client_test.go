package source

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestConnectionErrors(t *testing.T) {
	noLeak(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	wantError(t, fetch1(t, addr, Options{}).Err, addr+": dial tcp "+addr, "connection refused; nothing listens on "+addr)
	proxy := func(*http.Request) (*url.URL, error) { return &url.URL{Scheme: "http", Host: addr}, nil }
	wantError(t, fetch1(t, "http://example.invalid/x", Options{Proxy: proxy}).Err, "proxyconnect tcp", "this is the proxy http://"+addr, "NO_PROXY")

	plain := serve(t, func(w http.ResponseWriter, r *http.Request) {})
	wantError(t, fetch1(t, strings.Replace(plain.URL, "http", "https", 1), Options{}).Err, "write http://")
	secure := serveTLS(t, pprofMux(nil).ServeHTTP, nil)
	wantError(t, fetch1(t, strings.Replace(secure.URL, "https", "http", 1), Options{}).Err, "server response: 400 Bad Request - Client sent an HTTP request to an HTTPS server.; write https://")
}

func serveTLS(t testing.TB, h http.HandlerFunc, config *tls.Config) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = config
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

func pemFile(t testing.TB, kind string, der []byte) string {
	t.Helper()
	return writeFile(t, filepath.Join(t.TempDir(), kind+".pem"), pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
}

func TestTLS(t *testing.T) {
	noLeak(t)
	srv := serveTLS(t, pprofMux(nil).ServeHTTP, nil)
	u := srv.URL + "/debug/pprof/heap"
	ca := pemFile(t, "CERTIFICATE", srv.Certificate().Raw)
	wantError(t, fetch1(t, u, Options{}).Err, "certificate", "-tls_ca", "https+insecure://")
	wantProfile(t, fetch1(t, u, Options{TLS: TLSOptions{CA: ca}}))
	wantProfile(t, fetch1(t, u, Options{TLS: TLSOptions{Insecure: true}}))
	r := fetch1(t, strings.Replace(u, "https", "https+insecure", 1), Options{})
	wantProfile(t, r)
	if r.URL != strings.Replace(u, "https", "https+insecure", 1) {
		t.Errorf("URL %s", r.URL)
	}
	other := strings.Replace(u, "127.0.0.1", "localhost", 1)
	wantError(t, fetch1(t, other, Options{TLS: TLSOptions{CA: ca}}).Err, "write https+insecure:// to skip the check")
}

func TestClientCertificate(t *testing.T) {
	noLeak(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "client"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	srv := serveTLS(t, pprofMux(nil).ServeHTTP, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
	u := srv.URL + "/debug/pprof/heap"
	wantError(t, fetch1(t, u, Options{TLS: TLSOptions{Insecure: true}}).Err, "-tls_cert and -tls_key")
	o := TLSOptions{Insecure: true, Cert: pemFile(t, "CERTIFICATE", der), Key: pemFile(t, "EC PRIVATE KEY", keyDER)}
	wantProfile(t, fetch1(t, u, Options{TLS: o}))
}

func TestOptionErrors(t *testing.T) {
	bad := writeFile(t, filepath.Join(t.TempDir(), "bad"), []byte("no\nPEM, no token"))
	empty := writeFile(t, filepath.Join(t.TempDir(), "empty"), []byte("\n"))
	for _, c := range []struct {
		opt   Options
		parts string
	}{
		{Options{TLS: TLSOptions{Key: "k"}}, "-tls_key is specified, so -tls_cert must also be specified"},
		{Options{TLS: TLSOptions{Cert: "c"}}, "-tls_cert is specified, so -tls_key must also be specified"},
		{Options{TLS: TLSOptions{Cert: bad, Key: bad}}, "could not load certificate/key pair specified by -tls_cert and -tls_key"},
		{Options{TLS: TLSOptions{CA: "/nonexistent"}}, "could not load CA specified by -tls_ca"},
		{Options{TLS: TLSOptions{CA: bad}}, "holds no PEM certificate"},
		{Options{Headers: []string{"secret-without-colon"}}, `not of the form "Name: value"`},
		{Options{Headers: []string{"X: a\r\nY: b"}}, `-header "X"`},
		{Options{BearerTokenFile: "/nonexistent"}, "-bearer_token_file: open"},
		{Options{BearerTokenFile: bad}, "does not hold a token in one line"},
		{Options{BearerTokenFile: empty}, "is empty"},
		{Options{BearerTokenFile: bad, Headers: []string{"authorization: x"}}, "exclude each other"},
	} {
		results, err := Fetch(t.Context(), []string{"http://127.0.0.1:1/"}, c.opt)
		if results != nil {
			t.Errorf("%v: results", c.parts)
		}
		wantError(t, err, c.parts)
		// They do not concern files.
		path := writeFile(t, filepath.Join(t.TempDir(), "heap"), heapProfile(t))
		wantProfile(t, fetch1(t, path, c.opt))
	}
}

func TestHeaders(t *testing.T) {
	noLeak(t)
	data := heapProfile(t)
	var got *http.Request
	keep := func(w http.ResponseWriter, r *http.Request) {
		got = r
		if r.URL.Path == "/deny" {
			w.WriteHeader(401)
			return
		}
		w.Write(data)
	}
	other := serve(t, keep)
	srv := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/away":
			http.Redirect(w, r, other.URL+"/there", 302)
		case "/away-denied":
			http.Redirect(w, r, other.URL+"/deny", 302)
		case "/here":
			http.Redirect(w, r, "/there", 302)
		default:
			keep(w, r)
		}
	})
	token := writeFile(t, filepath.Join(t.TempDir(), "token"), []byte("abc\n"))
	opt := Options{Headers: []string{"X-Api-Key: k", "x-api-key:l", "Host: name.example", "User-Agent: me"}, BearerTokenFile: token}
	check := func(wantHost, wantAuth, wantKeys, wantAgent string) {
		t.Helper()
		keys := strings.Join(got.Header.Values("X-Api-Key"), " ")
		if got.Host != wantHost || got.Header.Get("Authorization") != wantAuth || keys != wantKeys || got.UserAgent() != wantAgent {
			t.Errorf("host %q, authorization %q, keys %q, agent %q", got.Host, got.Header.Get("Authorization"), keys, got.UserAgent())
		}
	}
	wantProfile(t, fetch1(t, srv.URL+"/x", opt))
	check("name.example", "Bearer abc", "k l", "me")
	r := fetch1(t, srv.URL+"/here", opt)
	wantProfile(t, r)
	check("name.example", "Bearer abc", "k l", "me")
	// Neither the token nor the key goes to a server the user did not name.
	r = fetch1(t, srv.URL+"/away", opt)
	wantProfile(t, r)
	if r.URL != other.URL+"/there" || r.Name != srv.URL+"/away" {
		t.Errorf("URL %s, name %s", r.URL, r.Name)
	}
	check(strings.TrimPrefix(other.URL, "http://"), "", "", "Go-http-client/1.1")
	wantError(t, fetch1(t, srv.URL+"/away-denied", opt).Err, "where the credentials were not sent")
	wantError(t, fetch1(t, srv.URL+"/deny", opt).Err, "does not accept these credentials")

	withUser := strings.Replace(srv.URL, "http://", "http://joe:secret@", 1)
	r = fetch1(t, withUser+"/x", Options{})
	wantProfile(t, r)
	if name, pass, _ := got.BasicAuth(); name != "joe" || pass != "secret" {
		t.Errorf("basic auth %q %q", name, pass)
	}
	if strings.Contains(r.URL+r.Name, "secret") || !strings.Contains(r.Endpoint, "joe:secret@") {
		t.Errorf("result %+v", r)
	}
	if err := fetch1(t, withUser+"/deny", Options{}).Err; strings.Contains(err.Error(), "secret") {
		t.Errorf("password in %q", err)
	}
}

func TestUnixSocket(t *testing.T) {
	noLeak(t)
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Skip(err)
	}
	mux := pprofMux(heapProfile(t))
	mux.HandleFunc("/away", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://example.invalid/", 302) })
	mux.HandleFunc("/here", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/debug/pprof/heap?debug=0", 302) })
	srv := &http.Server{Handler: mux}
	go srv.Serve(l)
	t.Cleanup(func() { srv.Close() })

	proxy := func(*http.Request) (*url.URL, error) { return nil, errors.New("a socket has no proxy") }
	for _, spec := range []string{"unix:" + path, "unix://" + path + ":/debug/pprof/heap", "unix:" + path + ":/here"} {
		wantProfile(t, fetch1(t, spec, Options{Proxy: proxy}))
	}
	r := fetch1(t, "unix:"+path+":/here", Options{})
	if r.URL != "unix:"+path+":/debug/pprof/heap?debug=0" || !r.Remote {
		t.Errorf("result %+v", r)
	}
	wantError(t, fetch1(t, "unix:"+path+":/away", Options{}).Err, "redirects to another server")
	wantError(t, fetch1(t, "unix:"+path+":/nosuch", Options{}).Err, "404", "unix:"+path+":/debug/pprof/")
	wantError(t, fetch1(t, path, Options{}).Err, "is a socket; ", "write unix:"+path+":/debug/pprof/heap")
	wantError(t, fetch1(t, "unix:"+path+".no", Options{}).Err, "nothing listens on the socket")
}
