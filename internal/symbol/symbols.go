package symbol

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// rawSym is one entry of a file's symbol table.
type rawSym struct {
	name string
	addr uint64
	size uint64 // bytes
	code bool   // lies in machine code
}

// Symbol is a routine (or a variable) of an object.
type Symbol struct {
	Names []string // sorted; one name without Options.WholeSymbols
	Start uint64   // first address
	// End is the address behind the last byte with Options.WholeSymbols, and
	// that of the last byte without, which is what the tool disassembles up
	// to (and so loses the end of the last instruction).
	End  uint64
	File string // path the object was opened by
}

// sizeByNext sets the size of each symbol to the distance to the next higher
// address, 0 for the highest. The order of syms stays.
func sizeByNext(syms []rawSym) {
	addrs := make([]uint64, len(syms))
	for i, s := range syms {
		addrs[i] = s.addr
	}
	slices.Sort(addrs)
	for i := range syms {
		a := syms[i].addr
		if j := sort.Search(len(addrs), func(j int) bool { return addrs[j] > a }); j < len(addrs) {
			syms[i].size = addrs[j] - a
		}
	}
}

// symTable holds the symbols of an object by address.
type symTable struct {
	// all is sorted by address. Among equal addresses the order is what the
	// standard unstable sort makes of the file's order: the tool's listing
	// and its names of call targets depend on it.
	all []rawSym
	// named is all without the symbols that only mark sections.
	named []rawSym
	// code is the machine code of all, for the name of an address.
	code []rawSym
}

// rawTable is the symbol table as the file has it.
type rawTable struct {
	syms []rawSym // owned and sorted by loadSymbols
	goes goSymbols
}

func (o *Object) readSymbols() (*rawTable, error) {
	var t rawTable
	err := guard(func() (err error) {
		t.syms, err = o.img.symbols()
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("symbols of %s: %w", o.path, err)
	}
	t.goes = pickGoSymbols(t.syms)
	return &t, nil
}

// loadSymbols builds the table from the file's symbols, else from the separate
// debug file, else from the Go function table.
func (o *Object) loadSymbols() (*symTable, error) {
	own, err := o.raw()
	if err != nil {
		return nil, err
	}
	raw := own.syms
	if s := o.side(); s != nil {
		// A stripped library keeps its exported symbols only.
		if more, err := s.raw(); err == nil && hasCode(more.syms) {
			raw = more.syms
		}
	}
	if !hasCode(raw) {
		if t, err := o.goTable(); err == nil && t != nil {
			raw = t.symbols()
		}
	}
	return newSymTable(raw), nil
}

func hasCode(syms []rawSym) bool {
	return slices.ContainsFunc(syms, func(s rawSym) bool { return s.code })
}

// newSymTable sorts raw, which it takes over.
func newSymTable(raw []rawSym) *symTable {
	slices.SortFunc(raw, func(a, b rawSym) int { return cmp.Compare(a.addr, b.addr) })
	t := &symTable{all: raw}
	for _, s := range raw {
		if !sectionMark(s.name) {
			t.named = append(t.named, s)
			if s.code && s.name != "" && !mappingSymbol(s.name) {
				t.code = append(t.code, s)
			}
		}
	}
	return t
}

// sectionMark tells the linker's symbols for the bounds of the text section.
func sectionMark(name string) bool {
	switch name {
	case "runtime.text", "text", "_text", "runtime.etext", "etext", "_etext":
		return true
	}
	return false
}

// mappingSymbol tells the marks of ARM and RISC-V assemblers between code and
// data ($a, $d.1, $xrv64).
func mappingSymbol(name string) bool {
	return len(name) > 1 && name[0] == '$' && strings.IndexByte("atdx", name[1]) >= 0
}

// lookup names the symbol around addr as the tool's disassembler does; it is
// the symbol-name function of the decoders.
func (t *symTable) lookup(addr uint64) (name string, start uint64) {
	i := sort.Search(len(t.named), func(i int) bool { return addr < t.named[i].addr })
	if i == 0 {
		return "", 0
	}
	if s := t.named[i-1]; s.addr != 0 && addr < s.addr+s.size {
		return s.name, s.addr
	}
	return "", 0
}

// function returns the routine around addr. A symbol without a size (of
// assembly code) reaches up to the next one.
func (t *symTable) function(addr uint64) (rawSym, bool) {
	i := sort.Search(len(t.code), func(i int) bool { return addr < t.code[i].addr })
	if i == 0 {
		return rawSym{}, false
	}
	s := t.code[i-1]
	for j := i - 2; j >= 0 && t.code[j].addr == s.addr; j-- {
		// Of several names take the one with a size, then the first by name.
		if c := t.code[j]; (c.size > 0) != (s.size > 0) && c.size > 0 || (c.size > 0) == (s.size > 0) && c.name < s.name {
			s = c
		}
	}
	if s.size == 0 {
		if i == len(t.code) {
			return rawSym{}, false // nothing behind it tells where it ends
		}
		return s, true
	}
	return s, addr < s.addr+s.size
}

// Symbols lists the symbols, in address order, that have a name match accepts
// (nil accepts all) and hold address addr (0 accepts all). Without
// Options.WholeSymbols that is the tool's list: every kind of symbol, one
// entry a name. With it only machine code is listed, aliases together.
// Symbols of a stripped Go program come from its function table.
func (o *Object) Symbols(match func(name string) bool, addr uint64) ([]Symbol, error) {
	t, err := o.symTab()
	if err != nil {
		return nil, err
	}
	if o.opts.WholeSymbols {
		return o.wholeSymbols(t, match, addr), nil
	}
	var out []Symbol
	for _, s := range t.all {
		if s.addr == 0 && s.size == 0 {
			continue // the name of a source file
		}
		if addr != 0 && (addr < s.addr || addr >= s.addr+s.size) || match != nil && !match(s.name) {
			continue
		}
		out = append(out, Symbol{Names: []string{s.name}, Start: s.addr, End: s.addr + s.size - 1, File: o.path})
	}
	return out, nil
}

func (o *Object) wholeSymbols(t *symTable, match func(string) bool, addr uint64) []Symbol {
	var out []Symbol
	for i := 0; i < len(t.code); {
		s := Symbol{Start: t.code[i].addr, End: t.code[i].addr, File: o.path}
		wanted := match == nil
		j := i
		for ; j < len(t.code) && t.code[j].addr == s.Start; j++ {
			c := t.code[j]
			s.Names = append(s.Names, c.name)
			s.End = max(s.End, c.addr+c.size)
			wanted = wanted || match(c.name)
		}
		if s.End == s.Start && j < len(t.code) {
			s.End = t.code[j].addr
		}
		i = j
		if !wanted || addr != 0 && (addr < s.Start || addr >= s.End) {
			continue
		}
		slices.Sort(s.Names)
		s.Names = slices.Compact(s.Names)
		out = append(out, s)
	}
	return out
}
