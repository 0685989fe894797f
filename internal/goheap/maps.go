package goheap

import (
	"encoding/binary"
	"math/bits"
	"reflect"
)

// headers of maps are found from below where nothing says what they are, as in
// stripped programs: a table or group of a known type, which the memory profile
// or another map has told, is only pointed to by its map.

// maps types the headers of maps whose slots have a type; all else of a map
// follows from its header. What the maps hold may be maps again.
func (ty *typing) maps() {
	size := ty.lay.Map.Size
	if ty.lay.Map.Dir == absent {
		size = ty.lay.HMap.Size
	}
	for found := true; found && size > 0; {
		found = false
		for i := range ty.spans {
			s := &ty.spans[i]
			if s.mem == nil || s.elem < size || s.elem >= size+16 { // the size class
				continue
			}
			for k := range s.count {
				slot := s.first + k
				if ty.of[slot] != 0 || !ty.allocated(slot) {
					continue
				}
				if t := ty.mapOf(s.contents(slot)); t != nil {
					ty.set(ty.addr(slot)+s.payload(), t, false)
					found = found || ty.of[slot] != 0
				}
			}
		}
		ty.drain()
	}
}

// mapOf is the type of the header of a map, if memory looks like one.
func (ty *typing) mapOf(mem []byte) *Type {
	l := ty.lay
	word := func(off uint64) uint64 {
		if off+8 > uint64(len(mem)) {
			return 0
		}
		return binary.LittleEndian.Uint64(mem[off:])
	}
	if l.Map.Dir == absent {
		return ty.headerOf(ty.groupAt(word(l.HMap.Buckets)))
	}
	dir, n := word(l.Map.Dir), word(l.Map.DirLen)
	if n == 0 { // a small map
		return ty.headerOf(ty.groupAt(dir))
	}
	slot, s := ty.find(dir)
	if s == nil || s.mem == nil || bits.OnesCount64(n) != 1 || n > s.elem/8 || dir != ty.addr(slot)+s.payload() {
		return nil
	}
	tables := s.contents(slot)[s.payload():]
	for ; n > 0 && len(tables) >= 8; tables, n = tables[8:], n-1 {
		slot, s := ty.find(binary.LittleEndian.Uint64(tables))
		if s == nil || s.mem == nil {
			return nil
		}
		if table := s.contents(slot); l.Table.Groups+8 <= uint64(len(table)) {
			if t := ty.groupAt(binary.LittleEndian.Uint64(table[l.Table.Groups:])); t != nil {
				return ty.headerOf(t)
			}
		}
	}
	return nil
}

// groupAt is the type of the slots of a map that begin at an address, nil if
// there are none.
func (ty *typing) groupAt(p uint64) *Type {
	slot, s := ty.find(p)
	if s == nil || p != ty.addr(slot)+s.payload() {
		return nil
	}
	if t := ty.types.all[ty.of[slot]]; t != nil && t.Role == RoleGroup && t.shown != "" {
		return t
	}
	return nil
}

// headerOf is the type of the header of a map with such slots.
func (ty *typing) headerOf(group *Type) *Type {
	if group == nil {
		return nil
	}
	if t, ok := ty.mapTypes[group]; ok {
		return t
	}
	m := ty.types.byName(group.shown)
	if m == nil || m.Kind != reflect.Map || m.header == nil {
		m = ty.types.add(&Type{Name: group.shown, Size: 8, Kind: reflect.Map, Key: group.Key, Elem: group.Elem})
		m.header = ty.types.mapHeader(group)
		ty.types.mark(m)
	}
	ty.mapTypes[group] = m.header
	return m.header
}
