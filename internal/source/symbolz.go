package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
)

// symbolzBatch is how many addresses one request asks for: at most 80 kB of
// them, which every server takes.
const symbolzBatch = 4096

// maxSymbols bounds the answer to one batch, bytes.
const maxSymbols = 64 << 20

// SymbolURL is where the server of a profile answers symbol requests, "" if
// profileURL is no URL. Servers of net/http/pprof (a path with /debug/pprof/)
// and of gperftools (a path that ends with one of its profiles) have "symbol"
// beside the profile, all others "symbolz".
func SymbolURL(profileURL string) string {
	s := newSession(Options{})
	e := s.symbolEndpoint(profileURL)
	if e == nil {
		return ""
	}
	return e.secret()
}

func (s *session) symbolEndpoint(profileURL string) *endpoint {
	var e *endpoint
	var err error
	if rest, ok := strings.CutPrefix(profileURL, "unix:"); ok {
		e, err = s.socketEndpoint(rest)
	} else {
		e, err = s.urlEndpoint(profileURL)
	}
	if err != nil || e == nil || e.bare {
		return nil
	}
	name := "/../symbolz"
	if strings.Contains(e.url.Path, pprofRoot) || isGperftools(e.url.Path) {
		name = "/../symbol"
	}
	u := *e.url
	u.Path, u.RawPath, u.RawQuery = path.Clean(u.Path+name), "", ""
	e.url = &u
	s.adjust(e)
	e.wait = 0
	return e
}

// isGperftools knows the paths of gperftools' pprof_remote_servers.html.
func isGperftools(p string) bool {
	for _, suffix := range []string{"heap", "growth", "profile", "pmuprofile", "contention"} {
		if strings.HasSuffix(p, "/pprof/"+suffix) {
			return true
		}
	}
	return false
}

// Symbolz asks the server that gave the profile at profileURL (Result.Endpoint)
// for the names of addresses, as they are in its process. The map has the
// addresses the server knows; when a request fails it has those of the requests
// before it.
func Symbolz(ctx context.Context, profileURL string, addrs []uint64, opt Options) (map[uint64]string, error) {
	opt.Seconds = 0 // a request for names collects nothing
	s := newSession(opt)
	e := s.symbolEndpoint(profileURL)
	if e == nil {
		return nil, fmt.Errorf("%s: no server to ask for symbols", Redact(profileURL))
	}
	if err := s.client.prepare(); err != nil {
		return nil, err
	}
	defer s.client.close()
	addrs = slices.Clone(addrs)
	slices.Sort(addrs)
	addrs = slices.Compact(addrs)
	names := make(map[uint64]string, len(addrs))
	for batch := range slices.Chunk(addrs, symbolzBatch) {
		err := s.symbols(ctx, e, batch, names)
		if errors.Is(err, errNoPost) {
			err = s.symbolsByGet(ctx, e, batch, names)
		}
		if err != nil {
			if ctx.Err() != nil {
				return names, ctx.Err()
			}
			return names, fmt.Errorf("http post %s: %w", e, err)
		}
	}
	return names, nil
}

func (s *session) symbols(parent context.Context, e *endpoint, batch []uint64, names map[uint64]string) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	dog := watch(&s.opt, e.timeout+grace, cancel)
	defer dog.end()
	var ask []byte
	for i, a := range batch {
		if i > 0 {
			ask = append(ask, '+')
		}
		ask = append(ask, "0x"...)
		ask = strconv.AppendUint(ask, a, 16)
	}
	u := &remote{e}
	resp, err := s.client.do(ctx, e, http.MethodPost, "application/octet-stream", ask)
	if err == nil && resp.StatusCode == http.StatusMethodNotAllowed {
		resp.Body.Close()
		return errNoPost
	}
	return s.symbolAnswer(ctx, u, resp, err, dog, batch, names)
}

// errNoPost is met at servers that answer questions in the URL only, as
// net/http/pprof does when its handlers are registered for GET.
var errNoPost = errors.New("the server takes no POST")

// symbolsInURL is how many addresses fit a URL.
const symbolsInURL = 100

func (s *session) symbolsByGet(parent context.Context, e *endpoint, batch []uint64, names map[uint64]string) error {
	for part := range slices.Chunk(batch, symbolsInURL) {
		if err := s.symbolGet(parent, e, part, names); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) symbolGet(parent context.Context, e *endpoint, part []uint64, names map[uint64]string) error {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	dog := watch(&s.opt, e.timeout+grace, cancel)
	defer dog.end()
	ask := make([]string, len(part))
	for i, a := range part {
		ask[i] = "0x" + strconv.FormatUint(a, 16)
	}
	get := *e
	u := *e.url
	u.RawQuery = strings.Join(ask, "+")
	get.url = &u
	resp, err := s.client.do(ctx, &get, http.MethodGet, "", nil)
	return s.symbolAnswer(ctx, &remote{&get}, resp, err, dog, part, names)
}

// symbolAnswer reads the names out of a server's answer.
func (s *session) symbolAnswer(ctx context.Context, u *remote, resp *http.Response, err error, dog *watchdog, batch []uint64, names map[uint64]string) error {
	t := silent()
	if err != nil {
		return u.explain(ctx, err, s, t)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return u.statusError(resp, u.final(resp), s)
	}
	dog.next()
	m := &meter{ctx: ctx, in: resp.Body, track: t, onRead: dog.read}
	in, err := contentDecoded(m, resp.Header.Get("Content-Encoding"))
	if err == nil {
		err = readSymbols(in, batch, names)
	}
	if m.err != nil {
		return u.explainBody(ctx, m.err, resp, s, t)
	}
	return err
}

// readSymbols takes the lines of the form "0xADDR name" and leaves the others,
// such as "num_symbols: 1". Only addresses that were asked for count.
func readSymbols(r io.Reader, asked []uint64, names map[uint64]string) error {
	limited := &io.LimitedReader{R: r, N: maxSymbols + 1}
	in := bufio.NewReader(limited)
	for {
		line, err := in.ReadString('\n')
		if limited.N <= 0 {
			return fmt.Errorf("answer of more than %d bytes for %d addresses", maxSymbols, len(asked))
		}
		if a, name, ok := parseSymbol(line); ok {
			if _, found := slices.BinarySearch(asked, a); found {
				names[a] = name
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func parseSymbol(line string) (addr uint64, name string, ok bool) {
	i := strings.Index(line, "0x")
	if i < 0 {
		return 0, "", false
	}
	hex := line[i:]
	end := strings.IndexAny(hex, " \t")
	if end < 0 {
		return 0, "", false
	}
	addr, err := strconv.ParseUint(hex[:end], 0, 64)
	name = strings.TrimSpace(hex[end:])
	return addr, name, err == nil && name != ""
}
