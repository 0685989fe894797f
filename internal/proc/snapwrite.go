package proc

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// SnapshotContents say what goes into a snapshot file.
type SnapshotContents struct {
	// Ranges are the memory to write; parts that the image lacks are left out
	// silently. Nil means what was copied of the process, or is in the core
	// file, without what files have.
	Ranges []Range
	// Exe puts the executable into the file, so that it can be read where that
	// is not at hand.
	Exe bool
	// Sections are added as they are.
	Sections []Section
}

// WriteSnapshot writes an image to a file that OpenSnapshot reads. It writes
// from front to back and keeps about a block, 1 MB, in memory.
func WriteSnapshot(w io.Writer, img Image, c SnapshotContents) error {
	if err := writeSnapshot(w, img, c); err != nil {
		return fmt.Errorf("write snapshot: %w", err)
	}
	return nil
}

func writeSnapshot(w io.Writer, img Image, c SnapshotContents) error {
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	defer enc.Close()
	s := &snapWriter{w: w, zstd: enc}
	header := append([]byte(snapMagic), make([]byte, 8)...)
	binary.LittleEndian.PutUint32(header[8:], snapVersion)
	if err := s.write(header); err != nil {
		return err
	}
	info, err := json.Marshal(newSnapInfo(img))
	if err != nil {
		return err
	}
	if err := s.section(sectionInfo, info); err != nil {
		return err
	}
	if err := s.memory(img, c.Ranges); err != nil {
		return err
	}
	if err := s.exe(img.Info(), c.Exe); err != nil {
		return err
	}
	for _, x := range c.Sections {
		if strings.HasPrefix(x.Name, "proc/") {
			return fmt.Errorf("section %q: names that begin with proc/ are ours; take another", x.Name)
		}
		if err := s.section(x.Name, x.Data); err != nil {
			return err
		}
	}
	return s.finish()
}

// snapWriter writes sections, block by block.
type snapWriter struct {
	w    io.Writer
	zstd *zstd.Encoder
	off  uint64
	dir  snapDirectory
	raw  []byte // the block being filled
	out  []byte
}

func (s *snapWriter) write(b []byte) error {
	n, err := s.w.Write(b)
	s.off += uint64(n)
	return err
}

// begin starts a section; what add gets belongs to it, until end.
func (s *snapWriter) begin(name string) {
	s.dir.Sections = append(s.dir.Sections, snapSection{Name: name, Blocks: []snapEntry{}})
	if s.raw == nil {
		s.raw = make([]byte, 0, snapBlock)
	}
}

func (s *snapWriter) add(b []byte) error {
	for len(b) > 0 {
		n := min(len(b), snapBlock-len(s.raw))
		s.raw = append(s.raw, b[:n]...)
		b = b[n:]
		if len(s.raw) == snapBlock {
			if err := s.end(); err != nil {
				return err
			}
		}
	}
	return nil
}

// end writes the block that was begun.
func (s *snapWriter) end() error {
	if len(s.raw) == 0 {
		return nil
	}
	s.out = s.zstd.EncodeAll(s.raw, s.out[:0])
	last := &s.dir.Sections[len(s.dir.Sections)-1]
	last.Blocks = append(last.Blocks, snapEntry{s.off, uint64(len(s.out)), uint64(len(s.raw)), uint64(checksum(s.out))})
	s.raw = s.raw[:0]
	return s.write(s.out)
}

func (s *snapWriter) section(name string, data []byte) error {
	s.begin(name)
	if err := s.add(data); err != nil {
		return err
	}
	return s.end()
}

// memory writes the ranges, and where they are from.
func (s *snapWriter) memory(img Image, ranges []Range) error {
	if ranges == nil {
		m, ok := img.(interface{ own() []Range })
		if !ok {
			return errors.New("say which ranges to write: the image is not one of ours")
		}
		ranges = m.own()
	} else {
		ranges = joined(ranges, img.Mappings(), img.Info().PageSize)
	}
	written := [][2]uint64{} // start, length
	s.begin(sectionMemory)
	for _, r := range ranges {
		for r.Start < r.End {
			n := min(r.Len(), snapBlock)
			b, err := img.Bytes(r.Start, int(n))
			if err != nil {
				// What is missing is missing here too, by pages.
				n = min(n, img.Info().PageSize-r.Start%img.Info().PageSize)
				b, err = img.Bytes(r.Start, int(n))
			}
			if err == nil {
				if last := len(written) - 1; last >= 0 && written[last][0]+written[last][1] == r.Start {
					written[last][1] += n
				} else {
					written = append(written, [2]uint64{r.Start, n})
				}
				if err := s.add(b); err != nil {
					return err
				}
			}
			r.Start += n
		}
	}
	if err := s.end(); err != nil {
		return err
	}
	b, err := json.Marshal(written)
	if err != nil {
		return err
	}
	return s.section(sectionRanges, b)
}

// exe writes the executable, or just its first page, to know it again.
func (s *snapWriter) exe(info Info, whole bool) error {
	if info.Exe == "" {
		if whole {
			return errors.New("the executable is to be included, and is not at hand")
		}
		return nil
	}
	f, err := os.Open(info.Exe)
	if err != nil {
		return err
	}
	defer f.Close()
	if !whole {
		head := make([]byte, 4096)
		n, err := io.ReadFull(f, head)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
			return err
		}
		return s.section(sectionHead, head[:n])
	}
	s.begin(sectionExe)
	buf := make([]byte, 256<<10)
	for {
		n, err := f.Read(buf)
		if err2 := s.add(buf[:n]); err2 != nil {
			return err2
		}
		if errors.Is(err, io.EOF) {
			return s.end()
		}
		if err != nil {
			return err
		}
	}
}

func (s *snapWriter) finish() error {
	dir, err := json.Marshal(s.dir)
	if err != nil {
		return err
	}
	footer := make([]byte, snapFooterSize)
	binary.LittleEndian.PutUint64(footer, s.off)
	binary.LittleEndian.PutUint64(footer[8:], uint64(len(dir)))
	binary.LittleEndian.PutUint32(footer[16:], checksum(dir))
	binary.LittleEndian.PutUint32(footer[20:], snapVersion)
	copy(footer[24:], snapMagic)
	if err := s.write(dir); err != nil {
		return err
	}
	return s.write(footer)
}
