package goheap

import (
	"debug/dwarf"
	"reflect"
	"strings"
)

// Type is a type of the program.
type Type struct {
	// Name is as Go writes it, with the whole path of packages:
	// "map[string]*example.org/shop.Order". See Short.
	Name string
	Size int64 // bytes of a value
	Kind reflect.Kind
	// Elem is the type of elements of arrays, slices, maps, channels, and what
	// a pointer points to; nil if it is not known. Key is the type of keys.
	Elem, Key *Type
	Len       int64 // of arrays
	Fields    []Field
	// Role tells parts of the runtime's data structures from types of the
	// program.
	Role Role

	id      uint32
	header  *Type // of maps and channels: what the pointer points to
	methods bool  // of interfaces: the first word is an itab
	shown   string
	flat    bool
	slots   []slot
	mask    uint64 // pointers among the first 64 words
}

// Field is a field of a struct type.
type Field struct {
	Name   string
	Offset int64
	Type   *Type
}

// Role is what a type of the runtime is part of.
type Role uint8

// The roles of types.
const (
	RoleNone    Role = iota
	RoleMap          // the header a map variable points to
	RoleTable        // a table of a map, or pointers to tables
	RoleGroup        // slots with keys and elements
	RoleChan         // the header a channel variable points to
	RoleSyncMap      // a node of the tree inside a sync.Map
	RoleClosure      // what a func value points to
)

// slotKind is how a pointer in a value is to be followed.
type slotKind uint8

const (
	slotPtr slotKind = iota
	slotSlice
	slotString
	slotEface
	slotIface
	slotFunc
	slotUnsafe
	slotHeader // map or chan
)

// slot is a pointer inside a type: where, and what it leads to.
type slot struct {
	off  uint32
	kind slotKind
	typ  *Type
}

// maxSlots bounds the pointers listed of one type; larger arrays are walked
// element by element where they are objects of their own.
const maxSlots = 1 << 14

// maxDepth bounds how many types are read since each refers to the next: more
// than any program has, and few enough for the stack.
const maxDepth = 1 << 17

// typeTable knows the types of a program: those of DWARF, and those the
// runtime has in memory. It grows while it is used, by one goroutine.
type typeTable struct {
	dw     *dwarfIndex
	lay    *layout
	all    []*Type // by id; 0 is none
	byOff  map[dwarf.Offset]*Type
	byAddr map[uint64]*Type // abi.Type
	boxes  map[string]map[box]*Type
	depth  int // of at and decode

	bytes *Type // uint8
	word  *Type // unsafe.Pointer
}

func newTypeTable(dw *dwarfIndex, l *layout) *typeTable {
	tt := &typeTable{dw: dw, lay: l, all: make([]*Type, 1), byOff: map[dwarf.Offset]*Type{}, byAddr: map[uint64]*Type{}, boxes: map[string]map[box]*Type{}}
	tt.word = tt.add(&Type{Name: "unsafe.Pointer", Size: 8, Kind: reflect.UnsafePointer})
	tt.bytes = tt.add(&Type{Name: "uint8", Size: 1, Kind: reflect.Uint8})
	return tt
}

func (tt *typeTable) add(t *Type) *Type {
	t.id = uint32(len(tt.all))
	tt.all = append(tt.all, t)
	return t
}

// byName finds a type of DWARF, nil if there is none.
func (tt *typeTable) byName(name string) *Type {
	if off, ok := tt.dw.named[name]; ok {
		return tt.at(off)
	}
	return nil
}

// at reads the type at an offset of .debug_info. What cannot be read is a type
// without size.
func (tt *typeTable) at(off dwarf.Offset) *Type {
	if t := tt.byOff[off]; t != nil {
		return t
	}
	tt.depth++
	defer func() { tt.depth-- }()
	r := tt.dw.data.Reader()
	r.Seek(off)
	e, err := r.Next()
	if err != nil || e == nil || tt.depth > maxDepth {
		t := tt.add(&Type{Name: "?", Kind: reflect.Invalid})
		tt.byOff[off] = t
		return t
	}
	name, _ := e.Val(dwarf.AttrName).(string)
	if e.Tag == dwarf.TagTypedef {
		return tt.typedef(off, e, name)
	}
	t := tt.add(&Type{Name: name})
	tt.byOff[off] = t
	if k, ok := e.Val(attrGoKind).(int64); ok {
		t.Kind = reflect.Kind(k & 31)
	}
	if n, ok := e.Val(dwarf.AttrByteSize).(int64); ok && n >= 0 {
		t.Size = n
	}
	switch e.Tag {
	case dwarf.TagPointerType:
		t.Size, t.Kind = 8, reflect.Pointer
		if t.Elem = tt.ref(e, dwarf.AttrType); t.Elem == nil || name == "unsafe.Pointer" {
			t.Kind = reflect.UnsafePointer
		}
	case dwarf.TagSubroutineType:
		t.Kind, t.Size = reflect.Func, 8
	case dwarf.TagArrayType:
		t.Kind, t.Elem = reflect.Array, tt.ref(e, dwarf.AttrType)
		for c, err := r.Next(); err == nil && c != nil && c.Tag != 0; c, err = r.Next() {
			if n, ok := c.Val(dwarf.AttrCount).(int64); ok {
				t.Len = n
			}
		}
		if t.Elem != nil && t.Size == 0 {
			t.Size = t.Len * t.Elem.Size
		}
	case dwarf.TagStructType:
		tt.structType(t, e, r)
	}
	return t
}

// ref reads the type an attribute refers to.
func (tt *typeTable) ref(e *dwarf.Entry, a dwarf.Attr) *Type {
	if off, ok := e.Val(a).(dwarf.Offset); ok {
		return tt.at(off)
	}
	return nil
}

// typedef reads a named type. Maps and channels are typedefs of pointers to
// their headers, interfaces of the runtime's two words.
func (tt *typeTable) typedef(off dwarf.Offset, e *dwarf.Entry, name string) *Type {
	k, _ := e.Val(attrGoKind).(int64)
	kind := reflect.Kind(k)
	if kind == reflect.Map || kind == reflect.Chan {
		t := tt.add(&Type{Name: name, Size: 8, Kind: kind})
		tt.byOff[off] = t
		t.Key, t.Elem = tt.ref(e, attrGoKey), tt.ref(e, attrGoElem)
		if p := tt.ref(e, dwarf.AttrType); p != nil && p.Elem != nil {
			t.header = p.Elem
			tt.mark(t)
		}
		return t
	}
	under := tt.ref(e, dwarf.AttrType)
	if under == nil {
		under = tt.add(&Type{Name: name, Kind: kind})
	}
	if under.Name == "runtime.eface" || under.Name == "runtime.iface" {
		t := tt.add(&Type{Name: name, Size: 16, Kind: reflect.Interface, methods: under.Name == "runtime.iface"})
		tt.byOff[off] = t
		return t
	}
	tt.byOff[off] = under
	if under.Name == "" {
		under.Name = name
	}
	return under
}

// mark gives the parts of a map or channel their roles and readable names.
func (tt *typeTable) mark(t *Type) {
	h := t.header
	if h.Role != RoleNone {
		return
	}
	h.Key, h.Elem, h.shown = t.Key, t.Elem, t.Name
	if t.Kind == reflect.Chan {
		if h.Role = RoleChan; t.Elem != nil {
			h.shown = "chan " + t.Elem.Name // whatever the direction
		}
		return
	}
	h.Role = RoleMap
	part := func(p *Type, r Role) {
		if p != nil && p.Role == RoleNone {
			p.Role, p.shown = r, t.Name
			p.Key, p.Elem = t.Key, t.Elem
		}
	}
	if dir := h.field("dirPtr"); dir != nil && dir.Elem != nil { // **table
		dir.Elem.Role, dir.Elem.shown = RoleTable, t.Name // elements of the directory
		table := dir.Elem.Elem
		part(groupsOf(table), RoleGroup)
		part(table, RoleTable)
	} else if b := h.field("buckets"); b != nil {
		part(b.Elem, RoleGroup)
	}
}

// groupsOf is the type of the groups of a table.
func groupsOf(table *Type) *Type {
	if table == nil {
		return nil
	}
	g := table.field("groups")
	if g != nil && g.Kind != reflect.Pointer {
		g = g.field("data")
	}
	if g == nil {
		return nil
	}
	return g.Elem
}

// field gives the type of a field, nil if there is none.
func (t *Type) field(name string) *Type {
	for i := range t.Fields {
		if t.Fields[i].Name == name {
			return t.Fields[i].Type
		}
	}
	return nil
}

func (tt *typeTable) structType(t *Type, e *dwarf.Entry, r *dwarf.Reader) {
	switch t.Kind {
	case reflect.Slice:
		t.Elem, t.Size = tt.ref(e, attrGoElem), 24
		return
	case reflect.String:
		t.Size = 16
		return
	}
	t.Kind = reflect.Struct
	type member struct {
		name string
		off  int64
		typ  dwarf.Offset
	}
	var members []member
	for c, err := r.Next(); e.Children && err == nil && c != nil && c.Tag != 0; c, err = r.Next() {
		if c.Tag != dwarf.TagMember {
			continue
		}
		var m member
		m.name, _ = c.Val(dwarf.AttrName).(string)
		m.off, _ = c.Val(dwarf.AttrDataMemberLoc).(int64)
		m.typ, _ = c.Val(dwarf.AttrType).(dwarf.Offset)
		members = append(members, m)
	}
	for _, m := range members {
		t.Fields = append(t.Fields, Field{m.name, m.off, tt.at(m.typ)})
	}
	t.setRole()
}

// setRole knows parts of the runtime's structures by their names.
func (t *Type) setRole() {
	for _, part := range [...]string{"map.bucket[", "map.group["} {
		if of, ok := strings.CutPrefix(strings.TrimPrefix(t.Name, "noalg."), part); ok {
			t.Role, t.shown = RoleGroup, "map["+of
		}
	}
	for _, pkg := range [...]string{"internal/sync.", "internal/concurrent.", "sync."} { // the last: as abi.Type has it
		if strings.HasPrefix(t.Name, pkg+"node[") {
			t.Role = RoleSyncMap
		}
	}
}

// flatten lists the pointers of a type, from those of its parts: each type is
// looked at once. A type that has itself inside, which cannot be, ends there.
func (tt *typeTable) flatten(t *Type) []slot {
	if t.flat {
		return t.slots
	}
	t.flat = true
	tt.collect(t)
	for _, s := range t.slots {
		if w := s.off / 8; w < 64 {
			t.mask |= 1 << w
			if (s.kind == slotIface || s.kind == slotEface) && w < 63 {
				t.mask |= 2 << w
			}
		}
	}
	return t.slots
}

// collect appends the pointers of a type.
func (tt *typeTable) collect(t *Type) {
	add := func(k slotKind, e *Type) { t.slots = append(t.slots, slot{0, k, e}) }
	// part adds those of a part, and reports whether there are any.
	part := func(u *Type, off int64) bool {
		if u == nil || off < 0 {
			return false
		}
		ss := tt.flatten(u)
		for _, s := range ss {
			if off+int64(s.off) > 1<<31 || len(t.slots) > maxSlots {
				break
			}
			s.off += uint32(off)
			t.slots = append(t.slots, s)
		}
		return len(ss) > 0
	}
	switch t.Kind {
	case reflect.Pointer:
		if strings.HasPrefix(t.Name, "go.shape.") { // any pointer, in generic code
			add(slotUnsafe, nil)
			return
		}
		add(slotPtr, t.Elem)
	case reflect.UnsafePointer:
		add(slotUnsafe, nil)
	case reflect.Func:
		add(slotFunc, nil)
	case reflect.String:
		add(slotString, nil)
	case reflect.Slice:
		add(slotSlice, t.Elem)
	case reflect.Map, reflect.Chan:
		add(slotHeader, t.header)
	case reflect.Interface:
		if t.methods {
			add(slotIface, nil)
		} else {
			add(slotEface, nil)
		}
	case reflect.Array:
		if t.Elem == nil || t.Elem.Size <= 0 {
			return
		}
		for i := int64(0); i < t.Len && len(t.slots) <= maxSlots; i++ {
			if i*t.Elem.Size > 1<<31 || !part(t.Elem, i*t.Elem.Size) {
				return
			}
		}
	case reflect.Struct:
		if e, at := atomicPointer(t); e != nil {
			t.slots = append(t.slots, slot{uint32(at), slotPtr, e})
			return
		}
		if t.Name == "sync.eface" { // an any in two words, in the queues of a sync.Pool
			add(slotEface, nil)
			return
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			if t.Name == "sync.Pool" && (f.Name == "local" || f.Name == "victim") {
				t.slots = append(t.slots, slot{uint32(f.Offset), slotPtr, tt.byName("sync.poolLocal")})
				continue
			}
			part(f.Type, f.Offset)
		}
	}
}

// atomicPointer knows sync/atomic.Pointer[T] and its like in the runtime, an
// unsafe pointer behind a field [0]*T, and gives T and where the pointer is.
func atomicPointer(t *Type) (elem *Type, off int64) {
	if !strings.Contains(t.Name, "atomic.Pointer[") {
		return nil, 0
	}
	for i := range t.Fields {
		if f := t.Fields[i].Type; f.Kind == reflect.Array && f.Elem != nil && f.Elem.Kind == reflect.Pointer {
			return f.Elem.Elem, t.Fields[len(t.Fields)-1].Offset
		}
	}
	return nil, 0
}

// box says that an inner value lies at an offset.
type box struct {
	inner *Type
	off   int64
}

// container finds the only struct of a package that has such a value, or an
// array of such values, at off and fits into elem bytes; nil if there is none
// or several. So runtime.timeTimer is found from the runtime.timer inside it.
func (tt *typeTable) container(pkg string, inner *Type, off int64, elem uint64) *Type {
	if pkg == "" {
		return nil
	}
	boxes, ok := tt.boxes[pkg]
	if !ok {
		boxes = tt.boxesOf(pkg)
		tt.boxes[pkg] = boxes
	}
	t := boxes[box{inner, off}]
	if t == nil || t == tt.word || uint64(t.Size) > elem || uint64(t.Size)*4 < elem*3 {
		return nil
	}
	return t
}

// boxesOf lists what the structs of a package have inside; word stands for
// what several have.
func (tt *typeTable) boxesOf(pkg string) map[box]*Type {
	boxes := map[box]*Type{}
	for name := range tt.dw.named {
		if !strings.HasPrefix(name, pkg+".") {
			continue
		}
		t := tt.byName(name)
		if t.Kind != reflect.Struct || t.Name != name {
			continue
		}
		for i := range t.Fields {
			f := &t.Fields[i]
			in := f.Type
			if in.Kind == reflect.Array && in.Elem != nil {
				in = in.Elem
			} else if in.Kind != reflect.Struct {
				continue
			}
			if k := (box{in, f.Offset}); f.Offset > 0 {
				if old := boxes[k]; old != nil && old != t {
					boxes[k] = tt.word
				} else {
					boxes[k] = t
				}
			}
		}
	}
	return boxes
}
