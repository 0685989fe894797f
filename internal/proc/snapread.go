package proc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// SnapshotOptions say how to open a snapshot file.
type SnapshotOptions struct {
	// Exe is the executable, where the file has none and it is not where it was.
	Exe string
	// MaxBytes is how much memory the contents may take; 0 means 64 GB. A file
	// that needs more is refused: a small file can claim to hold much.
	MaxBytes uint64
}

// SnapshotFile is an image that was read from a snapshot file.
type SnapshotFile struct {
	Image
	r *snapReader
}

// Section returns the data of a section, or nil if there is none of the name.
func (s *SnapshotFile) Section(name string) ([]byte, error) { return s.r.section(name) }

// Exe returns the executable, if the file holds it, else nil.
func (s *SnapshotFile) Exe() ([]byte, error) { return s.r.section(sectionExe) }

// OpenSnapshot reads a snapshot file. Its memory is uncompressed into memory at
// once. Errors wrap ErrFormat or ErrUnsupported.
func OpenSnapshot(path string, o SnapshotOptions) (*SnapshotFile, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", path, errors.Unwrap(err))
	}
	defer f.Close()
	file, err := mapFile(f)
	if err != nil {
		return nil, fmt.Errorf("snapshot %s: %w", path, err)
	}
	s, err := readSnapshot(file.data, o)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("snapshot %s: %w", path, err), file.Close())
	}
	img := s.Image.(*image)
	rest := img.close
	img.close = func() error { return errors.Join(rest(), file.Close()) }
	return s, nil
}

// snapReader reads sections.
type snapReader struct {
	data []byte
	dir  map[string]*snapSection
	// left is how many bytes may still be uncompressed.
	mu   sync.Mutex
	left uint64
}

func readSnapshot(data []byte, o SnapshotOptions) (*SnapshotFile, error) {
	r, err := newSnapReader(data, o)
	if err != nil {
		return nil, err
	}
	info, err := r.info()
	if err != nil {
		return nil, err
	}
	pieces, err := r.memory()
	if err != nil {
		return nil, err
	}
	img := &image{info: info.info(), maps: info.mappings(), threads: info.threads()}
	files, err := r.files(&img.info, o)
	if err != nil {
		return nil, err
	}
	for i := range img.maps {
		if m := &img.maps[i]; m.File == img.info.Name { // other files are of no interest
			files.add(m)
		}
	}
	img.space, img.held = newSpace(files.holes, pieces, files.pieces), rangesOf(flat(pieces))
	img.close = files.Close
	return &SnapshotFile{img, r}, nil
}

// info reads what the image is of.
func (r *snapReader) info() (*snapInfo, error) {
	b, err := r.section(sectionInfo)
	if err != nil {
		return nil, err
	}
	info, err := parseSnapInfo(b)
	if err != nil {
		return nil, fmt.Errorf("%w: section %s: %w", ErrFormat, sectionInfo, err)
	}
	return info, nil
}

func newSnapReader(data []byte, o SnapshotOptions) (*snapReader, error) {
	if len(data) < snapHeaderSize || string(data[:8]) != snapMagic {
		return nil, fmt.Errorf("it does not begin with %q: %w", snapMagic, ErrFormat)
	}
	if v := binary.LittleEndian.Uint32(data[8:]); v != snapVersion {
		return nil, fmt.Errorf("it has version %d, and %d can be read; take the program that wrote it, or a newer one: %w", v, snapVersion, ErrUnsupported)
	}
	if len(data) < snapHeaderSize+snapFooterSize || string(data[len(data)-8:]) != snapMagic {
		return nil, fmt.Errorf("it is cut short: its end is missing, without which nothing can be found in it: %w", ErrFormat)
	}
	footer := data[len(data)-snapFooterSize:]
	off, n := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	dir, short := clip(data, off, n)
	if short > 0 || checksum(dir) != binary.LittleEndian.Uint32(footer[16:]) {
		return nil, fmt.Errorf("its directory is damaged: %w", ErrFormat)
	}
	var d snapDirectory
	if err := json.Unmarshal(dir, &d); err != nil {
		return nil, fmt.Errorf("its directory is damaged: %w: %w", err, ErrFormat)
	}
	r := &snapReader{data: data, dir: map[string]*snapSection{}, left: o.MaxBytes}
	if r.left == 0 {
		r.left = 64 << 30
	}
	at := uint64(snapHeaderSize)
	for i := range d.Sections {
		s := &d.Sections[i]
		for _, e := range s.Blocks {
			if e[0] < at || e[1] > off || e[0] > off-e[1] {
				return nil, fmt.Errorf("section %s: the block at %d lies in another, or not in the file: %w", s.Name, e[0], ErrFormat)
			}
			at = e[0] + e[1]
		}
		r.dir[s.Name] = s
	}
	return r, nil
}

// reserve takes from what may be uncompressed, and returns the size.
func (r *snapReader) reserve(s *snapSection) (uint64, error) {
	n, ok := s.size()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !ok {
		return 0, fmt.Errorf("section %s: a block is longer than %d bytes: %w", s.Name, snapBlock, ErrFormat)
	}
	// An honest block of zstd is not shorter than this.
	if uint64(len(s.Blocks))*minBlock > uint64(len(r.data)) {
		return 0, fmt.Errorf("section %s: more blocks than the file can hold: %w", s.Name, ErrFormat)
	}
	if n > r.left || n > uint64(maxInt) {
		return 0, fmt.Errorf("section %s needs %d MB of memory, and %d MB are allowed: %w", s.Name, n>>20, r.left>>20, ErrUnsupported)
	}
	r.left -= n
	return n, nil
}

const (
	minBlock = 9 // a zstd frame: magic, header, one block's header and byte
	maxInt   = int(^uint(0) >> 1)
)

// section uncompresses a section; nil if there is none.
func (r *snapReader) section(name string) ([]byte, error) {
	s := r.dir[name]
	if s == nil {
		return nil, nil
	}
	n, err := r.reserve(s)
	if err != nil {
		return nil, err
	}
	out := make([]byte, n)
	return out, r.fill(out, s)
}

// fill uncompresses the blocks of a section, on all processors.
func (r *snapReader) fill(out []byte, s *snapSection) error {
	type job struct {
		dst []byte
		e   snapEntry
	}
	jobs := make(chan job)
	errs := make(chan error, 1)
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(s.Blocks)) {
		wg.Go(func() {
			dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(2*snapBlock))
			for j := range jobs {
				if err == nil {
					err = r.block(dec, j.dst, j.e)
				}
			}
			if err != nil {
				select {
				case errs <- err:
				default:
				}
			} else {
				dec.Close()
			}
		})
	}
	for _, e := range s.Blocks {
		jobs <- job{out[:e[2]:e[2]], e}
		out = out[e[2]:]
	}
	close(jobs)
	wg.Wait()
	select {
	case err := <-errs:
		return fmt.Errorf("section %s: %w: %w", s.Name, err, ErrFormat)
	default:
		return nil
	}
}

func (r *snapReader) block(dec *zstd.Decoder, dst []byte, e snapEntry) error {
	b, short := clip(r.data, e[0], e[1])
	if short > 0 || uint64(checksum(b)) != e[3] {
		return fmt.Errorf("the block at %d is damaged", e[0])
	}
	out, err := dec.DecodeAll(b, dst[:0])
	if err != nil {
		return fmt.Errorf("the block at %d: %w", e[0], err)
	}
	if len(out) != len(dst) {
		return fmt.Errorf("the block at %d holds %d bytes, not %d", e[0], len(out), len(dst))
	}
	if len(out) > 0 && &out[0] != &dst[0] {
		copy(dst, out)
	}
	return nil
}

// memory returns the ranges of memory.
func (r *snapReader) memory() ([]Piece, error) {
	b, err := r.section(sectionRanges)
	if err != nil {
		return nil, err
	}
	var ranges [][2]uint64
	if err := json.Unmarshal(b, &ranges); err != nil {
		return nil, fmt.Errorf("section %s: %w: %w", sectionRanges, err, ErrFormat)
	}
	mem, err := r.section(sectionMemory)
	if err != nil {
		return nil, err
	}
	pieces := make([]Piece, 0, len(ranges))
	for _, a := range ranges {
		if a[1] > uint64(len(mem)) || a[0]+a[1] < a[0] {
			return nil, fmt.Errorf("section %s: %d bytes at %#x are more than the file holds: %w", sectionRanges, a[1], a[0], ErrFormat)
		}
		pieces = append(pieces, Piece{a[0], mem[:a[1]:a[1]]})
		mem = mem[a[1]:]
	}
	return pieces, nil
}

// files is the executable: the one in the file, or one on disk that begins as
// the one that was snapshot.
func (r *snapReader) files(info *Info, o SnapshotOptions) (*backing, error) {
	exe, err := r.section(sectionExe)
	if err != nil {
		return nil, err
	}
	if exe != nil {
		return &backing{page: info.PageSize, open: func(*Mapping) (*mappedFile, error) { return &mappedFile{data: exe, borrowed: true}, nil }}, nil
	}
	head, err := r.section(sectionHead)
	if err != nil {
		return nil, err
	}
	path := info.Name
	if o.Exe != "" {
		path = o.Exe
	}
	file, err := openBegins(path, head)
	if err != nil {
		info.Warnings = append(info.Warnings, fmt.Errorf("executable of the snapshot: %w; name the right one", err))
		return &backing{open: func(*Mapping) (*mappedFile, error) { return nil, err }}, nil
	}
	info.Exe = path
	b := &backing{page: info.PageSize, open: func(*Mapping) (*mappedFile, error) { return file, nil }}
	b.files = map[string]*openFile{info.Name: b.load(nil)} // so that Close knows it
	return b, nil
}

// openBegins maps a file that must begin with the bytes.
func openBegins(path string, head []byte) (*mappedFile, error) {
	// The path comes from a file of somebody's; opening a pipe would wait.
	if info, err := os.Stat(path); err != nil {
		return nil, err
	} else if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	file, err := mapFile(f)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(file.data, head) {
		return nil, errors.Join(fmt.Errorf("%s is another build than the one that ran: its first page differs", path), file.Close())
	}
	return file, nil
}
