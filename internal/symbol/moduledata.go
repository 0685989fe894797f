package symbol

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
)

// loadGoTable finds and parses the Go function table. A file without one
// gives nil and no error.
func (o *Object) loadGoTable() (*goTable, error) {
	var syms goSymbols
	if raw, err := o.raw(); err == nil { // a broken symbol table does not spoil this one
		syms = raw.goes
	}
	var t *goTable
	err := guard(func() (err error) {
		t, err = findGoTable(o.img, syms)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.path, err)
	}
	return t, nil
}

// goSymbols are the linker's symbols this file reads, zero if missing.
type goSymbols struct {
	text, pclntab, epclntab, gofunc, module uint64
}

func pickGoSymbols(raw []rawSym) goSymbols {
	var g goSymbols
	set := func(p *uint64, v uint64) {
		if *p == 0 {
			*p = v
		}
	}
	for _, s := range raw {
		switch s.name {
		case "runtime.text", "_runtime.text":
			set(&g.text, s.addr)
		case "runtime.pclntab", "_runtime.pclntab":
			set(&g.pclntab, s.addr)
		case "runtime.epclntab", "_runtime.epclntab":
			set(&g.epclntab, s.addr)
		case "go:func.*", "_go:func.*":
			set(&g.gofunc, s.addr)
		case "runtime.firstmoduledata", "_runtime.firstmoduledata":
			set(&g.module, s.addr)
		}
	}
	return g
}

func findGoTable(img image, syms goSymbols) (*goTable, error) {
	data, addr, err := goTableBytes(img, syms)
	if err != nil || data == nil {
		return nil, err
	}
	t, err := parseGoTable(data, 0)
	if err != nil {
		return nil, err
	}
	mod, hasMod := findModule(img, syms, t, addr)
	switch s, ok := img.text(); {
	case syms.text != 0:
		t.text = syms.text
	case hasMod:
		t.text = mod.text
	case ok:
		t.text = s.addr
	}
	gofunc := syms.gofunc
	if gofunc == 0 && hasMod {
		gofunc = mod.gofunc
	}
	if gofunc != 0 && t.version >= go120 {
		r := &funcData{img: img, base: gofunc, table: data, tableAddr: addr}
		t.inlining = r.read
	}
	return t, nil
}

// goTableBytes returns the function table and its address: from its section,
// from its symbols, or by looking for its first bytes; nil if there is none.
func goTableBytes(img image, syms goSymbols) ([]byte, uint64, error) {
	for _, name := range []string{".gopclntab", ".data.rel.ro.gopclntab", "__gopclntab"} {
		data, addr, err := img.section(name)
		if err == nil {
			return data, addr, nil
		}
		if !errors.Is(err, errNoSection) {
			return nil, 0, err
		}
	}
	if syms.pclntab != 0 && syms.epclntab > syms.pclntab {
		for _, s := range img.spans() {
			if s.contains(syms.pclntab) && syms.epclntab-s.addr <= s.size {
				data := make([]byte, syms.epclntab-syms.pclntab)
				return data, syms.pclntab, img.readAt(data, syms.pclntab)
			}
		}
	}
	if _, ok := img.text(); ok && img.kind() != "PE" {
		return nil, 0, nil // has sections, so a Go table would have one
	}
	return scanGoTable(img)
}

// scanChunk is the number of bytes looked through at a time.
const scanChunk = 1 << 20

// scanGoTable looks for a table in the data of a stripped PE file or of an
// ELF file without section headers.
func scanGoTable(img image) ([]byte, uint64, error) {
	var found uint64
	eachChunk(img, func(b []byte, addr uint64) bool {
		for i := 0; i+goHeader+8 <= len(b); i += 4 {
			if m := img.order().Uint32(b[i:]); m|0xf != 0xffffffff || b[i+4] != 0 {
				continue
			}
			if t, err := goTableAt(img, addr+uint64(i), goHeader+8*8); err == nil && t.ptr == img.ptrSize() {
				found = addr + uint64(i)
				return false
			}
		}
		return true
	})
	if found == 0 {
		return nil, 0, nil
	}
	for _, s := range img.spans() {
		if s.contains(found) {
			data := make([]byte, s.size-(found-s.addr))
			return data, found, img.readAt(data, found)
		}
	}
	return nil, 0, nil
}

// goTableAt checks n bytes of header at addr: enough to tell a table from
// four bytes that look like one.
func goTableAt(img image, addr uint64, n int) (*goTable, error) {
	h := make([]byte, n)
	if err := img.readAt(h, addr); err != nil {
		return nil, err
	}
	if h[5] != 0 || h[6] != 1 && h[6] != 2 && h[6] != 4 || h[7] != 4 && h[7] != 8 {
		return nil, errGoTable
	}
	t := &goTable{order: img.order(), ptr: int(h[7])}
	v, ok := goMagic(t.order.Uint32(h))
	count, err := t.word(h, 0)
	if !ok || err != nil || count == 0 || count > 1<<24 {
		return nil, errGoTable
	}
	t.version = v
	return t, nil
}

// eachChunk calls f with the file-backed bytes of all data spans, in pieces
// that overlap by 64 bytes so that nothing small is cut; f returns false to stop.
func eachChunk(img image, f func(b []byte, addr uint64) bool) {
	const overlap = 64
	for _, s := range img.spans() {
		if s.exec {
			continue
		}
		for off := uint64(0); off < s.size; off += scanChunk {
			b := make([]byte, min(s.size-off, scanChunk+overlap))
			if err := img.readAt(b, s.addr+off); err != nil {
				break
			}
			if !f(b, s.addr+off) {
				return
			}
		}
	}
}

// module is what this package needs of a runtime.moduledata.
type module struct {
	text, gofunc uint64
}

// Words of runtime.moduledata, the same from Go 1.20 to 1.26: the table's
// header, six slices of three words, then single words.
const (
	moduleFtabLen = 17
	moduleMinPC   = 20
	moduleText    = 22
	moduleGofunc  = 40
	moduleWords   = 41
)

// findModule finds the first moduledata: by symbol, by section, or by its
// first word, which points at the function table t at address addr.
func findModule(img image, syms goSymbols, t *goTable, addr uint64) (module, bool) {
	if t.version < go118 {
		return module{}, false // addresses are absolute, inline trees of another layout
	}
	var tries []uint64
	if syms.module != 0 {
		tries = append(tries, syms.module)
	}
	tries = append(tries, img.pointersTo(addr)...)
	for _, at := range tries {
		if m, ok := readModule(img, t, addr, at); ok {
			return m, true
		}
	}
	var m module
	var ok bool
	want := make([]byte, img.ptrSize())
	putWord(img, want, addr)
	eachChunk(img, func(b []byte, base uint64) bool {
		for i := 0; ; i++ {
			n := indexPointer(b[i:], want, addr)
			if n < 0 {
				return true
			}
			i += n
			if m, ok = readModule(img, t, addr, base+uint64(i)); ok {
				return false
			}
		}
	})
	return m, ok
}

// indexPointer finds a word that points at addr: want is its plain form. The
// chained pointers of Mach-O keep the address in the low 36 bits.
func indexPointer(b, want []byte, addr uint64) int {
	if n := bytes.Index(b, want); n >= 0 || len(want) < 8 {
		return n
	}
	for i := 0; i+8 <= len(b); i += 8 {
		if w := binary.LittleEndian.Uint64(b[i:]); w>>51 != 0 && chained(w, addr) == addr {
			return i
		}
	}
	return -1
}

// chained decodes a Mach-O chained pointer whose target is near addr: the
// low 36 bits are an address, or an offset from the image base.
func chained(w, near uint64) uint64 {
	const mask = 1<<36 - 1
	v := w & mask
	if base := near &^ uint64(1<<32-1); v < base {
		v += base
	}
	return v
}

func putWord(img image, b []byte, v uint64) {
	if len(b) == 4 {
		img.order().PutUint32(b, uint32(v))
		return
	}
	img.order().PutUint64(b, v)
}

// readModule reads the moduledata at address at and checks that it belongs to
// table t at tableAddr: it must point there and count the same functions.
func readModule(img image, t *goTable, tableAddr, at uint64) (module, bool) {
	ptr := uint64(t.ptr)
	b := make([]byte, moduleWords*ptr)
	if err := img.readAt(b, at); err != nil {
		return module{}, false
	}
	fixed := img.pointers(at, at+uint64(len(b)))
	word := func(i uint64) uint64 {
		if v, ok := fixed[at+i*ptr]; ok {
			return v
		}
		if ptr == 4 {
			return uint64(t.order.Uint32(b[i*4:]))
		}
		v := t.order.Uint64(b[i*8:])
		if v>>51 != 0 && img.kind() == "Mach-O" {
			return chained(v, tableAddr)
		}
		return v
	}
	if word(0) != tableAddr || word(moduleFtabLen) != uint64(t.count)+1 {
		return module{}, false
	}
	m := module{text: word(moduleText)}
	if word(moduleMinPC) != m.text+t.uint(0) {
		return module{}, false
	}
	if t.version >= go120 {
		m.gofunc = word(moduleGofunc)
	}
	return m, true
}

// funcData reads the go:func.* area, which holds the inline trees.
type funcData struct {
	img       image
	base      uint64 // address of go:func.*
	table     []byte // the section of the function table: Go 1.26 keeps the area there
	tableAddr uint64

	mu    sync.Mutex
	pages map[uint64][]byte // by address / funcPage
}

const (
	funcPage     = 64 << 10 // bytes read at a time
	maxFuncPages = 1024     // kept at most
)

// read fills p (shorter than a page) from offset off of the area.
func (d *funcData) read(off uint64, p []byte) bool {
	addr := d.base + off
	if at := addr - d.tableAddr; addr >= d.tableAddr && at+uint64(len(p)) <= uint64(len(d.table)) {
		copy(p, d.table[at:])
		return true
	}
	for len(p) > 0 {
		page := d.page(addr / funcPage)
		in := addr % funcPage
		if in >= uint64(len(page)) {
			return false
		}
		n := copy(p, page[in:])
		p, addr = p[n:], addr+uint64(n)
	}
	return true
}

// page returns page n, shorter or empty where the file has no bytes. A page
// that starts in front of a span cannot be read whole: its head is zero then.
func (d *funcData) page(n uint64) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p, ok := d.pages[n]; ok {
		return p
	}
	if d.pages == nil || len(d.pages) >= maxFuncPages {
		d.pages = make(map[uint64][]byte)
	}
	var p []byte
	lo, hi := n*funcPage, (n+1)*funcPage
	for _, s := range d.img.spans() {
		a, b := max(lo, s.addr), min(hi, s.addr+s.size)
		if a >= b || d.base < s.addr || d.base >= s.addr+s.size {
			continue
		}
		p = make([]byte, b-lo)
		if err := d.img.readAt(p[a-lo:], a); err != nil {
			p = nil
		}
		break
	}
	d.pages[n] = p
	return p
}
