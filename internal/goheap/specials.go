package goheap

// special is a record the runtime keeps of an object: runtime/mheap.go,
// _KindSpecial.
type special struct {
	kind   specialKind
	slot   uint32   // the object
	refs   []uint64 // addresses that it keeps alive
	bucket uint64   // of profile records
}

type specialKind uint8

const (
	specialFinalizer specialKind = iota
	specialCleanup
	specialWeak
	specialProfile
)

// readSpecials follows the lists of records of all spans.
func (h *heap) readSpecials(m *reader) []special {
	l := h.lay
	finalizer, profile := l.constant(2, "runtime._KindSpecialFinalizer"), l.constant(4, "runtime._KindSpecialProfile")
	weak, cleanup := l.constant(-1, "runtime._KindSpecialWeakHandle"), l.constant(-1, "runtime._KindSpecialCleanup")
	wide := l.Special.Kind-l.Special.Offset == 8 // since 1.24
	var out []special
	for i := range h.spans {
		s := &h.spans[i]
		left := 4 * int(s.count) // a few for each object; more is a cycle
		for at := s.specials; at != 0 && left > 0; at = m.u64(at + l.Special.Next) {
			left--
			off := uint64(m.u16(at + l.Special.Offset))
			if wide {
				off = m.u64(at + l.Special.Offset)
			}
			slot, in := h.find(s.base + off)
			if in != s {
				continue
			}
			switch int64(m.u8(at + l.Special.Kind)) {
			case finalizer:
				out = append(out, special{kind: specialFinalizer, slot: slot, refs: []uint64{m.u64(at + l.Finalizer.Fn)}})
			case weak:
				out = append(out, special{kind: specialWeak, slot: slot, refs: []uint64{m.u64(at + l.Weak.Handle)}})
			case cleanup:
				sp := special{kind: specialCleanup, slot: slot}
				for _, f := range []uint64{l.Cleanup.Fn, l.Cleanup.Arg, l.Cleanup.Call} {
					if f != absent {
						sp.refs = append(sp.refs, m.u64(at+f))
					}
				}
				out = append(out, sp)
			case profile:
				out = append(out, special{kind: specialProfile, slot: slot, bucket: m.u64(at + l.Profile.Bucket)})
			}
		}
	}
	return out
}

// specialRoots adds what specials keep alive.
func (rs *roots) specialRoots(list []special) {
	for _, sp := range list {
		about := root{kind: KindSpecial, addr: rs.heap.addr(sp.slot), object: sp.slot + 1}
		switch sp.kind {
		case specialFinalizer:
			// The object itself is not kept, but all it refers to is, and
			// pointers back to it do not count. Where the object is reached
			// anyway, this would only hide who keeps what it refers to.
			rs.stats.Finalizers++
			self := about
			self.name = "finalizer's object"
			s := rs.heap.spanOf(sp.slot)
			if s.mem != nil {
				rs.heap.pointers(s, sp.slot, func(off, p uint64) {
					if to, in := rs.heap.find(p); in != nil && to != sp.slot {
						self.refs = append(self.refs, ref{off: int64(off - s.payload()), slot: to})
					}
				})
			}
			self.ofObject = true
			rs.late = append(rs.late, self)
			about.name = "finalizer"
			rs.addPointers(rs.finalizers, about, sp.refs)
		case specialCleanup:
			rs.stats.Cleanups++
			about.name = "cleanup"
			if len(sp.refs) == 3 {
				about.arg = rs.cleanupArg(sp.refs[0])
			}
			rs.addPointers(rs.cleanups, about, sp.refs)
		case specialWeak:
			rs.stats.WeakHandles++
			about.name = "weak handle"
			about.arg = rs.types.byName("internal/runtime/atomic.Uintptr")
			rs.addPointers(rs.weak, about, sp.refs)
		}
	}
}

// queueRoots adds the finalizers and cleanups that wait to be run.
func (rs *roots) queueRoots() {
	m, l := rs.mem, rs.lay
	if all, ok := rs.global("runtime.allfin"); ok {
		b := m.u64(all)
		for n := 0; b != 0 && n < maxList/1024; n++ {
			for i := range min(uint64(m.u32(b+l.FinBlock.Count)), 4096) {
				e := b + l.FinBlock.Fin + i*l.FinRecord.Size
				rs.stats.QueuedFuncs++
				rs.addPointers(rs.finalizers, root{kind: KindSpecial, name: "queued finalizer"},
					[]uint64{m.u64(e + l.FinRecord.Fn), m.u64(e + l.FinRecord.Arg), m.u64(e + l.FinRecord.Fint), m.u64(e + l.FinRecord.OT)})
			}
			b = m.u64(b + l.FinBlock.All)
		}
	}
	queue, ok := rs.global("runtime.gcCleanups")
	if !ok || l.CleanupBlock.All == absent || l.CleanupFn.Fn == absent || l.CleanupQueue.All == absent {
		return
	}
	b := m.u64(queue + l.CleanupQueue.All)
	for n := 0; b != 0 && n < maxList/1024; n++ {
		for i := range min(uint64(m.u32(b+l.CleanupBlock.Count)), 4096) {
			e := b + l.CleanupBlock.List + i*l.CleanupFn.Size
			rs.stats.QueuedFuncs++
			rs.addPointers(rs.cleanups, root{kind: KindSpecial, name: "queued cleanup", arg: rs.cleanupArg(m.u64(e + l.CleanupFn.Fn))},
				[]uint64{m.u64(e + l.CleanupFn.Fn), m.u64(e + l.CleanupFn.Arg), m.u64(e + l.CleanupFn.Call)})
		}
		b = m.u64(b + l.CleanupBlock.All)
	}
}

// cleanupArg gives the type of the box a cleanup's argument is in: the first
// parameter of the function.
func (rs *roots) cleanupArg(fn uint64) *Type {
	if fn == 0 {
		return nil
	}
	return rs.locals.parameter(rs.mem.u64(fn))
}
