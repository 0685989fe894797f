package perfscript

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
)

// header is one event's first line.
type header struct {
	comm   string
	pid    int64
	hasPID bool
	tid    int64
	timed  bool
	time   float64 // seconds on perf's clock
	period int64
	event  string // without modifiers such as ":ppp"
	rest   []byte // what follows the event: a frame or a tracepoint's fields
	record bool   // no sample but a PERF_RECORD_ line
}

var (
	// timedHeader finds "COMM PID[/TID] [CPU] SECONDS.FRACTION:".
	timedHeader = regexp.MustCompile(`^(.+?)\s+(-?\d+)(?:/(-?\d+))?\s+(?:\[\d+\]\s+)?(?:[^\s:]{4,5}\s+)?(\d+\.\d+):\s*(.*)$`)
	// plainHeader is a header without time: "COMM PID[/TID] [CPU] PERIOD EVENT:".
	plainHeader = regexp.MustCompile(`^(\S.*?)\s+(-?\d+)(?:/(-?\d+))?\s+(?:\[\d+\]\s+)?((?:\d+\s+)?[A-Za-z]\S*:)\s*$`)
	// eventText splits "250000 cycles:ppp:  ffff0 symbol (object)".
	eventText = regexp.MustCompile(`^(?:(\d+)\s+)?(\S+?):(?:\s+(.*))?$`)
	// modifiers are the letters perf appends to an event's name.
	modifiers = regexp.MustCompile(`:[ukhIGHpPSDWeb]*$`)
)

// maxHeader bounds a header line in bytes; a longer line is none.
const maxHeader = 4 << 10

// parseHeader reads an event's first line.
func parseHeader(line []byte) (h header, ok bool) {
	if len(line) == 0 || len(line) > maxHeader {
		return h, false
	}
	f := timedHeader.FindSubmatch(line)
	event := []byte(nil)
	if f != nil {
		h.timed = true
		event = f[5]
		var err error
		if h.time, err = strconv.ParseFloat(string(f[4]), 64); err != nil {
			return h, false
		}
	} else if f = plainHeader.FindSubmatch(line); f != nil {
		event = f[4]
	} else {
		return h, false
	}
	h.comm = valid(bytes.TrimSpace(f[1]))
	first, err := strconv.ParseInt(string(f[2]), 10, 64)
	if err != nil {
		return h, false
	}
	h.tid = first
	if len(f[3]) > 0 {
		h.pid, h.hasPID = first, true
		if h.tid, err = strconv.ParseInt(string(f[3]), 10, 64); err != nil {
			return h, false
		}
	}
	if bytes.HasPrefix(event, []byte("PERF_RECORD_")) {
		h.record = true
		return h, true
	}
	return h.withEvent(event)
}

// withEvent reads what follows the time.
func (h header) withEvent(text []byte) (header, bool) {
	f := eventText.FindSubmatch(text)
	if f == nil {
		return h, false
	}
	h.period = 1
	if len(f[1]) > 0 {
		n, err := strconv.ParseInt(string(f[1]), 10, 64)
		if err != nil {
			return h, false
		}
		h.period = n
	}
	// The name is what stands before the last ':' that a blank or the end
	// follows; eventText stops at the first such one.
	h.event = valid(f[2])
	if at := modifiers.FindStringIndex(h.event); at != nil && at[0] > 0 {
		h.event = h.event[:at[0]]
	}
	h.rest = f[3]
	return h, h.event != ""
}

// frame is one line of a stack.
type frame struct {
	addr    uint64
	symbol  string // "" when perf has none
	object  string // the program or library, "" when perf has none
	file    string
	line    int64
	inlined bool
}

// parseFrame reads "ADDRESS SYMBOL+0xOFFSET (OBJECT)", the object optional.
func parseFrame(line []byte) (f frame, ok bool) {
	line = bytes.TrimSpace(line)
	digits := 0
	for digits < len(line) && isHex(line[digits]) {
		digits++
	}
	if digits == 0 || digits > 16 || digits == len(line) || line[digits] != ' ' && line[digits] != '\t' {
		return f, false
	}
	f.addr, _ = strconv.ParseUint(string(line[:digits]), 16, 64)
	rest := bytes.TrimSpace(line[digits:])
	if i := objectStart(rest); i >= 0 {
		f.object = valid(rest[i+1 : len(rest)-1])
		rest = bytes.TrimSpace(rest[:i])
	}
	f.symbol = valid(rest)
	if i := strings.LastIndex(f.symbol, "+0x"); i > 0 {
		f.symbol = f.symbol[:i]
	}
	if f.symbol == "[unknown]" {
		f.symbol = ""
	}
	switch f.object {
	case "inlined":
		f.inlined, f.object = true, ""
	case "[unknown]":
		f.object = ""
	}
	return f, true
}

// objectStart is the index of the parenthesis that opens the object at the
// end of a frame, -1 if there is none. Objects hold balanced parentheses of
// their own: "(/bin/x (deleted))".
func objectStart(b []byte) int {
	if len(b) == 0 || b[len(b)-1] != ')' {
		return -1
	}
	depth := 0
	for i := len(b) - 1; i >= 0; i-- {
		switch b[i] {
		case ')':
			depth++
		case '(':
			if depth--; depth == 0 {
				if i > 0 && b[i-1] != ' ' && b[i-1] != '\t' {
					return -1
				}
				return i
			}
		}
	}
	return -1
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}
