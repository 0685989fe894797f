package goheap

import (
	"reflect"
	"strings"
)

// abiTypes reads the types the runtime has in memory, by the address of their
// abi.Type. Where DWARF has the same type, that is taken: it knows more.
type abiTypes struct {
	*typeTable
	mem     *reader
	modules []*module
	bias    uint64
}

// direct tells whether a value of the type stands in the interface word
// itself, as pointers do.
func (a *abiTypes) direct(addr uint64) bool {
	if flag, ok := a.lay.consts["internal/abi.TFlagDirectIface"]; ok { // since 1.26
		return int64(a.mem.u8(addr+a.lay.Type.TFlag))&flag != 0
	}
	return a.mem.u8(addr+a.lay.Type.Kind)&32 != 0
}

// typeAt gives the type whose abi.Type is at addr, nil if there is none there.
func (a *abiTypes) typeAt(addr uint64) *Type {
	if addr == 0 {
		return nil
	}
	if t, ok := a.byAddr[addr]; ok {
		return t
	}
	a.byAddr[addr] = nil
	t := a.fromDWARF(addr)
	if t == nil {
		t = a.decode(addr)
	} else {
		a.byAddr[addr] = t
	}
	return t
}

// fromDWARF finds the type by DW_AT_go_runtime_type, which is an address as
// linked, or in newer versions an offset from the first type.
func (a *abiTypes) fromDWARF(addr uint64) *Type {
	if off, ok := a.dw.runtime[addr-a.bias]; ok {
		return a.typeTable.at(off)
	}
	for _, m := range a.modules[:min(1, len(a.modules))] {
		if off, ok := a.dw.runtime[addr-m.types]; ok && addr >= m.types && addr < m.etypes {
			return a.typeTable.at(off)
		}
	}
	return nil
}

// decode reads an abi.Type that DWARF does not have: all of a stripped
// program, and those made by reflect.
func (a *abiTypes) decode(addr uint64) *Type {
	m, l := a.mem, a.lay
	if !m.has(addr) || a.depth > maxDepth {
		return nil
	}
	a.depth++
	defer func() { a.depth-- }()
	size, kind := int64(m.u64(addr+l.Type.Bytes)), reflect.Kind(m.u8(addr+l.Type.Kind)&31)
	if size < 0 || size > 1<<40 || kind == 0 || kind > reflect.UnsafePointer {
		return nil
	}
	name := a.name(addr)
	if name == "" {
		return nil
	}
	t := a.add(&Type{Name: name, Size: size, Kind: kind})
	a.byAddr[addr] = t
	t.setRole()
	x := &l.ABI
	switch kind {
	case reflect.Pointer:
		t.Elem = a.typeAt(m.u64(addr + x.Ptr.Elem))
	case reflect.Slice:
		t.Elem = a.typeAt(m.u64(addr + x.Slice.Elem))
	case reflect.Array:
		t.Elem, t.Len = a.typeAt(m.u64(addr+x.Array.Elem)), int64(m.u64(addr+x.Array.Len))
	case reflect.Chan:
		t.Elem = a.typeAt(m.u64(addr + x.Chan.Elem))
		t.header = a.add(&Type{Name: "hchan", Size: int64(l.Chan.Size), Kind: reflect.Struct, Elem: t.Elem, Role: RoleChan, shown: t.Name,
			Fields: []Field{{"buf", int64(l.Chan.Buf), a.word}}})
	case reflect.Map:
		t.Key, t.Elem = a.typeAt(m.u64(addr+x.Map.Key)), a.typeAt(m.u64(addr+x.Map.Elem))
		t.header = a.mapHeader(a.typeAt(m.u64(addr + x.Map.Group)))
		a.mark(t)
	case reflect.Struct:
		a.fields(t, addr)
	case reflect.Interface:
		t.methods = m.u64(addr+x.Interface.Methods+8) != 0
	}
	return t
}

// fields reads the fields of a struct type.
func (a *abiTypes) fields(t *Type, addr uint64) {
	x := &a.lay.ABI
	p, n := a.mem.slice(addr+x.Struct.Fields, x.Field.Size)
	for i := range min(n, 4096) {
		f := p + i*x.Field.Size
		if ft := a.typeAt(a.mem.u64(f + x.Field.Type)); ft != nil {
			t.Fields = append(t.Fields, Field{a.nameAt(a.mem.u64(f + x.Field.Name)), int64(a.mem.u64(f + x.Field.Offset)), ft})
		}
	}
}

// mapHeader builds the types DWARF would have for the parts of a map.
func (a *abiTypes) mapHeader(group *Type) *Type {
	l := a.lay
	pointer := func(to *Type) *Type { return a.add(&Type{Name: "*group", Size: 8, Kind: reflect.Pointer, Elem: to}) }
	if l.Map.Dir == absent { // before 1.24: group is a bucket
		return a.add(&Type{Name: "hmap", Size: int64(l.HMap.Size), Kind: reflect.Struct, Fields: []Field{
			{"buckets", int64(l.HMap.Buckets), pointer(group)}, {"oldbuckets", int64(l.HMap.OldBuckets), pointer(group)}, {"extra", int64(l.HMap.Extra), a.word}}})
	}
	table := a.add(&Type{Name: "table", Size: int64(l.Table.Size), Kind: reflect.Struct, Fields: []Field{{"groups", int64(l.Table.Groups), pointer(group)}}})
	return a.add(&Type{Name: "map", Size: int64(l.Map.Size), Kind: reflect.Struct, Fields: []Field{{"dirPtr", int64(l.Map.Dir), pointer(pointer(table))}}})
}

// name reads the name of the type at addr, "" if it is not one of a module's
// types nor one with a readable name.
func (a *abiTypes) name(addr uint64) string {
	str := uint64(int64(int32(a.mem.u32(addr + a.lay.Type.Str))))
	for _, m := range a.modules {
		if addr < m.types || addr >= m.etypes {
			continue
		}
		s := a.nameAt(m.types + str)
		if a.mem.u8(addr+a.lay.Type.TFlag)&2 != 0 { // TFlagExtraStar
			s = strings.TrimPrefix(s, "*")
		}
		return s
	}
	return ""
}

// nameAt reads an abi.Name: a byte of flags, a length, the text.
func (a *abiTypes) nameAt(p uint64) string {
	if p == 0 {
		return ""
	}
	n, used := uleb(a.mem.bytes(p+1, 4))
	if used == 0 || n > 1<<12 {
		return ""
	}
	return a.mem.text(p+1+uint64(used), n)
}
