package goheap

import "strings"

// channel is the type of a channel's header at an address that is only known to
// be one: the header itself says what its elements are.
func (ty *typing) channel(at uint64, header *Type) *Type {
	if ty.lay.Chan.Elem == absent {
		return header
	}
	elem := ty.types.typeAt(ty.mem.u64(at + ty.lay.Chan.Elem))
	if elem == nil { // or not copied
		return header
	}
	t := ty.channels[elem]
	if t == nil {
		t = ty.types.add(&Type{Name: header.Name, Size: header.Size, Kind: header.Kind, Fields: header.Fields, Elem: elem, Role: RoleChan, shown: "chan " + elem.Name})
		ty.channels[elem] = t
	}
	return t
}

// waiting visits what a goroutine waits to send, or the places for what it
// waits to receive, each with its channel.
func (v *heapView) waiting(g uint64, visit func(value, ch uint64)) {
	m, o := v.mem, &v.lay.Sudog
	if v.lay.G.Waiting == absent || o.Elem == absent || o.Chan == absent || o.Link == absent || v.lay.Chan.Elem == absent {
		return
	}
	for q, n := m.u64(g+v.lay.G.Waiting), 0; q != 0 && n < 1<<16; q, n = m.u64(q+o.Link), n+1 {
		if ch := m.u64(q + o.Chan); ch != 0 {
			visit(m.u64(q+o.Elem), ch)
		}
	}
}

// channelValues types what a goroutine that waits for channels has on its
// stack to be sent, or as the place for what is received: the channels know
// both.
func (s *stack) channelValues(g uint64) {
	rs := s.rs
	rs.waiting(g, func(value, ch uint64) {
		x := findObject(s.objects, value)
		if x == nil || x.addr != value || x.typ != nil {
			return
		}
		if t := rs.types.typeAt(rs.mem.u64(ch + rs.lay.Chan.Elem)); t != nil && t.Size <= x.size {
			x.typ = t
			x.name = strings.TrimSuffix(x.name, stackObjectName) + " (value for a channel)"
		}
	})
}
