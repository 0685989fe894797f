package symbol

import (
	"cmp"
	"debug/dwarf"
	"errors"
	"io"
	"slices"
	"sort"
)

// interval is [lo, hi) with a number that ranks it.
type interval struct {
	lo, hi uint64
	n      int
}

// rangeIndex finds the interval of the lowest number that holds an address.
type rangeIndex struct {
	ivs  []interval // by lo
	high []uint64   // highest hi of ivs[:i+1]
}

func newRangeIndex(ivs []interval) rangeIndex {
	ivs = slices.DeleteFunc(ivs, func(v interval) bool { return v.lo >= v.hi })
	slices.SortFunc(ivs, func(a, b interval) int {
		return cmp.Or(cmp.Compare(a.lo, b.lo), cmp.Compare(a.n, b.n))
	})
	x := rangeIndex{ivs: ivs, high: make([]uint64, len(ivs))}
	var high uint64
	for i, v := range ivs {
		high = max(high, v.hi)
		x.high[i] = high
	}
	return x
}

// find returns the lowest number of the intervals around pc, or -1.
func (x rangeIndex) find(pc uint64) int {
	i := sort.Search(len(x.ivs), func(i int) bool { return x.ivs[i].lo > pc })
	best := -1
	for i--; i >= 0 && x.high[i] > pc; i-- {
		if v := x.ivs[i]; pc < v.hi && (best < 0 || v.n < best) {
			best = v.n
		}
	}
	return best
}

// position is a place in a source file.
type position struct {
	file         string
	line, column int // 1-based, 0 unknown
}

// lineTable is the line program of one unit, run once.
type lineTable struct {
	files []string // by file number
	rows  []lineRow
	high  []uint64 // highest address of rows[:i+1]
	runs  []run    // by address
}

type lineRow struct {
	addr         uint64
	file         int32 // index into files, -1 none
	line, column int32
	end          bool // end of a sequence: addr is behind its last byte
}

// run is a sequence of the line program: rows[first:last+1], the last one an end.
type run struct {
	lo, hi      uint64
	first, last int
}

// maxLineRows bounds the rows of one unit.
const maxLineRows = 1 << 24

func readLines(data *dwarf.Data, e *dwarf.Entry) (*lineTable, error) {
	r, err := data.LineReader(e)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, errNoDebug
	}
	t := &lineTable{}
	known := make(map[*dwarf.LineFile]int32)
	var le dwarf.LineEntry
	for len(t.rows) < maxLineRows {
		if err := r.Next(&le); err != nil {
			if !errors.Is(err, io.EOF) && len(t.rows) == 0 {
				return nil, err
			}
			break
		}
		file := int32(-1)
		if le.File != nil {
			n, ok := known[le.File]
			if !ok {
				n = int32(len(t.files))
				t.files = append(t.files, le.File.Name)
				known[le.File] = n
			}
			file = n
		}
		t.rows = append(t.rows, lineRow{addr: le.Address, file: file, line: int32(le.Line), column: int32(le.Column), end: le.EndSequence})
	}
	t.setCallFiles(r.Files(), known)
	t.index()
	return t, nil
}

// setCallFiles renumbers files as the unit does, for call_file attributes.
func (t *lineTable) setCallFiles(files []*dwarf.LineFile, known map[*dwarf.LineFile]int32) {
	place := make([]int32, len(t.files))
	names := make([]string, len(files), len(files)+len(t.files))
	for i, f := range files {
		if f != nil {
			names[i] = f.Name
		}
	}
	for f, n := range known {
		at := slices.Index(files, f)
		if at < 0 {
			at = len(names)
			names = append(names, f.Name)
		}
		place[n] = int32(at)
	}
	for i := range t.rows {
		if n := t.rows[i].file; n >= 0 {
			t.rows[i].file = place[n]
		}
	}
	t.files = names
}

func (t *lineTable) index() {
	t.high = make([]uint64, len(t.rows))
	var high uint64
	first := 0
	for i, r := range t.rows {
		high = max(high, r.addr)
		t.high[i] = high
		if r.end {
			if lo := t.rows[first].addr; lo < r.addr {
				t.runs = append(t.runs, run{lo: lo, hi: r.addr, first: first, last: i})
			}
			first = i + 1
		}
	}
	slices.SortStableFunc(t.runs, func(a, b run) int { return cmp.Compare(a.lo, b.lo) })
}

// file returns the name of the unit's file number n.
func (t *lineTable) file(n int) string {
	if t == nil || n < 0 || n >= len(t.files) {
		return ""
	}
	return t.files[n]
}

func (t *lineTable) position(r lineRow) position {
	return position{file: t.file(int(r.file)), line: int(r.line), column: int(r.column)}
}

// find returns the position of pc: of the last row at or below it in its
// sequence. t may be nil.
func (t *lineTable) find(pc uint64) (position, bool) {
	if t == nil {
		return position{}, false
	}
	i := sort.Search(len(t.runs), func(i int) bool { return t.runs[i].lo > pc }) - 1
	if i < 0 || pc >= t.runs[i].hi {
		return position{}, false
	}
	run := t.runs[i]
	rows := t.rows[run.first : run.last+1]
	n := sort.Search(len(rows), func(i int) bool { return rows[i].addr > pc })
	if n == 0 {
		return position{}, false
	}
	return t.position(rows[n-1]), true
}

// findInOrder returns the position that dwarf.LineReader.SeekPC finds from the
// start of the table: it stops at the first row above pc, in file order,
// though sequences need not ascend.
func (t *lineTable) findInOrder(pc uint64) (position, bool) {
	if t == nil || len(t.rows) == 0 || t.rows[0].addr > pc {
		return position{}, false
	}
	i := sort.Search(len(t.high), func(i int) bool { return t.high[i] > pc })
	if i == len(t.high) || i == 0 || t.rows[i-1].end {
		return position{}, false
	}
	return t.position(t.rows[i-1]), true
}
