package proc

import (
	"cmp"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// CoreOptions say where to find what a core file leaves out.
type CoreOptions struct {
	// Exe is the executable, for a core from elsewhere; empty means the file
	// the core names.
	Exe string
	// Sysroot is put before the paths the core names; empty means none.
	Sysroot string
}

// OpenCore opens an ELF core file of Linux, of the kernel or of gcore. The file
// must not change while the image is open.
//
// Pages that cores leave out, as they are those of files, are taken from the
// files. A core that was cut short is opened as far as it goes, with a warning;
// reading what is missing is an error that says so. Errors wrap ErrFormat or
// ErrUnsupported.
func OpenCore(path string, o CoreOptions) (Image, error) {
	img, err := openCore(path, o)
	if err != nil {
		return nil, fmt.Errorf("core %s: %w", path, err)
	}
	return img, nil
}

func openCore(path string, o CoreOptions) (Image, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, errors.Unwrap(err)
	}
	defer f.Close()
	file, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	img, err := readCore(file.data, o)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	rest := img.close
	img.close = func() error { return errors.Join(rest(), file.Close()) }
	return img, nil
}

// readCore makes an image of the bytes of a core file.
func readCore(data []byte, o CoreOptions) (*image, error) {
	h, err := readELFHeader(data)
	if err != nil {
		return nil, err
	}
	notes := &coreNotes{arch: h.arch}
	for _, p := range h.segments {
		if p.Type != elf.PT_NOTE {
			continue
		}
		b, short := clip(data, p.Off, p.Filesz)
		if short > 0 {
			return nil, fmt.Errorf("it ends within its notes, which tell of threads and files: %w", ErrFormat)
		}
		if err := notes.parse(b); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
	}
	if !notes.linux || len(notes.threads) == 0 {
		return nil, fmt.Errorf("it has no notes of Linux about threads: %w", ErrFormat)
	}
	c := &core{o: o, notes: notes}
	for _, p := range h.segments {
		if p.Type == elf.PT_LOAD {
			c.load(data, p)
		}
	}
	c.join()
	return c.image(), nil
}

// image puts together what was collected.
func (c *core) image() *image {
	info := Info{
		Source: "core", Arch: c.notes.arch, PID: c.notes.pid, Args: c.notes.args, Entry: c.notes.auxv[auxEntry],
		PageSize: cmp.Or(c.notes.auxv[auxPageSize], 4096), Name: c.notes.name,
	}
	if c.short > 0 {
		info.Warnings = append(info.Warnings, fmt.Errorf("the core is cut short: %d of %d bytes of memory are missing, from %#x on; a limit for cores (ulimit -c, or of the crash handler) or a full disk is why",
			c.short, c.total, c.shortFrom))
	}
	if m := mappingAt(c.maps, info.Entry); m != nil && m.File != "" {
		info.Name, c.exe = m.File, m.File
	}
	files := &backing{open: c.open, page: info.PageSize}
	for i := range c.maps {
		files.add(&c.maps[i])
	}
	exe := c.o.path(info.Name, c.exe)
	if f := files.files[c.exe]; f != nil && f.err != nil {
		info.Warnings = append(info.Warnings, fmt.Errorf("executable %s: %w; name the right one", exe, f.err))
	} else if _, err := os.Stat(exe); err != nil {
		info.Warnings = append(info.Warnings, fmt.Errorf("executable of the core: %w; name it", err))
	} else {
		info.Exe = exe
	}
	return &image{
		space: newSpace(append(c.holes, files.holes...), c.pieces, files.pieces),
		info:  info, maps: c.maps, threads: c.notes.threads, held: rangesOf(flat(c.pieces)), close: files.Close,
	}
}

// path is where a file that the core names may be; exe is the name of the
// executable in the core.
func (o CoreOptions) path(name, exe string) string {
	if o.Exe != "" && name == exe {
		return o.Exe
	}
	return filepath.Join(o.Sysroot, filepath.Clean("/"+name)) // not above it
}

// open opens a file the core names, if it is the one that was mapped.
func (c *core) open(m *Mapping) (*mappedFile, error) {
	// The kernel puts the first page of a file into the core, with its headers
	// and, mostly, its build id.
	var head []byte
	i := slices.IndexFunc(c.maps, func(o Mapping) bool { return o.File == m.File && o.Offset == 0 && o.Perm&Write == 0 })
	if i >= 0 {
		for _, p := range c.pieces {
			if p.Addr == c.maps[i].Start {
				head = p.Data[:min(len(p.Data), 4096)]
			}
		}
	}
	return openBegins(c.o.path(m.File, c.exe), head)
}

// clip returns the part of data, and how many bytes of it are missing.
func clip(data []byte, off, n uint64) ([]byte, uint64) {
	if off >= uint64(len(data)) {
		return nil, n
	}
	have := min(n, uint64(len(data))-off)
	return data[off : off+have : off+have], n - have
}

// core collects what is in a core file.
type core struct {
	o     CoreOptions
	notes *coreNotes
	exe   string // the executable, as the core names it

	maps   []Mapping
	pieces []Piece
	holes  []hole
	// outside are the parts of segments that the core leaves out on purpose.
	outside []Range

	total, short, shortFrom uint64
}

func (c *core) load(data []byte, p elf.ProgHeader) {
	end := p.Vaddr + max(p.Memsz, p.Filesz)
	if end <= p.Vaddr {
		return
	}
	c.maps = append(c.maps, Mapping{Start: p.Vaddr, End: end, Perm: permOf(p.Flags)})
	b, short := clip(data, p.Off, p.Filesz)
	if len(b) > 0 {
		c.pieces = append(c.pieces, Piece{p.Vaddr, b})
	}
	c.total += p.Filesz
	if short > 0 {
		from := p.Vaddr + uint64(len(b))
		if c.short == 0 {
			c.shortFrom = from
		}
		c.short += short
		c.holes = append(c.holes, hole{Range{from, p.Vaddr + p.Filesz}, "the core was cut short before it"})
	}
	if p.Filesz < p.Memsz {
		c.outside = append(c.outside, Range{p.Vaddr + p.Filesz, p.Vaddr + p.Memsz})
	}
}

// join joins the segments with the table of files, and adds mappings that only
// the table knows.
func (c *core) join() {
	c.maps = disjoint(c.maps)
	var extra []Mapping
	for _, f := range c.notes.files {
		if m := mappingAt(c.maps, f.Start); m != nil {
			m.File, m.Offset = f.name, f.offset-min(f.offset, f.Start-m.Start)
		} else {
			extra = append(extra, Mapping{Start: f.Start, End: f.End, Perm: Read, File: f.name, Offset: f.offset})
		}
	}
	c.maps = disjoint(append(c.maps, extra...))
	for _, r := range c.outside {
		if m := mappingAt(c.maps, r.Start); m != nil && m.File == "" {
			c.holes = append(c.holes, hole{r, "the core leaves it out: it could not be read, or was excluded by coredump_filter or madvise"})
		}
	}
}

// disjoint sorts mappings and drops those that overlap an earlier one, which
// only a damaged core has.
func disjoint(maps []Mapping) []Mapping {
	slices.SortStableFunc(maps, func(a, b Mapping) int { return cmp.Compare(a.Start, b.Start) })
	out := maps[:0]
	for _, m := range maps {
		if n := len(out); n == 0 || out[n-1].End <= m.Start {
			out = append(out, m)
		}
	}
	return out
}
