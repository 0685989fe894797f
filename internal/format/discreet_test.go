package format_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/format"
)

// TestDiscreet: errors say what is wrong without what is in the file.
func TestDiscreet(t *testing.T) {
	proto := protoProfile(t)
	for name, tt := range map[string]struct {
		in   string
		want string
		is   error
	}{
		"text":          {"hunter2 is the password\n", "wanted a pprof profile", format.ErrUnrecognized},
		"bytes":         {"\x07\x07hunter2", "", nil},
		"json":          {`{"password": "hunter2"}`, "JSON", format.ErrUnrecognized},
		"count":         {"goroutine profile: total 1\nhunter2\n", "damaged", nil},
		"heap":          {"heap profile: 1: 2 [1: 2] @ heap/2\n\nhunter2\n", "damaged", nil},
		"contention":    {"--- contentionz 1 ---\nhunter2 = 3\n", "damaged", nil},
		"folded":        {strings.Repeat("a;b 1\n", 20) + "hunter2\n", "", nil},
		"empty":         {"", "empty", format.ErrEmpty},
		"cut gzip":      {string(gz(t, proto)[:40]), "ends early", io.ErrUnexpectedEOF},
		"wrapped":       {string(gz(t, []byte("hunter2 is the password\n"))), "wanted a pprof profile", format.ErrUnrecognized},
		"cut proto":     {string(proto[:len(proto)-3]), "", nil},
		"jemalloc line": {"heap_v2/524288\nhunter2\n", "damaged", nil},
	} {
		_, _, err := format.Decode(bytes.NewReader([]byte(tt.in)), "f", format.Options{Discreet: true})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		if text := err.Error(); strings.Contains(text, "hunter") || strings.Contains(text, "68 75 6e") || !strings.Contains(text, tt.want) || !strings.HasPrefix(text, "f: ") {
			t.Errorf("%s: %q, want %q", name, text, tt.want)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%s: %v is not %v", name, err, tt.is)
		}
	}
	if _, _, err := format.Decode(bytes.NewReader([]byte(strings.Repeat("main;f 3\n", 100_000))), "f", format.Options{Discreet: true, MaxBytes: 1000}); !errors.Is(err, format.ErrTooLarge) {
		t.Error(err)
	}
}
