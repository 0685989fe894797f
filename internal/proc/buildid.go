package proc

import (
	"bytes"
	"debug/elf"
	"encoding/hex"
	"io"
	"os"
	"slices"
)

// headSize is how much of an executable a snapshot keeps to know it by.
const headSize = 4096

// BuildID is the id the linker has given to the executable of an image: the
// GNU one in hexadecimal digits, else Go's; empty if there is none, or none
// near the beginning of the file, where linkers put it.
func BuildID(img Image) string {
	if s, ok := img.(*SnapshotFile); ok {
		for _, name := range []string{sectionHead, sectionExe} {
			if head, err := s.Section(name); err == nil && head != nil {
				return headBuildID(head[:min(len(head), headSize)])
			}
		}
	}
	f, err := os.Open(img.Info().Exe)
	if err != nil {
		return ""
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 {
		return ""
	}
	return headBuildID(head[:n])
}

// headBuildID finds the id in the first bytes of an executable of 64 bits.
func headBuildID(head []byte) string {
	const sectionOffset, sectionCount, end = 40, 60, 64
	if len(head) < end || elf.Class(head[elf.EI_CLASS]) != elf.ELFCLASS64 {
		return ""
	}
	head = slices.Clone(head)
	clear(head[sectionOffset : sectionOffset+8]) // the sections lie further on
	clear(head[sectionCount:end])
	f, err := elf.NewFile(bytes.NewReader(head))
	if err != nil {
		return ""
	}
	id := ""
	for _, p := range f.Progs {
		if p.Type != elf.PT_NOTE {
			continue
		}
		b, short := clip(head, p.Off, p.Filesz)
		for short == 0 && len(b) >= 12 {
			name, desc := f.ByteOrder.Uint32(b), f.ByteOrder.Uint32(b[4:])
			kind, at := f.ByteOrder.Uint32(b[8:]), 12+(uint64(name)+3)&^3
			d, missing := clip(b, at, uint64(desc))
			if missing > 0 || at > uint64(len(b)) {
				break
			}
			switch owner := string(bytes.TrimRight(b[12:12+uint64(name)], "\x00")); {
			case owner == "GNU" && kind == 3:
				return hex.EncodeToString(d)
			case owner == "Go" && kind == 4:
				id = string(d)
			}
			next := at + (uint64(desc)+3)&^3
			b = b[min(next, uint64(len(b))):]
		}
	}
	return id
}
