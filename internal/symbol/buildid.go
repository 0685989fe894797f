package symbol

import (
	"bytes"
)

// BuildID is the id that profiles store for this file: of an ELF file the GNU
// build id in lower case hex (what runtime/pprof and perf write), else the Go
// linker's build id; of a Mach-O file the LC_UUID in hex, else the Go build
// id; of a PE file the Go build id. Empty if there is none. Note that
// runtime/pprof stores no id on macOS, and path plus modification time on
// Windows.
func (o *Object) BuildID() string {
	var id string
	if err := guard(func() error { id = o.img.buildID(); return nil }); err != nil {
		return "" // an id that cannot be read is no id
	}
	return id
}

// The Go linker starts the text of Mach-O and PE files with
// "\xff Go build ID: \"" id "\"\n \xff".
const (
	goIDStart = "\xff Go build ID: \""
	goIDEnd   = "\"\n \xff"
	goIDScan  = 4096 // bytes of text looked at
)

// goTextBuildID reads the Go build id from the start of the text section.
func goTextBuildID(img image) string {
	t, ok := img.text()
	if !ok {
		return ""
	}
	b := make([]byte, min(t.size, goIDScan))
	if err := img.readAt(b, t.addr); err != nil {
		return ""
	}
	_, b, ok = bytes.Cut(b, []byte(goIDStart))
	if !ok {
		return ""
	}
	id, _, ok := bytes.Cut(b, []byte(goIDEnd))
	if !ok {
		return ""
	}
	return string(id)
}
