package symbol

import "strings"

// Frames returns the calls at addr, innermost first, or nil if nothing is
// known. It looks into the Go function table, then DWARF, then (with
// Options.Inlines) the symbol table, which only tells a name. addr must lie
// inside the instruction: profiles store such addresses for callers, a raw
// return address needs 1 subtracted.
func (o *Object) Frames(addr uint64) []Frame {
	if t, err := o.goTable(); err == nil && t != nil {
		if fs := t.frames(addr, o.opts.Inlines); fs != nil {
			return fs
		}
	}
	var fs []Frame
	if d, err := o.debug(); err == nil {
		// A corrupt entry makes debug/dwarf panic now and then; the address
		// then has no answer here.
		if guard(func() error { fs = o.debugFrames(d, addr); return nil }) != nil {
			fs = nil
		}
	}
	if !o.opts.Inlines || len(fs) > 0 && fs[len(fs)-1].Func != "" {
		return fs
	}
	return o.nameFrames(addr, fs)
}

func (o *Object) debugFrames(d *debugInfo, addr uint64) []Frame {
	if o.opts.Inlines {
		return d.frames(addr)
	}
	return d.toolFrame(addr)
}

// nameFrames adds the name the symbol table knows to fs, whose outermost
// frame has none.
func (o *Object) nameFrames(addr uint64, fs []Frame) []Frame {
	t, err := o.symTab()
	if err != nil {
		return fs
	}
	s, ok := t.function(addr)
	switch {
	case !ok:
		return fs
	case len(fs) == 0:
		return []Frame{{Func: s.name}}
	}
	fs[len(fs)-1].Func = s.name
	return fs
}

// GoName shortens the linkage name of a Go function as runtime.CallersFrames
// (and so every profile of the Go runtime) does: the type arguments of a
// generic function become "[...]".
func GoName(linkage string) string {
	i := strings.IndexByte(linkage, '[')
	j := strings.LastIndexByte(linkage, ']')
	if i < 0 || j <= i {
		return linkage
	}
	return linkage[:i] + "[...]" + linkage[j+1:]
}
