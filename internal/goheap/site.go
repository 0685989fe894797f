package goheap

import (
	"encoding/binary"
	"strings"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// siteBytes is how far before a call its arguments are looked for at most.
const siteBytes = 4 << 10

// typeArg tells which argument of an allocating function of the runtime is the
// type, counted from 0; not ok for functions that take none.
func typeArg(name string) (arg int, ok bool) {
	name, ok = strings.CutPrefix(name, "runtime.")
	switch {
	case !ok:
		return 0, false
	case name == "newobject" || name == "makeslice" || name == "makeslice64" || name == "makechan" || name == "makechan64" ||
		name == "newarray" || name == "convT" || name == "makeslicecopy":
		return 0, true
	case name == "mallocgc" || strings.HasPrefix(name, "mallocgc") || strings.HasPrefix(name, "mallocTiny"):
		return 1, true
	case name == "growslice":
		return 4, true
	}
	return 0, false
}

// siteType gives the type that is allocated by the call before pc: compilers
// load its address into a register just before. nil if that cannot be seen.
func (v *heapView) siteType(pc uint64) *Type {
	if t, ok := v.sites[pc]; ok {
		return t
	}
	v.sites[pc] = nil
	f := v.frames.functions.at(pc - 1)
	if f == nil {
		return nil
	}
	at := uint64(0)
	if v.frames.arm {
		at = v.siteARM64(f, pc)
	} else {
		at = v.siteAMD64(f, pc)
	}
	for _, d := range v.modules {
		if at >= d.types && at < d.etypes {
			v.sites[pc] = v.types.typeAt(at)
		}
	}
	return v.sites[pc]
}

// siteAMD64 decodes a function up to a call and follows what is loaded into
// the registers of arguments.
func (v *heapView) siteAMD64(f *function, pc uint64) uint64 {
	if pc-f.entry > 1<<20 {
		return 0
	}
	// The ABI's registers of integer arguments; cmd/compile/abi-internal.md.
	args := [...]x86asm.Reg{x86asm.RAX, x86asm.RBX, x86asm.RCX, x86asm.RDI, x86asm.RSI}
	var loaded [len(args)]uint64
	code := make([]byte, pc-f.entry)
	v.mem.read(code, f.entry)
	for at := f.entry; len(code) > 0; {
		in, err := x86asm.Decode(code, 64)
		if err != nil || in.Len == 0 {
			return 0
		}
		next := at + uint64(in.Len)
		if in.Op == x86asm.CALL && next == pc {
			rel, ok := in.Args[0].(x86asm.Rel)
			if !ok {
				return 0
			}
			if to := v.frames.functions.at(next + uint64(int64(rel))); to != nil {
				if arg, ok := typeArg(to.name); ok {
					return loaded[arg]
				}
			}
			return 0
		}
		if in.Op == x86asm.CALL {
			loaded = [len(args)]uint64{} // none survives a call
		}
		dst, _ := in.Args[0].(x86asm.Reg)
		for i, r := range args {
			if r != dst && !(dst >= x86asm.EAX && dst <= x86asm.R15L && dst-x86asm.EAX == r-x86asm.RAX) {
				continue
			}
			loaded[i] = 0
			if m, ok := in.Args[1].(x86asm.Mem); ok && in.Op == x86asm.LEA && m.Base == x86asm.RIP {
				loaded[i] = next + uint64(m.Disp)
			}
		}
		code, at = code[in.Len:], next
	}
	return 0
}

// siteARM64 does the same for ADRP and ADD.
func (v *heapView) siteARM64(f *function, pc uint64) uint64 {
	from := max(f.entry, pc-min(pc, siteBytes)) &^ 3
	code := make([]byte, pc-from)
	v.mem.read(code, from)
	target, loaded := argsARM64(code, from)
	if to := v.frames.functions.at(target); target != 0 && to != nil {
		if arg, ok := typeArg(to.name); ok {
			return loaded[arg]
		}
	}
	return 0
}

// argsARM64 decodes instructions, which begin at an address and end with a
// call. It gives what is called, 0 if that is no function by name, and the
// addresses in the registers of arguments, 0 where there is something else.
func argsARM64(code []byte, at uint64) (target uint64, loaded [8]uint64) {
	for ; len(code) >= 4; code, at = code[4:], at+4 {
		in, err := arm64asm.Decode(code)
		if err != nil {
			continue
		}
		if in.Op == arm64asm.BL || in.Op == arm64asm.BLR {
			if len(code) == 4 {
				if rel, ok := in.Args[0].(arm64asm.PCRel); ok {
					target = at + uint64(int64(rel))
				}
				return target, loaded
			}
			loaded = [8]uint64{} // none survives a call
			continue
		}
		dst, ok := in.Args[0].(arm64asm.Reg)
		if sp, isSP := in.Args[0].(arm64asm.RegSP); isSP { // one that could be the stack pointer
			dst, ok = arm64asm.Reg(sp), true
		}
		i := int(dst) - int(arm64asm.X0)
		if !ok || i < 0 || i >= len(loaded) {
			continue
		}
		_, constant := in.Args[2].(arm64asm.ImmShift)
		switch {
		case in.Op == arm64asm.ADRP:
			rel, _ := in.Args[1].(arm64asm.PCRel)
			loaded[i] = at&^(1<<12-1) + uint64(int64(rel))
		case in.Op == arm64asm.ADD && constant && in.Args[1] == arm64asm.Arg(arm64asm.RegSP(dst)) && loaded[i] != 0:
			word := binary.LittleEndian.Uint32(code)
			loaded[i] += uint64(word>>10&0xfff) << (word >> 22 & 1 * 12)
		default:
			loaded[i] = 0
		}
	}
	return 0, loaded
}
