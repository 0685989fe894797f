package goheap

import (
	"sort"
)

// frameInfo is everything about a frame that depends on its program counter
// only; offsets are from the frame's end, which is the stack pointer before
// the call (DWARF's canonical frame address).
type frameInfo struct {
	fn      *function
	size    uint64  // from the stack pointer to the frame's end
	ret     int64   // where the return address is
	varp    int64   // end of the local variables
	argp    int64   // begin of the arguments
	unknown bool    // no stack map: search word by word
	dead    bool    // it never continues
	slots   []int64 // live pointers
	locals  []local
	objects []stackObject
}

// stackObject is a local variable whose address was taken; it is alive when
// something alive points to it.
type stackObject struct {
	off, size int64
	ptrs      []int64 // offsets in it
	// A map that does not escape has its header and slots on the stack, without
	// an entry in DWARF. If only one variable of the function can be that map,
	// this is its name and the type of the part.
	name   string
	header *Type
}

// frameKey tells apart what a program counter may mean.
type frameKey struct {
	pc  uint64
	how frameHow
}

type frameHow uint8

const (
	frameReturn   frameHow = iota // pc is a return address
	frameExact                    // pc is the next instruction
	framePanicked                 // pc is an instruction that faulted
)

// frames computes frameInfos and keeps them.
type frames struct {
	*functions
	mem    *reader
	locals *localFinder
	arm    bool
	cache  map[frameKey]*frameInfo
}

// at describes the frame of a function at pc, nil where none is known.
func (fr *frames) at(pc uint64, how frameHow) *frameInfo {
	key := frameKey{pc, how}
	if fi, ok := fr.cache[key]; ok {
		return fi
	}
	fi := fr.compute(pc, how)
	fr.cache[key] = fi
	return fi
}

func (fr *frames) compute(pc uint64, how frameHow) *frameInfo {
	f := fr.functions.at(pc)
	if f == nil {
		return nil
	}
	look := pc
	if how == frameReturn && pc > f.entry {
		look--
		if f = fr.functions.at(look); f == nil {
			return nil
		}
	}
	delta := fr.pcvalue(f, fr.u32(f, fr.lay.Func.PCSP), look)
	if delta < 0 || delta > 1<<24 {
		return nil
	}
	fi := &frameInfo{fn: f}
	fr.shape(fi, uint64(delta))
	cont := look
	if how == framePanicked {
		// It goes on in a deferred call that recovers, or never.
		back := fr.u32(f, fr.lay.Func.DeferRet)
		if back == 0 {
			fi.dead = true
			return fi
		}
		cont = f.entry + uint64(back)
	}
	fr.stackMaps(fi, cont, how)
	fr.stackObjects(fi)
	fi.locals = fr.locals.at(f.entry, look)
	return fi
}

// shape sets what depends on the architecture: where the return address, the
// variables and the arguments are.
func (fr *frames) shape(fi *frameInfo, delta uint64) {
	if fr.arm { // the return address is at the stack pointer, arguments leave room for one
		fi.size, fi.ret, fi.argp = delta, -int64(delta), 8
		if delta > 0 {
			fi.varp = -8
		}
		return
	}
	fi.size, fi.ret = delta+8, -8
	if fi.varp = -8; delta > 0 {
		fi.varp = -16 // below the saved frame pointer
	}
}

// args is how many bytes of arguments the caller of a function makes room for,
// those included that come in registers; 0 if the function does not tell.
func (fr *frames) args(f *function) uint64 {
	return uint64(max(0, int32(fr.u32(f, fr.lay.Func.Args)))) // negative is abi.ArgsSizeUnknown
}

// stackMaps reads which words of the frame hold live pointers.
func (fr *frames) stackMaps(fi *frameInfo, pc uint64, how frameHow) {
	f := fi.fn
	switch f.name {
	case "reflect.makeFuncStub", "reflect.methodValueCall", "runtime.asyncPreempt", "runtime.debugCallV2":
		fi.unknown = true
		return
	}
	i := int64(0)
	if pc != f.entry {
		i = int64(fr.pcdata(f, pcdataStackMap, pc))
	}
	if i < 0 {
		if how == frameExact {
			fi.unknown = true
			return
		}
		i = 0 // the prologue
	}
	fr.eachBit(fr.funcdata(f, funcLocalsMaps), i, func(bit, bits int64) {
		fi.slots = append(fi.slots, fi.varp-(bits-bit)*8)
	})
	fr.eachBit(fr.funcdata(f, funcArgsMaps), i, func(bit, _ int64) {
		fi.slots = append(fi.slots, fi.argp+bit*8)
	})
}

// eachBit visits the set bits of map i in a runtime.stackmap: the number of
// maps, the bits of one, then the maps.
func (fr *frames) eachBit(at uint64, i int64, visit func(bit, bits int64)) {
	if at == 0 {
		return
	}
	n, bits := int64(int32(fr.mem.u32(at))), int64(int32(fr.mem.u32(at+4)))
	if i < 0 || i >= n || bits <= 0 || bits > 1<<20 {
		return
	}
	size := (bits + 7) / 8
	bm := fr.mem.bytes(at+8+uint64(size*i), int(size))
	for b := range bits {
		if bm[b/8]>>(b%8)&1 != 0 {
			visit(b, bits)
		}
	}
}

func (fr *frames) stackObjects(fi *frameInfo) {
	at := fr.funcdata(fi.fn, funcStackObject)
	if at == 0 {
		return
	}
	o := &fr.lay.StackObject
	room := int64(fi.size) + 1<<16 // of the frame and its arguments: objects do not overlap
	for i := range min(fr.mem.u64(at), 1<<14) {
		e := at + 8 + i*o.Size
		so := stackObject{off: int64(int32(fr.mem.u32(e + o.Off))), size: int64(int32(fr.mem.u32(e + o.Bytes)))}
		if so.off < 0 {
			so.off += fi.varp
		} else {
			so.off += fi.argp
		}
		if so.size <= 0 || so.size > room {
			continue
		}
		room -= so.size
		bytes := int64(int32(fr.mem.u32(e + o.PtrBytes)))
		if bytes < 0 { // a program instead of a mask, before 1.24: any word may be a pointer
			for b := int64(0); b < min(-bytes, so.size); b += 8 {
				so.ptrs = append(so.ptrs, b)
			}
			fi.objects = append(fi.objects, so)
			continue
		}
		mask := fr.mem.bytes(fi.fn.md.rodata+uint64(fr.mem.u32(e+o.Mask)), int(min(bytes, so.size)/64)+1)
		for b := int64(0); b < min(bytes, so.size)/8; b++ {
			if mask[b/8]>>(b%8)&1 != 0 {
				so.ptrs = append(so.ptrs, b*8)
			}
		}
		so.name, so.header = fr.locals.mapOf(fi.fn.entry, &so)
		fi.objects = append(fi.objects, so)
	}
}

// variable finds the local variable a word of the frame belongs to, and the
// offset of that word in it; nil if none is known.
func (fi *frameInfo) variable(off int64) (*local, int64) {
	for i := range fi.locals {
		if l := &fi.locals[i]; off >= l.cfa && off < l.cfa+l.size {
			return l, off - l.cfa + l.off
		}
	}
	return nil, 0
}

// topOfStack tells whether unwinding ends at the function.
func (fi *frameInfo) topOfStack(l *layout) bool {
	return fi.fn.raw[l.Func.Flag]&1 != 0 // abi.FuncFlagTopFrame
}

// findObject finds the stack object an address points to, in a list sorted by
// address that does not overlap.
func findObject(objs []liveObject, addr uint64) *liveObject {
	i := sort.Search(len(objs), func(i int) bool { return objs[i].addr > addr }) - 1
	if i < 0 || addr >= objs[i].addr+uint64(objs[i].size) {
		return nil
	}
	return &objs[i]
}
