package symbol

import (
	"encoding/binary"
	"fmt"
	"io"

	"golang.org/x/arch/arm/armasm"
	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/loong64/loong64asm"
	"golang.org/x/arch/ppc64/ppc64asm"
	"golang.org/x/arch/riscv64/riscv64asm"
	"golang.org/x/arch/s390x/s390xasm"
	"golang.org/x/arch/x86/x86asm"
)

// Syntax is a way to write machine instructions.
type Syntax int

// Syntaxes.
const (
	SyntaxGo    Syntax = iota // Go's assembler: what `go tool pprof -disasm` prints
	SyntaxGNU                 // GNU as, as objdump prints
	SyntaxIntel               // Intel, on x86 only
)

func (s Syntax) String() string {
	switch s {
	case SyntaxGNU:
		return "gnu"
	case SyntaxIntel:
		return "intel"
	}
	return "go"
}

// Inst is one decoded machine instruction.
type Inst struct {
	Addr uint64
	Size int    // bytes
	Text string // "?" for bytes that are no instruction
	Func string // innermost function; empty without Options.Inlines, as in the tool
	File string // innermost source file; empty if unknown
	Line int    // 1-based; 0 if unknown
}

// maxDisasm bounds the bytes one Disasm call decodes.
const maxDisasm = 64 << 20

// Disasm decodes the instructions of the text section from start up to end
// (exclusive). Names of branch targets and variables come from the symbol
// table. A range outside of the text section is cut to it.
func (o *Object) Disasm(start, end uint64, syntax Syntax) (insts []Inst, err error) {
	err = guard(func() (err error) {
		insts, err = o.disasm(start, end, syntax)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("disassemble %s [%#x, %#x): %w", o.path, start, end, err)
	}
	return insts, nil
}

func (o *Object) disasm(start, end uint64, syntax Syntax) ([]Inst, error) {
	text, ok := o.codeSpan(start)
	if !ok {
		return nil, fmt.Errorf("no machine code there")
	}
	syms, err := o.symTab()
	if err != nil {
		return nil, err
	}
	decode, err := decoder(o.img.goarch(), o.img.order(), syntax, syms.lookup)
	if err != nil {
		return nil, err
	}
	start, end = max(start, text.addr), min(end, text.addr+text.size)
	if start >= end {
		return nil, nil
	}
	if end-start > maxDisasm {
		return nil, fmt.Errorf("%d bytes asked for, limit %d", end-start, maxDisasm)
	}
	code := make([]byte, end-start)
	if err := o.img.readAt(code, start); err != nil {
		return nil, err
	}
	out := make([]Inst, 0, len(code)/4)
	for pc := start; pc < end; {
		s, size := decode(code[pc-start:], pc)
		in := Inst{Addr: pc, Size: size, Text: s}
		if f, ok := o.position(pc); ok {
			in.File, in.Line = f.File, f.Line
			if o.opts.Inlines {
				in.Func = f.Func
			}
		}
		out = append(out, in)
		pc += uint64(size)
	}
	return out, nil
}

// codeSpan is the text section, or the executable span around addr for code
// in other sections and for files without section headers. The tool knows the
// text section only.
func (o *Object) codeSpan(addr uint64) (span, bool) {
	text, ok := o.img.text()
	if ok && text.contains(addr) {
		return text, true
	}
	for _, s := range o.img.spans() {
		if s.exec && s.contains(addr) {
			return s, true
		}
	}
	return text, ok
}

// position is the innermost source position of pc; the tool looks only into
// the Go function table.
func (o *Object) position(pc uint64) (Frame, bool) {
	var fs []Frame
	if o.opts.Inlines {
		fs = o.Frames(pc)
	} else if t, err := o.goTable(); err == nil && t != nil {
		fs = t.frames(pc, false)
	}
	if len(fs) == 0 {
		return Frame{}, false
	}
	return fs[0], true
}

// symName returns the symbol around an address and its start.
type symName = func(addr uint64) (name string, start uint64)

// decodeFunc decodes the first instruction of code, which lies at pc, into
// its text and its size in bytes (at least 1).
type decodeFunc func(code []byte, pc uint64) (string, int)

// unknown is the text for bytes that are no instruction.
const unknown = "?"

// decoder returns the decoder for a GOARCH. Invalid bytes advance by the size
// of the smallest instruction, as the tool does it.
func decoder(arch string, order binary.ByteOrder, syntax Syntax, name symName) (decodeFunc, error) {
	switch arch {
	case "386":
		return x86Decoder(32, syntax, name), nil
	case "amd64":
		return x86Decoder(64, syntax, name), nil
	}
	if syntax == SyntaxIntel {
		return nil, fmt.Errorf("intel syntax is for x86, not for %s", arch)
	}
	gnu := syntax == SyntaxGNU
	switch arch {
	case "arm":
		return armDecoder(gnu, name), nil
	case "arm64":
		return arm64Decoder(gnu, name), nil
	case "loong64":
		return loong64Decoder(gnu, name), nil
	case "ppc64", "ppc64le":
		return ppc64Decoder(order, gnu, name), nil
	case "riscv64":
		return riscv64Decoder(gnu, name), nil
	case "s390x":
		return s390xDecoder(gnu, name), nil
	case "":
		return nil, fmt.Errorf("unknown machine architecture")
	}
	return nil, fmt.Errorf("no disassembler for architecture %s", arch)
}

func x86Decoder(bits int, syntax Syntax, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := x86asm.Decode(code, bits)
		if err != nil || in.Len == 0 || in.Op == 0 {
			return unknown, 1
		}
		switch syntax {
		case SyntaxIntel:
			return x86asm.IntelSyntax(in, pc, name), in.Len
		case SyntaxGNU:
			return x86asm.GNUSyntax(in, pc, name), in.Len
		}
		return x86asm.GoSyntax(in, pc, name), in.Len
	}
}

func armDecoder(gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := armasm.Decode(code, armasm.ModeARM)
		switch {
		case err != nil || in.Len == 0 || in.Op == 0:
			return unknown, 4
		case gnu:
			return armasm.GNUSyntax(in), in.Len
		}
		return armasm.GoSyntax(in, pc, name, memory{code, pc}), in.Len
	}
}

func arm64Decoder(gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := arm64asm.Decode(code)
		switch {
		case err != nil || in.Op == 0:
			return unknown, 4
		case gnu:
			return arm64asm.GNUSyntax(in), 4
		}
		return arm64asm.GoSyntax(in, pc, name, memory{code, pc}), 4
	}
}

func loong64Decoder(gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := loong64asm.Decode(code)
		switch {
		case err != nil || in.Op == 0:
			return unknown, 4
		case gnu:
			return loong64asm.GNUSyntax(in), 4
		}
		return loong64asm.GoSyntax(in, pc, name), 4
	}
}

func ppc64Decoder(order binary.ByteOrder, gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := ppc64asm.Decode(code, order)
		switch {
		case err != nil || in.Len == 0:
			return unknown, 4
		case gnu:
			return ppc64asm.GNUSyntax(in, pc), in.Len
		}
		return ppc64asm.GoSyntax(in, pc, name), in.Len
	}
}

func riscv64Decoder(gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := riscv64asm.Decode(code)
		switch {
		case err != nil || in.Op == 0 || in.Len == 0:
			return unknown, 2
		case gnu:
			return riscv64asm.GNUSyntax(in), in.Len
		}
		return riscv64asm.GoSyntax(in, pc, name, memory{code, pc}), in.Len
	}
}

func s390xDecoder(gnu bool, name symName) decodeFunc {
	return func(code []byte, pc uint64) (string, int) {
		in, err := s390xasm.Decode(code)
		switch {
		case err != nil || in.Len == 0 || in.Op == 0:
			return unknown, 2
		case gnu:
			return s390xasm.GNUSyntax(in, pc), in.Len
		}
		return s390xasm.GoSyntax(in, pc, name), in.Len
	}
}

// memory lets a decoder read the constants that instructions of the decoded
// range refer to: code lies at address pc.
type memory struct {
	code []byte
	pc   uint64
}

// ReadAt reads from address off.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || uint64(off) < m.pc || uint64(off)-m.pc >= uint64(len(m.code)) {
		return 0, io.EOF
	}
	n := copy(p, m.code[uint64(off)-m.pc:])
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}
