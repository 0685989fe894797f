package folded

import (
	"bytes"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/profile"
)

func TestDecode(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []string // of each sample type, encoded
		warnings int
	}{
		{"plain", "main;a;b 12\nmain;a 3\nmain;a;b 1\n", []string{"main;a 3\nmain;a;b 13\n"}, 0},
		{"blanks and digits in names", "main;operator new(unsigned long) 2 7\nmain;x 5\n", []string{"main;operator new(unsigned long) 2 7\nmain;x 5\n"}, 0},
		{"comments, CRLF, no last line end", "# made by\r\n\r\nmain;a 1\r\nmain;b\t2", []string{"main;a 1\nmain;b 2\n"}, 0},
		{"two columns", "main;a 1 5\nmain;b 2 0\n", []string{"main;a 1\nmain;b 2\n", "main;a 5\n"}, 0},
		{"fractions", "main;a 1.6\nmain;b 2\n", []string{"main;a 2\nmain;b 2\n"}, 1},
		{"negative", "main;a -4\n", []string{"main;a -4\n"}, 0},
		{"a root like a comment", ";#1;a 4\n", []string{";#1;a 4\n"}, 0},
		{"empty frames", ";main;;a; 4\n", []string{"main;a 4\n"}, 0},
		{"invalid utf-8", "main;a\xff;b 4\n", []string{"main;a\uFFFD;b 4\n"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if !Looks([]byte(tt.in)) {
				t.Error("not recognized")
			}
			p, err := Decode(strings.NewReader(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.SampleTypes) != len(tt.want) {
				t.Fatalf("sample types %v", p.SampleTypes)
			}
			for i, want := range tt.want {
				var buf bytes.Buffer
				if err := Encode(&buf, p, i); err != nil {
					t.Fatal(err)
				}
				if buf.String() != want {
					t.Errorf("type %d:\n got %q\nwant %q", i, buf.String(), want)
				}
			}
			if len(p.Warnings) != tt.warnings {
				t.Error(p.Warnings)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for in, want := range map[string]string{
		"main;a\n":                          "line 1: want FRAME;FRAME;... VALUE",
		"main;a 1\nmain;b x\n":              "line 2: want",
		"main;a 99999999999999999999\n":     "line 1: want",
		"main;a 1 2\nmain;b 2 3\n\nab 7 \n": "",
	} {
		_, err := Decode(strings.NewReader(in))
		if want == "" {
			if err != nil {
				t.Errorf("%q: %v", in, err)
			}
			continue
		}
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: error %v, want %s", in, err, want)
		}
	}
}

func TestLooksRefuses(t *testing.T) {
	for _, in := range []string{"", "hello world 12\n", "a;b\n", "a;b 1\nfoo\n", "\x00;b 1\n", "a,b,c\n1;2,3\n"} {
		if Looks([]byte(in)) {
			t.Errorf("claims %q", in)
		}
	}
}

// TestEncode covers what Decode never makes: addresses, inlined calls, names
// with separators, several stacks that become one line.
func TestEncode(t *testing.T) {
	b := profile.NewBuilder(profile.ValueType{Type: "x", Unit: "count"}, profile.ValueType{Type: "y", Unit: "count"})
	line := func(name string) profile.Line { return profile.Line{Function: b.Function(name, "", "", 0)} }
	inl := b.Location(0, 1, line("inner"), line("outer"))
	bare := b.Location(0, 0xabc)
	typed := b.Location(0, 2, line("f[struct { A int; B\n int }]"))
	typed2 := b.Location(0, 3, line("f[struct { A int; B\n int }]"))
	nameless := b.Location(0, 4, line(""))
	b.Sample([]profile.LocationID{inl, bare}, []int64{1, 0})
	b.Sample([]profile.LocationID{typed, nameless}, []int64{2, 9})
	b.Sample([]profile.LocationID{typed2, nameless}, []int64{3, -9})
	b.Sample(nil, []int64{3, 3})
	p, err := b.Profile()
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	if err := Encode(&buf, p, 0); err != nil {
		t.Fatal(err)
	}
	if want := "0x4;f[struct { A int: B  int }] 5\n0xabc;outer;inner 1\n"; buf.String() != want {
		t.Errorf("\n got %q\nwant %q", buf.String(), want)
	}
	buf.Reset()
	if err := Encode(&buf, p, 1); err != nil || buf.Len() != 0 {
		t.Errorf("type y: %q, %v", buf.String(), err)
	}
	if err := Encode(&buf, p, 2); err == nil {
		t.Error("no error for a missing sample type")
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"main;a;b 12\nmain;a 3\n", "a;b 1 2\na;c 3 4\n", "# c\n\na;b 1.5\n", ";;; 1\n", "a;b -9223372036854775808\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		Looks(data)
		p, err := Decode(bytes.NewReader(data))
		if err != nil {
			return
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		var once, twice bytes.Buffer
		last := len(p.SampleTypes) - 1
		if err := Encode(&once, p, last); err != nil {
			t.Fatal(err)
		}
		q, err := Decode(bytes.NewReader(once.Bytes()))
		if err != nil {
			t.Fatalf("our own output %q: %v", once.Bytes(), err)
		}
		if len(q.SampleTypes) > 1 {
			return // every name ends in a number
		}
		if err := Encode(&twice, q, 0); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(once.Bytes(), twice.Bytes()) {
			t.Errorf("round trip:\n%q\n%q", once.Bytes(), twice.Bytes())
		}
	})
}
