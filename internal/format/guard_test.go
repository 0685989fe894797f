package format

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// distinctStacks is folded text without end in which every line names a new
// function.
type distinctStacks struct {
	n    int
	rest []byte
}

func (d *distinctStacks) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		for range 1000 {
			d.n++
			d.rest = fmt.Appendf(d.rest, "main;work;step%d 12\n", d.n)
		}
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

// Text that grows in memory is refused long before its size reaches the limit.
func TestGuardBoundsText(t *testing.T) {
	src := &distinctStacks{}
	counted := &countReader{r: io.LimitReader(src, 1<<30)}
	const limit = 64 << 20
	_, _, err := Decode(counted, "endless", Options{MaxBytes: limit})
	if !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	if counted.n > limit/2 {
		t.Errorf("read %d bytes before refusing, limit %d", counted.n, limit)
	}
}

type countReader struct {
	r io.Reader
	n int64
}

func (c *countReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}
