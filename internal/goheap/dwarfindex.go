package goheap

import (
	"bytes"
	"compress/zlib"
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sort"
	"strings"
)

var errNoDWARF = errors.New("no DWARF")

// What the Go linker adds to DWARF; cmd/internal/dwarf in the toolchain.
const (
	attrGoKind        = dwarf.Attr(0x2900)
	attrGoKey         = dwarf.Attr(0x2901)
	attrGoElem        = dwarf.Attr(0x2902)
	attrGoRuntimeType = dwarf.Attr(0x2904)
	attrGoClosureOff  = dwarf.Attr(0x2907)
	attrAddrBase      = dwarf.Attr(0x73)
)

// dwarfIndex is one pass over the top of the DWARF tree: where things are.
// What is below (fields, locals) is read when it is asked for.
type dwarfIndex struct {
	data  *dwarf.Data
	lists []byte // .debug_loclists, or .debug_loc before version 5
	addrs []byte // .debug_addr
	v5    bool

	named   map[string]dwarf.Offset
	runtime map[uint64]dwarf.Offset // DW_AT_go_runtime_type to its type
	globals []globalVar             // by address
	consts  map[string]int64        // of the runtime
	funcs   []subprogram            // by address
}

// globalVar is a package variable; the address is as linked.
type globalVar struct {
	name string
	addr uint64
	typ  dwarf.Offset
}

// subprogram is a function that has code.
type subprogram struct {
	lo, hi   uint64
	off      dwarf.Offset
	unitLow  uint64 // base of its location lists
	addrBase int64
}

// inflate unpacks the contents of a compressed ELF section: a header of 24
// bytes, of which the first word is the method and the second the size.
func inflate(raw []byte) ([]byte, error) {
	if len(raw) < 24 {
		return nil, io.ErrUnexpectedEOF
	}
	if method := binary.LittleEndian.Uint32(raw); method != 1 {
		return nil, fmt.Errorf("compression method %d is not known", method)
	}
	size := binary.LittleEndian.Uint64(raw[8:])
	const most = 1032 // the best that deflate can do
	if size > maxAlloc || size/most > uint64(len(raw)) {
		return nil, fmt.Errorf("%d bytes are more than can be", size)
	}
	z, err := zlib.NewReader(bytes.NewReader(raw[24:]))
	if err != nil {
		return nil, err
	}
	out := make([]byte, size)
	if _, err := io.ReadFull(z, out); err != nil {
		return nil, err
	}
	return out, nil
}

// indexDWARF reads the sections and makes the index.
func indexDWARF(section func(name string) ([]byte, error)) (*dwarfIndex, error) {
	var failed error
	get := func(name string) []byte {
		b, err := section(".debug_" + name)
		failed = errors.Join(failed, err)
		return b
	}
	info := get("info")
	if len(info) == 0 {
		return nil, errNoDWARF
	}
	d, err := dwarf.New(get("abbrev"), nil, nil, info, nil, nil, get("ranges"), get("str"))
	if err = errors.Join(failed, err); err != nil {
		return nil, err
	}
	x := &dwarfIndex{data: d, named: map[string]dwarf.Offset{}, runtime: map[uint64]dwarf.Offset{}, consts: map[string]int64{}}
	for _, name := range []string{"addr", "line_str", "str_offsets", "rnglists"} {
		b := get(name)
		if name == "addr" {
			x.addrs = b
		}
		if err := d.AddSection(".debug_"+name, b); b != nil && err != nil {
			return nil, err
		}
	}
	x.lists = get("loclists")
	if x.v5 = x.lists != nil; !x.v5 {
		x.lists = get("loc")
	}
	if failed != nil {
		return nil, failed
	}
	if err := x.walk(); err != nil {
		return nil, err
	}
	sort.Slice(x.funcs, func(i, j int) bool { return x.funcs[i].lo < x.funcs[j].lo })
	sort.Slice(x.globals, func(i, j int) bool { return x.globals[i].addr < x.globals[j].addr })
	return x, nil
}

// walk visits the children of each unit of Go.
func (x *dwarfIndex) walk() error {
	r := x.data.Reader()
	var unit subprogram
	for {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e == nil {
			return nil
		}
		switch e.Tag {
		case 0:
			continue
		case dwarf.TagCompileUnit:
			unit.unitLow, _ = e.Val(dwarf.AttrLowpc).(uint64)
			unit.addrBase, _ = e.Val(attrAddrBase).(int64)
			producer, _ := e.Val(dwarf.AttrProducer).(string)
			if !strings.HasPrefix(producer, "Go ") && producer != "" {
				r.SkipChildren() // C
			}
			continue
		}
		x.add(e, unit)
		if e.Children {
			r.SkipChildren()
		}
	}
}

// add indexes one entry below a unit.
func (x *dwarfIndex) add(e *dwarf.Entry, unit subprogram) {
	name, _ := e.Val(dwarf.AttrName).(string)
	switch e.Tag {
	case dwarf.TagSubprogram:
		lo, ok := e.Val(dwarf.AttrLowpc).(uint64)
		if !ok {
			return
		}
		unit.lo, unit.off = lo, e.Offset
		switch hi := e.Val(dwarf.AttrHighpc).(type) {
		case uint64:
			unit.hi = hi
		case int64:
			unit.hi = lo + uint64(hi)
		}
		x.funcs = append(x.funcs, unit)
	case dwarf.TagVariable:
		loc, _ := e.Val(dwarf.AttrLocation).([]byte)
		if addr, ok := x.address(loc, unit.addrBase); ok {
			t, _ := e.Val(dwarf.AttrType).(dwarf.Offset)
			x.globals = append(x.globals, globalVar{name, addr, t})
		}
	case dwarf.TagConstant:
		if v, ok := e.Val(dwarf.AttrConstValue).(int64); ok && (strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "internal/")) {
			x.consts[name] = v
		}
	case dwarf.TagStructType, dwarf.TagTypedef, dwarf.TagArrayType, dwarf.TagPointerType, dwarf.TagBaseType, dwarf.TagSubroutineType:
		if a, ok := e.Val(attrGoRuntimeType).(uint64); ok && a != 0 {
			x.runtime[a] = e.Offset
		}
		if _, dup := x.named[name]; name != "" && (!dup || e.Tag == dwarf.TagTypedef) {
			x.named[name] = e.Offset
		}
	}
}

// The operators of location expressions that Go uses.
const (
	opAddr         = 0x03
	opDeref        = 0x06
	opConsts       = 0x11
	opPlus         = 0x22
	opPlusUconst   = 0x23
	opReg0         = 0x50
	opReg31        = 0x6f
	opRegx         = 0x90
	opFbreg        = 0x91
	opPiece        = 0x93
	opCallFrameCFA = 0x9c
	opAddrx        = 0xa1
)

// address evaluates the location of a global variable.
func (x *dwarfIndex) address(loc []byte, base int64) (uint64, bool) {
	switch {
	case len(loc) == 9 && loc[0] == opAddr:
		return binary.LittleEndian.Uint64(loc[1:]), true
	case len(loc) > 1 && loc[0] == opAddrx:
		i, _ := uleb(loc[1:])
		return x.addrx(i, base)
	}
	return 0, false
}

// addrx gives entry i of the unit's part of .debug_addr.
func (x *dwarfIndex) addrx(i uint64, base int64) (uint64, bool) {
	n := uint64(len(x.addrs))
	off := uint64(base) + i*8
	if i > n || off > n || off+8 > n {
		return 0, false
	}
	return binary.LittleEndian.Uint64(x.addrs[off:]), true
}

// uleb reads an unsigned LEB128 number and how many bytes it takes; 0 bytes if
// it is cut off.
func uleb(b []byte) (v uint64, n int) {
	for s := 0; n < len(b) && s < 64; s += 7 {
		c := b[n]
		n++
		v |= uint64(c&0x7f) << s
		if c < 0x80 {
			return v, n
		}
	}
	return 0, 0
}

// sleb reads a signed one.
func sleb(b []byte) (v int64, n int) {
	for s := 0; n < len(b) && s < 64; {
		c := b[n]
		n++
		v |= int64(c&0x7f) << s
		s += 7
		if c < 0x80 {
			if c&0x40 != 0 && s < 64 {
				v |= -1 << s
			}
			return v, n
		}
	}
	return 0, 0
}
