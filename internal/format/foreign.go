package format

import (
	"bytes"
	"fmt"
)

// foreign is a kind of file people hand over by mistake: how to know it, and
// what to tell them.
type foreign struct {
	looks func(head []byte) bool
	text  string
}

// prefix makes a looks function for files that begin with one of magics.
func prefix(magics ...string) func([]byte) bool {
	return func(head []byte) bool {
		for _, m := range magics {
			if bytes.HasPrefix(head, []byte(m)) {
				return true
			}
		}
		return false
	}
}

// foreigners is asked only after every decoder has said no.
func foreigners() []foreign {
	return []foreign{
		{looksHTML, "this is an HTML page, not a profile; give the address of the profile itself, such as http://HOST:PORT/debug/pprof/heap"},
		{prefix("PERFILE2", "2ELIFREP"), "this is a perf.data file; convert it with: perf script -i FILE > FILE.txt, and give FILE.txt"},
		{prefix("\x7fELF"), "this is an ELF program or core file, not a profile; a program goes before the profile on the command line"},
		{prefix("\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"), "this is a Mach-O program, not a profile; a program goes before the profile on the command line"},
		{prefix("MZ"), "this is a Windows program, not a profile; a program goes before the profile on the command line"},
		{prefix("go1.7 heap dump", "go1.6 heap dump", "go1.5 heap dump", "go1.4 heap dump"), "this is a heap dump of debug.WriteHeapDump, not a profile"},
		{prefix("\xff\xfe", "\xfe\xff"), "this is UTF-16 text, as PowerShell writes it with >; save it as UTF-8, or fetch with curl -o FILE"},
		{looksJSON, "this is JSON, not a profile; if a service answered it, its text says why: look at the file"},
		{prefix("PK\x03\x04"), "this is a zip archive; unpack it and give the profile in it"},
		{prefix("BZh"), "this is bzip2 data; decompress it first with: bzip2 -d FILE"},
		{prefix("\xfd7zXZ\x00"), "this is xz data; decompress it first with: xz -d FILE"},
		{prefix("\x04\x22\x4d\x18"), "this is lz4 data; decompress it first with: lz4 -d FILE"},
		{looksBlank, "the input holds only white space"},
		{looksHTTP, "this is an HTTP response with its headers; save only the body"},
	}
}

// whichForeign is the foreign kind head is of, nil if none.
func whichForeign(head []byte) *foreign {
	for _, f := range foreigners() {
		if f.looks(head) {
			return &f
		}
	}
	return nil
}

// isText tells whether the first bytes are printable. A profile.proto is full
// of control characters: field 1, the sample types, begins with some.
func isText(head []byte) bool {
	head = head[:min(len(head), 512)]
	bad := func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' && r != '\r' }
	return !bytes.ContainsFunc(head, bad)
}

// unrecognized is the error for content no decoder claimed; discreet leaves the
// content out.
func unrecognized(head []byte, discreet bool) error {
	if f := whichForeign(head); f != nil {
		return fmt.Errorf("%w: %s", ErrUnrecognized, f.text)
	}
	start := head
	if i := bytes.IndexByte(start, '\n'); i > 0 {
		start = start[:i]
	}
	start = start[:min(len(start), 40)]
	what := fmt.Sprintf("it begins with the bytes % x; ", start)
	switch {
	case discreet:
		what = ""
	case isText(start):
		what = fmt.Sprintf("it begins with %q; ", start)
	}
	return fmt.Errorf("%w: %swanted a pprof profile, a debug=1 or debug=2 text, folded stacks or perf script output", ErrUnrecognized, what)
}

func looksHTML(head []byte) bool {
	h := bytes.TrimSpace(head[:min(len(head), 512)])
	if len(h) == 0 || h[0] != '<' {
		return false
	}
	return prefix("<!doctype html", "<html", "<head", "<body", "<!--", "<?xml")(bytes.ToLower(h))
}

func looksJSON(head []byte) bool {
	h := bytes.TrimSpace(head)
	if len(h) < 2 || h[0] != '{' && h[0] != '[' {
		return false
	}
	rest := bytes.TrimSpace(h[1:])
	return len(rest) == 0 || bytes.IndexByte([]byte(`"{}[]-0123456789tfn`), rest[0]) >= 0
}

func looksBlank(head []byte) bool { return len(bytes.TrimSpace(head)) == 0 }

func looksHTTP(head []byte) bool { return bytes.HasPrefix(head, []byte("HTTP/1.")) }
