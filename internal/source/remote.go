package source

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/format"
)

// remote is a URL, over the network or a unix socket.
type remote struct {
	at *endpoint
}

// announce says what pprof says. Only a collection the user asked for is worth
// the second line, as in pprof.
func (u *remote) announce(s *session) {
	s.say("Fetching profile over HTTP from " + u.at.String())
	if s.opt.Seconds > 0 {
		s.say(fmt.Sprintf("Please wait... (%v)", time.Duration(s.opt.Seconds)*time.Second))
	}
}

func (u *remote) load(parent context.Context, s *session, t *tracker, r *Result) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	dog := watch(&s.opt, u.at.timeout+grace, cancel)
	defer dog.end()
	defer t.countdown(u.at.wait)()

	resp, err := s.client.do(ctx, u.at, http.MethodGet, "", nil)
	if err != nil {
		return u.explain(ctx, err, s, t)
	}
	defer resp.Body.Close()
	final := u.final(resp)
	r.URL, r.Endpoint = final.String(), final.secret()
	if resp.StatusCode != http.StatusOK {
		return u.statusError(resp, final, s)
	}
	dog.next()
	t.expect(resp.ContentLength)
	if limit := s.limit(); resp.ContentLength > limit {
		return fmt.Errorf("%w: the answer has %d bytes, the limit is %d; raise it with -max_size", format.ErrTooLarge, resp.ContentLength, limit)
	}
	m := &meter{ctx: ctx, in: resp.Body, track: t, onRead: dog.read}
	err = u.decode(s, m, resp, r, final)
	if m.err != nil {
		return u.explainBody(ctx, m.err, resp, s, t)
	}
	return err
}

func (s *session) limit() int64 {
	if s.opt.MaxBytes > 0 {
		return s.opt.MaxBytes
	}
	return format.DefaultMaxBytes
}

// final is the endpoint that answered in the end.
func (u *remote) final(resp *http.Response) *endpoint {
	e := *u.at
	if resp.Request != nil && resp.Request.URL != nil {
		e.url = resp.Request.URL
		e.insecure = u.at.insecure && e.url.Scheme == "https"
	}
	return &e
}

// decode turns the body into the profile of r. What is a page or a message for
// people is not given to the decoders: some services answer errors with status
// 200.
func (u *remote) decode(s *session, m *meter, resp *http.Response, r *Result, final *endpoint) error {
	in, err := contentDecoded(m, resp.Header.Get("Content-Encoding"))
	if err != nil {
		return err
	}
	head, _ := in.Peek(maxPage)
	switch {
	case m.err != nil && len(head) == 0:
		return m.err
	case isHTML(head):
		return fmt.Errorf("%w: %w", format.ErrUnrecognized, u.pageError(head, final))
	}
	if bytes.HasPrefix(head, []byte(perfMagic)) {
		return &hinted{fmt.Errorf("%w: the answer is a perf.data file", format.ErrUnrecognized), "save it and name the file"}
	}
	if line := firstLine(head); knownHint(line) != "" {
		return &hinted{fmt.Errorf("%w: the answer is a message: %s", format.ErrUnrecognized, line), knownHint(line)}
	}
	return s.decode(m, in, r, 0)
}

// maxPage is how much of an answer is looked at for the links of a page, bytes;
// maxMessage how much of it for the text of an error.
const (
	maxPage    = 16 << 10
	maxMessage = 4 << 10
)

// contentDecoded takes off the Content-Encoding. A server that announces gzip
// and sends something else, or gzip on top of the gzip of a profile, is
// understood too.
func contentDecoded(r io.Reader, encoding string) (*bufio.Reader, error) {
	in := bufio.NewReaderSize(r, readBuffer)
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "identity", "gzip", "x-gzip", "zstd":
		// gzip and zstd are wrappers the decoders know by themselves, but an
		// error message in gzip is to be read here.
		if magic, _ := in.Peek(2); encoding == "" || !bytes.Equal(magic, []byte{0x1f, 0x8b}) {
			return in, nil
		}
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, fmt.Errorf("unpack answer: %w", err)
		}
		return bufio.NewReaderSize(z, readBuffer), nil
	case "deflate":
		// The standard says zlib, some servers send bare deflate (RFC 9110, 8.4.1.2).
		magic, _ := in.Peek(2)
		if len(magic) == 2 && magic[0]&0x0f == 8 && (int(magic[0])<<8|int(magic[1]))%31 == 0 {
			z, err := zlib.NewReader(in)
			if err != nil {
				return nil, fmt.Errorf("unpack answer: %w", err)
			}
			return bufio.NewReaderSize(z, readBuffer), nil
		}
		return bufio.NewReaderSize(flate.NewReader(in), readBuffer), nil
	}
	return nil, &hinted{fmt.Errorf("the answer is encoded with %q, which was not asked for", encoding), "a proxy in between may be at fault; fetch from the server itself"}
}
