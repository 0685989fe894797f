package symbol

import (
	"debug/dwarf"
)

// scope is a function or an inlined call of one unit.
type scope struct {
	origin   dwarf.Offset // entry that names it
	inlined  bool
	ranges   [][2]uint64
	children []int // scopes inlined into it, indices into funcTable.scopes

	callFile, callLine, callColumn int // where it was inlined; callFile -1 unknown
}

func (s *scope) contains(pc uint64) bool {
	for _, r := range s.ranges {
		if r[0] <= pc && pc < r[1] {
			return true
		}
	}
	return false
}

// funcTable holds the functions of one unit and what was inlined into them.
type funcTable struct {
	scopes []scope
	index  rangeIndex // address -> index of a scope that is not inlined
}

// maxScopes bounds the scopes of one unit.
const maxScopes = 1 << 22

// read collects the functions below the unit entry e.
func (t *funcTable) read(data *dwarf.Data, e *dwarf.Entry) error {
	var ivs []interval
	err := walkUnit(data, e, func(e *dwarf.Entry, outer int) int {
		inlined := e.Tag == dwarf.TagInlinedSubroutine
		if !inlined && e.Tag != dwarf.TagSubprogram {
			return outer // a block, namespace or class: what is inside belongs to the scope around
		}
		ranges, err := data.Ranges(e)
		if err != nil || len(ranges) == 0 || inlined && outer < 0 || len(t.scopes) >= maxScopes {
			if inlined {
				return outer
			}
			return -1 // a declaration
		}
		n := len(t.scopes)
		t.scopes = append(t.scopes, scope{
			origin: e.Offset, inlined: inlined, ranges: ranges,
			callFile: intAttr(e, dwarf.AttrCallFile, -1), callLine: intAttr(e, dwarf.AttrCallLine, 0), callColumn: intAttr(e, dwarf.AttrCallColumn, 0),
		})
		if inlined {
			t.scopes[outer].children = append(t.scopes[outer].children, n)
			return n
		}
		for _, r := range ranges {
			ivs = append(ivs, interval{r[0], r[1], n})
		}
		return n
	})
	t.index = newRangeIndex(ivs)
	return err
}

func intAttr(e *dwarf.Entry, a dwarf.Attr, missing int) int {
	if v, ok := e.Val(a).(int64); ok {
		return int(v)
	}
	return missing
}

// walkUnit calls f for each entry below unit entry u with the scope its parent
// opened (-1 at the top), and hands what f returns to the children.
func walkUnit(data *dwarf.Data, u *dwarf.Entry, f func(e *dwarf.Entry, outer int) int) error {
	if !u.Children {
		return nil
	}
	r := data.Reader()
	r.Seek(u.Offset)
	if _, err := r.Next(); err != nil {
		return err
	}
	stack := []int{-1}
	for len(stack) > 0 {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		if e.Tag == 0 {
			stack = stack[:len(stack)-1]
			continue
		}
		n := f(e, stack[len(stack)-1])
		if !e.Children {
			continue
		}
		if noCode(e.Tag) {
			r.SkipChildren()
			continue
		}
		stack = append(stack, n)
	}
	return nil
}

// noCode tells entries below which no function with code lies.
func noCode(t dwarf.Tag) bool {
	switch t {
	case dwarf.TagEnumerationType, dwarf.TagArrayType, dwarf.TagSubroutineType, dwarf.TagUnionType:
		return true
	}
	return false
}

// chain returns the scopes around pc, innermost first.
func (t *funcTable) chain(pc uint64) []*scope {
	n := t.index.find(pc)
	if n < 0 {
		return nil
	}
	down := []*scope{&t.scopes[n]}
	for len(down) < maxInlineDepth {
		next := -1
		for _, c := range down[len(down)-1].children {
			if t.scopes[c].contains(pc) {
				next = c
				break
			}
		}
		if next < 0 {
			break
		}
		down = append(down, &t.scopes[next])
	}
	for i, j := 0, len(down)-1; i < j; i, j = i+1, j-1 {
		down[i], down[j] = down[j], down[i]
	}
	return down
}

// toolFunc is a function with a name of its own, in file order.
type toolFunc struct {
	name   string
	ranges [][2]uint64
}

// readToolFuncs lists the functions of a unit whose own entry has a name: the
// tool follows neither origins nor specifications.
func readToolFuncs(data *dwarf.Data, u *dwarf.Entry) ([]toolFunc, error) {
	var out []toolFunc
	err := walkUnit(data, u, func(e *dwarf.Entry, _ int) int {
		if e.Tag != dwarf.TagSubprogram {
			return -1
		}
		if name, ok := e.Val(dwarf.AttrName).(string); ok {
			if ranges, err := data.Ranges(e); err == nil && len(ranges) > 0 {
				out = append(out, toolFunc{name: name, ranges: ranges})
			}
		}
		return -1
	})
	return out, err
}

// toolFrame answers as the tool does: one frame, its name the first function
// entry with a name and pc in its ranges, from pc's unit to the end of the
// file; its name stays empty if there is none.
func (d *debugInfo) toolFrame(pc uint64) []Frame {
	i := d.index.find(pc)
	if i < 0 {
		return nil
	}
	u := d.units[i]
	pos, ok := u.lines().findInOrder(pc)
	if !ok {
		return nil
	}
	return []Frame{{Func: d.toolName(u, pc), File: pos.file, Line: pos.line}}
}

func (d *debugInfo) toolName(u *unit, pc uint64) string {
	for _, f := range u.tool() {
		for _, r := range f.ranges {
			if r[0] <= pc && pc < r[1] {
				return f.name
			}
		}
	}
	// No name in its own unit: the tool reads on through all others.
	if n := d.named().find(pc); n >= 0 {
		return d.names[n]
	}
	return ""
}

func (d *debugInfo) indexNames() rangeIndex {
	var ivs []interval
	for _, u := range d.units {
		for _, f := range u.tool() {
			for _, r := range f.ranges {
				ivs = append(ivs, interval{r[0], r[1], len(d.names)})
			}
			d.names = append(d.names, f.name)
		}
	}
	return newRangeIndex(ivs)
}
