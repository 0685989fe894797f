package goheap

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/profoundhq/profound/internal/proc"
)

// words is memory of hand-made words.
func words(at uint64, ws ...uint64) proc.Image {
	var b []byte
	for _, w := range ws {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return proc.NewImage(proc.Info{}, nil, nil, []proc.Piece{{Addr: at, Data: b}})
}

// TestUnwindARM unwinds a hand-made stack of arm64: a signal has made it look
// as if a function that keeps its return address in a register had called
// asyncPreempt.
func TestUnwindARM(t *testing.T) {
	lay := &layout{}
	lay.Func.Flag = 1
	lay.Func.Args = 8
	fs := &functions{lay: lay, cache: map[uint64]*function{}, lines: map[uint64][]Frame{}}
	md := &module{text: 0x1000}
	for i, name := range []string{"runtime.asyncPreempt", "main.leaf", "main.caller", "main.top"} {
		f := &function{md: md, entry: md.text + uint64(i)*0x100, raw: make([]byte, 64), name: name}
		f.raw[lay.Func.Flag] = byte(i / 3) // the last is the top of the stack
		md.ftab = binary.LittleEndian.AppendUint64(md.ftab, uint64(i)*0x100)
		fs.cache[f.entry] = f
	}
	md.etext = 0x1400
	md.ftab = binary.LittleEndian.AppendUint64(md.ftab, 0x400)
	fs.modules = []*module{md}
	fr := &frames{functions: fs, arm: true, cache: map[frameKey]*frameInfo{}}
	frame := func(pc uint64, how frameHow, size uint64) {
		fi := &frameInfo{fn: fs.at(pc)}
		fr.shape(fi, size)
		fr.cache[frameKey{pc, how}] = fi
	}
	frame(0x1010, frameExact, 32)
	frame(0x1110, frameExact, 0)
	frame(0x1210, frameReturn, 16)
	frame(0x1310, frameReturn, 0)
	const sp, nowhere = 0x8000, 0x66
	for name, c := range map[string]struct {
		pc   uint64 // what was interrupted
		want []string
	}{
		"a leaf":            {0x1110, []string{"runtime.asyncPreempt", "main.leaf", "main.caller", "main.top"}},
		"a call of nothing": {0, []string{"runtime.asyncPreempt", "main.caller", "main.top"}},
	} {
		stackWords := []uint64{c.pc, 0, 0, 0, // asyncPreempt
			0x1210, 0, // where leaf returns to
			0x1310, 0, // caller
			0, 0}
		img := words(sp, stackWords...)
		rs := newRoots(&heapView{heap: &heap{lay: lay}, mem: newReader(img), frames: fr})
		s := &stack{rs: rs, sp: sp, hi: sp + uint64(len(stackWords))*8}
		s.mem, _ = img.Bytes(sp, int(s.hi-sp))
		var q Goroutine
		s.unwind(begin{sp: sp, pc: 0x1010, lr: nowhere, how: frameExact}, &q)
		var got []string
		for _, f := range q.Stack {
			got = append(got, f.Func)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// TestThreadOfAnotherNamespace wants the thread of a goroutine to be known by
// its stack: the runtime notes the id the thread has in its own PID namespace.
func TestThreadOfAnotherNamespace(t *testing.T) {
	lay := &layout{}
	o := &lay.G
	o.Lo, o.Hi, o.M, o.SP, o.PC, o.SyscallSP, o.SyscallPC = 0, 8, 16, 24, 32, 40, 48
	const g, m, g0 = blockSize, blockSize + 0x100, blockSize + 0x200
	ws := make([]uint64, blockSize/8)
	set := func(at uint64, v ...uint64) { copy(ws[(at-g)/8:], v) }
	set(g, 0x10000, 0x18000, m, 0x17000, 0x400) // on its scheduler's stack
	set(m, g0)
	set(g0, 0x20000, 0x28000)
	rs := newRoots(&heapView{heap: &heap{lay: lay}, mem: newReader(words(g, ws...))})
	q := &Goroutine{Lo: 0x10000, Hi: 0x18000}
	threads := []proc.Thread{{ID: 7, Regs: proc.Regs{SP: 0x30000}}, {ID: 8, Regs: proc.Regs{SP: 0x27f00}}}
	b := rs.begin(g, stateRunning, q, threads)
	if b.blind || b.thread == nil || b.thread.ID != 8 || b.sp != 0x17000 || b.pc != 0x400 {
		t.Errorf("%+v", b)
	}
	if b := rs.begin(g, stateRunning, q, threads[:1]); !b.blind {
		t.Errorf("in a handler of a signal: %+v", b)
	}
}
