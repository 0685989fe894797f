package legacy

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/profile"
)

// The Go runtime writes the symbols of a debug=1 stack behind it, in comments
// that pprof skips (runtime/pprof, printStackRecord):
//
//	20 @ 0x47ea0e 0x4158ee 0x4df855 0x4850c1
//	# labels: {"subsystem":"poller-0"}
//	#	0x4df854	main.leakWorker+0x14	gen/goprofs/main.go:33
//
// The address of a comment is that of the call, 1 below the return address of
// the stack, which is the address pprof gives the location too; only a frame
// interrupted at its very first instruction keeps its address. Several lines
// with one address, or lines without one, are calls inlined into each other,
// innermost first; only cgo symbolizers make them.
//
// Runtime functions at the leaf end and runtime.goexit at the root end have
// no comment. The first are called hiddenRuntime here, so that reports group
// them and the expressions that drop allocators match; the second is known.
const (
	hiddenRuntime = "runtime.[hidden]"
	goexit        = "runtime.goexit"
	// hiddenFile is the best known of where these functions are: their package.
	hiddenFile = "runtime"
)

// comment reads one '#' line behind the newest sample of t. Comments of no
// known kind (the memory statistics behind a heap profile) mean nothing.
func (t *table) comment(line []byte, st *symbolState) {
	if len(t.rows) == 0 {
		return
	}
	r := &t.rows[len(t.rows)-1]
	if text, ok := bytes.CutPrefix(line, []byte("# labels: ")); ok {
		labels, err := parseLabels(string(text))
		if err != nil {
			t.p.Warnings = append(t.p.Warnings, fmt.Errorf("labels of sample %d: %w", len(t.rows), err))
		}
		r.labels = append(r.labels, labels...)
		return
	}
	addr, hasAddr, f, ok := parseSymbol(line)
	if !ok {
		return
	}
	if st.row != len(t.rows) {
		*st = symbolState{row: len(t.rows), current: -1}
	}
	if hasAddr && (st.current < 0 || addr != st.addr) {
		st.addr = addr
		st.current = t.symbolTarget(addr)
		st.keep = st.current >= 0 && len(t.lines[st.current]) == 0
		if i := slices.Index(t.stack(r), st.current); !r.symbols && i >= 0 {
			r.symbols, r.shown = true, i
		}
	}
	// A recursive call repeats address and symbol; it is no inlined call.
	if st.current >= 0 && st.keep && len(t.lines[st.current]) < maxInlined && !slices.Contains(t.lines[st.current], f) {
		t.lines[st.current] = append(t.lines[st.current], f)
	}
}

// maxInlined bounds the inlined calls taken for one address.
const maxInlined = 64

// symbolState is where in the comments of one sample a reader is.
type symbolState struct {
	row     int    // number of rows when the state was made
	addr    uint64 // address of the last comment
	current loc    // its location, -1 if it has none
	keep    bool   // the location had no symbols before this sample
}

// symbolTarget is the location that a comment with addr describes, -1 if
// none. It need not be of the sample: equal addresses have equal symbols.
func (t *table) symbolTarget(addr uint64) loc {
	if l, ok := t.byAddr[addr]; ok {
		return l
	}
	if l, ok := t.byAddr[addr-1]; ok {
		return l
	}
	return -1
}

// parseSymbol reads "#\t0xPC\tfunc+0xOFF\tfile:line"; the address may be
// missing. Editors that turn tabs into spaces are forgiven.
func parseSymbol(line []byte) (addr uint64, hasAddr bool, f frame, ok bool) {
	s := bytes.TrimSpace(line[1:])
	if rest, found := bytes.CutPrefix(s, []byte("0x")); found {
		n := hexLen(rest)
		v, err := strconv.ParseUint(string(rest[:n]), 16, 64)
		if err != nil {
			return 0, false, f, false
		}
		addr, hasAddr = v, true
		s = bytes.TrimSpace(rest[n:])
	}
	// The offset is the last "+0x" before white space: names may hold "+".
	for end := len(s); ; {
		i := bytes.LastIndex(s[:end], []byte("+0x"))
		if i <= 0 {
			return 0, false, f, false
		}
		n := i + 3 + hexLen(s[i+3:])
		if n < len(s) && (s[n] == '\t' || s[n] == ' ') {
			f.function = valid(s[:i])
			s = bytes.TrimSpace(s[n:])
			break
		}
		end = i
	}
	colon := bytes.LastIndexByte(s, ':')
	if colon < 0 {
		return 0, false, f, false
	}
	line64, err := strconv.ParseInt(string(s[colon+1:]), 10, 64)
	if err != nil {
		return 0, false, f, false
	}
	f.file, f.line = valid(s[:colon]), line64
	return addr, hasAddr, f, true
}

// parseLabels reads {"key":"value", "key2":"value2"}, quoted as in Go.
func parseLabels(s string) ([]stringLabel, error) {
	bad := func() error { return fmt.Errorf("want {\"key\":\"value\", ...}, found %.60q", s) }
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "{")
	if !ok {
		return nil, bad()
	}
	var labels []stringLabel
	for {
		rest = strings.TrimLeft(rest, " ,")
		if rest == "}" {
			return labels, nil
		}
		var kv [2]string
		for i := range kv {
			q, err := strconv.QuotedPrefix(rest)
			if err != nil {
				return labels, bad()
			}
			if kv[i], err = strconv.Unquote(q); err != nil {
				return labels, bad()
			}
			rest = strings.TrimLeft(rest[len(q):], " :")
		}
		if kv[1] != "" {
			labels = append(labels, stringLabel{strings.ToValidUTF8(kv[0], "\uFFFD"), strings.ToValidUTF8(kv[1], "\uFFFD")})
		}
	}
}

// nameHidden names the frames the runtime left out of the comments.
func (t *table) nameHidden() {
	for i := range t.rows {
		r := &t.rows[i]
		if !r.symbols {
			continue
		}
		s := t.stack(r)
		for _, l := range s[:r.shown] {
			if len(t.lines[l]) == 0 {
				t.lines[l] = []frame{{function: hiddenRuntime, file: hiddenFile}}
			}
		}
		if last := s[len(s)-1]; len(t.lines[last]) == 0 {
			t.lines[last] = []frame{{function: goexit, file: hiddenFile}}
		}
	}
}

// flagSymbols marks the mappings whose locations all have symbols, so that
// nobody looks for them again. A mapping with hidden frames stays unmarked: a
// binary can still name them.
func (t *table) flagSymbols(maps []profile.Mapping, order []loc, mappingOf []int) {
	if !t.keepAddrs || len(t.lines) == 0 {
		return
	}
	missing := make([]bool, len(maps))
	used := make([]bool, len(maps))
	for i, l := range order {
		m := mappingOf[i]
		if m < 0 {
			continue
		}
		used[m] = true
		if f := t.lines[l]; len(f) == 0 || f[0].function == hiddenRuntime {
			missing[m] = true
		}
	}
	for i := range maps {
		if used[i] && !missing[i] {
			maps[i].HasFunctions, maps[i].HasFilenames, maps[i].HasLineNumbers = true, true, true
		}
	}
}

func hexLen(b []byte) int {
	n := 0
	for n < len(b) && (b[n] >= '0' && b[n] <= '9' || b[n] >= 'a' && b[n] <= 'f') {
		n++
	}
	return n
}
