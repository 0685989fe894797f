package goheap

import (
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
)

// typing gives objects their types. Some are noted by the runtime; from those,
// and from typed roots, types follow the pointers.
type typing struct {
	*heapView
	of       []uint32 // slot -> id of the type of its first value; 0 is unknown
	exact    []uint64 // bit per slot: noted by the runtime
	array    []uint64 // bit per slot: something sees several values
	work     []typed
	mapTypes map[*Type]*Type // header of a map, by type of its slots; see headerOf
	// holder is the type whose pointers are being followed.
	holder *Type
	// inner has the types of values inside objects whose own type is not
	// known, by address.
	inner map[uint64]uint32
	// refused has, of objects that were said to be of a type that contradicts
	// their pointer bitmap, that type.
	refused  map[uint32]uint32
	closures map[uint64]*Type
	channels map[*Type]*Type // by type of the elements, of those known by their header only
	// signatures are types of functions, by the number of types behind them.
	signatures map[int64]*Type
	timer      *Type // runtime.timeTimer
	textual    *Type // the bytes of a string
	closed     *Type // a closure of which the contents are not there
}

// typed is a value whose pointers are to be followed: a whole slot, or only
// one value in it. There can be as many as objects.
type typed struct {
	slot uint32
	off  uint32
	typ  uint32 // id of the type; see oneValue
}

// oneValue in typed.typ says that only one value is meant.
const oneValue = 1 << 31

func newTyping(v *heapView) *typing {
	n := len(v.alloc)
	ty := &typing{heapView: v, of: make([]uint32, v.slots), exact: make([]uint64, n), array: make([]uint64, n),
		inner: map[uint64]uint32{}, channels: map[*Type]*Type{}, mapTypes: map[*Type]*Type{}, refused: map[uint32]uint32{}, closures: map[uint64]*Type{}, signatures: map[int64]*Type{}, timer: v.types.byName("runtime.timeTimer")}
	ty.closed = v.types.add(&Type{Name: "func", Size: 8, Kind: reflect.Struct, Role: RoleClosure})
	ty.textual = v.types.add(&Type{Name: "uint8", shown: "string", Size: 1, Kind: reflect.Uint8})
	return ty
}

func setBit(bits []uint64, slot uint32)      { bits[slot/64] |= 1 << (slot % 64) }
func hasBit(bits []uint64, slot uint32) bool { return bits[slot/64]>>(slot%64)&1 != 0 }

// run types all objects it can, from the headers and the roots.
func (ty *typing) run(list []root) {
	ty.headers()
	ty.drain()
	for i := range list {
		r := &list[i]
		if r.typ == nil {
			continue
		}
		if r.kind == KindLocal { // only what is alive in the frame can be trusted
			slots := ty.types.flatten(r.typ)
			for _, ref := range r.refs {
				for _, s := range slots {
					if r.typ.Size > 0 && int64(s.off) == ref.off%r.typ.Size { // of one of several values, in an array
						ty.follow(s, ref.addr, 0)
					}
				}
			}
		} else if r.typ.Size > 0 && r.typ.Size < 1<<30 {
			mem := make([]byte, r.typ.Size)
			ty.mem.fill(mem, r.addr)
			ty.visitAll(mem, r.typ, -1)
		}
		ty.drain()
	}
}

// functions types the closures among the references of specials.
func (ty *typing) functions(list []root) {
	for i := range list {
		r := &list[i]
		if r.kind != KindSpecial || r.ofObject {
			continue
		}
		for _, ref := range r.refs {
			switch {
			case r.arg != nil && (ref.off == 8 || len(r.refs) == 1):
				ty.set(ref.addr, r.arg, false)
			case ty.of[ref.slot] == 0:
				ty.function(ref.addr)
			}
		}
	}
	ty.drain()
}

// sampled types objects that nothing else has typed by the instructions that
// allocated them.
func (ty *typing) sampled(list []special) {
	ty.captured(list)
	for _, sp := range list {
		if sp.kind != specialProfile || ty.of[sp.slot] != 0 {
			continue
		}
		if t := ty.bucketType(sp.bucket); t != nil {
			s := ty.spanOf(sp.slot)
			if t.Kind == reflect.Chan {
				t = t.header
			}
			if t != nil && ty.fits(s, sp.slot, t) {
				ty.set(ty.addr(sp.slot)+s.payload(), t, uint64(t.Size)*2 <= s.elem)
			}
		}
	}
	ty.drain()
	ty.captured(list)
	ty.maps()
}

// captured completes the types of closures, of which DWARF does not know what
// they have captured (before 1.23), by the structs that are allocated for them:
// those of sampled ones, and of all others where they are made. What they refer
// to may be closures again.
func (ty *typing) captured(list []special) {
	asked := map[uint64]bool{}
	for {
		done := map[uint32]bool{}
		for _, sp := range list {
			if sp.kind != specialProfile || hasBit(ty.exact, sp.slot) {
				continue
			}
			old := ty.types.all[ty.of[sp.slot]]
			if ty.incomplete(old) && capture(old, ty.bucketType(sp.bucket)) {
				done[old.id] = true
			}
		}
		wanted := map[uint64]bool{}
		for pc, t := range ty.closures {
			if ty.incomplete(t) && !asked[pc] {
				wanted[pc], asked[pc] = true, true
			}
		}
		for pc, t := range ty.made(wanted) {
			if c := ty.closures[pc]; capture(c, t) {
				done[c.id] = true
			}
		}
		if len(done) == 0 {
			return
		}
		for slot, id := range ty.of {
			if done[id] {
				ty.push(uint32(slot), uint32(ty.spanOf(uint32(slot)).payload()), ty.types.all[id], false)
			}
		}
		ty.drain()
	}
}

// incomplete tells types of closures of which nothing captured is known.
func (ty *typing) incomplete(t *Type) bool {
	return t != nil && t != ty.closed && t.Role == RoleClosure && len(t.Fields) < 2
}

// ofRuntime tells the variables of the runtime from others where they have no
// names: by the types of what they refer to.
func (ty *typing) ofRuntime(list []root) {
	for i := range list {
		r := &list[i]
		if r.kind != KindGlobal || r.typ != nil || len(r.refs) == 0 {
			continue
		}
		if !slices.ContainsFunc(r.refs, func(x ref) bool {
			t := ty.types.all[ty.of[x.slot]]
			return t == nil || !ofRuntime(strings.TrimLeft(t.Name, "[]*"))
		}) {
			r.kind = KindRuntime
		}
	}
}

// capture completes the type of one closure, if the struct fits it.
func capture(closure, site *Type) bool {
	if site == nil || site.Kind != reflect.Struct || len(site.Fields) < 2 || site.Size < closure.Size {
		return false
	}
	closure.Fields = append(closure.Fields, site.Fields[1:]...)
	closure.Size, closure.flat, closure.slots, closure.mask = site.Size, false, nil, 0
	return true
}

// headers takes the types the runtime has noted.
func (ty *typing) headers() {
	for i := range ty.spans {
		s := &ty.spans[i]
		if s.mode != scanHeader && s.mode != scanLarge {
			continue
		}
		for k := range s.count {
			slot := s.first + k
			if !ty.allocated(slot) {
				continue
			}
			if t := ty.types.typeAt(s.header(slot)); t != nil && t.Size > 0 {
				ty.of[slot] = t.id
				setBit(ty.exact, slot)
				if uint64(t.Size)*2 <= s.elem-s.payload() {
					setBit(ty.array, slot)
				}
				ty.push(slot, uint32(s.payload()), t, false)
			}
		}
	}
}

func (ty *typing) push(slot, off uint32, t *Type, one bool) {
	if len(ty.types.flatten(t)) > 0 || t.Role != RoleNone {
		w := typed{slot, off, t.id}
		if one {
			w.typ |= oneValue
		}
		ty.work = append(ty.work, w)
	}
}

// set says that a value of type t is at an address; many, that more may follow.
func (ty *typing) set(p uint64, t *Type, many bool) {
	if t == nil || p == 0 || t.Size <= 0 {
		return
	}
	slot, s := ty.find(p)
	if s == nil || !ty.allocated(slot) { // what a free slot has left says nothing
		return
	}
	off := p - s.base - uint64(slot-s.first)*s.elem
	room := s.elem - s.payload()
	if off < s.payload() || uint64(t.Size) > room {
		return
	}
	off -= s.payload()
	if many && (off == 0 || s.mode == scanNone) {
		setBit(ty.array, slot)
	}
	if off != 0 {
		ty.setInner(slot, s, off, p, t)
		return
	}
	if hasBit(ty.exact, slot) {
		return
	}
	if ty.timer != nil && (t.Name == "time.Timer" || t.Name == "time.Ticker") && uint64(ty.timer.Size) <= room {
		t = ty.timer // of which they are the beginning
	}
	if old := ty.of[slot]; old != 0 {
		if o := ty.types.all[old]; o == t || o.Size > t.Size || o.Size == t.Size && o != ty.textual {
			return
		}
	}
	switch t.Name {
	case "internal/abi.Type":
		t = ty.rtype(s.contents(slot), t)
	case "runtime.hchan":
		t = ty.channel(p, t)
	}
	if !ty.fits(s, slot, t) {
		ty.refused[slot] = t.id
		return
	}
	ty.of[slot] = t.id
	ty.push(slot, uint32(s.payload()), t, false)
}

// rtype is the type of a type that package reflect has made: what it begins
// with, an abi.Type, tells the kind.
func (ty *typing) rtype(mem []byte, begin *Type) *Type {
	at := ty.lay.Type.Kind
	if at >= uint64(len(mem)) {
		return begin
	}
	names := [...]string{reflect.Array: "Array", reflect.Chan: "Chan", reflect.Func: "Func", reflect.Interface: "Interface", reflect.Map: "Map",
		reflect.Pointer: "Ptr", reflect.Slice: "Slice", reflect.Struct: "Struct"}
	kind := int(mem[at] & 31)
	if kind >= len(names) || names[kind] == "" {
		return begin
	}
	t := ty.types.byName("internal/abi." + names[kind] + "Type")
	if t == nil || t.Size > int64(len(mem)) {
		return begin
	}
	if kind == int(reflect.Func) { // behind which are those of arguments and results
		return ty.signature(t, begin, (int64(len(mem))-t.Size)/8)
	}
	return t
}

// signature is an abi.FuncType with n types behind it.
func (ty *typing) signature(fn, begin *Type, n int64) *Type {
	t := ty.signatures[n]
	if t == nil {
		array := ty.types.add(&Type{Name: "[]*" + begin.Name, Kind: reflect.Array, Size: n * 8, Len: n, Elem: ty.locals.pointerTo(begin)})
		t = ty.types.add(&Type{Name: fn.Name, Kind: reflect.Struct, Size: fn.Size + n*8,
			Fields: append(slices.Clip(fn.Fields), Field{"args", fn.Size, array})})
		ty.signatures[n] = t
	}
	return t
}

// setInner types a value inside an object: if the object's own type can be
// guessed from that, it is, else the value is typed alone.
func (ty *typing) setInner(slot uint32, s *span, off, p uint64, t *Type) {
	if old := ty.of[slot]; old != 0 && (s.mode != scanBitmap || ty.types.all[old].Size > int64(off)) {
		return
	}
	start := p - off
	switch {
	case s.mode == scanNone: // part of a buffer
		ty.of[slot] = t.id
		return
	case hasBit(ty.array, slot) && off%uint64(t.Size) == 0 && s.mode == scanBitmap && ty.fits(s, slot, t):
		ty.set(start, t, true)
		return
	}
	var c *Type
	if t.Kind == reflect.Struct {
		c = ty.types.container(packageOf(t.Name), t, int64(off), s.elem)
	} else if ty.holder != nil { // an array inside a struct of the same package
		c = ty.types.container(packageOf(ty.holder.Name), t, int64(off), s.elem)
	}
	if t.Name == "runtime.timer" && ty.timer == nil { // before 1.23
		c = ty.types.byName("time.Timer")
	}
	if c != nil && (s.mode != scanBitmap || ty.fits(s, slot, c)) {
		ty.set(start, c, false)
		return
	}
	if ty.inner[p] == 0 {
		ty.inner[p] = t.id
		ty.push(slot, uint32(off+s.payload()), t, true)
	}
}

// fits checks a type against the object's own pointer bitmap: no pointer of
// the object may be where the type has none.
func (ty *typing) fits(s *span, slot uint32, t *Type) bool {
	if s.mode != scanBitmap || t.Role == RoleSyncMap { // that is the beginning of something
		return true
	}
	want := s.bitmapAt(slot)
	if want == 0 {
		return true
	}
	ty.types.flatten(t)
	words, step := s.elem/8, uint64(t.Size+7)/8
	if t.Role == RoleClosure && step < words {
		// Variables that the optimiser took apart have no entry in DWARF.
		want &= 1<<step - 1
	}
	var got uint64
	for o := uint64(0); o < words && step > 0; o += step {
		got |= t.mask << o
	}
	return want&^got == 0
}

// function types the closure at p by the function it calls.
func (ty *typing) function(p uint64) {
	slot, s := ty.find(p)
	if s == nil {
		return
	}
	mem := s.contents(slot)
	if mem == nil { // nothing captured that has pointers, and so not copied
		ty.set(p, ty.closed, false)
		return
	}
	off := p - s.base - uint64(slot-s.first)*s.elem
	if off != s.payload() || off+8 > s.elem {
		return
	}
	ty.set(p, ty.closure(binary.LittleEndian.Uint64(mem[off:])), false)
}

// closure gives the type of closures of the function at pc, nil if no function
// begins there.
func (ty *typing) closure(pc uint64) *Type {
	if t, ok := ty.closures[pc]; ok {
		return t
	}
	var t *Type
	if f := ty.frames.functions.at(pc); f != nil && f.entry == pc {
		t = ty.locals.closureType(f)
		if recv := ty.receiver(f.name); recv != nil && len(t.Fields) == 1 {
			t.Fields = append(t.Fields, Field{"R", 8, recv})
			t.Size = 8 + recv.Size
		}
	}
	ty.closures[pc] = t
	return t
}

// receiver gives the type that a method value such as "main.(*T).run-fm" has
// captured.
func (ty *typing) receiver(name string) *Type {
	name, ok := strings.CutSuffix(name, "-fm")
	dot := strings.LastIndexByte(name, '.')
	if !ok || dot < 0 {
		return nil
	}
	name = name[:dot]
	if i := strings.Index(name, ".(*"); i >= 0 && strings.HasSuffix(name, ")") {
		if t := ty.types.byName(name[:i+1] + name[i+3:len(name)-1]); t != nil {
			return ty.locals.pointerTo(t)
		}
		return nil
	}
	return ty.types.byName(name)
}

// visit follows the pointers of one value. live has a bit for each of its
// words that the collector follows; the others may hold anything, as the rest
// of a slot behind the value does, which is not cleared.
func (ty *typing) visit(mem []byte, t *Type, live uint64) {
	ty.holder = t
	for _, s := range ty.types.flatten(t) {
		o := int(s.off)
		if o+8 > len(mem) {
			return
		}
		second := uint64(0)
		if o+16 <= len(mem) {
			second = binary.LittleEndian.Uint64(mem[o+8:])
		}
		word := o / 8
		if s.kind == slotEface || s.kind == slotIface { // of which only the data is followed
			word++
		}
		if word < 64 && live>>word&1 == 0 {
			continue
		}
		if p := binary.LittleEndian.Uint64(mem[o:]); p != 0 {
			ty.follow(s, p, second)
		}
	}
}

// follow types what a slot points to. second is the word behind it: the data
// of an interface; 0 if it is not known.
func (ty *typing) follow(s slot, p, second uint64) {
	switch s.kind {
	case slotPtr:
		ty.set(p, s.typ, false)
	case slotSlice:
		ty.set(p, s.typ, true)
	case slotString:
		ty.set(p, ty.textual, true)
	case slotFunc:
		ty.function(p)
	case slotHeader:
		ty.set(p, s.typ, false)
	case slotEface, slotIface:
		if second == 0 {
			return
		}
		if s.kind == slotIface {
			p = ty.mem.u64(p + ty.lay.ITab.Type)
		}
		if t := ty.types.typeAt(p); t != nil {
			if ty.types.direct(p) {
				ty.direct(second, t)
			} else {
				ty.set(second, t, false)
			}
		}
	}
}

// direct types what the data word of an interface points to, when the word is
// the value itself.
func (ty *typing) direct(p uint64, t *Type) {
	for range 16 {
		switch t.Kind {
		case reflect.Pointer:
			ty.set(p, t.Elem, false)
			return
		case reflect.Map, reflect.Chan:
			ty.set(p, t.header, false)
			return
		case reflect.Func:
			ty.function(p)
			return
		case reflect.Array:
			if t = t.Elem; t == nil {
				return
			}
		case reflect.Struct:
			var only *Type
			for i := range t.Fields {
				if t.Fields[i].Type.Size > 0 {
					only = t.Fields[i].Type
				}
			}
			if t = only; t == nil {
				return
			}
		default:
			return
		}
	}
}

// drain follows the pointers of all values that were typed.
func (ty *typing) drain() {
	for len(ty.work) > 0 {
		w := ty.work[len(ty.work)-1]
		ty.work = ty.work[:len(ty.work)-1]
		s := ty.spanOf(w.slot)
		mem := s.contents(w.slot)
		if mem == nil || uint64(w.off) >= uint64(len(mem)) {
			continue
		}
		mem = mem[w.off:]
		t := ty.types.all[w.typ&^oneValue]
		ty.holder = t
		if ty.part(w, t, mem) {
			continue
		}
		live := int64(-1)
		if s.mode == scanBitmap {
			live = int64(s.bitmapAt(w.slot) >> (w.off / 8))
		}
		if w.typ&oneValue != 0 {
			mem = mem[:min(int(t.Size), len(mem))]
		}
		ty.visitAll(mem, t, live)
	}
}

// visitAll follows the pointers of as many values of one type as there is room
// for. Arrays are gone through by their elements, as the list of pointers of a
// type is bounded. live is as visit has it, -1 for all words.
func (ty *typing) visitAll(mem []byte, t *Type, live int64) {
	for t.Kind == reflect.Array && t.Elem != nil && t.Elem.Size > 0 {
		t = t.Elem
	}
	for len(mem) >= 8 && t.Size > 0 {
		n := min(int(t.Size), len(mem))
		ty.visit(mem[:n], t, uint64(live))
		mem, live = mem[n:], live>>(n/8)
	}
}

// part follows the parts of maps, channels and sync.Maps, whose fields are not
// typed as what they are. It reports whether that was all.
func (ty *typing) part(w typed, t *Type, mem []byte) bool {
	l := ty.lay
	word := func(off uint64) uint64 {
		if off == absent || off+8 > uint64(len(mem)) {
			return 0
		}
		return binary.LittleEndian.Uint64(mem[off:])
	}
	switch t.Role {
	case RoleMap:
		dir := t.field("dirPtr")
		if dir == nil || dir.Elem == nil || l.Map.Dir == absent {
			return false
		}
		if word(l.Map.DirLen) == 0 { // a small map has one group and no tables
			ty.set(word(l.Map.Dir), groupsOf(dir.Elem.Elem), false)
		} else {
			ty.set(word(l.Map.Dir), dir.Elem, true)
		}
		return true
	case RoleChan:
		ty.set(word(l.Chan.Buf), t.Elem, true)
		return false
	case RoleSyncMap:
		kind := "indirect"
		if mem[0] != 0 {
			kind = "entry"
		}
		for _, pkg := range [...]string{"internal/sync.", "internal/concurrent."} {
			if args, ok := strings.CutPrefix(t.Name, pkg+"node["); ok {
				s := ty.spanOf(w.slot)
				entry := ty.types.byName(pkg + kind + "[" + args)
				if entry == nil { // DWARF of 1.27 has it of any type of that shape only
					entry = ty.types.byName(pkg + kind + "[go.shape." + strings.ReplaceAll(args, ",", ",go.shape."))
				}
				ty.set(s.base+uint64(w.slot-s.first)*s.elem+uint64(w.off), entry, false)
			}
		}
		return true
	}
	return false
}
