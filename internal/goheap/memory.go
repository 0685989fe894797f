package goheap

import (
	"encoding/binary"

	"github.com/profoundhq/profound/internal/proc"
)

const (
	blockShift = 16 // what is read at once around an address
	blockSize  = 1 << blockShift
	filePage   = 4096 // memory is there or not by pages of this size

	// maxAlloc bounds what one number read from the process may make us
	// allocate; a damaged image holds any numbers.
	maxAlloc = 1 << 32
	// maxTorn bounds what all pieces together may take of which some is missing.
	maxTorn = 1 << 30
	// maxList bounds linked lists, which may be cycles in a damaged image.
	maxList = 1 << 26
)

// reader gives small values of the memory, by blocks that it keeps. Memory
// that is not there reads as zero and is counted. It is not for use by
// several goroutines.
type reader struct {
	mem    proc.Memory
	blocks map[uint64]*block
	last   *block
	lastNo uint64
	// missing counts the pages that were asked for and are not there.
	missing int
	torn    uint64 // see maxTorn
}

type block struct {
	data []byte // blockSize bytes
	have uint16 // a bit for each page that is there
}

func newReader(m proc.Memory) *reader {
	return &reader{mem: m, blocks: map[uint64]*block{}}
}

func (r *reader) block(no uint64) *block {
	if r.last != nil && r.lastNo == no {
		return r.last
	}
	b := r.blocks[no]
	if b == nil {
		b = r.load(no << blockShift)
		r.blocks[no] = b
	}
	r.last, r.lastNo = b, no
	return b
}

// load reads a block, by pages where not all of it is there.
func (r *reader) load(addr uint64) *block {
	if b, err := r.mem.Bytes(addr, blockSize); err == nil {
		return &block{b, 1<<(blockSize/filePage) - 1}
	}
	b := &block{data: make([]byte, blockSize)}
	for i := range blockSize / filePage {
		page := b.data[i*filePage : (i+1)*filePage]
		if _, err := r.mem.ReadAt(page, addr+uint64(i*filePage)); err == nil {
			b.have |= 1 << i
		} else {
			clear(page)
			r.missing++
		}
	}
	return b
}

// bytes gives n bytes at addr, to be read only and until the next call only.
func (r *reader) bytes(addr uint64, n int) []byte {
	off := int(addr & (blockSize - 1))
	if off+n <= blockSize {
		return r.block(addr >> blockShift).data[off : off+n]
	}
	out := make([]byte, n)
	r.read(out, addr)
	return out
}

// read fills b from addr; what is missing reads as zero.
func (r *reader) read(b []byte, addr uint64) {
	for len(b) > 0 {
		off := int(addr & (blockSize - 1))
		n := copy(b, r.block(addr >> blockShift).data[off:])
		b, addr = b[n:], addr+uint64(n)
	}
}

// fill reads a long piece past the blocks, and reports whether all of it was
// there. What is missing reads as zero.
func (r *reader) fill(b []byte, addr uint64) bool {
	if len(b) == 0 {
		return true
	}
	if _, err := r.mem.ReadAt(b, addr); err == nil {
		return true
	}
	all := true
	for len(b) > 0 {
		n := min(len(b), filePage-int(addr&(filePage-1)))
		if _, err := r.mem.ReadAt(b[:n], addr); err != nil {
			clear(b[:n])
			all = false
			r.missing++
		}
		b, addr = b[n:], addr+uint64(n)
	}
	return all
}

// piece reads a long piece, as a view where the memory lies in one, so its
// length may be nonsense. What is missing reads as zero; it is nil if all is, or
// too much.
func (r *reader) piece(addr, n uint64) []byte {
	if n == 0 || n >= 1<<62 || addr+n < addr {
		return nil
	}
	if b, err := r.mem.Bytes(addr, int(n)); err == nil {
		return b
	}
	if !r.has(addr) && !r.has(addr+n-1) || n > maxTorn-r.torn {
		return nil
	}
	r.torn += n
	b := make([]byte, n)
	r.fill(b, addr)
	return b
}

// has tells whether the byte at addr is there.
func (r *reader) has(addr uint64) bool {
	b := r.block(addr >> blockShift)
	return b.have>>(addr&(blockSize-1)/filePage)&1 != 0
}

func (r *reader) u64(a uint64) uint64 { return binary.LittleEndian.Uint64(r.bytes(a, 8)) }
func (r *reader) u32(a uint64) uint32 { return binary.LittleEndian.Uint32(r.bytes(a, 4)) }
func (r *reader) u16(a uint64) uint16 { return binary.LittleEndian.Uint16(r.bytes(a, 2)) }
func (r *reader) u8(a uint64) uint8   { return r.bytes(a, 1)[0] }

// text reads n bytes as a string, "" if that cannot be one.
func (r *reader) text(a, n uint64) string {
	if a == 0 || n == 0 || n > 1<<20 {
		return ""
	}
	return string(r.bytes(a, int(n)))
}

// goString reads the string whose header is at a.
func (r *reader) goString(a uint64) string { return r.text(r.u64(a), r.u64(a+8)) }

// slice reads the header of a slice: address and length. The length is bounded
// so that items of the given size fit into the largest piece we would read, and
// the last of them is there: a damaged length mostly leads to nowhere.
func (r *reader) slice(a, size uint64) (ptr, n uint64) {
	ptr, n = r.u64(a), r.u64(a+8)
	if ptr == 0 || n > maxAlloc/max(size, 1) || n > 0 && !r.has(ptr+n*size-1) {
		return 0, 0
	}
	return ptr, n
}

// sliceBytes reads all bytes of the slice whose header is at a and whose items
// have the given size.
func (r *reader) sliceBytes(a, size uint64) []byte {
	ptr, n := r.slice(a, size)
	if n == 0 || !r.has(ptr) || !r.has(ptr+n*size-1) {
		return nil
	}
	return r.piece(ptr, n*size)
}

// le64 reads a word of b.
func le64(b []byte, off uint64) uint64 { return binary.LittleEndian.Uint64(b[off:]) }
