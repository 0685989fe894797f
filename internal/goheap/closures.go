package goheap

import (
	"encoding/binary"
	"reflect"

	"golang.org/x/arch/x86/x86asm"
)

// Closures of a function whose captured variables DWARF does not know (before
// Go 1.23, and in stripped programs) are of a struct that the compiler makes
// up. It is seen where a closure is made: a struct is allocated, and the
// address of the function goes into its first word.
//
//	LEAQ type:struct { F uintptr; X0 *int }(SB), AX
//	CALL runtime.newobject(SB)
//	LEAQ main.f.func1(SB), CX
//	MOVQ CX, (AX)

// codeChunk is how much code is searched at once.
const codeChunk = 1 << 20

// made finds the structs that are allocated for closures of the functions that
// begin at some addresses.
func (v *heapView) made(wanted map[uint64]bool) map[uint64]*Type {
	out := map[uint64]*Type{}
	if len(wanted) == 0 {
		return out
	}
	for _, d := range v.modules {
		for lo := d.text; lo < d.etext; lo += codeChunk {
			const overlap = 16 // an instruction, or two of four bytes
			code := v.mem.piece(lo, min(codeChunk+overlap, d.etext-lo))
			v.uses(code, lo, func(at, entry uint64) {
				if !wanted[entry] || out[entry] != nil {
					return
				}
				if t := v.allocatedBefore(at); t != nil && t.Kind == reflect.Struct && len(t.Fields) > 1 && t.Fields[0].Type.Kind == reflect.Uintptr {
					out[entry] = t
				}
			})
		}
	}
	return out
}

// uses visits the instructions in code, which begins at an address, that may
// load the address of a function.
func (v *heapView) uses(code []byte, lo uint64, visit func(at, entry uint64)) {
	if v.frames.arm {
		for i := 0; i+8 <= len(code); i += 4 {
			adrp, add := binary.LittleEndian.Uint32(code[i:]), binary.LittleEndian.Uint32(code[i+4:])
			if adrp&0x9f000000 != 0x90000000 || add&0xff800000 != 0x91000000 || add&31 != adrp&31 || add>>5&31 != adrp&31 {
				continue
			}
			at := lo + uint64(i)
			pages := int64(int32(adrp<<8)>>13<<2) | int64(adrp>>29&3)
			visit(at, at&^(1<<12-1)+uint64(pages<<12)+uint64(add>>10&0xfff)<<(add>>22&1*12))
		}
		return
	}
	for i := 0; i+7 <= len(code); i++ {
		// REX.W, with or without R; LEA; a register and an address from RIP on.
		if code[i]&^4 == 0x48 && code[i+1] == 0x8d && code[i+2]&0xc7 == 5 {
			at := lo + uint64(i)
			visit(at, at+7+uint64(int64(int32(binary.LittleEndian.Uint32(code[i+3:])))))
		}
	}
}

// allocatedBefore is the type that the last call before an instruction has
// allocated; nil if that call does not, or there is none.
func (v *heapView) allocatedBefore(at uint64) *Type {
	f := v.frames.functions.at(at)
	if f == nil || at-f.entry > 1<<20 {
		return nil
	}
	code := make([]byte, at-f.entry)
	v.mem.read(code, f.entry)
	if v.frames.arm {
		for i := len(code) - 4; i >= 0; i -= 4 {
			if binary.LittleEndian.Uint32(code[i:])>>26 == 0x25 { // BL
				return v.siteType(f.entry + uint64(i) + 4)
			}
		}
		return nil
	}
	call := uint64(0)
	for pc := f.entry; len(code) > 0; {
		in, err := x86asm.Decode(code, 64)
		if err != nil || in.Len == 0 || in.Len > len(code) {
			return nil
		}
		code, pc = code[in.Len:], pc+uint64(in.Len)
		if in.Op == x86asm.CALL {
			call = pc
		}
	}
	if call == 0 {
		return nil
	}
	return v.siteType(call)
}
