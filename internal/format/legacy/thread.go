package legacy

import (
	"bytes"
	"io"
	"regexp"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A thread text of gperftools:
//
//	--- threadz 1 ---
//
//	--- Thread 7eff063d9940 (name: main/25376) stack: ---
//	  PC:  0x00bc8f1c: helper(arg*)
//	  0x0040be31: main
//	--- Thread 7eff0464d700 (name: thread3/25383) stack: ---
//	  [same as previous thread]
//	--- Memory map: ---
//
// The names behind the addresses are not taken: like pprof, we leave symbols
// to the binaries the memory map names.
var (
	threadsHeader = regexp.MustCompile(`--- threadz \d+ ---`)
	threadHeader  = regexp.MustCompile(`--- Thread [[:xdigit:]]+ \(name: .*/\d+\) stack: ---`)
)

// LooksThread knows a thread text by its first line that is no comment.
func LooksThread(head []byte) bool {
	line, _ := lines.First(head)
	return threadsHeader.Match(line) || threadHeader.Match(line)
}

// DecodeThread reads a thread text: one sample for each run of threads with
// the same stack.
func DecodeThread(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	skipComments(in)
	switch {
	case threadsHeader.Match(in.Bytes()):
		for in.Next() && !isMapStart(in.Bytes()) && !bytes.HasPrefix(in.Bytes(), []byte("-")) {
		}
	case !threadHeader.Match(in.Bytes()):
		return nil, headerError(in, `"--- threadz 1 ---"`)
	}
	t := newTable(count("thread"), 1, count("thread"))
	var addrs []uint64
	for in.Bytes() != nil && !isMapStart(in.Bytes()) {
		if bytes.HasPrefix(in.Bytes(), []byte("---- no stack trace for")) {
			break
		}
		if !threadHeader.Match(in.Bytes()) {
			return nil, in.Bad(`"--- Thread HEX (name: NAME/ID) stack: ---"`)
		}
		var err error
		if addrs, err = readThread(in, addrs[:0]); err != nil {
			return nil, err
		}
		if len(addrs) > 0 {
			t.add(addrs, adjustCallers, 1)
		} else if n := len(t.values); n > 0 {
			t.values[n-1]++
		}
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if err := t.readTail(in); err != nil {
		return nil, err
	}
	return t.finish(true)
}

// readThread reads the addresses of one thread, none when it has the stack of
// the thread before, and stops at the next "---" line.
func readThread(in *lines.Reader, addrs []uint64) ([]uint64, error) {
	same := false
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if bytes.HasPrefix(line, []byte("---")) {
			break
		}
		if bytes.Contains(line, []byte("same as previous thread")) {
			same = true
			continue
		}
		var err error
		if addrs, err = hexAddresses(in, addrs, line); err != nil {
			return nil, err
		}
	}
	if same {
		addrs = addrs[:0]
	}
	return addrs, in.Err()
}
