package goheap

import (
	"encoding/binary"
	"testing"
)

// TestArgsARM64 follows the addresses in registers through instructions.
func TestArgsARM64(t *testing.T) {
	const (
		at   = 0x412340
		adrp = 0xb0000000 // adrp x0, the next page
		add  = 0x910d0000 // add x0, x0, #0x340
		high = 0x91400400 // add x0, x0, #0x1000
		from = 0x910d0020 // add x0, x1, #0x340
		mov  = 0xaa0203e0 // mov x0, x2
		str  = 0xf90007e1 // str x1, [sp, #8]
		bl   = 0x94000004 // bl 16 bytes ahead
		blr  = 0xd63f0060 // blr x3
	)
	for name, c := range map[string]struct {
		code         []uint32
		target, want uint64
	}{
		"address":             {[]uint32{adrp, add, bl}, at + 8 + 16, 0x413340},
		"with others between": {[]uint32{adrp, str, add, str, bl}, at + 16 + 16, 0x413340},
		"the page alone":      {[]uint32{adrp, bl}, at + 4 + 16, 0x413000},
		"shifted":             {[]uint32{adrp, high, bl}, at + 8 + 16, 0x414000},
		"another register":    {[]uint32{adrp, from, bl}, at + 8 + 16, 0},
		"overwritten":         {[]uint32{adrp, add, mov, bl}, at + 12 + 16, 0},
		"before another call": {[]uint32{adrp, add, bl, bl}, at + 12 + 16, 0},
		"by pointer":          {[]uint32{adrp, add, blr}, 0, 0x413340},
		"no call":             {[]uint32{adrp, add}, 0, 0x413340},
	} {
		var b []byte
		for _, w := range c.code {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		if target, loaded := argsARM64(b, at); target != c.target || loaded[0] != c.want {
			t.Errorf("%s: calls %#x with %#x; want %#x with %#x", name, target, loaded[0], c.target, c.want)
		}
	}
}
