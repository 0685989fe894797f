package goheap

import (
	"encoding/binary"
	"slices"
	"testing"
)

// TestUses finds the addresses of functions that instructions load.
func TestUses(t *testing.T) {
	const at = 0x412340
	words := func(list ...uint32) (b []byte) {
		for _, w := range list {
			b = binary.LittleEndian.AppendUint32(b, w)
		}
		return b
	}
	for name, c := range map[string]struct {
		arm  bool
		code []byte
		want []uint64
	}{
		"LEAQ 0x100(RIP), CX":           {false, []byte{0x90, 0x48, 0x8d, 0x0d, 0, 1, 0, 0}, []uint64{at + 8 + 0x100}},
		"LEAQ -0x100(RIP), R9":          {false, []byte{0x4c, 0x8d, 0x0d, 0, 0xff, 0xff, 0xff}, []uint64{at + 7 - 0x100}},
		"LEAQ 0x100(CX), CX":            {false, []byte{0x48, 0x8d, 0x89, 0, 1, 0, 0}, nil},
		"MOVQ 0x100(RIP), CX":           {false, []byte{0x48, 0x8b, 0x0d, 0, 1, 0, 0}, nil},
		"the page after, and an offset": {true, words(0xb0000000, 0x910d0000), []uint64{0x413340}},
		"the page before":               {true, words(0xf0ffffe0, 0x910d0000), []uint64{0x411340}},
		"shifted":                       {true, words(0xb0000000, 0x91400400), []uint64{0x414000}},
		"another register":              {true, words(0xb0000000, 0x910d0020), nil},
	} {
		v := &heapView{frames: &frames{arm: c.arm}}
		var got []uint64
		v.uses(c.code, at, func(_, entry uint64) { got = append(got, entry) })
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %#x, want %#x", name, got, c.want)
		}
	}
}

// TestClosuresWithoutSamples: what closures have captured is known without
// DWARF that says so, and without a memory profile.
func TestClosuresWithoutSamples(t *testing.T) {
	check := func(t *testing.T, exe string, layouts *Program) {
		h, err := Read(openExe(t, exe, layouts), start(t, exe, "-rate=0"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		complete := 0
		for v := h.FirstObject; v < uint32(h.Graph.Vertices()); v++ {
			typ, slot := h.Type(v), h.slotOf(v)
			s := h.spanOf(slot)
			if typ == nil || typ.Role != RoleClosure || s.mode != scanBitmap || s.bitmapAt(slot) == 0 {
				continue
			}
			if len(typ.Fields) > 1 {
				complete++
			} else {
				t.Errorf("nothing is known of what %s has captured", typ.Name)
			}
		}
		if complete < 200 {
			t.Errorf("only %d closures that have captured something", complete)
		}
	}
	t.Run("stripped", func(t *testing.T) { check(t, build(t, "leaksvc", "", "-ldflags=-s -w"), openExe(t, leaksvc(t), nil)) })
	t.Run("go1.22.12", func(t *testing.T) {
		needToolchain(t, "go1.22.12")
		check(t, build(t, "leaksvc", "go1.22.12"), nil)
	})
}

// TestMapsOfSlots: where nothing but the memory profile tells types, each map
// whose slots are known is known as a map.
func TestMapsOfSlots(t *testing.T) {
	check := func(t *testing.T, exe string, layouts *Program) {
		h, err := Read(openExe(t, exe, layouts), start(t, exe, "-rate=1"), Options{})
		if err != nil {
			t.Fatal(err)
		}
		maps, slots := 0, 0
		before124 := h.lay.Map.Dir == absent
		for v := h.FirstObject; v < uint32(h.Graph.Vertices()); v++ {
			if typ := h.Type(v); typ != nil && typ.Role == RoleMap {
				maps++
			}
			for _, to := range h.Graph.Targets(v) {
				if typ := h.Type(to); typ == nil || typ.Role != RoleGroup || !h.IsObject(to) {
					continue
				}
				slots++
				if before124 && h.Vertex(v).Size == 24 { // runtime.mapextra, of a map with overflow buckets
					continue
				}
				if from := h.Type(v); from == nil || from.Role != RoleMap && !from.insideMap() {
					t.Errorf("%s points to %s", h.Name(v), h.Name(to))
				}
			}
		}
		if maps < 2000 || slots < 2000 {
			t.Errorf("only %d maps and %d slots", maps, slots)
		}
	}
	t.Run("stripped", func(t *testing.T) { check(t, build(t, "leaksvc", "", "-ldflags=-s -w"), openExe(t, leaksvc(t), nil)) })
	t.Run("go1.22.12", func(t *testing.T) {
		needToolchain(t, "go1.22.12")
		check(t, build(t, "leaksvc", "go1.22.12", "-ldflags=-s -w"), openExe(t, build(t, "leaksvc", "go1.22.12"), nil))
	})
}
