package proc

import (
	"debug/elf"
	"testing"
)

// TestWasWritable has a file with a segment that is only read up to 0x11800,
// and one that was written from 0x11800 to 0x13000.
func TestWasWritable(t *testing.T) {
	f := &openFile{segments: []elf.ProgHeader{
		{Flags: elf.PF_R, Off: 0, Filesz: 0x11800},
		{Flags: elf.PF_R | elf.PF_W, Off: 0x11800, Filesz: 0x1800},
	}}
	for _, tt := range []struct {
		name             string
		start, end, page uint64
		want             bool
	}{
		{"read only, with the page they share", 0, 0x12000, 4096, false},
		{"read only, with the large page they share", 0, 0x20000, 65536, false},
		{"relocated, then protected", 0x11000, 0x13000, 4096, true},
		{"on large pages", 0x10000, 0x20000, 65536, true},
		{"its second page alone", 0x12000, 0x13000, 4096, true},
		{"both in one mapping", 0, 0x13000, 4096, true},
		{"behind", 0x13000, 0x14000, 4096, false},
	} {
		if got := f.wasWritable(tt.start, tt.end, tt.page); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
