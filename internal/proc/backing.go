package proc

import (
	"debug/elf"
	"fmt"
	"io"
)

// backing provides the memory of mapped files that a process cannot have
// changed, so that it need not be copied.
type backing struct {
	// open opens a mapped file if it is still the one that was mapped.
	open func(m *Mapping) (*mappedFile, error)
	page uint64 // bytes of a page

	files  map[string]*openFile
	pieces []Piece
	holes  []hole
	// written are mappings that lie in a writable segment of their file,
	// although they are no longer writable: relocated, then protected.
	written []Range
}

type openFile struct {
	*mappedFile
	err      error
	segments []elf.ProgHeader // of an ELF file, those that are loaded
}

// add adds the memory of the mapping if it is a file's, and no more than
// readable. Of files that cannot be opened it notes a hole.
func (b *backing) add(m *Mapping) {
	if m.Perm&(Write|Shared) != 0 || m.Perm&Read == 0 || m.File == "" || m.File[0] == '[' {
		return
	}
	if b.files == nil {
		b.files = map[string]*openFile{}
	}
	f := b.files[m.File]
	if f == nil {
		f = b.load(m)
		b.files[m.File] = f
	}
	if f.err != nil {
		b.holes = append(b.holes, hole{Range{m.Start, m.End}, fmt.Sprintf("it lies in %s: %v", m.File, f.err)})
		return
	}
	size := uint64(len(f.data))
	if m.Offset >= size {
		return
	}
	if f.wasWritable(m.Offset, m.Offset+(m.End-m.Start), b.page) {
		b.written = append(b.written, Range{m.Start, m.End})
		return
	}
	n := min(m.End-m.Start, size-m.Offset)
	b.pieces = append(b.pieces, Piece{m.Start, f.data[m.Offset : m.Offset+n : m.Offset+n]})
}

func (b *backing) load(m *Mapping) *openFile {
	f, err := b.open(m)
	if err != nil {
		return &openFile{err: err}
	}
	out := &openFile{mappedFile: f}
	if e, err := elf.NewFile(bytesReader(f.data)); err == nil {
		for _, p := range e.Progs {
			if p.Type == elf.PT_LOAD {
				out.segments = append(out.segments, p.ProgHeader)
			}
		}
	}
	return out
}

// wasWritable tells whether a part of the file belongs to a writable segment,
// as the table of contents of a position-independent executable does. Of two
// segments that share a page of the file, each has it mapped.
func (f *openFile) wasWritable(start, end, page uint64) bool {
	page = max(page, 4096)
	for _, p := range f.segments {
		if p.Flags&elf.PF_W == 0 || p.Filesz == 0 || start >= p.Off+p.Filesz || end <= p.Off {
			continue
		}
		// It begins in the segment's first page, or before and goes on behind
		// that, as the kernel makes one of mappings that fit together.
		if first := p.Off &^ (page - 1); start >= first || end > first+page || p.Off == first {
			return true
		}
	}
	return false
}

func (b *backing) Close() error {
	var first error
	for _, f := range b.files {
		if f.mappedFile != nil {
			if err := f.Close(); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}

// bytesReader reads a slice at offsets, for debug/elf.
type bytesReader []byte

// ReadAt implements io.ReaderAt.
func (b bytesReader) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(b)) {
		return 0, io.EOF
	}
	n := copy(p, b[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}
