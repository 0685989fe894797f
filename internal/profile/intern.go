package profile

// StackInterner finds equal stacks while a Stacks table is filled: an open
// addressing table of stack ids, hashed over the frames. The zero value is
// ready; it belongs to one Stacks.
type StackInterner struct {
	slots  []StackID // power of two; 0 is free
	hashes []uint64  // by StackID
	used   int
}

// Reset forgets everything, for a table that starts anew.
func (in *StackInterner) Reset() {
	clear(in.slots)
	in.hashes, in.used = in.hashes[:min(1, len(in.hashes))], 0
}

// hashMul is the odd multiplier of Knuth's multiplicative hashing, 2^64/phi.
const hashMul = 0x9E3779B97F4A7C15

func mix(h, v uint64) uint64 {
	h = (h ^ v) * hashMul
	return h ^ h>>29
}

// HashFrames is the hash the interner uses for a stack.
func HashFrames(frames []LocationID) uint64 {
	h := uint64(len(frames)) * hashMul
	for _, f := range frames {
		h = mix(h, uint64(f))
	}
	return h ^ h>>32
}

// Intern returns the id of frames in s, appending a new row if there is none.
// The frames are copied.
func (in *StackInterner) Intern(s *Stacks, frames []LocationID) StackID {
	n := len(s.Frames)
	s.Frames = push(s.Frames, frames...)
	return in.InternTail(s, n)
}

// InternTail interns the frames already appended to s.Frames from index n on,
// as a row of their own, and takes them off again when the stack is known.
func (in *StackInterner) InternTail(s *Stacks, n int) StackID {
	frames := s.Frames[n:]
	if len(frames) == 0 {
		return 0
	}
	if in.used*2 >= len(in.slots) {
		in.grow(s)
	}
	h := HashFrames(frames)
	mask := uint64(len(in.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		id := in.slots[i]
		if id == 0 {
			id = StackID(s.Len())
			s.Offsets = push(s.Offsets, uint64(len(s.Frames)))
			in.hashes = push(in.hashes, h)
			in.slots[i] = id
			in.used++
			return id
		}
		if in.hashes[id] == h && equalFrames(s.Of(id), frames) {
			s.Frames = s.Frames[:n]
			return id
		}
	}
}

func equalFrames(a, b []LocationID) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (in *StackInterner) grow(s *Stacks) {
	if in.hashes == nil {
		in.hashes = make([]uint64, 1, 1024)
		for id := 1; id < s.Len(); id++ {
			in.hashes = append(in.hashes, HashFrames(s.Of(StackID(id))))
		}
	}
	size := max(1024, len(in.slots)*2)
	for size < 4*len(in.hashes) {
		size *= 2
	}
	in.slots = make([]StackID, size)
	in.used = len(in.hashes) - 1
	mask := uint64(size - 1)
	for id := 1; id < len(in.hashes); id++ {
		i := in.hashes[id] & mask
		for in.slots[i] != 0 {
			i = (i + 1) & mask
		}
		in.slots[i] = StackID(id)
	}
}

// LabelInterner finds equal label sets while a LabelSets table is filled. The
// zero value is ready; it belongs to one LabelSets.
type LabelInterner struct {
	slots  []LabelSetID
	hashes []uint64
	used   int
}

// Reset forgets everything, for a table that starts anew.
func (in *LabelInterner) Reset() {
	clear(in.slots)
	in.hashes, in.used = in.hashes[:min(1, len(in.hashes))], 0
}

func hashLabels(labels []Label) uint64 {
	h := uint64(len(labels)) * hashMul
	for _, l := range labels {
		h = mix(h, uint64(l.Key)<<32|uint64(l.Str))
		h = mix(h, uint64(l.Num))
		h = mix(h, uint64(l.Unit))
	}
	return h ^ h>>32
}

// Intern returns the id of labels in s, appending a new row if there is none.
// The labels are copied; their order counts.
func (in *LabelInterner) Intern(s *LabelSets, labels []Label) LabelSetID {
	if len(labels) == 0 {
		return 0
	}
	if in.used*2 >= len(in.slots) {
		in.grow(s)
	}
	h := hashLabels(labels)
	mask := uint64(len(in.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		id := in.slots[i]
		if id == 0 {
			id = LabelSetID(s.Len())
			s.Labels = append(s.Labels, labels...)
			s.Offsets = append(s.Offsets, uint32(len(s.Labels)))
			in.hashes = append(in.hashes, h)
			in.slots[i] = id
			in.used++
			return id
		}
		if in.hashes[id] == h && equalLabels(s.Of(id), labels) {
			return id
		}
	}
}

func equalLabels(a, b []Label) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func (in *LabelInterner) grow(s *LabelSets) {
	if in.hashes == nil {
		in.hashes = make([]uint64, 1, 1024)
		for id := 1; id < s.Len(); id++ {
			in.hashes = append(in.hashes, hashLabels(s.Of(LabelSetID(id))))
		}
	}
	size := max(1024, len(in.slots)*2)
	for size < 4*len(in.hashes) {
		size *= 2
	}
	in.slots = make([]LabelSetID, size)
	in.used = len(in.hashes) - 1
	mask := uint64(size - 1)
	for id := 1; id < len(in.hashes); id++ {
		i := in.hashes[id] & mask
		for in.slots[i] != 0 {
			i = (i + 1) & mask
		}
		in.slots[i] = LabelSetID(id)
	}
}

// rowTable finds the row of a table by content: open addressing over hashes,
// the rows themselves stay in their table. The zero value is ready.
type rowTable struct {
	slots []rowSlot
	used  int
}

// rowSlot holds a row number; 0 is free.
type rowSlot struct{ hash, id uint32 }

// find returns the slot of the row with this hash for which equal is true. If
// there is none it is a new slot, whose id the caller sets.
func (t *rowTable) find(hash uint32, equal func(id uint32) bool) (slot *rowSlot, found bool) {
	if 2*t.used >= len(t.slots) {
		t.grow()
	}
	mask := uint32(len(t.slots) - 1)
	for i := hash & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.id == 0 {
			s.hash = hash
			t.used++
			return s, false
		}
		if s.hash == hash && equal(s.id) {
			return s, true
		}
	}
}

func (t *rowTable) grow() {
	old := t.slots
	t.slots = make([]rowSlot, max(1024, 4*len(old)))
	clear(t.slots) // touch new memory by writing: reading it first costs a page fault more
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := s.hash & mask
		for t.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}
