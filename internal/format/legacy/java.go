package legacy

import (
	"bytes"
	"io"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A heap or contention text of the Java agent:
//
//	--- contentionz 1 ---
//	format = java
//	resolution = microseconds
//	sampling period = 100
//	           14     1 @ 0x0000000d 0x0000000e
//
//	 0x000000d com.example.Foo (Foo.java:10)
//
// The addresses are numbers for the lines at the end, not machine addresses.
// A binary CPU profile of Java ends in the same lines.
var (
	javaAttribute = regexp.MustCompile(`([\w ]+)=([\w ]+)`)
	javaSample    = regexp.MustCompile(` *(\d+) +(\d+) +@ +`)
	javaLocation  = regexp.MustCompile(`^\s*0x([[:xdigit:]]+)\s+(.*)\s*$`)
	javaFileLine  = regexp.MustCompile(`^(.*)\s+\((.+):(-?[[:digit:]]+)\)$`)
	javaLibrary   = regexp.MustCompile(`^(.*)\s+\((.*)\)$`)
)

const (
	javaHeap       = "--- heapz 1 ---"
	javaContention = "--- contentionz 1 ---"
	// javaHeapRate is the mean bytes between two samples, fixed in the agent.
	javaHeapRate = 512 << 10
)

// LooksJava knows a Java text by its first line and, for contention, which
// C++ has too, by an attribute only Java writes.
func LooksJava(head []byte) bool {
	first, rest, _ := bytes.Cut(head, []byte("\n"))
	switch string(bytes.TrimSpace(first)) {
	case javaHeap:
		return true
	case javaContention:
	default:
		return false
	}
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		name, _, found := bytes.Cut(bytes.TrimSpace(line), []byte("="))
		switch string(bytes.TrimSpace(name)) {
		case "format", "resolution":
			return found
		}
		if !found && len(bytes.TrimSpace(line)) > 0 {
			return false
		}
	}
	return false
}

// DecodeJava reads a heap or contention text of the Java agent.
func DecodeJava(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	in.Next()
	heap := false
	switch string(bytes.TrimSpace(in.Bytes())) {
	case javaHeap:
		heap = true
	case javaContention:
	default:
		return nil, headerError(in, `"--- heapz 1 ---" or "--- contentionz 1 ---"`)
	}
	t, err := readJavaHeader(in, heap)
	if err != nil {
		return nil, err
	}
	if err := t.readJavaSamples(in, heap); err != nil {
		return nil, err
	}
	if err := t.readJavaLocations(in); err != nil {
		return nil, err
	}
	return t.finish(false)
}

// readJavaHeader reads the attributes and stays on the first line behind.
func readJavaHeader(in *lines.Reader, heap bool) (*table, error) {
	var types []profile.ValueType
	var periodType profile.ValueType
	var period, millis int64
	var err error
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		f := javaAttribute.FindSubmatch(line)
		if f == nil {
			in.Unread()
			break
		}
		name, value := string(bytes.TrimSpace(f[1])), string(bytes.TrimSpace(f[2]))
		switch {
		case name == "format" && value == "java":
		case name == "resolution" && heap:
			types = []profile.ValueType{count("inuse_objects"), {Type: "inuse_space", Unit: value}}
		case name == "resolution":
			types = []profile.ValueType{count("contentions"), {Type: "delay", Unit: value}}
		case name == "sampling period" && !heap:
			periodType = count("contentions")
			period, err = strconv.ParseInt(value, 0, 64)
		case name == "ms since reset" && !heap:
			millis, err = strconv.ParseInt(value, 0, 64)
		default:
			return nil, in.Errorf("unknown attribute %s in a Java profile", lines.Quote(line))
		}
		if err != nil {
			return nil, in.Bad(`"NAME = NUMBER"`)
		}
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if types == nil {
		return nil, in.Errorf(`no "resolution = UNIT" attribute before the samples`)
	}
	t := newTable(periodType, period, types...)
	t.p.DurationNanos = millis * 1000 * 1000
	t.keepAddrs = false
	return t, nil
}

// readJavaSamples reads the samples and stays on the first line behind them.
func (t *table) readJavaSamples(in *lines.Reader, heap bool) error {
	var addrs []uint64
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		at := javaSample.FindSubmatchIndex(line)
		if at == nil {
			in.Unread()
			return nil
		}
		size, err := strconv.ParseInt(string(line[at[2]:at[3]]), 0, 64)
		n, err2 := strconv.ParseInt(string(line[at[4]:at[5]]), 0, 64)
		if err != nil || err2 != nil {
			return in.Errorf("value does not fit in 64 bits: %s", lines.Quote(line))
		}
		if addrs, err = hexAddresses(in, addrs[:0], addressPart(line[at[1]:])); err != nil {
			return err
		}
		if !heap {
			if p := t.p.Period; p != 0 {
				n, size = n*p, size*p
			}
			t.add(addrs, adjustNone, n, size)
			continue
		}
		if n == 0 {
			return in.Errorf("no objects in a heap sample: %s", lines.Quote(line))
		}
		block := size / n
		n, size = unsample(n, size, javaHeapRate)
		row := t.add(addrs, adjustNone, n, size)
		row.blockSize, row.hasBlock = block, true
	}
	return in.Err()
}

// readJavaLocations reads the "0xADDR function (file:line)" lines to the end.
// A function has the file of its first line.
func (t *table) readJavaLocations(in *lines.Reader) error {
	t.keepAddrs = false
	files := map[string]string{}
	for in.Next() {
		f := javaLocation.FindSubmatch(bytes.TrimSpace(in.Bytes()))
		if f == nil {
			continue
		}
		addr, err := strconv.ParseUint(string(f[1]), 16, 64)
		if err != nil {
			return in.Errorf("address does not fit in 64 bits: %s", lines.Quote(in.Bytes()))
		}
		l, ok := t.byAddr[addr]
		if !ok {
			continue
		}
		fr := parseJavaFrame(f[2])
		if file, ok := files[fr.function]; ok {
			fr.file = file
		} else {
			files[fr.function] = fr.file
		}
		t.lines[l] = []frame{fr}
	}
	return in.Err()
}

// parseJavaFrame reads "function (file:line)", "function (library)", or a
// state of the virtual machine such as "GC".
func parseJavaFrame(text []byte) frame {
	if f := javaFileLine.FindSubmatch(text); f != nil {
		line, err := strconv.ParseInt(string(f[3]), 10, 64)
		if err != nil || line < 0 {
			line = 0
		}
		return frame{function: valid(f[1]), file: valid(f[2]), line: line}
	}
	if f := javaLibrary.FindSubmatch(text); f != nil {
		return frame{function: valid(f[1]), file: filepath.Base(valid(f[2]))}
	}
	if bytes.Contains(text, []byte("generated stub/JIT")) {
		return frame{function: "STUB"}
	}
	return frame{function: valid(text)}
}
