package pprof

import (
	"bytes"
	"errors"
	"testing"

	"github.com/profoundhq/profound/internal/profile/profiletest"
)

// FuzzDecode: no input makes Decode panic; what it accepts is written and read
// again without change; and it accepts what pprof accepts, and nothing else.
func FuzzDecode(f *testing.F) {
	for name, shape := range shapes {
		if name == "large" {
			continue
		}
		shape.Samples, shape.Functions, shape.Depth = 4, 3, 4
		for _, wire := range wires {
			f.Add(profiletest.Random(1, shape).Bytes(wire))
		}
	}
	f.Add([]byte(field(2, "\x0a\xff")))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Decode(bytes.NewReader(data), Options{MaxBytes: 64 << 20})
		theirs := oracleVerdict(data)
		if err != nil {
			if theirs == nil && !errors.Is(err, ErrEmpty) {
				t.Fatalf("rejected: %v", err)
			}
			return
		}
		if theirs != nil {
			t.Fatalf("accepted, pprof says: %v", theirs)
		}
		if err := p.Check(); err != nil {
			t.Fatal(err)
		}
		once := encode(t, p)
		again, err := Decode(bytes.NewReader(once), Options{})
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		if twice := encode(t, again); !bytes.Equal(once, twice) {
			t.Fatal("no fixed point")
		}
		same(t, oracle(t, data), once)
	})
}
