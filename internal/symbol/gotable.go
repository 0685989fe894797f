package symbol

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// goVersion is the layout of a Go function table, named after the first
// release that wrote it.
type goVersion int

const (
	go12  goVersion = 2 + iota // Go 1.2: one table, offsets from its start
	go116                      // Go 1.16: five parts
	go118                      // Go 1.18: 32-bit entries relative to the text start
	go120                      // Go 1.20: start lines, 16-byte inline tree entries
)

// goMagic maps the first word of a table to its layout.
func goMagic(m uint32) (goVersion, bool) {
	switch m {
	case 0xfffffffb:
		return go12, true
	case 0xfffffffa:
		return go116, true
	case 0xfffffff0:
		return go118, true
	case 0xfffffff1:
		return go120, true
	}
	return 0, false
}

// goHeader is the number of bytes in front of the counts and offsets.
const goHeader = 8

// goTable is the pclntab of a Go program: see the drawing in the package
// comment. Lookups search its bytes in place, so that opening a big program
// costs no more than reading the table, and return substrings of two strings,
// so that they allocate nothing for names.
type goTable struct {
	version goVersion
	order   binary.ByteOrder
	quantum uint64 // instruction unit of pc steps in bytes
	ptr     int    // pointer size in bytes
	text    uint64 // runtime.text, added to entries since Go 1.18

	count    int                             // functions
	field    int                             // bytes of a functab field
	functab  []byte                          // (2*count+1) fields
	records  []byte                          // what record offsets count from
	names    string                          // function names, zero-terminated
	files    string                          // file names, zero-terminated
	filetab  []byte                          // go12: u32 offsets into files; else cutab: u32 offsets, ^0 none
	pctab    []byte                          // pc-value tables
	inlining func(off uint64, p []byte) bool // reads p at go:func.* + off; nil: no inline trees
	wrapper  func() byte                     // kind of wrapper functions, see maxFuncID
}

// errGoTable is wrapped by every complaint about a Go function table.
var errGoTable = errors.New("bad Go function table")

// parseGoTable reads the header of data. text is the address of runtime.text.
func parseGoTable(data []byte, text uint64) (*goTable, error) {
	if len(data) < goHeader+8 || data[4] != 0 || data[5] != 0 {
		return nil, fmt.Errorf("%w: no header in %d bytes", errGoTable, len(data))
	}
	t := &goTable{text: text, quantum: uint64(data[6]), ptr: int(data[7])}
	if q := t.quantum; q != 1 && q != 2 && q != 4 || t.ptr != 4 && t.ptr != 8 {
		return nil, fmt.Errorf("%w: instruction unit %d, pointer size %d", errGoTable, t.quantum, t.ptr)
	}
	var ok bool
	t.order = binary.LittleEndian
	if t.version, ok = goMagic(binary.LittleEndian.Uint32(data)); !ok {
		t.order = binary.BigEndian
		if t.version, ok = goMagic(binary.BigEndian.Uint32(data)); !ok {
			return nil, fmt.Errorf("%w: starts with % x", errGoTable, data[:4])
		}
	}
	t.wrapper = sync.OnceValue(t.maxFuncID)
	t.field = t.ptr
	if t.version >= go118 {
		t.field = 4
	}
	if t.version == go12 {
		return t, t.parse12(data)
	}
	return t, t.parse116(data)
}

// word returns the pointer-sized word i behind the header.
func (t *goTable) word(data []byte, i int) (uint64, error) {
	at := goHeader + i*t.ptr
	if at+t.ptr > len(data) {
		return 0, fmt.Errorf("%w: header cut after %d bytes", errGoTable, len(data))
	}
	if t.ptr == 4 {
		return uint64(t.order.Uint32(data[at:])), nil
	}
	return t.order.Uint64(data[at:]), nil
}

// setFunctab takes n functions from the start of b.
func (t *goTable) setFunctab(b []byte, n uint64) error {
	if n == 0 || n > uint64(len(b)) || (2*n+1)*uint64(t.field) > uint64(len(b)) {
		return fmt.Errorf("%w: %d functions in %d bytes", errGoTable, n, len(b))
	}
	t.count = int(n)
	t.functab = b[:(2*int(n)+1)*t.field]
	return nil
}

// parse12 reads the layout of Go 1.2 to 1.15: count, functab, file table
// offset; everything counts from the start of the table.
func (t *goTable) parse12(data []byte) error {
	n, err := t.word(data, 0)
	if err != nil {
		return err
	}
	if err := t.setFunctab(data[goHeader+t.ptr:], n); err != nil {
		return err
	}
	end := goHeader + t.ptr + len(t.functab)
	if end+4 > len(data) {
		return fmt.Errorf("%w: no file table", errGoTable)
	}
	at := uint64(t.order.Uint32(data[end:]))
	if at+4 > uint64(len(data)) {
		return fmt.Errorf("%w: file table at %#x of %#x", errGoTable, at, len(data))
	}
	nfile := uint64(t.order.Uint32(data[at:]))
	if at+nfile*4 > uint64(len(data)) {
		return fmt.Errorf("%w: %d files at %#x of %#x", errGoTable, nfile, at, len(data))
	}
	t.filetab = data[at : at+nfile*4]
	t.records, t.pctab = data, data
	t.names = string(data)
	t.files = t.names
	return nil
}

// parse116 reads the layouts since Go 1.16: counts of functions and files, the
// text start since Go 1.18, then the offsets of the five parts.
func (t *goTable) parse116(data []byte) error {
	n, err := t.word(data, 0)
	if err != nil {
		return err
	}
	first := 2
	if t.version >= go118 {
		first = 3
	}
	var at [5]uint64
	for i := range at {
		if at[i], err = t.word(data, first+i); err != nil {
			return err
		}
		if at[i] > uint64(len(data)) {
			return fmt.Errorf("%w: part %d at %#x of %#x", errGoTable, i, at[i], len(data))
		}
	}
	t.filetab, t.pctab, t.records = data[at[1]:], data[at[3]:], data[at[4]:]
	if err := t.setFunctab(t.records, n); err != nil {
		return err
	}
	t.names = partString(data, at[0], at[1])
	t.files = partString(data, at[2], at[3])
	return nil
}

// partString is the part [lo, hi) of data, up to the end if the parts are not
// in the usual order.
func partString(data []byte, lo, hi uint64) string {
	if hi < lo {
		hi = uint64(len(data))
	}
	return string(data[lo:hi])
}

// uint reads functab field i; i < 2*count+1.
func (t *goTable) uint(i int) uint64 {
	if t.field == 4 {
		return uint64(t.order.Uint32(t.functab[i*4:]))
	}
	return t.order.Uint64(t.functab[i*8:])
}

// entry is the start address of function i, or for i == count the end of all.
func (t *goTable) entry(i int) uint64 {
	if t.version >= go118 {
		return t.text + t.uint(2*i)
	}
	return t.uint(2 * i)
}

// find returns the number of the function that holds pc, or -1.
func (t *goTable) find(pc uint64) int {
	if pc < t.entry(0) || pc >= t.entry(t.count) {
		return -1
	}
	i := sort.Search(t.count, func(i int) bool { return t.entry(i) > pc }) - 1
	if i < 0 || pc >= t.entry(i+1) {
		return -1 // entries do not ascend
	}
	return i
}

// goFunc is one record of the table.
type goFunc struct {
	t    *goTable
	b    []byte // from the record on
	head int    // bytes of the entry field
}

// fn returns the record of function i.
func (t *goTable) fn(i int) (goFunc, bool) {
	off := t.uint(2*i + 1)
	if off > uint64(len(t.records)) {
		return goFunc{}, false
	}
	f := goFunc{t: t, b: t.records[off:], head: t.ptr}
	if t.version >= go118 {
		f.head = 4
	}
	return f, len(f.b) >= f.head+32
}

// field reads the u32 field n behind the entry field: 0 name, 3 pcsp, 4 pcfile,
// 5 pcln, 6 npcdata, 7 compilation unit, 8 start line (go120).
func (f goFunc) field(n int) uint32 {
	at := f.head + 4*n
	if at+4 > len(f.b) {
		return 0
	}
	return f.t.order.Uint32(f.b[at:])
}

func (f goFunc) name() string    { return cstring(f.t.names, uint64(f.field(0))) }
func (f goFunc) pcfile() uint32  { return f.field(4) }
func (f goFunc) pcln() uint32    { return f.field(5) }
func (f goFunc) npcdata() uint32 { return f.field(6) }

func (f goFunc) startLine() int {
	if f.t.version < go120 {
		return 0
	}
	return int(int32(f.field(8)))
}

// cstring is the zero-terminated string at off of s.
func cstring(s string, off uint64) string {
	if off >= uint64(len(s)) {
		return ""
	}
	s = s[off:]
	if i := strings.IndexByte(s, 0); i >= 0 {
		return s[:i]
	}
	return ""
}

// value decodes the pc-value table at off for the address pc of a function
// that starts at entry: pairs of a zigzag value delta and a pc delta, from
// value -1. It returns -1 if the table does not reach pc.
func (t *goTable) value(off uint32, entry, pc uint64) int32 {
	if uint64(off) >= uint64(len(t.pctab)) {
		return -1
	}
	p := t.pctab[off:]
	val, at := int32(-1), entry
	for i := 0; i < len(p); {
		// Nearly all deltas take one byte: this loop is where lookups spend
		// their time.
		d := uint32(p[i])
		i++
		if d >= 0x80 {
			v, n := uvarint32(p[i-1:])
			if n == 0 {
				return -1
			}
			d, i = v, i-1+n
		}
		if d == 0 && at != entry || i >= len(p) {
			return -1
		}
		val += int32(d>>1) ^ -int32(d&1)
		d = uint32(p[i])
		i++
		if d >= 0x80 {
			v, n := uvarint32(p[i-1:])
			if n == 0 {
				return -1
			}
			d, i = v, i-1+n
		}
		if at += uint64(d) * t.quantum; pc < at {
			return val
		}
	}
	return -1
}

// uvarint32 decodes a 32-bit varint and its length in bytes, 0 if cut off.
func uvarint32(p []byte) (v uint32, n int) {
	for i, b := range p {
		v |= uint32(b&0x7f) << (7 * i)
		if b < 0x80 {
			return v, i + 1
		}
		if i == 4 {
			break
		}
	}
	return 0, 0
}

// fileLine returns the source position of pc inside function f: line -1 and
// file "" where the table says nothing.
func (f goFunc) fileLine(entry, pc uint64) (string, int) {
	t := f.t
	line := int(t.value(f.pcln(), entry, pc))
	n := t.value(f.pcfile(), entry, pc)
	if n < 0 || t.version == go12 && n == 0 {
		return "", line
	}
	at := uint32(n)
	if t.version > go12 {
		at += f.field(7) // wraps for functions of no unit, as in the tool
	}
	if uint64(at)*4+4 > uint64(len(t.filetab)) {
		return "", line
	}
	off := t.order.Uint32(t.filetab[uint64(at)*4:])
	if off == ^uint32(0) {
		return "", line
	}
	return cstring(t.files, uint64(off)), line
}

// frames returns the calls at pc, innermost first; only the function itself
// without inlines. nil if the table does not know pc.
func (t *goTable) frames(pc uint64, inlines bool) []Frame {
	i := t.find(pc)
	if i < 0 {
		return nil
	}
	f, ok := t.fn(i)
	if !ok {
		return nil
	}
	entry := t.entry(i)
	if !inlines || t.inlining == nil {
		file, line := f.fileLine(entry, pc)
		fr := Frame{Func: f.name(), File: file, Line: line}
		if inlines {
			fr.StartLine = f.startLine()
		}
		return []Frame{fr}
	}
	return f.inlined(entry, pc)
}

const (
	inlineTreeIndex = 2  // PCDATA_InlTreeIndex
	inlineTreeData  = 3  // FUNCDATA_InlTree
	inlinedCallSize = 16 // bytes of runtime.inlinedCall since Go 1.20
	maxInlineDepth  = 1000
)

// inlined walks the inline tree from pc outwards. Each entry tells the name
// of the inlined function and a pc of its caller's call site, whose own
// position and tree index tell the rest. Wrappers that the compiler generated
// around others are left out, as the runtime leaves them out of profiles.
func (f goFunc) inlined(entry, pc uint64) []Frame {
	t := f.t
	wrapper := t.wrapper()
	var out []Frame
	table, tree := f.pcdata(inlineTreeIndex), f.funcdata(inlineTreeData)
	for range maxInlineDepth {
		if table == 0 || tree == ^uint32(0) {
			break
		}
		n := t.value(table, entry, pc)
		var b [inlinedCallSize]byte
		if n < 0 || !t.inlining(uint64(tree)+uint64(n)*inlinedCallSize, b[:]) {
			break
		}
		if b[0] != wrapper {
			file, line := f.fileLine(entry, pc)
			out = append(out, Frame{
				Func:      cstring(t.names, uint64(t.order.Uint32(b[4:]))),
				File:      file,
				Line:      line,
				StartLine: int(int32(t.order.Uint32(b[12:]))),
				Inlined:   true,
			})
		}
		parent := entry + uint64(t.order.Uint32(b[8:]))
		if parent == pc {
			break
		}
		pc = parent
	}
	if len(out) > 0 && f.id() == wrapper {
		out[len(out)-1].Inlined = false
		return out
	}
	file, line := f.fileLine(entry, pc)
	return append(out, Frame{Func: f.name(), File: file, Line: line, StartLine: f.startLine()})
}

// id is the runtime's number of the kind of function (internal/abi.FuncID).
func (f goFunc) id() byte {
	if at := f.head + 4*9; f.t.version >= go120 && at < len(f.b) {
		return f.b[at]
	}
	return 0
}

// maxFuncID returns the highest kind of function in the table. That is the
// kind of wrappers: every release numbered its kinds anew, but with wrappers
// last, and every program has some.
func (t *goTable) maxFuncID() byte {
	var high byte
	for i := range t.count {
		if f, ok := t.fn(i); ok {
			high = max(high, f.id())
		}
	}
	return high
}

// pcdata returns the offset of pc-value table n, 0 if there is none.
func (f goFunc) pcdata(n uint32) uint32 {
	if n >= f.npcdata() {
		return 0
	}
	return f.field(10 + int(n)) // behind the flag word of go120
}

// funcdata returns the offset of funcdata n from go:func.*, ^0 if there is none.
func (f goFunc) funcdata(n uint32) uint32 {
	flags := f.head + 4*9
	np := uint64(f.npcdata())
	if flags+4 > len(f.b) || n >= uint32(f.b[flags+3]) || np > uint64(len(f.b))/4 {
		return ^uint32(0)
	}
	at := flags + 4 + 4*int(np) + 4*int(n)
	if at+4 > len(f.b) {
		return ^uint32(0)
	}
	return f.t.order.Uint32(f.b[at:])
}

// symbols lists the functions in address order, each up to the next.
func (t *goTable) symbols() []rawSym {
	out := make([]rawSym, 0, t.count)
	for i := range t.count {
		f, ok := t.fn(i)
		lo, hi := t.entry(i), t.entry(i+1)
		if ok && lo < hi {
			out = append(out, rawSym{name: f.name(), addr: lo, size: hi - lo, code: true})
		}
	}
	return out
}
