package legacy

import (
	"bytes"
	"io"
	"regexp"
	"strconv"

	"github.com/profoundhq/profound/internal/format/lines"
	"github.com/profoundhq/profound/internal/profile"
)

// A contention text of gperftools ("contentionz") or of the Go runtime
// ("contention:" for blocking, "mutex:"):
//
//	--- contentionz 1 ---
//	cycles/second = 3201000000
//	sampling period = 100
//	  19490304       27 @ 0xbccc97 0xc61202
//
// that is: cycles waited, times waited @ return addresses, leaf first.
var contentionSample = regexp.MustCompile(`(\d+) *(\d+) @`)

// LooksContention knows a contention text by its first line.
func LooksContention(head []byte) bool {
	for _, p := range []string{"--- contentionz ", "--- mutex:", "--- contention:"} {
		if bytes.HasPrefix(head, []byte(p)) {
			return true
		}
	}
	return false
}

// DecodeContention reads a contention text, with the symbols of a Go debug=1
// text.
func DecodeContention(r io.Reader) (*profile.Profile, error) {
	in := lines.NewReader(r)
	if in.Next(); !LooksContention(in.Bytes()) {
		return nil, headerError(in, `"--- contentionz 1 ---"`)
	}
	t := newTable(count("contentions"), 1, count("contentions"), nanos("delay"))
	hz, err := t.readContentionHeader(in)
	if err != nil {
		return nil, err
	}
	var st symbolState
	var addrs []uint64
	for in.Bytes() != nil {
		line := bytes.TrimSpace(in.Bytes())
		if bytes.HasPrefix(line, []byte("---")) {
			break
		}
		if len(line) > 0 && line[0] == '#' {
			t.comment(line, &st)
		} else if len(line) > 0 {
			times, delay, rest, err := parseContentionSample(in, line, t.p.Period, hz)
			if err != nil {
				return nil, err
			}
			if addrs, err = hexAddresses(in, addrs[:0], addressPart(rest)); err != nil {
				return nil, err
			}
			t.add(addrs, adjustAll, times, delay)
		}
		in.Next()
	}
	if in.Err() != nil {
		return nil, in.Err()
	}
	if err := t.readTail(in); err != nil {
		return nil, err
	}
	return t.finish(false)
}

// readContentionHeader reads the "name = value" lines and stops at the first
// line behind them. hz is the cycles in a second, 0 if not told.
func (t *table) readContentionHeader(in *lines.Reader) (hz int64, err error) {
	for in.Next() {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		name, value, found := bytes.Cut(line, []byte("="))
		if bytes.HasPrefix(line, []byte("---")) || !found {
			return hz, nil
		}
		var to *int64
		var millis int64
		switch string(bytes.TrimSpace(name)) {
		case "cycles/second":
			to = &hz
		case "sampling period":
			to = &t.p.Period
		case "ms since reset":
			to = &millis
		case "discarded samples":
			continue
		default:
			return 0, in.Errorf("unknown attribute %s in a contention profile", lines.Quote(line))
		}
		if *to, err = strconv.ParseInt(string(bytes.TrimSpace(value)), 0, 64); err != nil {
			return 0, in.Bad(`"NAME = NUMBER"`)
		}
		if to == &millis {
			t.p.DurationNanos = millis * 1000 * 1000
		}
	}
	return hz, in.Err()
}

// parseContentionSample reads the values of one line and scales them: cycles
// to nanoseconds, and both by the sampling period. rest follows the @.
func parseContentionSample(in *lines.Reader, line []byte, period, hz int64) (times, delay int64, rest []byte, err error) {
	at := contentionSample.FindSubmatchIndex(line)
	if at == nil {
		return 0, 0, nil, in.Bad(`"CYCLES TIMES @ 0xADDRESS ..."`)
	}
	var err2 error
	delay, err = strconv.ParseInt(string(line[at[2]:at[3]]), 10, 64)
	times, err2 = strconv.ParseInt(string(line[at[4]:at[5]]), 10, 64)
	if err != nil || err2 != nil {
		return 0, 0, nil, in.Errorf("value does not fit in 64 bits: %s", lines.Quote(line))
	}
	if period > 0 {
		if hz > 0 {
			delay = int64(float64(delay) * float64(period) / (float64(hz) / 1e9))
		}
		times *= period
	}
	return times, delay, line[at[1]:], nil
}
