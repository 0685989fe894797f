package goheap

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// SectionName is the name of the section of a snapshot file that Save is for.
const SectionName = "go.program"

// saveMagic begins a saved program; the last byte is the version.
const saveMagic = "goprog\x00\x01"

// Save gives the parts of the program that Read needs, so that a snapshot can
// be read without the executable:
//
//	magic, Go version, machine, flags, entry
//	segments: address, size, flags
//	sections: name, address, flags, contents as in the file
//	the program the layouts are from, if it is another one
//
// All numbers are unsigned varints, all texts have their length before them.
func (p *Program) Save() ([]byte, error) {
	out := []byte(saveMagic)
	number := func(v uint64) { out = binary.AppendUvarint(out, v) }
	text := func(s string) { number(uint64(len(s))); out = append(out, s...) }
	flag := func(b bool) uint64 {
		if b {
			return 1
		}
		return 0
	}
	text(p.GoVersion)
	number(uint64(p.machine))
	number(flag(p.pie))
	number(p.entry)
	number(uint64(len(p.segments)))
	for _, s := range p.segments {
		number(s.addr)
		number(s.size)
		number(flag(s.writable))
	}
	found := []string{".go.module", ".bss", ".data", ".noptrdata", ".gopclntab", ".data.rel.ro.gopclntab"}
	var keep []*section
	for i := range p.sections {
		if s := &p.sections[i]; strings.HasPrefix(s.name, ".debug_") && s.name != ".debug_line" && s.name != ".debug_frame" || slices.Contains(found, s.name) {
			keep = append(keep, s)
		}
	}
	number(uint64(len(keep)))
	for _, s := range keep {
		var raw []byte
		if strings.HasPrefix(s.name, ".debug_") {
			var err error
			if raw, err = p.rawSection(s); err != nil {
				return nil, fmt.Errorf("save the program: %w", err)
			}
		}
		text(s.name)
		number(s.addr)
		number(s.size)
		number(flag(s.compressed))
		text(string(raw))
	}
	number(flag(p.layouts != nil))
	if p.layouts != nil {
		inner, err := p.layouts.Save()
		if err != nil {
			return nil, err
		}
		text(string(inner))
	}
	return out, nil
}

// LoadProgram makes a program of what Save gave.
func LoadProgram(data []byte) (*Program, error) {
	p, err := loadProgram(data, 0)
	if err != nil {
		return nil, fmt.Errorf("load the program of a snapshot: %w", err)
	}
	return p, nil
}

func loadProgram(data []byte, depth int) (*Program, error) {
	rest, ok := strings.CutPrefix(string(data), saveMagic)
	if !ok || depth > 1 {
		return nil, errors.New("it is not one, or of a newer version")
	}
	c := loader{b: rest}
	p := &Program{GoVersion: c.text(), machine: elf.Machine(c.number()), pie: c.number() != 0, entry: c.number()}
	for range c.count() {
		p.segments = append(p.segments, segment{addr: c.number(), size: c.number(), writable: c.number() != 0})
	}
	for range c.count() {
		s := section{name: c.text(), addr: c.number(), size: c.number(), compressed: c.number() != 0}
		s.raw = []byte(c.text())
		p.sections = append(p.sections, s)
	}
	var layouts *Program
	if c.number() != 0 && !c.bad {
		var err error
		if layouts, err = loadProgram([]byte(c.text()), depth+1); err != nil {
			return nil, err
		}
	}
	if c.bad {
		return nil, errors.New("it ends too early")
	}
	if err := p.index(layouts); err != nil {
		return nil, err
	}
	return p, nil
}

// loader reads numbers and texts one after the other.
type loader struct {
	b   string
	bad bool
}

func (l *loader) number() uint64 {
	v, n := binary.Uvarint([]byte(l.b[:min(len(l.b), binary.MaxVarintLen64)]))
	if n <= 0 {
		l.bad, l.b = true, ""
		return 0
	}
	l.b = l.b[n:]
	return v
}

// count reads a number of items, each of which takes a byte at least.
func (l *loader) count() uint64 {
	if n := l.number(); n <= uint64(len(l.b)) {
		return n
	}
	l.bad, l.b = true, ""
	return 0
}

func (l *loader) text() string {
	n := l.count()
	s := l.b[:n]
	l.b = l.b[n:]
	return s
}
