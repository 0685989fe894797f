package procstat

import (
	"bytes"
	"math"
	"os"
	"strconv"
	"strings"
)

// Collector is how the garbage collector of a Go process was set when it
// started; the process may have changed it since (debug.SetGCPercent).
type Collector struct {
	// GOGC is in percent, -1 when it is off, 100 when nothing was said.
	GOGC float64
	// MemoryLimit is GOMEMLIMIT in bytes, math.MaxInt64 when there is none.
	MemoryLimit float64
}

// Collector reads GOGC and GOMEMLIMIT from the environment of the process pid.
// ok is false when this user may not read it.
func (r Roots) Collector(pid int) (c Collector, ok bool) {
	text, err := os.ReadFile(r.proc(strconv.Itoa(pid), "environ"))
	if err != nil {
		return c, false
	}
	c = Collector{GOGC: 100, MemoryLimit: math.MaxInt64}
	for entry := range bytes.SplitSeq(text, []byte{0}) {
		key, value, _ := strings.Cut(string(entry), "=")
		switch key {
		case "GOGC":
			c.GOGC = parseGOGC(value)
		case "GOMEMLIMIT":
			c.MemoryLimit = ParseMemoryLimit(value)
		}
	}
	return c, true
}

// parseGOGC reads GOGC as the runtime does: what it cannot read is 100.
func parseGOGC(s string) float64 {
	if s == "off" {
		return -1
	}
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 100
	}
	return float64(max(n, -1))
}

// ParseMemoryLimit reads GOMEMLIMIT: bytes with one of the suffixes B, KiB,
// MiB, GiB, TiB, or off. What cannot be read is NaN; the runtime refuses to
// start with it.
func ParseMemoryLimit(s string) float64 {
	if s == "" || s == "off" {
		return math.MaxInt64
	}
	shift := 0
	for i, suffix := range [...]string{"KiB", "MiB", "GiB", "TiB"} {
		if n, ok := strings.CutSuffix(s, suffix); ok {
			s, shift = n, 10*(i+1)
			break
		}
	}
	if shift == 0 {
		s = strings.TrimSuffix(s, "B")
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64>>shift {
		return math.NaN()
	}
	return float64(n << shift)
}
