package proc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"time"
)

// The snapshot file, see docs/formats/heap-snapshot.md:
//
//	header     "profheap", version u32, 0 u32
//	blocks     of zstd, one after the other
//	directory  JSON: the sections and their blocks
//	footer     directory offset u64, length u64, crc u32, version u32, "profheap"
//
// Numbers are little endian; checksums are CRC-32C.
const (
	snapMagic      = "profheap"
	snapVersion    = 1
	snapHeaderSize = 16
	snapFooterSize = 32
	// snapBlock is how much memory a block holds, uncompressed.
	snapBlock = 1 << 20
)

// Names of the sections we write ourselves; all others belong to who wrote them.
const (
	sectionInfo   = "proc/info"
	sectionRanges = "proc/ranges"
	sectionMemory = "proc/memory"
	sectionExe    = "proc/exe"
	sectionHead   = "proc/exe-head"
)

// Section is named data of a layer above, which a snapshot file carries along.
type Section struct {
	// Name must not begin with "proc/".
	Name string
	Data []byte
}

// snapDirectory is the directory of a file.
type snapDirectory struct {
	Sections []snapSection `json:"sections"`
}

// snapSection is one section: its blocks, uncompressed and put together.
type snapSection struct {
	Name   string      `json:"name"`
	Blocks []snapEntry `json:"blocks"`
}

// snapEntry is a block: offset in the file, length there, length uncompressed
// (at most snapBlock), checksum of what is in the file.
type snapEntry [4]uint64

// size is the length of the section; ok is false if it is nonsense.
func (s *snapSection) size() (n uint64, ok bool) {
	for _, b := range s.Blocks {
		if b[2] > snapBlock || n > math.MaxInt64-snapBlock {
			return 0, false
		}
		n += b[2]
	}
	return n, true
}

// snapInfo is the section proc/info.
type snapInfo struct {
	Arch     string        `json:"arch"`
	PID      int           `json:"pid"`
	Name     string        `json:"name"`
	Args     []string      `json:"args,omitempty"`
	Entry    uint64        `json:"entry"`
	PageSize uint64        `json:"page_size"`
	Taken    time.Time     `json:"taken"`
	Warnings []string      `json:"warnings,omitempty"`
	Mappings []snapMapping `json:"mappings"`
	Threads  []snapThread  `json:"threads"`
}

type snapMapping struct {
	Start   uint64 `json:"start"`
	End     uint64 `json:"end"`
	Perm    Perm   `json:"perm"`
	File    string `json:"file,omitempty"`
	Offset  uint64 `json:"offset,omitempty"`
	Inode   uint64 `json:"inode,omitempty"`
	Device  uint64 `json:"device,omitempty"`
	Deleted bool   `json:"deleted,omitempty"`
}

type snapThread struct {
	ID      int        `json:"id"`
	Name    string     `json:"name,omitempty"`
	State   byte       `json:"state,omitempty"`
	PC      uint64     `json:"pc"`
	SP      uint64     `json:"sp"`
	FP      uint64     `json:"fp"`
	TLS     uint64     `json:"tls"`
	General [32]uint64 `json:"general"`
	Syscall int64      `json:"syscall"`
}

func newSnapInfo(img Image) *snapInfo {
	i := img.Info()
	s := &snapInfo{Arch: i.Arch, PID: i.PID, Name: i.Name, Args: i.Args, Entry: i.Entry, PageSize: i.PageSize, Taken: i.Taken}
	for _, w := range i.Warnings {
		s.Warnings = append(s.Warnings, w.Error())
	}
	for _, m := range img.Mappings() {
		s.Mappings = append(s.Mappings, snapMapping(m))
	}
	for _, t := range img.Threads() {
		r := t.Regs
		s.Threads = append(s.Threads, snapThread{t.ID, t.Name, t.State, r.PC, r.SP, r.FP, r.TLS, r.General, r.Syscall})
	}
	return s
}

func parseSnapInfo(b []byte) (*snapInfo, error) {
	s := &snapInfo{}
	if err := json.Unmarshal(b, s); err != nil {
		return nil, err
	}
	if s.Arch != "amd64" && s.Arch != "arm64" {
		return nil, fmt.Errorf("architecture %.20q: %w", s.Arch, ErrUnsupported)
	}
	if s.PageSize < 512 || s.PageSize > 1<<30 || s.PageSize&(s.PageSize-1) != 0 {
		return nil, fmt.Errorf("pages of %d bytes", s.PageSize)
	}
	return s, nil
}

func (s *snapInfo) info() Info {
	i := Info{Source: "snapshot", Arch: s.Arch, PID: s.PID, Name: s.Name, Args: s.Args, Entry: s.Entry, PageSize: s.PageSize, Taken: s.Taken}
	for _, w := range s.Warnings {
		i.Warnings = append(i.Warnings, errors.New(w))
	}
	return i
}

func (s *snapInfo) mappings() []Mapping {
	maps := make([]Mapping, 0, len(s.Mappings))
	for _, m := range s.Mappings {
		if m.End > m.Start {
			maps = append(maps, Mapping(m))
		}
	}
	return disjoint(maps)
}

func (s *snapInfo) threads() []Thread {
	out := make([]Thread, len(s.Threads))
	for i, t := range s.Threads {
		out[i] = Thread{t.ID, t.Name, t.State, Regs{t.PC, t.SP, t.FP, t.TLS, t.General, t.Syscall}}
	}
	return out
}

// Sniff tells what a file is by its first bytes, 64 suffice: "core", "snapshot"
// or empty.
func Sniff(head []byte) string {
	if len(head) >= snapHeaderSize && string(head[:len(snapMagic)]) == snapMagic {
		return "snapshot"
	}
	const core = 4 // ET_CORE
	if len(head) >= 20 && string(head[:4]) == "\x7fELF" && binary.LittleEndian.Uint16(head[16:]) == core {
		return "core"
	}
	return ""
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
