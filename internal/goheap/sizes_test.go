package goheap

import (
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/proc"
)

// bytesOf tells how many bytes f allocates.
func bytesOf(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// TestClaimedSizes wants sizes that an image claims not to be allocated before
// it is known that the image has as much.
func TestClaimedSizes(t *testing.T) {
	p := openExe(t, build(t, "small", ""), nil)
	img := words(1<<20, make([]uint64, blockSize/8)...)
	lay := &layout{}
	lay.G.Status, lay.G.ID, lay.G.Lo, lay.G.Hi, lay.G.GoPC = 0, 8, 16, 24, 32
	for name, f := range map[string]func(){
		"bytes of the file": func() {
			if _, err := (&fileMemory{img, p, 0}).Bytes(1<<20, 1<<40); err == nil {
				t.Error("1 TB could be read")
			}
		},
		"torn pieces": func() {
			m := newReader(img)
			m.torn = maxTorn - 1<<20
			if len(m.piece(1<<20, 1<<20)) != 1<<20 || m.piece(1<<20, 1<<20) != nil {
				t.Error("one piece that is torn may be read, and no second")
			}
		},
		"a span": func() {
			h := &heap{lay: lay, spans: []span{{base: 1 << 30, size: 1 << 46, elem: 1 << 46, count: 1}}}
			if err := h.number(newReader(img)); err != nil {
				t.Error(err)
			}
			for _, a := range []uint64{1 << 30, 1 << 40, 1<<30 + 1<<46 - 1} {
				if _, s := h.find(a); s != &h.spans[0] {
					t.Errorf("%#x is not found", a)
				}
			}
			if _, s := h.find(1<<30 + 1<<46); s != nil {
				t.Error("the span does not end")
			}
		},
		"a stack": func() {
			b := make([]byte, blockSize)
			binary.LittleEndian.PutUint32(b, stateRunnable)
			binary.LittleEndian.PutUint64(b[16:], 1<<32)
			binary.LittleEndian.PutUint64(b[24:], 1<<33)
			m := newReader(proc.NewImage(proc.Info{}, nil, nil, []proc.Piece{{Addr: 1 << 20, Data: b}}))
			rs := newRoots(&heapView{heap: &heap{lay: lay}, mem: m, frames: &frames{functions: &functions{}}})
			if _, ok := rs.goroutine(1<<20, nil); !ok || rs.heap.missing == 0 {
				t.Errorf("the goroutine is not read: %v, %d bytes missing", ok, rs.heap.missing)
			}
		},
	} {
		if n := bytesOf(f); n > 256<<20 {
			t.Errorf("%s: %d MB", name, n>>20)
		}
	}
}

// TestModulesLeftOut wants to be told of modules whose variables are not read.
func TestModulesLeftOut(t *testing.T) {
	l := &layout{}
	o := &l.Module
	for i, f := range []*uint64{&o.FuncTab, &o.PCLn, &o.PCTab, &o.FuncNames, &o.CUTab, &o.FileTab} {
		*f = uint64(i) * 24
	}
	o.Text, o.EText, o.Next, o.Data, o.EData, o.DataMask = 200, 208, 216, 224, 232, 240
	ws := make([]uint64, blockSize/8)
	const first, second, tables = blockSize, blockSize + 0x400, blockSize + 0x800
	set := func(at uint64, v uint64) { ws[(at-first)/8] = v }
	for i := range uint64(6) {
		set(first+i*24, tables)
		set(first+i*24+8, 64)
	}
	set(first+o.Text, 1)
	set(first+o.EText, 2)
	set(first+o.Data, 1<<32)
	set(first+o.EData, 1<<34)
	set(first+o.DataMask, 1<<40)
	set(first+o.Next, second)
	mods, err := readModules(newReader(words(first, ws...)), l, first, true)
	if err != nil || len(mods) != 1 {
		t.Fatalf("%d modules, %v", len(mods), err)
	}
	var said []string
	for _, w := range mods[0].warnings {
		said = append(said, w.Error())
	}
	if all := strings.Join(said, "\n"); !strings.Contains(all, "12288 MB of variables") || !strings.Contains(all, "another module") {
		t.Errorf("warnings: %q", said)
	}
}
