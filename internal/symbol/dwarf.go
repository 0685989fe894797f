package symbol

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"sync"
)

// debugInfo is the DWARF of an object. Opening it reads the sections and the
// head of each compilation unit; a unit's lines and functions are parsed when
// an address first falls into it.
type debugInfo struct {
	data  *dwarf.Data
	units []*unit    // in file order
	index rangeIndex // address -> index into units

	mu      sync.Mutex
	origins map[dwarf.Offset]origin // resolved function declarations

	named func() rangeIndex // every named function, see toolName
	names []string          // what named refers to; written by named only
}

// unit is one compilation unit.
type unit struct {
	info  *debugInfo
	entry *dwarf.Entry

	lines func() *lineTable
	funcs func() *funcTable
	tool  func() []toolFunc
}

// errNoDebug is the answer for a file without DWARF.
var errNoDebug = errors.New("no DWARF")

// loadDebug opens the DWARF of the separate debug file if there is one, else
// of the file itself.
func (o *Object) loadDebug() (*debugInfo, error) {
	img, path := o.img, o.path
	if s := o.side(); s != nil {
		img, path = s.img, s.path
	}
	var d *debugInfo
	err := guard(func() error {
		data, err := img.dwarf(o.opts.MaxExpanded)
		if err != nil {
			return err
		}
		d, err = newDebugInfo(data)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("DWARF of %s: %w", path, err)
	}
	return d, nil
}

func newDebugInfo(data *dwarf.Data) (*debugInfo, error) {
	d := &debugInfo{data: data, origins: make(map[dwarf.Offset]origin)}
	d.named = sync.OnceValue(d.indexNames)
	var spans []interval
	r := data.Reader()
	for {
		e, err := r.Next()
		if err != nil && len(d.units) == 0 {
			return nil, err
		}
		if err != nil || e == nil {
			break // a broken unit spoils those behind it, not those before
		}
		if e.Tag == dwarf.TagCompileUnit {
			if ranges, err := data.Ranges(e); err == nil {
				for _, p := range ranges {
					spans = append(spans, interval{p[0], p[1], len(d.units)})
				}
			}
			d.units = append(d.units, newUnit(d, e))
		}
		r.SkipChildren()
	}
	if len(d.units) == 0 {
		return nil, errNoDebug
	}
	d.index = newRangeIndex(spans)
	return d, nil
}

func newUnit(d *debugInfo, e *dwarf.Entry) *unit {
	u := &unit{info: d, entry: e}
	u.lines = sync.OnceValue(func() *lineTable {
		var t *lineTable
		if guard(func() (err error) { t, err = readLines(d.data, e); return err }) != nil {
			return nil // a unit with broken lines still names its functions
		}
		return t
	})
	u.funcs = sync.OnceValue(func() *funcTable {
		t := &funcTable{}
		if guard(func() error { return t.read(d.data, e) }) != nil {
			t.index = newRangeIndex(nil)
		}
		return t
	})
	u.tool = sync.OnceValue(func() []toolFunc {
		var fs []toolFunc
		if guard(func() (err error) { fs, err = readToolFuncs(d.data, e); return err }) != nil {
			return nil
		}
		return fs
	})
	return u
}

// frames returns the calls at pc with inlined callers, innermost first.
func (d *debugInfo) frames(pc uint64) []Frame {
	i := d.index.find(pc)
	if i < 0 {
		return nil
	}
	u := d.units[i]
	lines := u.lines()
	pos, havePos := lines.find(pc)
	chain := u.funcs().chain(pc)
	if len(chain) == 0 {
		if !havePos {
			return nil
		}
		return []Frame{{File: pos.file, Line: pos.line, Column: pos.column}}
	}
	out := make([]Frame, 0, len(chain))
	for _, s := range chain {
		or := d.origin(s.origin)
		out = append(out, Frame{
			Func: or.name, StartLine: or.line, Inlined: s.inlined,
			File: pos.file, Line: pos.line, Column: pos.column,
		})
		pos = position{file: lines.file(s.callFile), line: s.callLine, column: s.callColumn}
	}
	return out
}

// origin is what a function is called and where it was declared.
type origin struct {
	name string // linkage name if there is one
	line int    // of the declaration, 1-based
}

// maxOriginSteps bounds the chain instance -> abstract instance -> declaration.
const maxOriginSteps = 8

// DWARF 2 and 3 compilers used this for the linkage name.
const attrMIPSLinkageName dwarf.Attr = 0x2007

// origin resolves the function at off through abstract origins and
// specifications, which may lie in other units.
func (d *debugInfo) origin(off dwarf.Offset) origin {
	d.mu.Lock()
	defer d.mu.Unlock()
	if o, ok := d.origins[off]; ok {
		return o
	}
	var o origin
	var plain string
	err := guard(func() error {
		r := d.data.Reader()
		at := off
		for range maxOriginSteps {
			r.Seek(at)
			e, err := r.Next()
			if err != nil || e == nil {
				return err
			}
			if o.name == "" {
				o.name = stringAttr(e, dwarf.AttrLinkageName, attrMIPSLinkageName)
			}
			if plain == "" {
				plain = stringAttr(e, dwarf.AttrName)
			}
			if l, ok := e.Val(dwarf.AttrDeclLine).(int64); ok && o.line == 0 {
				o.line = int(l)
			}
			next, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
			if !ok {
				next, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
			}
			if !ok {
				return nil
			}
			at = next
		}
		return nil
	})
	if o.name == "" && err == nil {
		o.name = plain
	}
	d.origins[off] = o
	return o
}

func stringAttr(e *dwarf.Entry, attrs ...dwarf.Attr) string {
	for _, a := range attrs {
		if s, ok := e.Val(a).(string); ok && s != "" {
			return s
		}
	}
	return ""
}
