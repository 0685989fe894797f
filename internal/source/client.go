package source

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
)

// client makes the HTTP clients of a session, one for each way to connect, all
// with the same certificates, headers and redirect rule.
type client struct {
	opt    *Options
	header http.Header
	host   string // of a "Host:" header
	tls    *tls.Config

	mu    sync.Mutex
	ways  map[way]*http.Client
	ready bool
}

// way is how a connection is made.
type way struct {
	socket   string
	insecure bool
}

// prepare reads the files and checks the headers of the options, which concern
// every request; the error is the user's to mend, not one source's.
func (c *client) prepare() error {
	if c.ready {
		return nil
	}
	if err := c.readTLS(); err != nil {
		return err
	}
	if err := c.readHeaders(); err != nil {
		return err
	}
	c.ways = map[way]*http.Client{}
	c.ready = true
	return nil
}

func (c *client) readTLS() error {
	o := &c.opt.TLS
	c.tls = &tls.Config{InsecureSkipVerify: o.Insecure}
	switch {
	case o.Cert != "" && o.Key != "":
		pair, err := tls.LoadX509KeyPair(o.Cert, o.Key)
		if err != nil {
			return fmt.Errorf("could not load certificate/key pair specified by -tls_cert and -tls_key: %w", err)
		}
		c.tls.Certificates = []tls.Certificate{pair}
	case o.Key != "":
		return errors.New("-tls_key is specified, so -tls_cert must also be specified")
	case o.Cert != "":
		return errors.New("-tls_cert is specified, so -tls_key must also be specified")
	}
	if o.CA == "" {
		return nil
	}
	pem, err := os.ReadFile(o.CA)
	if err != nil {
		return fmt.Errorf("could not load CA specified by -tls_ca: %w", err)
	}
	c.tls.RootCAs = x509.NewCertPool()
	if !c.tls.RootCAs.AppendCertsFromPEM(pem) {
		return fmt.Errorf("could not load CA specified by -tls_ca: %s holds no PEM certificate", o.CA)
	}
	return nil
}

// maxToken bounds a token file, bytes: beyond it the wrong file was named.
const maxToken = 64 << 10

func (c *client) readHeaders() error {
	c.header = http.Header{}
	for _, h := range c.opt.Headers {
		name, value, ok := strings.Cut(h, ":")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if !ok || !isToken(name) || strings.ContainsFunc(value, isControl) {
			// The value may be a secret: only the name is shown.
			return fmt.Errorf("-header %q: not of the form \"Name: value\"", name)
		}
		if strings.EqualFold(name, "Host") {
			c.host = value
			continue
		}
		c.header.Add(name, value)
	}
	if c.opt.BearerTokenFile == "" {
		return nil
	}
	if c.header.Get("Authorization") != "" {
		return errors.New("-bearer_token_file and an Authorization -header exclude each other")
	}
	f, err := os.Open(c.opt.BearerTokenFile)
	if err != nil {
		return fmt.Errorf("-bearer_token_file: %w", err)
	}
	defer f.Close()
	token, err := io.ReadAll(io.LimitReader(f, maxToken+1))
	if err != nil {
		return fmt.Errorf("-bearer_token_file: %w", err)
	}
	token = bytes.TrimSpace(token)
	switch {
	case len(token) == 0:
		return fmt.Errorf("-bearer_token_file: %s is empty", c.opt.BearerTokenFile)
	case len(token) > maxToken || bytes.ContainsFunc(token, isControl):
		return fmt.Errorf("-bearer_token_file: %s does not hold a token in one line", c.opt.BearerTokenFile)
	}
	c.header.Set("Authorization", "Bearer "+string(token))
	return nil
}

// isToken checks the name of a header (RFC 9110, section 5.6.2).
func isToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r))
	})
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }

// do sends a request to e. The caller closes the body.
func (c *client) do(ctx context.Context, e *endpoint, method, contentType string, body []byte) (*http.Response, error) {
	if err := c.prepare(); err != nil {
		return nil, err
	}
	var payload io.Reader
	if body != nil {
		payload = bytes.NewReader(body)
	}
	req, err := http.NewRequestWithContext(ctx, method, e.url.String(), payload)
	if err != nil {
		return nil, err
	}
	// Asked for by hand: the answer is then unpacked here, where the bytes on
	// the wire can still be counted.
	req.Header.Set("Accept-Encoding", "gzip")
	req.Header.Set("User-Agent", "profound")
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	for name, values := range c.header {
		req.Header[name] = values
	}
	req.Host = c.host
	return c.way(way{e.socket, e.insecure}).Do(req)
}

func (c *client) way(w way) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if hc := c.ways[w]; hc != nil {
		return hc
	}
	config := c.tls.Clone()
	config.InsecureSkipVerify = config.InsecureSkipVerify || w.insecure
	var dialer net.Dialer
	t := &http.Transport{
		Proxy:              c.opt.Proxy,
		TLSClientConfig:    config,
		DialContext:        dialer.DialContext,
		ForceAttemptHTTP2:  true,
		DisableCompression: true,
	}
	if w.socket != "" {
		t.Proxy = nil
		t.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", w.socket)
		}
	}
	hc := &http.Client{Transport: t, CheckRedirect: c.redirect(w)}
	c.ways[w] = hc
	return hc
}

// maxRedirects bounds a chain of redirects.
const maxRedirects = 10

// redirect is the rule for the next hop: a bounded number, a socket is never
// left, and the user's headers, which may be secrets, go to the server he named
// and to nobody else (net/http drops Authorization and Cookie for other hosts,
// not X-Api-Key, and not when https becomes http).
func (c *client) redirect(w way) func(*http.Request, []*http.Request) error {
	return func(req *http.Request, via []*http.Request) error {
		if len(via) >= maxRedirects {
			return fmt.Errorf("stopped after %d redirects, the last to %s", maxRedirects, req.URL.Redacted())
		}
		first := via[0].URL
		if w.socket != "" {
			if req.URL.Host != first.Host {
				return fmt.Errorf("the service behind the socket redirects to another server, %s", req.URL.Redacted())
			}
			return nil
		}
		if !trusts(first, req.URL) {
			for name := range c.header {
				req.Header.Del(name)
			}
		}
		return nil
	}
}

// trusts tells whether what was meant for a may be sent to b: the same server,
// or the same host after a change from http to https.
func trusts(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && a.Host == b.Host || a.Scheme == "http" && b.Scheme == "https" && a.Hostname() == b.Hostname()
}

// close ends the connections, which are goroutines, too.
func (c *client) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, hc := range c.ways {
		hc.CloseIdleConnections()
	}
}
