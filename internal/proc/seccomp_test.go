//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"encoding/binary"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestSeccomp looks at processes with a filter, which must neither end them nor
// be in the way.
func TestSeccomp(t *testing.T) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	self := parseStatus(text)
	looks := self.has(capSysAdmin) && self.Seccomp == 0
	for _, c := range []struct {
		filter, why string
		fork        bool // with the right to read the filter
	}{
		{"clone kill", "does not allow clone", false},
		{"clone errno", "does not allow clone", false},
		{"waitid kill", "does not allow waitid", false},
		{"clone allow", "", true},
		{"clone kill here", "", true}, // other threads have none
	} {
		t.Run(c.filter, func(t *testing.T) {
			child := startChild(t, "filtered "+c.filter)
			img, how, err := attachTo(t, child.pid(), Auto).Snapshot(context.Background(), child.words)
			if err != nil {
				t.Fatal(err)
			}
			defer img.Close()
			wantUnharmed(t, child.pid())
			checkPattern(t, img, &child.childSays)
			switch {
			case looks && c.fork:
				if how.Mode != Fork {
					t.Errorf("stopped, because %s", how.Reason)
				}
			case how.Mode != Stop || !strings.Contains(how.Reason, "it has a seccomp filter") || looks && !strings.Contains(how.Reason, c.why):
				t.Errorf("how: %+v", how)
			}
			if c.fork {
				return
			}
			if _, _, err := attachTo(t, child.pid(), Fork).Snapshot(context.Background(), child.words); err == nil || !strings.Contains(err.Error(), "seccomp") {
				t.Errorf("a fork that was asked for: %v", err)
			}
			wantUnharmed(t, child.pid())
		})
	}
}

// TestRunFilter runs filters of one answer each.
func TestRunFilter(t *testing.T) {
	type ins struct {
		code   uint16
		jt, jf byte
		k      uint32
	}
	data := []byte{1, 0, 0, 0, 2, 0, 0, 0, 0xff, 0, 0, 0}
	for name, c := range map[string]struct {
		prog []ins
		want uint32
		ok   bool
	}{
		"constant":            {[]ins{{0x06, 0, 0, 7}}, 7, true},
		"second word":         {[]ins{{0x20, 0, 0, 4}, {0x16, 0, 0, 0}}, 2, true},
		"behind the data":     {[]ins{{0x20, 0, 0, 12}, {0x16, 0, 0, 0}}, 0, false},
		"between words":       {[]ins{{0x20, 0, 0, 2}, {0x16, 0, 0, 0}}, 0, false},
		"length":              {[]ins{{0x80, 0, 0, 0}, {0x16, 0, 0, 0}}, 12, true},
		"scratch":             {[]ins{{0x00, 0, 0, 5}, {0x02, 0, 0, 3}, {0x01, 0, 0, 3}, {0x60, 0, 0, 3}, {0x0c, 0, 0, 0}, {0x16, 0, 0, 0}}, 8, true},
		"jump over":           {[]ins{{0x05, 0, 0, 1}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}}, 2, true},
		"equal":               {[]ins{{0x20, 0, 0, 0}, {0x15, 1, 0, 1}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}}, 2, true},
		"not above":           {[]ins{{0x20, 0, 0, 0}, {0x25, 1, 0, 1}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}}, 1, true},
		"at least":            {[]ins{{0x20, 0, 0, 0}, {0x35, 1, 0, 1}, {0x06, 0, 0, 1}, {0x06, 0, 0, 2}}, 2, true},
		"bits":                {[]ins{{0x20, 0, 0, 8}, {0x54, 0, 0, 0xf0}, {0x74, 0, 0, 4}, {0x16, 0, 0, 0}}, 15, true},
		"through x":           {[]ins{{0x00, 0, 0, 9}, {0x07, 0, 0, 0}, {0x00, 0, 0, 4}, {0x1c, 0, 0, 0}, {0x84, 0, 0, 0}, {0x16, 0, 0, 0}}, 5, true},
		"division by nothing": {[]ins{{0x34, 0, 0, 0}, {0x16, 0, 0, 0}}, 0, false},
		"no answer":           {[]ins{{0x00, 0, 0, 9}}, 0, false},
		"unknown instruction": {[]ins{{0xffff, 0, 0, 9}}, 0, false},
		"nothing":             {nil, 0, false},
	} {
		var b []byte
		for _, i := range c.prog {
			b = binary.LittleEndian.AppendUint16(b, i.code)
			b = append(b, i.jt, i.jf)
			b = binary.LittleEndian.AppendUint32(b, i.k)
		}
		if got, ok := runFilter(b, data); got != c.want || ok != c.ok {
			t.Errorf("%s: %d %v, want %d %v", name, got, ok, c.want, c.ok)
		}
	}
	for i, c := range calls(runtime.GOARCH, 0) {
		for answer, want := range map[uint32]bool{0: false, 0x80000000: false, 0x30000: false, 0x50001: false, 0x7fc00000: false, 0x7ff00000: false, 0x7ffc0000: true, 0x7fff0000: true} {
			if c.allowed(runtime.GOARCH, testFilter(c.nr, answer)) != want {
				t.Errorf("call %d, %s, answered %#x: want %v", i, c.name(), answer, want)
			}
		}
	}
}

func FuzzRunFilter(f *testing.F) {
	f.Add(testFilter(56, 0x7fff0000))
	f.Fuzz(func(t *testing.T, prog []byte) {
		runFilter(prog, make([]byte, 64))
	})
}
