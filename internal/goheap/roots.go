package goheap

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"sort"
	"strings"
)

// root is a vertex of the graph that is no object.
type root struct {
	kind      Kind
	name      string
	parent    uint32
	typ       *Type  // of the variable; nil if unknown
	addr      uint64 // of the variable, or of the object of a special
	goroutine int32  // index + 1
	object    uint32 // slot + 1 of the object a special is about
	ofObject  bool   // the references are fields of that object
	arg       *Type  // what the second reference points to; see cleanupArg
	guess     bool   // found word by word: the references may be none
	size      uint64
	refs      []ref
}

// ref is a pointer of a root into the heap: where in the variable it is, and
// the slot it points to.
type ref struct {
	off  int64
	slot uint32
	addr uint64 // the pointer itself
}

// roots collects the roots. Parents are added before their children.
type roots struct {
	*heapView
	list    []root
	stats   Stats
	pkgs    map[string]uint32
	groups  map[string]uint32
	stacks  map[uint32][]Frame // of groups
	derived []derived
	late    []root // of objects with finalizers; see markFinalized
	gs      []Goroutine
	// These are vertices under the super root.
	runtime, finalizers, cleanups, weak, timers uint32
	// hidden are slots whose pointers are shown as roots of their own: the
	// list of goroutines and the heaps of timers.
	hidden map[uint32]bool
}

// heapView is what the readers of roots and types share.
type heapView struct {
	*heap
	mem     *reader
	types   *abiTypes
	frames  *frames
	locals  *localFinder
	modules []*module
	symbols map[string]uint64 // runtime variables by name; addresses in memory
	sites   map[uint64]*Type  // of siteType
	bias    uint64
}

// derived is static data without a name of its own, called by the variable
// that leads to it.
type derived struct {
	lo, hi uint64
	name   string
	typ    *Type
}

// global gives the address of a variable of the runtime.
func (v *heapView) global(name string) (uint64, bool) {
	a, ok := v.symbols[name]
	return a, ok
}

func newRoots(v *heapView) *roots {
	rs := &roots{heapView: v, pkgs: map[string]uint32{}, groups: map[string]uint32{}, stacks: map[uint32][]Frame{}, hidden: map[uint32]bool{}}
	rs.list = append(rs.list, root{kind: KindRoot, name: "root"})
	rs.runtime = rs.addUnder(0, root{kind: KindRuntime, name: "the runtime's own data"})
	rs.finalizers = rs.addUnder(0, root{kind: KindSpecial, name: "finalizers"})
	rs.cleanups = rs.addUnder(0, root{kind: KindSpecial, name: "cleanups"})
	rs.weak = rs.addUnder(0, root{kind: KindSpecial, name: "weak handles"})
	rs.timers = rs.addUnder(0, root{kind: KindSpecial, name: "timers"})
	return rs
}

func (rs *roots) addUnder(parent uint32, r root) uint32 {
	r.parent = parent
	rs.list = append(rs.list, r)
	return uint32(len(rs.list) - 1)
}

// addPointers adds a root for those of the addresses that lead into the heap,
// if there are any.
func (rs *roots) addPointers(parent uint32, r root, ptrs []uint64) {
	for i, p := range ptrs {
		if slot, s := rs.heap.find(p); s != nil {
			r.refs = append(r.refs, ref{int64(i) * 8, slot, p})
		}
	}
	if len(r.refs) > 0 {
		rs.addUnder(parent, r)
	}
}

// ofRuntime tells whether a variable belongs to the runtime rather than to the
// program: what it keeps is better explained by another root.
func ofRuntime(name string) bool {
	return strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "internal/runtime/") || name == "sync.allPools" || name == "sync.oldPools"
}

// packageVertex gives the vertex over a variable.
func (rs *roots) packageVertex(name string) uint32 {
	if ofRuntime(name) {
		return rs.runtime
	}
	pkg := packageOf(strings.TrimPrefix(name, "*"))
	if pkg == "" {
		pkg = "(static data)"
	}
	v, ok := rs.pkgs[pkg]
	if !ok {
		v = rs.addUnder(0, root{kind: KindPackage, name: pkg})
		rs.pkgs[pkg] = v
	}
	return v
}

// variables adds the package variables that point into the heap, by the masks
// the collector has for data and bss.
func (rs *roots) variables() {
	rs.statics()
	for _, d := range rs.modules {
		rs.segment(d.data, d.edata, d.dataMask)
		rs.segment(d.bss, d.ebss, d.bssMask)
	}
}

func (rs *roots) segment(lo, hi uint64, mask []byte) {
	if hi <= lo || mask == nil {
		return
	}
	buf := rs.mem.piece(lo, hi-lo)
	if buf == nil {
		rs.heap.missing += hi - lo
		return
	}
	cur, end := -1, uint64(0) // the root of the variable at hand, and where that ends
	for o := uint64(0); o+8 <= hi-lo; o += 8 {
		if mask[o/64] == 0 {
			o |= 63 - 7
			continue
		}
		if mask[o/64]>>(o/8%8)&1 == 0 {
			continue
		}
		a, p := lo+o, binary.LittleEndian.Uint64(buf[o:])
		slot, s := rs.heap.find(p)
		if s == nil {
			continue
		}
		if cur < 0 || a >= end {
			var r root
			r, end = rs.variableAt(a)
			parent := rs.packageVertex(r.name)
			if parent == rs.runtime {
				r.kind = KindRuntime
			}
			r.name = shortName(r.name)
			cur = int(rs.addUnder(parent, r))
		}
		r := &rs.list[cur]
		r.refs = append(r.refs, ref{int64(a - r.addr), slot, p})
	}
}

// variableAt makes a root for the variable an address lies in, and tells where
// the variable ends.
func (rs *roots) variableAt(a uint64) (r root, end uint64) {
	if g, t := rs.named(a); t != nil {
		return root{kind: KindGlobal, name: g.name, typ: t, addr: g.addr + rs.bias}, g.addr + rs.bias + uint64(t.Size)
	}
	i := sort.Search(len(rs.derived), func(i int) bool { return rs.derived[i].lo > a }) - 1
	if i >= 0 && a < rs.derived[i].hi {
		d := &rs.derived[i]
		base := d.lo + (a-d.lo)/uint64(d.typ.Size)*uint64(d.typ.Size)
		return root{kind: KindGlobal, name: d.name, typ: d.typ, addr: base}, base + uint64(d.typ.Size)
	}
	rs.stats.UnnamedGlobals++
	return root{kind: KindGlobal, name: fmt.Sprintf("data at %#x", a), addr: a}, a + 8
}

// named finds the variable of DWARF an address lies in; its type is nil if
// there is none.
func (rs *roots) named(a uint64) (*globalVar, *Type) {
	gs := rs.types.dw.globals
	i := sort.Search(len(gs), func(i int) bool { return gs[i].addr+rs.bias > a }) - 1
	if i < 0 || gs[i].typ == 0 {
		return nil, nil
	}
	t := rs.types.typeTable.at(gs[i].typ)
	if a >= gs[i].addr+rs.bias+uint64(max(t.Size, 1)) {
		return nil, nil
	}
	return &gs[i], t
}

// static is a value in data or bss that is to be followed.
type static struct {
	name  string
	addr  uint64
	typ   *Type
	count int64
}

// statics names the values without a variable of their own in data and bss
// (the linker's main..stmp_1, arrays behind slices) by the variables that lead
// there.
func (rs *roots) statics() {
	var work []static
	for i := range rs.types.dw.globals {
		if g := &rs.types.dw.globals[i]; g.typ != 0 && rs.isStatic(g.addr+rs.bias) {
			x := static{g.name, g.addr + rs.bias, rs.types.typeTable.at(g.typ), 1}
			for x.typ.Kind == reflect.Array && x.typ.Elem != nil && x.typ.Elem.Size > 0 {
				x.name, x.count, x.typ = x.name+"[]", x.typ.Size/x.typ.Elem.Size*x.count, x.typ.Elem
			}
			work = append(work, x)
		}
	}
	seen := map[uint64]bool{}
	for len(work) > 0 {
		x := work[0]
		work = work[1:]
		for k := int64(0); k < min(x.count, 1<<16); k++ {
			for _, s := range rs.types.flatten(x.typ) {
				p, t, n := rs.follow(x.addr+uint64(k*x.typ.Size)+uint64(s.off), s)
				if t == nil || t.Size <= 0 || n <= 0 || n > 1<<20 || !rs.isStatic(p) || seen[p] {
					continue
				}
				if _, known := rs.named(p); known != nil {
					continue
				}
				seen[p] = true
				name := x.name + fieldPath(x.typ, int64(s.off), true)
				if !strings.HasPrefix(name, "*") {
					name = "*" + name
				}
				rs.derived = append(rs.derived, derived{p, p + uint64(t.Size*n), name, t})
				work = append(work, static{name, p, t, n})
			}
		}
	}
	sort.Slice(rs.derived, func(i, j int) bool { return rs.derived[i].lo < rs.derived[j].lo })
}

// isStatic tells whether an address lies in a module's data or bss.
func (rs *roots) isStatic(p uint64) bool {
	for _, d := range rs.modules {
		if p >= d.data && p < d.edata || p >= d.bss && p < d.ebss {
			return true
		}
	}
	return false
}

// follow reads the pointer of a slot at an address, and gives what it points
// to: type and number of values.
func (rs *roots) follow(a uint64, s slot) (p uint64, t *Type, n int64) {
	p = rs.mem.u64(a)
	switch s.kind {
	case slotPtr, slotHeader:
		return p, s.typ, 1
	case slotSlice:
		return p, s.typ, int64(rs.mem.u64(a + 16))
	case slotEface, slotIface:
		if p == 0 {
			return 0, nil, 0
		}
		if s.kind == slotIface {
			p = rs.mem.u64(p + rs.lay.ITab.Type)
		}
		if t = rs.types.typeAt(p); t != nil && t.Elem != nil && rs.types.direct(p) {
			t = t.Elem
		}
		return rs.mem.u64(a + 8), t, 1
	}
	return p, nil, 0
}
