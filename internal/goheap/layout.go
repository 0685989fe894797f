package goheap

import (
	"fmt"
	"reflect"
	"strings"
)

// absent is the offset of an optional field this version does not have.
const absent = ^uint64(0)

// layout holds the offsets of the runtime's fields, in bytes. Each is found by
// the name in its tag, below the type in the tag of the struct around it.
// Names with a | between them are tried in turn; after a ? the field may be
// missing and is absent then. Size is the size of the struct.
type layout struct {
	Heap struct {
		AllSpans uint64 `go:"allspans"`
	} `go:"runtime.mheap"`
	Span struct {
		Start     uint64 `go:"startAddr"`
		Pages     uint64 `go:"npages"`
		ElemSize  uint64 `go:"elemsize"`
		Elems     uint64 `go:"nelems"`
		ScanIndex uint64 `go:"freeIndexForScan"`
		Class     uint64 `go:"spanclass"`
		LargeType uint64 `go:"largeType"`
		AllocBits uint64 `go:"allocBits"`
		FreeIndex uint64 `go:"freeindex"`
		Specials  uint64 `go:"specials"`
		Div       uint64 `go:"divMul"`
		State     uint64 `go:"state.s.value|state.s"`
		UserArena uint64 `go:"isUserArenaChunk?"`
	} `go:"runtime.mspan"`
	Special struct {
		Next   uint64 `go:"next"`
		Offset uint64 `go:"offset"`
		Kind   uint64 `go:"kind"`
	} `go:"runtime.special"`
	Finalizer struct {
		Fn uint64 `go:"fn"`
	} `go:"runtime.specialfinalizer"`
	Weak struct {
		Handle uint64 `go:"handle"`
	} `go:"runtime.specialWeakHandle?"`
	Cleanup struct {
		Fn   uint64 `go:"cleanup.fn|fn?"`
		Arg  uint64 `go:"cleanup.arg?"`
		Call uint64 `go:"cleanup.call?"`
	} `go:"runtime.specialCleanup?"`
	Profile struct {
		Bucket uint64 `go:"b"`
	} `go:"runtime.specialprofile"`
	Bucket struct {
		Size_ uint64 `go:"size"`
		Stack uint64 `go:"nstk"`
		Size  uint64
	} `go:"runtime.bucket"`
	FinBlock struct {
		All   uint64 `go:"alllink"`
		Count uint64 `go:"cnt"`
		Fin   uint64 `go:"fin"`
	} `go:"runtime.finBlock|runtime.finblock"`
	FinRecord struct {
		Fn   uint64 `go:"fn"`
		Arg  uint64 `go:"arg"`
		Fint uint64 `go:"fint"`
		OT   uint64 `go:"ot"`
		Size uint64
	} `go:"runtime.finalizer"`
	CleanupBlock struct {
		All   uint64 `go:"cleanupBlockHeader.alllink"`
		Count uint64 `go:"cleanupBlockHeader.n"`
		List  uint64 `go:"cleanups"`
	} `go:"runtime.cleanupBlock?"`
	CleanupFn struct {
		Call uint64 `go:"call"`
		Fn   uint64 `go:"fn"`
		Arg  uint64 `go:"arg"`
		Size uint64
	} `go:"runtime.cleanupFn?"`
	CleanupQueue struct {
		All uint64 `go:"all.value"`
	} `go:"runtime.cleanupQueue?"`
	G struct {
		Lo        uint64 `go:"stack.lo"`
		Hi        uint64 `go:"stack.hi"`
		Panic     uint64 `go:"_panic"`
		Defer     uint64 `go:"_defer"`
		M         uint64 `go:"m"`
		SP        uint64 `go:"sched.sp"`
		PC        uint64 `go:"sched.pc"`
		Ctxt      uint64 `go:"sched.ctxt"`
		SyscallSP uint64 `go:"syscallsp"`
		SyscallPC uint64 `go:"syscallpc"`
		Status    uint64 `go:"atomicstatus.value|atomicstatus"`
		ID        uint64 `go:"goid"`
		WaitSince uint64 `go:"waitsince"`
		Reason    uint64 `go:"waitreason"`
		GoPC      uint64 `go:"gopc"`
		Waiting   uint64 `go:"waiting?"`
	} `go:"runtime.g"`
	Sudog struct { // a goroutine in the queue of a channel
		Elem uint64 `go:"elem.vu|elem?"`
		Chan uint64 `go:"c.maybeTraceablePtr.vu|c?"`
		Link uint64 `go:"waitlink?"`
	} `go:"runtime.sudog?"`
	Defer struct {
		Fn   uint64 `go:"fn"`
		Link uint64 `go:"link"`
	} `go:"runtime._defer"`
	M struct {
		G0  uint64 `go:"g0"`
		All uint64 `go:"alllink"`
	} `go:"runtime.m"`
	P struct {
		Timers uint64 `go:"timers.heap|timers?"`
	} `go:"runtime.p"`
	Module moduleLayout `go:"runtime.moduledata"`
	Func   struct {
		Name      uint64 `go:"nameOff"`
		Args      uint64 `go:"args"`
		DeferRet  uint64 `go:"deferreturn"`
		PCSP      uint64 `go:"pcsp"`
		PCFile    uint64 `go:"pcfile"`
		PCLn      uint64 `go:"pcln"`
		NPCData   uint64 `go:"npcdata"`
		CU        uint64 `go:"cuOffset"`
		Flag      uint64 `go:"flag"`
		NFuncData uint64 `go:"nfuncdata"`
		Size      uint64
	} `go:"runtime._func"`
	StackObject struct {
		Off      uint64 `go:"off"`
		Bytes    uint64 `go:"size"`
		PtrBytes uint64 `go:"ptrBytes|_ptrdata"`
		Mask     uint64 `go:"gcdataoff"`
		Size     uint64
	} `go:"runtime.stackObjectRecord"`
	Type struct {
		Bytes    uint64 `go:"Size_"`
		PtrBytes uint64 `go:"PtrBytes"`
		TFlag    uint64 `go:"TFlag"`
		Kind     uint64 `go:"Kind_"`
		GCData   uint64 `go:"GCData"`
		Str      uint64 `go:"Str"`
		Size     uint64
	} `go:"internal/abi.Type"`
	Sched struct {
		LastPoll uint64 `go:"lastpoll.value|lastpoll?"`
	} `go:"runtime.schedt"`
	MStats struct {
		LastGC uint64 `go:"last_gc_nanotime?"`
	} `go:"runtime.mstats"`
	ABI struct {
		Ptr struct {
			Elem uint64 `go:"Elem"`
		} `go:"internal/abi.PtrType"`
		Slice struct {
			Elem uint64 `go:"Elem"`
		} `go:"internal/abi.SliceType"`
		Array struct {
			Elem uint64 `go:"Elem"`
			Len  uint64 `go:"Len"`
		} `go:"internal/abi.ArrayType"`
		Chan struct {
			Elem uint64 `go:"Elem"`
		} `go:"internal/abi.ChanType"`
		Map struct {
			Key   uint64 `go:"Key"`
			Elem  uint64 `go:"Elem"`
			Group uint64 `go:"Group|Bucket"`
		} `go:"internal/abi.MapType|internal/abi.SwissMapType|internal/abi.OldMapType"`
		Struct struct {
			Fields uint64 `go:"Fields"`
		} `go:"internal/abi.StructType"`
		Field struct {
			Name   uint64 `go:"Name"`
			Type   uint64 `go:"Typ"`
			Offset uint64 `go:"Offset"`
			Size   uint64
		} `go:"internal/abi.StructField"`
		Interface struct {
			Methods uint64 `go:"Methods"`
		} `go:"internal/abi.InterfaceType"`
	}
	ITab struct {
		Type uint64 `go:"Type|_type"`
	} `go:"internal/abi.ITab|runtime.itab"`
	Chan struct {
		Buf  uint64 `go:"buf"`
		Elem uint64 `go:"elemtype?"`
		Size uint64
	} `go:"runtime.hchan"`
	Map struct { // since 1.24
		Used   uint64 `go:"used"`
		Dir    uint64 `go:"dirPtr"`
		DirLen uint64 `go:"dirLen"`
		Size   uint64
	} `go:"internal/runtime/maps.Map?"`
	Table struct {
		Cap    uint64 `go:"capacity"`
		Groups uint64 `go:"groups.data"`
		Size   uint64
	} `go:"internal/runtime/maps.table?"`
	HMap struct { // before 1.24
		Buckets    uint64 `go:"buckets"`
		OldBuckets uint64 `go:"oldbuckets"`
		Extra      uint64 `go:"extra"`
		Size       uint64
	} `go:"runtime.hmap?"`

	consts map[string]int64
	// inlineMarks is the size of the mark bits at the end of spans, which
	// comes with the Green Tea collector; 0 without it.
	inlineMarks uint64
}

// moduleLayout is the part of the layout for runtime.moduledata.
type moduleLayout struct {
	FuncNames uint64 `go:"funcnametab"`
	CUTab     uint64 `go:"cutab"`
	FileTab   uint64 `go:"filetab"`
	PCTab     uint64 `go:"pctab"`
	PCLn      uint64 `go:"pclntable"`
	FuncTab   uint64 `go:"ftab"`
	Text      uint64 `go:"text"`
	EText     uint64 `go:"etext"`
	NoPtrData uint64 `go:"noptrdata"`
	Data      uint64 `go:"data"`
	EData     uint64 `go:"edata"`
	BSS       uint64 `go:"bss"`
	EBSS      uint64 `go:"ebss"`
	NoPtrBSS  uint64 `go:"noptrbss"`
	ENoPtrBSS uint64 `go:"enoptrbss"`
	Types     uint64 `go:"types"`
	ETypes    uint64 `go:"etypes"`
	ROData    uint64 `go:"rodata"`
	GoFunc    uint64 `go:"gofunc"`
	DataMask  uint64 `go:"gcdatamask.bytedata"`
	BSSMask   uint64 `go:"gcbssmask.bytedata"`
	Next      uint64 `go:"next"`
}

// constant gives a constant of the runtime, or a value for versions that do
// not have it.
func (l *layout) constant(def int64, names ...string) int64 {
	for _, n := range names {
		if v, ok := l.consts[n]; ok {
			return v
		}
	}
	return def
}

// resolveLayout finds all fields, or says which are missing.
func resolveLayout(dw *dwarfIndex) (*layout, error) {
	l := &layout{consts: dw.consts}
	types := newTypeTable(dw, l)
	var missing []string
	for _, all := range []reflect.Value{reflect.ValueOf(l).Elem(), reflect.ValueOf(&l.ABI).Elem()} {
		for i := range all.NumField() {
			if tag, ok := all.Type().Field(i).Tag.Lookup("go"); ok {
				missing = append(missing, types.resolve(all.Field(i), tag)...)
			}
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("%w: it has no %s", ErrVersion, strings.Join(missing, ", "))
	}
	if t := types.byName("runtime.spanInlineMarkBits"); t != nil {
		l.inlineMarks = uint64(t.Size)
	}
	return l, nil
}

// resolve fills one struct of the layout and lists what it did not find.
func (tt *typeTable) resolve(s reflect.Value, tag string) (missing []string) {
	names, optional := strings.CutSuffix(tag, "?")
	var t *Type
	for name := range strings.SplitSeq(names, "|") {
		if t = tt.byName(name); t != nil {
			names = name
			break
		}
	}
	for i := range s.NumField() {
		f := s.Field(i)
		tag, ok := s.Type().Field(i).Tag.Lookup("go")
		if !ok { // Size
			if t != nil {
				f.SetUint(uint64(t.Size))
			}
			continue
		}
		paths, fieldOptional := strings.CutSuffix(tag, "?")
		off := absent
		for path := range strings.SplitSeq(paths, "|") {
			if off = t.offset(path); off != absent {
				break
			}
		}
		if off == absent && !fieldOptional && (!optional || t != nil) {
			missing = append(missing, names+"."+paths)
		}
		f.SetUint(off)
	}
	return missing
}

// offset gives the offset of a field such as "sched.sp", or absent.
func (t *Type) offset(path string) uint64 {
	off := uint64(0)
next:
	for name := range strings.SplitSeq(path, ".") {
		if t == nil {
			return absent
		}
		for i := range t.Fields {
			if f := &t.Fields[i]; f.Name == name {
				off, t = off+uint64(f.Offset), f.Type
				continue next
			}
		}
		return absent
	}
	return off
}
