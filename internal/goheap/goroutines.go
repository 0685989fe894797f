package goheap

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/profoundhq/profound/internal/proc"
)

// The states of a goroutine; runtime/runtime2.go. They did not change since 1.0.
const (
	stateIdle      = 0
	stateRunnable  = 1
	stateRunning   = 2
	stateSyscall   = 3
	stateWaiting   = 4
	stateCopy      = 8
	statePreempted = 9
	stateLeaked    = 10
	stateScan      = 0x1000 // a bit: the collector holds it
)

func stateName(st uint32) string {
	switch st {
	case stateRunnable:
		return "runnable"
	case stateRunning:
		return "running"
	case stateSyscall:
		return "syscall"
	case stateWaiting:
		return "waiting"
	case stateCopy:
		return "copystack"
	case statePreempted:
		return "preempted"
	case stateLeaked:
		return "leaked"
	}
	return "" // dead or being made
}

// stack is the stack of a goroutine while it is searched.
type stack struct {
	rs      *roots
	vertex  uint32 // of the goroutine
	no      int32  // index of the goroutine + 1
	sp, hi  uint64
	mem     []byte // from sp to hi
	objects []liveObject
	work    []intoStack // live pointers that lead into this stack
	doubted []intoStack // words that may be such pointers; followed last
}

// liveObject is a stack object of a frame.
type liveObject struct {
	addr uint64
	stackObject
	name string
	typ  *Type
	off  int64 // of the object in the variable
	seen bool
}

// intoStack is a pointer into the stack, and the root that has it.
type intoStack struct {
	addr uint64
	from uint32
	typ  *Type // of what is there; nil if unknown
}

// goroutines adds all goroutines, their frames and variables.
func (rs *roots) goroutines(threads []proc.Thread) error {
	at, ok := rs.global("runtime.allgs")
	if !ok {
		return fmt.Errorf("%w: it has no runtime.allgs", ErrVersion)
	}
	list, n := rs.mem.slice(at, 8)
	if n == 0 || n > maxList {
		return fmt.Errorf("%w: runtime.allgs (%d goroutines)", ErrMemory, n)
	}
	dead := rs.addUnder(rs.runtime, root{kind: KindRuntime, name: "ended goroutines"})
	for i := range n {
		g := rs.mem.u64(list + i*8)
		v, alive := rs.goroutine(g, threads)
		if !alive {
			rs.pin(dead, g)
			continue
		}
		// Its record is hidden, and what the record refers to shown below the
		// goroutine; but the thread is the runtime's.
		slot, s := rs.pin(v, g)
		if s == nil || s.mem == nil {
			continue
		}
		rs.hidden[slot] = true
		state := root{kind: KindLocal, name: "runtime.g", typ: rs.types.byName("runtime.g"), goroutine: rs.list[v].goroutine}
		rs.heap.pointers(s, slot, func(off, p uint64) {
			off -= s.payload()
			if to, in := rs.heap.find(p); in != nil && off == rs.lay.G.M {
				rs.pin(rs.runtime, p)
			} else if in != nil && to != slot {
				state.refs = append(state.refs, ref{int64(off), to, p})
			}
		})
		if len(state.refs) > 0 {
			rs.addUnder(v, state)
		}
	}
	rs.hide(rs.runtime, list, func(g uint64) { rs.pin(dead, g) })
	rs.threads()
	return nil
}

// hide notes that the pointers of the list at an address are shown as roots of
// their own, pins the list below a vertex, and gives out all its pointers.
func (rs *roots) hide(under uint32, addr uint64, visit func(p uint64)) {
	slot, s := rs.heap.find(addr)
	if s == nil || rs.hidden[slot] {
		return
	}
	rs.hidden[slot] = true
	rs.pin(under, addr)
	if s.mem != nil {
		rs.heap.pointers(s, slot, func(_, p uint64) { visit(p) })
	}
}

// pin puts one of the runtime's records (a goroutine, a thread, a processor)
// below the vertex it belongs to. References of objects to it are left out of
// the graph: a timer that knows its processor does not keep it alive.
func (rs *roots) pin(under uint32, addr uint64) (slot uint32, s *span) {
	if slot, s = rs.heap.find(addr); s == nil {
		return 0, nil
	}
	if !rs.heap.pinned[slot] {
		rs.heap.pinned[slot], s.pinned = true, true
		r := &rs.list[under]
		r.refs = append(r.refs, ref{0, slot, addr})
	}
	return slot, s
}

// threads pins the runtime's records of threads and processors.
func (rs *roots) threads() {
	if at, ok := rs.global("runtime.allm"); ok {
		m := rs.mem.u64(at)
		for n := 0; m != 0 && n < 1<<20; n++ {
			rs.pin(rs.runtime, m)
			m = rs.mem.u64(m + rs.lay.M.All)
		}
	}
	if at, ok := rs.global("runtime.allp"); ok {
		list, n := rs.mem.slice(at, 8)
		for i := range min(n, 1<<16) {
			rs.pin(rs.runtime, rs.mem.u64(list+i*8))
		}
		rs.hide(rs.runtime, list, func(p uint64) { rs.pin(rs.runtime, p) })
	}
}

// goroutine adds one goroutine; not ok if it is dead.
func (rs *roots) goroutine(g uint64, threads []proc.Thread) (vertex uint32, ok bool) {
	m, o := rs.mem, &rs.lay.G
	st := m.u32(g+o.Status) &^ stateScan
	if g == 0 || stateName(st) == "" {
		return 0, false
	}
	q := Goroutine{ID: m.u64(g + o.ID), State: stateName(st), Lo: m.u64(g + o.Lo), Hi: m.u64(g + o.Hi)}
	if q.Hi <= q.Lo || q.Hi-q.Lo > 1<<32 {
		return 0, false
	}
	if st == stateWaiting || st == stateLeaked {
		q.Since = int64(m.u64(g + o.WaitSince))
		if names, ok := rs.global("runtime.waitReasonStrings"); ok {
			q.Wait = m.goString(names + uint64(m.u8(g+o.Reason))*16)
		}
	}
	if pc := m.u64(g + o.GoPC); pc != 0 {
		if fs := rs.frames.frames(m, pc-1, nil); len(fs) > 0 && !ofRuntime(fs[0].Func) {
			q.Create = fs[0]
		}
	}
	from := rs.begin(g, st, &q, threads)
	v := rs.addUnder(0, root{kind: KindGoroutine, name: fmt.Sprintf("goroutine %d", q.ID), size: q.Hi - q.Lo, goroutine: int32(len(rs.gs)) + 1, addr: g})
	q.Vertex = v
	s := &stack{rs: rs, vertex: v, no: int32(len(rs.gs)) + 1, sp: max(from.sp, q.Lo), hi: q.Hi}
	if s.mem = m.piece(s.sp, s.hi-s.sp); s.mem == nil {
		rs.heap.missing += s.hi - s.sp
		s.hi = s.sp
	}
	if from.thread != nil {
		s.registers(from.thread)
	}
	s.unwind(from, &q)
	s.records(g)
	s.trace(g)
	rs.group(v, &q)
	rs.gs = append(rs.gs, q)
	return v, true
}

// begin is where unwinding begins.
type begin struct {
	sp, pc, lr uint64
	how        frameHow
	thread     *proc.Thread // whose registers may hold pointers
	blind      bool         // nothing is known: search all of the stack
}

// begin finds where a goroutine was. Of one that is not running the runtime
// has noted it; else the thread's registers tell, if it is on its own stack,
// and not on that of the scheduler or a signal handler.
func (rs *roots) begin(g uint64, st uint32, q *Goroutine, threads []proc.Thread) begin {
	m, o := rs.mem, &rs.lay.G
	b := begin{sp: m.u64(g + o.SP), pc: m.u64(g + o.PC), how: frameReturn}
	if sp := m.u64(g + o.SyscallSP); sp != 0 {
		b.sp, b.pc = sp, m.u64(g+o.SyscallPC)
	}
	if st == stateRunning && m.u64(g+o.SyscallSP) == 0 {
		b.blind = true
		mp := m.u64(g + o.M)
		g0 := m.u64(mp + rs.lay.M.G0)
		for i := range threads {
			t := &threads[i]
			sp := t.Regs.SP
			if sp >= q.Lo && sp < q.Hi {
				return begin{sp: sp, pc: t.Regs.PC, lr: t.Regs.General[30], how: frameExact, thread: t}
			}
			if mp != 0 && sp >= m.u64(g0+o.Lo) && sp < m.u64(g0+o.Hi) { // its id is that of another PID namespace
				b.blind, b.thread = false, t
			}
		}
	}
	if b.sp < q.Lo || b.sp >= q.Hi || st == stateCopy {
		b.blind = true
	}
	if b.blind {
		b.sp = q.Lo
	}
	return b
}

// at reads a word of the stack.
func (s *stack) at(a uint64) uint64 {
	if a < s.sp || a+8 > s.hi || a+8 < a {
		return 0
	}
	return binary.LittleEndian.Uint64(s.mem[a-s.sp:])
}

// add adds a root below the goroutine.
func (s *stack) add(name string, t *Type) uint32 {
	return s.rs.addUnder(s.vertex, root{kind: KindLocal, name: name, typ: t, goroutine: s.no})
}

// addGuess adds a root for words that may be pointers or not.
func (s *stack) addGuess(name string) uint32 {
	v := s.add(name, nil)
	s.rs.list[v].guess = true
	return v
}

// point notes a pointer of a root: into the heap, or into this stack. With
// maybe, it counts only if the slot is given out: the word may be no pointer.
func (s *stack) point(from uint32, off int64, p uint64, maybe bool) bool {
	if p >= s.sp && p < s.hi {
		to := &s.work
		if s.rs.list[from].guess {
			to = &s.doubted
		}
		*to = append(*to, intoStack{p, from, s.target(from, off)})
		return true
	}
	slot, in := s.rs.heap.find(p)
	if in == nil || maybe && !s.rs.heap.allocated(slot) {
		return false
	}
	r := &s.rs.list[from]
	r.refs = append(r.refs, ref{off, slot, p})
	return true
}

// target is the type of what a root's pointer at an offset leads to.
func (s *stack) target(from uint32, off int64) *Type {
	t := s.rs.list[from].typ
	if t == nil {
		return nil
	}
	if t.Role == RoleMap && s.rs.lay.Map.Dir != absent && off == int64(s.rs.lay.Map.Dir) {
		if dir := t.field("dirPtr"); dir != nil && dir.Elem != nil {
			return groupsOf(dir.Elem.Elem) // maps on the stack are small ones
		}
	}
	for _, sl := range s.rs.types.flatten(t) {
		if int64(sl.off) == off {
			return sl.typ
		}
	}
	return nil
}

// registers searches the registers of a thread.
func (s *stack) registers(t *proc.Thread) {
	v := uint32(0)
	for _, p := range t.Regs.General {
		if slot, in := s.rs.heap.find(p); in != nil && s.rs.heap.allocated(slot) {
			if v == 0 {
				v = s.addGuess("registers")
			}
			s.point(v, 0, p, true)
		}
	}
}

// words searches a part of the stack word by word.
func (s *stack) words(name string, lo, hi uint64) {
	v := uint32(0)
	for a := max(lo, s.sp) &^ 7; a+8 <= min(hi, s.hi); a += 8 {
		p := s.at(a)
		slot, in := s.rs.heap.find(p)
		if !(p >= s.sp && p < s.hi) && (in == nil || !s.rs.heap.allocated(slot)) {
			continue
		}
		if v == 0 {
			v = s.addGuess(name)
		}
		s.point(v, 0, p, true)
	}
}

// unwind visits the frames of the stack, the innermost first.
func (s *stack) unwind(b begin, q *Goroutine) {
	rs := s.rs
	if b.blind {
		rs.stats.Conservative++
		s.words("stack (searched word by word)", s.sp, s.hi)
		return
	}
	pc, cs, how, lr := b.pc, b.sp, b.how, b.lr
	blind := b.how == frameExact // a frame that is searched word by word
	for cs < s.hi {
		fi := rs.frames.at(pc, how)
		if fi == nil {
			rs.stats.Conservative++
			s.words("stack (searched word by word)", cs, s.hi)
			return
		}
		rs.stats.Frames++
		end := cs + fi.size
		call := pc
		if how == frameReturn {
			call--
		}
		q.Stack = rs.frames.frames(rs.mem, call, q.Stack)
		if blind || fi.unknown {
			rs.stats.Conservative++
			s.words(shortName(fi.fn.name)+" (searched word by word)", cs, end+uint64(fi.argp)+rs.frames.args(fi.fn))
		} else if !fi.dead {
			s.frame(fi, end)
		}
		if fi.topOfStack(rs.lay) || end > s.hi || end < cs {
			return
		}
		blind = fi.fn.name == "runtime.asyncPreempt" || fi.fn.name == "runtime.debugCallV2"
		next := s.at(end + uint64(fi.ret))
		if rs.frames.arm && how != frameReturn && fi.size == 0 {
			next = lr
		}
		switch {
		case fi.fn.name == "runtime.sigpanic":
			how = framePanicked
		case blind:
			how = frameExact
		default:
			how = frameReturn
		}
		if pc = next; fi.size == 0 && cs == end && !rs.frames.arm {
			return
		}
		if cs = end; rs.frames.arm && how != frameReturn {
			// Who made it look as if that function was called has put the link
			// register on the stack, which is always on 16 bytes.
			lr, cs = s.at(cs), cs+16
			if rs.frames.functions.at(pc) == nil { // a call of nothing
				pc, how = lr, frameReturn
			}
		}
	}
}

// stackObjectName follows the name of a function in that of an object of its
// frame that no variable is known to be.
const stackObjectName = " (stack object)"

// frame adds the live variables of a frame, and its stack objects for later.
func (s *stack) frame(fi *frameInfo, end uint64) {
	for _, o := range fi.objects {
		x := liveObject{addr: end + uint64(o.off), stackObject: o, name: shortName(fi.fn.name) + stackObjectName}
		if l, off := fi.variable(o.off); l != nil && !l.indirect {
			x.name, x.typ, x.off = shortName(fi.fn.name)+"."+l.name, l.typ, off
		} else if o.header != nil {
			x.name, x.typ = shortName(fi.fn.name)+"."+o.name, o.header
		}
		s.objects = append(s.objects, x)
	}
	var names [8]*local
	var ids [8]uint32
	used := 0
	for _, off := range fi.slots {
		p := s.at(end + uint64(off))
		if _, in := s.rs.heap.find(p); in == nil && (p < s.sp || p >= s.hi) {
			continue
		}
		s.rs.stats.Slots++
		l, at := fi.variable(off)
		if l != nil {
			s.rs.stats.NamedSlots++
		}
		v := uint32(0)
		for i := range used {
			if names[i] == l || l != nil && names[i] != nil && names[i].name == l.name && names[i].typ == l.typ {
				v = ids[i]
			}
		}
		if v == 0 {
			if l != nil {
				v = s.add(shortName(fi.fn.name)+"."+l.name, l.typ)
			} else {
				v = s.add(shortName(fi.fn.name)+" (temporary)", nil)
			}
			if used < len(names) {
				names[used], ids[used] = l, v
				used++
			}
		}
		s.point(v, at, p, false)
	}
}

// records adds what the runtime has beside the frames: the context register,
// deferred calls and panics.
func (s *stack) records(g uint64) {
	rs, m := s.rs, s.rs.mem
	o := &rs.lay.G
	v := uint32(0)
	keep := func(p uint64) {
		if _, in := rs.heap.find(p); in == nil && (p < s.sp || p >= s.hi) {
			return
		}
		if v == 0 {
			v = s.add("deferred calls", nil)
		}
		s.point(v, 0, p, false)
	}
	keep(m.u64(g + o.Ctxt))
	for d, n := m.u64(g+o.Defer), 0; d != 0 && n < 1<<16; n++ {
		word := func(off uint64) uint64 {
			if d >= s.sp && d < s.hi {
				return s.at(d + off)
			}
			return m.u64(d + off)
		}
		keep(word(rs.lay.Defer.Fn))
		keep(word(rs.lay.Defer.Link))
		if d < s.sp || d >= s.hi {
			keep(d)
		}
		d = word(rs.lay.Defer.Link)
	}
	keep(m.u64(g + o.Panic))
}

// trace follows pointers into the stack of a goroutine: the objects they lead
// to are alive.
func (s *stack) trace(g uint64) {
	sort.Slice(s.objects, func(i, j int) bool { return s.objects[i].addr < s.objects[j].addr })
	s.channelValues(g)
	for len(s.work)+len(s.doubted) > 0 {
		from := &s.work
		if len(s.work) == 0 {
			from = &s.doubted
		}
		w := (*from)[len(*from)-1]
		*from = (*from)[:len(*from)-1]
		x := findObject(s.objects, w.addr)
		if x == nil || x.seen {
			continue
		}
		x.seen = true
		if x.typ == nil && w.typ != nil && x.addr == w.addr && w.typ.Size <= x.size {
			x.typ = w.typ
			switch from := s.rs.list[w.from].name; {
			case !ofRuntime(from):
				x.name = from
			case w.typ.Name == "runtime.scase": // the cases of a select statement
				x.name = strings.TrimSuffix(x.name, stackObjectName) + " (select)"
			}
		}
		v := s.add(x.name, x.typ)
		s.rs.list[v].guess = s.rs.list[w.from].guess
		for _, o := range x.ptrs {
			s.point(v, x.off+o, s.at(x.addr+uint64(o)), false)
		}
	}
}

// group puts a goroutine under the vertex of those that do the same. They
// share one list of frames.
func (rs *roots) group(v uint32, q *Goroutine) {
	var key strings.Builder
	key.WriteString(q.State + "|" + q.Wait)
	for _, f := range q.Stack {
		key.WriteString("|" + f.Func + ":" + strconv.Itoa(f.Line))
	}
	gv, ok := rs.groups[key.String()]
	if !ok {
		gv = rs.addUnder(0, root{kind: KindGroup})
		rs.groups[key.String()] = gv
		rs.stacks[gv] = slices.Clip(q.Stack)
	}
	q.Stack = rs.stacks[gv]
	rs.list[v].parent = gv
}

// timerRoots makes the timers of all processors roots of their own.
func (rs *roots) timerRoots() {
	m, l := rs.mem, rs.lay
	at, ok := rs.global("runtime.allp")
	if !ok || l.P.Timers == absent {
		return
	}
	list, n := m.slice(at, 8)
	for i := range min(n, 1<<16) {
		p := m.u64(list + i*8)
		rs.hide(rs.timers, m.u64(p+l.P.Timers), func(t uint64) {
			if to, in := rs.heap.find(t); in != nil {
				r := &rs.list[rs.timers]
				r.refs = append(r.refs, ref{0, to, t})
			}
		})
	}
}
