package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestParseStatement(t *testing.T) {
	text := `process 4574: 71.9 MB resident; will fork it and copy from the fork: it stands still for about 4.0 ms
process 4574 stood still for 3.5 ms and runs on; 43.1 MB copied
read 12,021,132 objects in 1.6 s
`
	s := parseStatement(text)
	if s.pause != 3500*time.Microsecond || s.objects != 12021132 || int(s.copied) != 43<<20+104857 {
		t.Errorf("%+v", s)
	}
	if s := parseStatement("nothing of it"); s != (statement{}) {
		t.Errorf("%+v", s)
	}
}

func TestWithSection(t *testing.T) {
	for _, c := range []struct{ name, page, want string }{
		{"new page", "", "## A\n\nnew\n"},
		{"at the end", "# Page\n\ntext\n", "# Page\n\ntext\n\n## A\n\nnew\n"},
		{"in its place", "# Page\n\n## A\n\nold\n\n## B\n\nmore\n", "# Page\n\n## A\n\nnew\n\n## B\n\nmore\n"},
		{"the last", "# Page\n\n## B\n\nmore\n\n## A\n\nold\n", "# Page\n\n## B\n\nmore\n\n## A\n\nnew\n"},
		{"only a beginning", "## A and B\n", "## A and B\n\n## A\n\nnew\n"},
	} {
		if got := withSection(c.page, "## A\n\nnew\n"); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestQuery(t *testing.T) {
	want := []byte("\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x07example\x00\x00\x01\x00\x01")
	if got := query(0x1234, "a.example"); !bytes.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestSection wants bars that are missed to be told, and ratios of others.
func TestSection(t *testing.T) {
	row := speedRow{resident: 1 << 30, edges: 15_000_000}
	row.runs = []usage{{wall: 10 * time.Second, peak: 2 << 30, gap: 50 * time.Millisecond,
		told: statement{pause: 34 * time.Millisecond, copied: 500 << 20, objects: 12_000_000}}}
	row.rivals = []rivalRun{{"other", usage{wall: 30 * time.Second, gap: 20 * time.Second, peak: 1 << 30}}}
	s := &speed{rows: []speedRow{row}, semiNCA: time.Second, notes: []string{"no goref"}}
	text := s.section([]string{"command: x"})
	for _, want := range []string{"| 34.0 ms | at most 35.0 ms | pass |", "| 1.20 M | at least 1.8 M | MISSED |", "| 400.0x | 3.00x | 0.50x |", "- no goref\n",
		"| 1000.0 ms | less than 200.0 ms | MISSED |"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if s.ok() {
		t.Error("missed bars are fine")
	}
}

func TestAccuracyPage(t *testing.T) {
	a := &accuracy{suite: make([]suiteRow, 1), servers: make([]serverRow, 1)}
	s := &a.suite[0]
	s.toolchain, s.Objects, s.Typed, s.Missed, s.MaskAgree, s.MaskDisagree = "go1.99", 1000, 985, 1, 999, 1
	v := &a.servers[0]
	v.name, v.Bytes, v.TypedBytes = "server", 1000, 980
	v.untyped = []untyped{{"main.x.y: 16 bytes", 2, 32}}
	text := a.page(nil)
	for _, want := range []string{"| 1, 0 | none | MISSED |", "with a type | 98.50 % | at least 99 % | MISSED |", "| 99.90 % | at least 99.5 % | pass |",
		"| bytes of server with a type | 98.00 % | at least 97 % | pass |", "- 2 objects, 0.0 KiB: `main.x.y: 16 bytes`"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
}
