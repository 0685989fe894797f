package goheap

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sort"

	"github.com/profoundhq/profound/internal/proc"
)

// module is one runtime.moduledata: the program itself, or a plugin.
type module struct {
	addr                   uint64
	text, etext            uint64
	types, etypes          uint64
	gofunc, rodata         uint64
	data, edata, bss, ebss uint64
	noptrdata              uint64
	noptrbss, enoptrbss    uint64
	ftab, pcln, pctab      []byte
	names, cutab, files    []byte
	dataMask, bssMask      []byte
	tables                 proc.Range // all of the above but the masks
	warnings               []error
}

// maxModules bounds the list: plugins are few.
const maxModules = 1024

// readModules follows the list of modules from runtime.firstmoduledata. The
// tables of functions and the masks are read only when asked for.
func readModules(m *reader, l *layout, first uint64, tables bool) ([]*module, error) {
	var out []*module
	o := &l.Module
	for a := first; a != 0 && len(out) < maxModules; a = m.u64(a + o.Next) {
		at := func(off uint64) uint64 { return m.u64(a + off) }
		d := &module{addr: a, text: at(o.Text), etext: at(o.EText), types: at(o.Types), etypes: at(o.ETypes), gofunc: at(o.GoFunc), rodata: at(o.ROData),
			data: at(o.Data), edata: at(o.EData), bss: at(o.BSS), ebss: at(o.EBSS), noptrdata: at(o.NoPtrData), noptrbss: at(o.NoPtrBSS), enoptrbss: at(o.ENoPtrBSS)}
		d.tables = tablesOf(m, a, o)
		if tables {
			d.readTables(m, o)
		}
		if d.text == 0 || d.etext < d.text || d.tables.Len() == 0 || tables && (len(d.ftab) < 16 || len(d.pcln) == 0 || len(d.names) == 0) {
			if len(out) == 0 {
				return nil, fmt.Errorf("%w: the table of functions, which runtime.firstmoduledata at %#x leads to, cannot be read", ErrMemory, a)
			}
			out[0].warnings = append(out[0].warnings, fmt.Errorf("the tables of another module (a plugin), at %#x, cannot be read: its variables are left out, and so are modules that come later", a))
			break
		}
		out = append(out, d)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("%w: runtime.firstmoduledata", ErrMemory)
	}
	return out, nil
}

// readTables reads what is needed for functions, lines and roots.
func (d *module) readTables(m *reader, o *moduleLayout) {
	a := d.addr
	d.ftab, d.pcln, d.pctab = m.sliceBytes(a+o.FuncTab, 8), m.sliceBytes(a+o.PCLn, 1), m.sliceBytes(a+o.PCTab, 1)
	d.names, d.cutab, d.files = m.sliceBytes(a+o.FuncNames, 1), m.sliceBytes(a+o.CUTab, 4), m.sliceBytes(a+o.FileTab, 1)
	mask := func(off, lo, hi uint64) []byte {
		if hi <= lo {
			return nil
		}
		b := m.piece(m.u64(a+off), (hi-lo)/64+8)
		if b == nil {
			d.warnings = append(d.warnings, fmt.Errorf("%d MB of variables at %#x are left out: where their pointers are cannot be read", (hi-lo)>>20, lo))
		}
		return b
	}
	d.dataMask, d.bssMask = mask(o.DataMask, d.data, d.edata), mask(o.BSSMask, d.bss, d.ebss)
}

// tablesOf is where the tables of functions lie, from the first to the last.
func tablesOf(m *reader, a uint64, o *moduleLayout) proc.Range {
	r := proc.Range{Start: ^uint64(0)}
	for _, t := range [...]struct{ off, size uint64 }{{o.FuncTab, 8}, {o.PCLn, 1}, {o.PCTab, 1}, {o.FuncNames, 1}, {o.CUTab, 4}, {o.FileTab, 1}} {
		if p, n := m.slice(a+t.off, t.size); n > 0 {
			r.Start, r.End = min(r.Start, p), max(r.End, p+n*t.size)
		}
	}
	if r.Start > r.End || r.Len() > maxAlloc {
		return proc.Range{}
	}
	return r
}

// function is an entry of the table of functions.
type function struct {
	md    *module
	entry uint64
	raw   []byte // runtime._func and what follows it
	name  string
}

// functions finds functions by address.
type functions struct {
	modules []*module
	lay     *layout
	quantum uint64 // bytes of the smallest instruction
	cache   map[uint64]*function
	lines   map[uint64][]Frame // of frames, by address
}

// at finds the function an address lies in, nil if there is none.
func (fs *functions) at(pc uint64) *function {
	for _, d := range fs.modules {
		n := len(d.ftab)/8 - 1
		if pc < d.text || pc >= d.etext {
			continue
		}
		off := uint32(pc - d.text)
		i := sort.Search(n+1, func(i int) bool { return binary.LittleEndian.Uint32(d.ftab[i*8:]) > off }) - 1
		if i < 0 || i >= n {
			continue
		}
		at, where := binary.LittleEndian.Uint32(d.ftab[i*8:]), binary.LittleEndian.Uint32(d.ftab[i*8+4:])
		entry := d.text + uint64(at)
		if f := fs.cache[entry]; f != nil {
			return f
		}
		if uint64(where)+fs.lay.Func.Size > uint64(len(d.pcln)) {
			return nil
		}
		f := &function{md: d, entry: entry, raw: d.pcln[where:]}
		f.name = cstring(d.names, uint64(fs.u32(f, fs.lay.Func.Name)))
		fs.cache[entry] = f
		return f
	}
	return nil
}

// cstring reads the text up to a zero byte.
func cstring(b []byte, off uint64) string {
	if off >= uint64(len(b)) {
		return ""
	}
	b = b[off:]
	if n := bytes.IndexByte(b, 0); n >= 0 {
		b = b[:n]
	}
	return string(b)
}

// u32 reads a number of the function's record, 0 behind its end.
func (fs *functions) u32(f *function, off uint64) uint32 {
	if off+4 > uint64(len(f.raw)) {
		return 0
	}
	return binary.LittleEndian.Uint32(f.raw[off:])
}

// pcvalue looks a program counter up in one of the function's tables: pairs of
// deltas, of the value (zigzag) and of the address. -1 is no value.
func (fs *functions) pcvalue(f *function, table uint32, target uint64) int32 {
	if table == 0 || uint64(table) >= uint64(len(f.md.pctab)) {
		return -1
	}
	p, pc, val := f.md.pctab[table:], f.entry, int32(-1)
	for first := true; ; first = false {
		v, n := uleb(p)
		if n == 0 || v == 0 && !first {
			return -1
		}
		p = p[n:]
		val += int32(uint32(v)>>1) ^ -int32(v&1)
		v, n = uleb(p)
		if n == 0 {
			return -1
		}
		p = p[n:]
		if pc += v * fs.quantum; target < pc {
			return val
		}
	}
}

// The tables behind a function's record; internal/abi in the runtime.
const (
	pcdataStackMap  = 1
	pcdataInline    = 2
	funcArgsMaps    = 0
	funcLocalsMaps  = 1
	funcStackObject = 2
	funcInlineTree  = 3
)

func (fs *functions) pcdata(f *function, i uint64, pc uint64) int32 {
	o := &fs.lay.Func
	if i >= uint64(fs.u32(f, o.NPCData)) {
		return -1
	}
	return fs.pcvalue(f, fs.u32(f, o.Size+4*i), pc)
}

// funcdata gives the address of a table, 0 if the function has none.
func (fs *functions) funcdata(f *function, i uint64) uint64 {
	o := &fs.lay.Func
	if i >= uint64(f.raw[o.NFuncData]) {
		return 0
	}
	off := fs.u32(f, o.Size+4*uint64(fs.u32(f, o.NPCData))+4*i)
	if off == ^uint32(0) {
		return 0
	}
	return f.md.gofunc + uint64(off)
}

// position gives file and line of an address.
func (fs *functions) position(f *function, pc uint64) (file string, line int) {
	o := &fs.lay.Func
	no, line32 := fs.pcvalue(f, fs.u32(f, o.PCFile), pc), fs.pcvalue(f, fs.u32(f, o.PCLn), pc)
	at := (uint64(fs.u32(f, o.CU)) + uint64(no)) * 4
	if no < 0 || line32 < 0 || at+4 > uint64(len(f.md.cutab)) {
		return "", 0
	}
	return cstring(f.md.files, uint64(binary.LittleEndian.Uint32(f.md.cutab[at:]))), int(line32)
}

// inlinedCall is runtime.inlinedCall: id, name, parent pc, start line.
const (
	inlinedName   = 4
	inlinedParent = 8
	inlinedSize   = 16
)

// frames appends the calls at an address, inlined ones first. The address
// must lie in the call, not behind it.
func (fs *functions) frames(m *reader, pc uint64, out []Frame) []Frame {
	calls, ok := fs.lines[pc]
	if !ok {
		calls = fs.expand(m, pc)
		fs.lines[pc] = calls
	}
	return append(out, calls...)
}

// expand works out what frames gives.
func (fs *functions) expand(m *reader, pc uint64) (out []Frame) {
	f := fs.at(pc)
	if f == nil {
		return nil
	}
	tree := fs.funcdata(f, funcInlineTree)
	for range 64 {
		file, line := fs.position(f, pc)
		i := int32(-1)
		if tree != 0 {
			i = fs.pcdata(f, pcdataInline, pc)
		}
		if i < 0 {
			return append(out, Frame{f.name, file, line})
		}
		call := tree + uint64(i)*inlinedSize
		out = append(out, Frame{cstring(f.md.names, uint64(m.u32(call+inlinedName))), file, line})
		pc = f.entry + uint64(m.u32(call+inlinedParent))
	}
	return out
}
