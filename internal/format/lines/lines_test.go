package lines

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestReader(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	in := BOM + "a\r\n\n" + long + "\nlast"
	r := NewReader(bufio.NewReaderSize(strings.NewReader(in), 16))
	var got []string
	for r.Next() {
		got = append(got, r.Text())
		if len(got) == 2 {
			r.Unread()
			if !r.Next() || r.Num() != 2 || r.Text() != "" {
				t.Errorf("unread: line %d %q", r.Num(), r.Text())
			}
		}
	}
	if want := []string{"a", "", long, "last"}; strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("got %.80q", got)
	}
	if r.Err() != nil || r.Bytes() != nil || r.Next() {
		t.Errorf("behind the end: %v %q", r.Err(), r.Bytes())
	}
}

func TestReaderErrors(t *testing.T) {
	r := NewReader(strings.NewReader("ab\n" + strings.Repeat("x", 200_000)))
	r.maxLen = 100_000
	for r.Next() {
	}
	if r.Err() == nil || !strings.HasPrefix(r.Err().Error(), "line 2: longer than 100000 bytes") {
		t.Error(r.Err())
	}
	broken := errors.New("broken")
	r = NewReader(io.MultiReader(strings.NewReader("one\ntw"), &failing{broken}))
	if !r.Next() || r.Next() || !errors.Is(r.Err(), broken) || !strings.HasPrefix(r.Err().Error(), "after line 1: ") {
		t.Error(r.Err())
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

func TestFirst(t *testing.T) {
	line, rest := First([]byte("\n# c\r\n  x y \nz"))
	if string(line) != "x y" || string(rest) != "z" {
		t.Errorf("%q %q", line, rest)
	}
	if line, _ := First([]byte("#\n\n")); line != nil {
		t.Errorf("%q", line)
	}
}
