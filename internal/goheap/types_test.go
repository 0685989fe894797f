package goheap

import (
	"debug/dwarf"
	"encoding/binary"
	"fmt"
	"reflect"
	"testing"
)

// TestFlattenNested flattens types that have the next simpler one inside
// twice, with pointers at the bottom and without.
func TestFlattenNested(t *testing.T) {
	for _, bottom := range []*Type{{Name: "int", Size: 8, Kind: reflect.Int}, {Name: "*int", Size: 8, Kind: reflect.Pointer}} {
		tt := newTypeTable(&dwarfIndex{}, &layout{})
		u := bottom
		for i := range 25 {
			u = &Type{Name: fmt.Sprint("T", i), Size: 2 * u.Size, Kind: reflect.Struct, Fields: []Field{{"a", 0, u}, {"b", u.Size, u}}}
		}
		for i := range 60 { // 2 to the power of 60 visits, were each made
			u = &Type{Name: fmt.Sprint("Z", i), Size: u.Size, Kind: reflect.Struct, Fields: []Field{{"a", 0, u}, {"b", 0, u}}}
		}
		slots := tt.flatten(u)
		if bottom.Kind == reflect.Int && len(slots) != 0 || bottom.Kind == reflect.Pointer && (len(slots) != maxSlots+1 || slots[100].off != 800) {
			t.Errorf("%s: %d pointers", bottom.Name, len(slots))
		}
	}
}

// TestFlattenItself flattens a type that is inside itself.
func TestFlattenItself(t *testing.T) {
	tt := newTypeTable(&dwarfIndex{}, &layout{})
	u := &Type{Name: "T", Size: 16, Kind: reflect.Struct}
	u.Fields = []Field{{"p", 0, &Type{Size: 8, Kind: reflect.UnsafePointer}}, {"t", 8, u}}
	if slots := tt.flatten(u); len(slots) == 0 || len(slots) > 2 {
		t.Errorf("%d pointers", len(slots))
	}
}

// TestTypesInARow reads pointers to pointers to pointers, more of them than the
// stack has room for.
func TestTypesInARow(t *testing.T) {
	const rows, header = 2 * maxDepth, 11
	abbrev := []byte{1, 0x11, 1, 0, 0, // a unit that has children
		2, 0x0f, 0, 0x49, 0x13, 0, 0, // a pointer type, its type as ref4
		0}
	info := make([]byte, header, header+1+5*rows+1)
	binary.LittleEndian.PutUint16(info[4:], 4)
	info[10] = 8
	info = append(info, 1)
	first := len(info)
	for i := range rows {
		info = binary.LittleEndian.AppendUint32(append(info, 2), uint32(first+5*min(i+1, rows-1)))
	}
	info = append(info, 0)
	binary.LittleEndian.PutUint32(info, uint32(len(info)-4))
	data, err := dwarf.New(abbrev, nil, nil, info, nil, nil, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	tt := newTypeTable(&dwarfIndex{data: data}, &layout{})
	n := 0
	for u := tt.at(dwarf.Offset(first)); u != nil && u.Elem != nil && n < rows; u = u.Elem {
		n++
	}
	if n < maxDepth-1 || n > maxDepth+1 {
		t.Errorf("%d types in a row were read", n)
	}
	if tt.depth != 0 {
		t.Errorf("at depth %d at the end", tt.depth)
	}
}
