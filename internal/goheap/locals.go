package goheap

import (
	"debug/dwarf"
	"encoding/binary"
	"reflect"
	"slices"
	"sort"
	"strings"
)

// local is a piece of a variable that lies in a frame at some address of code.
type local struct {
	name      string
	typ       *Type
	cfa       int64 // where, from the frame's end
	off, size int64 // which part of the variable
	indirect  bool  // the address of the variable lies there
}

// localFinder finds variables of functions in DWARF.
type localFinder struct {
	*typeTable
	bias  uint64
	cache map[dwarf.Offset][]variable
}

// variable is an entry for a local variable, parameter or captured variable.
type variable struct {
	name    string
	typ     dwarf.Offset
	loc     []byte // an expression,
	list    int64  // or where its list is; -1 if there is none
	closure int64  // offset in the closure, -1 if it is no captured variable
	param   bool   // it is a parameter, no result
}

// function finds the entry of the function at an address.
func (lf *localFinder) function(pc uint64) *subprogram {
	pc -= lf.bias
	fs := lf.dw.funcs
	i := sort.Search(len(fs), func(i int) bool { return fs[i].lo > pc }) - 1
	if i < 0 || pc >= fs[i].hi {
		return nil
	}
	return &fs[i]
}

// at lists the variables that are in the frame of the function when it is at pc.
func (lf *localFinder) at(entry, pc uint64) []local {
	d := lf.function(entry)
	if d == nil {
		return nil
	}
	var out []local
	for _, v := range lf.variables(d) {
		x := v.loc
		if x == nil && v.list >= 0 {
			x = lf.expression(d, v.list, pc-lf.bias)
		}
		if x == nil || v.typ == 0 {
			continue
		}
		t := lf.typeTable.at(v.typ)
		for _, p := range pieces(x, t.Size) {
			p.name, p.typ = v.name, t
			p.name = strings.TrimPrefix(p.name, "&") // moved to the heap; the type is a pointer
			if p.indirect {
				p.typ = lf.pointerTo(t)
			}
			out = append(out, p)
		}
	}
	return out
}

// pointerTo makes a type *T.
func (lf *localFinder) pointerTo(t *Type) *Type {
	if p := lf.byName("*" + t.Name); p != nil && p.Elem == t {
		return p
	}
	return lf.add(&Type{Name: "*" + t.Name, Size: 8, Kind: reflect.Pointer, Elem: t})
}

// variables lists the variables of a function, those of inlined calls included.
func (lf *localFinder) variables(d *subprogram) []variable {
	if vs, ok := lf.cache[d.off]; ok {
		return vs
	}
	var out []variable
	r := lf.dw.data.Reader()
	r.Seek(d.off)
	e, err := r.Next()
	for depth := 1; err == nil && e != nil && e.Children && depth > 0; {
		c, err := r.Next()
		if err != nil || c == nil {
			break
		}
		if c.Tag == 0 {
			depth--
			continue
		}
		if c.Children {
			depth++
		}
		if c.Tag == dwarf.TagVariable || c.Tag == dwarf.TagFormalParameter {
			out = append(out, lf.variable(c))
		}
	}
	lf.cache[d.off] = out
	return out
}

func (lf *localFinder) variable(e *dwarf.Entry) variable {
	v := variable{list: -1, closure: -1}
	result, _ := e.Val(dwarf.AttrVarParam).(bool)
	v.param = e.Tag == dwarf.TagFormalParameter && !result
	switch loc := e.Val(dwarf.AttrLocation).(type) {
	case []byte:
		v.loc = loc
	case int64:
		v.list = loc
	}
	if off, ok := e.Val(attrGoClosureOff).(int64); ok {
		v.closure = off
	}
	v.name, _ = e.Val(dwarf.AttrName).(string)
	v.typ, _ = e.Val(dwarf.AttrType).(dwarf.Offset)
	if off, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset); ok {
		r := lf.dw.data.Reader()
		r.Seek(off)
		if o, err := r.Next(); err == nil && o != nil {
			v.name, _ = o.Val(dwarf.AttrName).(string)
			v.typ, _ = o.Val(dwarf.AttrType).(dwarf.Offset)
		}
	}
	return v
}

// expression finds the location that holds at pc in a location list.
func (lf *localFinder) expression(d *subprogram, list int64, pc uint64) []byte {
	if list < 0 || list >= int64(len(lf.dw.lists)) {
		return nil
	}
	b := cursor{b: lf.dw.lists[list:]}
	if !lf.dw.v5 {
		return b.list4(d.unitLow, pc)
	}
	return b.list5(d, lf.dw, pc)
}

// cursor reads numbers one after the other; ok is false after the end.
type cursor struct {
	b   []byte
	bad bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || n > len(c.b) {
		c.bad, c.b = true, nil
		return nil
	}
	out := c.b[:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) u8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) uleb() uint64 {
	v, n := uleb(c.b)
	if n == 0 {
		c.bad, c.b = true, nil
	} else {
		c.take(n)
	}
	return v
}

// list4 walks a location list of DWARF 4: pairs of addresses, of which the
// first may mean a new base.
func (c *cursor) list4(base, pc uint64) []byte {
	for !c.bad {
		lo, hi := c.u64(), c.u64()
		switch {
		case lo == 0 && hi == 0:
			return nil
		case lo == ^uint64(0):
			base = hi
			continue
		}
		n := c.take(2)
		if n == nil {
			return nil
		}
		x := c.take(int(binary.LittleEndian.Uint16(n)))
		if pc >= lo+base && pc < hi+base {
			return x
		}
	}
	return nil
}

// The kinds of entries in .debug_loclists; section 7.7.3 of DWARF 5.
const (
	lleEnd = iota
	lleBaseAddressx
	lleStartxEndx
	lleStartxLength
	lleOffsetPair
	lleDefault
	lleBaseAddress
	lleStartEnd
	lleStartLength
)

// list5 walks a location list of DWARF 5.
func (c *cursor) list5(d *subprogram, dw *dwarfIndex, pc uint64) []byte {
	base := d.unitLow
	addr := func(i uint64) uint64 {
		a, ok := dw.addrx(i, d.addrBase)
		c.bad = c.bad || !ok
		return a
	}
	for !c.bad {
		var lo, hi uint64
		switch c.u8() {
		case lleBaseAddressx:
			base = addr(c.uleb())
			continue
		case lleBaseAddress:
			base = c.u64()
			continue
		case lleStartxEndx:
			lo, hi = addr(c.uleb()), addr(c.uleb())
		case lleStartxLength:
			lo = addr(c.uleb())
			hi = lo + c.uleb()
		case lleOffsetPair:
			lo, hi = base+c.uleb(), base+c.uleb()
		case lleDefault:
			hi = ^uint64(0)
		case lleStartEnd:
			lo, hi = c.u64(), c.u64()
		case lleStartLength:
			lo = c.u64()
			hi = lo + c.uleb()
		default:
			return nil
		}
		x := c.take(int(min(c.uleb(), 1<<20)))
		if !c.bad && pc >= lo && pc < hi {
			return x
		}
	}
	return nil
}

// pieces evaluates a location to the parts of a variable that are in the
// frame; parts in registers are left out.
func pieces(x []byte, size int64) []local {
	var out []local
	var cur, pos int64
	inFrame := false
	c := cursor{b: x}
	for len(c.b) > 0 {
		switch op := c.u8(); {
		case op == opFbreg || op == opConsts:
			v, n := sleb(c.b)
			if c.take(n); n == 0 {
				return out
			}
			if op == opFbreg {
				cur, inFrame = v, true
			} else {
				cur += v
			}
		case op == opCallFrameCFA:
			cur, inFrame = 0, true
		case op == opDeref && inFrame && pos == 0:
			return append(out, local{cfa: cur, size: 8, indirect: true})
		case op == opPlus:
		case op == opPlusUconst:
			cur += int64(c.uleb())
		case op >= opReg0 && op <= opReg31:
			inFrame = false
		case op == opRegx:
			c.uleb()
			inFrame = false
		case op == opPiece:
			n := int64(c.uleb())
			if inFrame && n > 0 {
				out = append(out, local{cfa: cur, off: pos, size: n})
			}
			pos, inFrame = pos+n, false
		default:
			return out
		}
		if c.bad {
			return out
		}
	}
	if pos == 0 && inFrame {
		out = append(out, local{cfa: cur, size: size})
	}
	return out
}

// closureType is the type of what a func value of the function at pc points
// to: the code pointer, then captured variables.
func (lf *localFinder) closureType(f *function) *Type {
	t := &Type{Name: "func " + f.name, Size: 8, Kind: reflect.Struct, Role: RoleClosure, Fields: []Field{{"F", 0, lf.uintptr()}}}
	if d := lf.function(f.entry); d != nil {
		for _, v := range lf.variables(d) {
			if v.closure <= 0 || v.typ == 0 {
				continue
			}
			ft := lf.typeTable.at(v.typ) // of &x, captured by reference, a pointer
			t.Fields = append(t.Fields, Field{strings.TrimPrefix(v.name, "&"), v.closure, ft})
			t.Size = max(t.Size, v.closure+ft.Size)
		}
	}
	return lf.add(t)
}

// parameter gives the type of the first parameter of the function at pc, nil
// if that is not known.
func (lf *localFinder) parameter(pc uint64) *Type {
	if d := lf.function(pc); d != nil && d.lo+lf.bias == pc {
		for _, v := range lf.variables(d) {
			if v.param && v.closure < 0 && v.typ != 0 {
				return lf.typeTable.at(v.typ)
			}
		}
	}
	return nil
}

// mapOf finds the only map variable of a function whose header or group of
// slots can be the stack object; nil if there is none or several.
func (lf *localFinder) mapOf(entry uint64, so *stackObject) (name string, part *Type) {
	d := lf.function(entry)
	if d == nil || len(so.ptrs) == 0 {
		return "", nil
	}
	for _, v := range lf.variables(d) {
		if v.typ == 0 || v.name == name {
			continue
		}
		t := lf.typeTable.at(v.typ)
		if t.Kind != reflect.Map || t.header == nil {
			continue
		}
		p := t.header
		if !lf.sameShape(p, so) {
			dir := p.field("dirPtr")
			if dir == nil || dir.Elem == nil {
				continue
			}
			if p = groupsOf(dir.Elem.Elem); p == nil || !lf.sameShape(p, so) {
				continue
			}
		}
		if part != nil {
			return "", nil
		}
		name, part = v.name, p
	}
	return name, part
}

// sameShape tells whether a type has the size and the pointers of a stack
// object.
func (lf *localFinder) sameShape(t *Type, so *stackObject) bool {
	if t.Size != so.size {
		return false
	}
	var at []int64
	for _, s := range lf.flatten(t) {
		at = append(at, int64(s.off))
		if s.kind == slotEface || s.kind == slotIface {
			at = append(at, int64(s.off)+8)
		}
	}
	return slices.Equal(at, so.ptrs)
}

func (lf *localFinder) uintptr() *Type {
	if t := lf.byName("uintptr"); t != nil {
		return t
	}
	return lf.bytes
}
