package symbol

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// openSide opens the separate debug file of an ELF object that has no DWARF
// of its own; nil if there is none or none is wanted.
func (o *Object) openSide() *Object {
	e, ok := o.img.(*elfImage)
	if !ok || o.opts.DebugDirs == nil || !o.opts.Inlines || e.hasDebug() {
		return nil
	}
	opts := o.opts
	opts.DebugDirs = nil // a debug file has no debug file
	var id string
	if d := e.note("GNU", noteGNUBuildID); d != nil {
		id = fmt.Sprintf("%x", d)
	}
	for _, name := range buildIDFiles(o.opts.DebugDirs, id) {
		if s, err := Open(name, opts); err == nil {
			if s.BuildID() == id {
				o.sideOpen.Store(s)
				return s
			}
			s.Close()
		}
	}
	link, crc := e.debugLink()
	if link == "" {
		return nil
	}
	for _, name := range debugLinkFiles(o.opts.DebugDirs, o.path, link) {
		if sum, err := fileCRC(name); err != nil || sum != crc {
			continue
		}
		if s, err := Open(name, opts); err == nil {
			o.sideOpen.Store(s)
			return s
		}
	}
	return nil
}

func (e *elfImage) hasDebug() bool {
	return e.f.Section(".debug_info") != nil || e.f.Section(".zdebug_info") != nil
}

// debugLink reads .gnu_debuglink: a zero-terminated file name, padding to 4
// bytes, the CRC-32 of the file it names.
func (e *elfImage) debugLink() (name string, crc uint32) {
	b, _, err := e.section(".gnu_debuglink")
	if err != nil || len(b) < 6 {
		return "", 0
	}
	n := bytes.IndexByte(b, 0)
	at := (n + 4) &^ 3
	if n <= 0 || at+4 > len(b) {
		return "", 0
	}
	if name = string(b[:n]); name != filepath.Base(name) {
		return "", 0 // a name with directories could lead anywhere
	}
	return name, e.f.ByteOrder.Uint32(b[at:])
}

// buildIDFiles lists where debuggers install the debug file of a build id.
func buildIDFiles(dirs []string, id string) []string {
	if len(id) < 3 {
		return nil
	}
	var out []string
	for _, d := range dirs {
		out = append(out,
			filepath.Join(d, ".build-id", id[:2], id[2:]+".debug"),
			filepath.Join(d, id[:2], id[2:]+".debug"))
	}
	return out
}

// debugLinkFiles lists where GDB looks for a linked debug file: beside the
// object, in .debug beside it, under each directory with the object's path.
func debugLinkFiles(dirs []string, path, link string) []string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	dir := filepath.Dir(path)
	out := []string{filepath.Join(dir, link), filepath.Join(dir, ".debug", link)}
	for _, d := range dirs {
		out = append(out, filepath.Join(d, dir[len(filepath.VolumeName(dir)):], link), filepath.Join(d, link))
	}
	return out
}

// fileCRC is the checksum that .gnu_debuglink stores.
func fileCRC(name string) (uint32, error) {
	st, err := os.Stat(name)
	if err != nil {
		return 0, err
	}
	if !st.Mode().IsRegular() {
		return 0, fmt.Errorf("checksum %s: not a regular file", name)
	}
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	h := crc32.NewIEEE()
	if _, err := io.Copy(h, f); err != nil {
		return 0, fmt.Errorf("checksum %s: %w", name, err)
	}
	return h.Sum32(), nil
}
