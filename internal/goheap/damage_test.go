package goheap

import (
	"encoding/binary"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/proc"
	"github.com/profoundhq/profound/internal/retain"
)

// recorder notes which pages are read.
type recorder struct {
	proc.Image
	pages map[uint64][]byte
}

func (r *recorder) ReadAt(b []byte, addr uint64) (int, error) {
	n, err := r.Image.ReadAt(b, addr)
	if err == nil {
		for p := addr &^ (filePage - 1); p < addr+uint64(len(b)); p += filePage {
			if r.pages[p] == nil {
				page := make([]byte, filePage)
				r.Image.ReadAt(page, p)
				r.pages[p] = page
			}
		}
	}
	return n, err
}

func (r *recorder) Bytes(addr uint64, n int) ([]byte, error) {
	b := make([]byte, n)
	_, err := r.ReadAt(b, addr)
	return b, err
}

// damaged is an image with words that are not what they were, and without
// some pages.
type damaged struct {
	proc.Image
	pages map[uint64][]byte // nil: not there
}

func (d *damaged) ReadAt(b []byte, addr uint64) (int, error) {
	done := 0
	for done < len(b) {
		a := addr + uint64(done)
		page := d.pages[a&^(filePage-1)]
		if page == nil {
			return done, errors.New("nothing there")
		}
		done += copy(b[done:], page[a&(filePage-1):])
	}
	return done, nil
}

func (d *damaged) Bytes(addr uint64, n int) ([]byte, error) {
	if n < 0 || n > 1<<32 || d.pages[(addr+uint64(n)-1)&^(filePage-1)] == nil { // a length that is nonsense
		return nil, errors.New("nothing there")
	}
	b := make([]byte, n)
	_, err := d.ReadAt(b, addr)
	return b, err
}

// smallImage is all that Read reads of the small program.
func smallImage(t testing.TB) (*Program, *recorder) {
	exe := build(t, "small", "")
	p := openExe(t, exe, nil)
	rec := &recorder{start(t, exe), map[uint64][]byte{}}
	h, err := Read(p, rec, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Samples) == 0 || h.Stats.Objects < 100 || len(h.Goroutines) < 4 {
		t.Fatalf("the small program is not read as it should be: %+v, %d samples, %d goroutines", h.Stats, len(h.Samples), len(h.Goroutines))
	}
	return p, rec
}

// TestDamagedImages reads images with wrong words and missing pages: errors
// and warnings are fine, panics and endless loops are not.
func TestDamagedImages(t *testing.T) {
	p, rec := smallImage(t)
	var addrs []uint64
	for a := range rec.pages {
		addrs = append(addrs, a)
	}
	slices.Sort(addrs)
	rng := rand.New(rand.NewPCG(1, 2))
	readable := 0
	for i := range 300 {
		if damageAndRead(t, p, rec, addrs, rng, i%3 == 0) {
			readable++
		}
	}
	t.Logf("%d of 300 damaged images could be read", readable)
	if readable == 0 {
		t.Error("none of the damaged images could be read; the damage is too large to test much")
	}
}

// damageAndRead damages some words, or takes some pages away, reads the image
// and asks for everything. It reports whether it could be read.
func damageAndRead(t testing.TB, p *Program, rec *recorder, addrs []uint64, rng *rand.Rand, holes bool) bool {
	d := &damaged{rec.Image, map[uint64][]byte{}}
	for a, b := range rec.pages {
		d.pages[a] = b
	}
	for range 1 + rng.IntN(40) {
		a := addrs[rng.IntN(len(addrs))]
		if holes {
			d.pages[a] = nil
			continue
		}
		page := slices.Clone(d.pages[a])
		if len(page) == 0 {
			continue
		}
		for range 1 + rng.IntN(20) {
			w := page[rng.IntN(filePage/8)*8:]
			old := binary.LittleEndian.Uint64(w)
			values := [...]uint64{0, ^uint64(0), old + 8, old << 1, old ^ 1<<rng.IntN(64), rng.Uint64(), uint64(rng.IntN(1000)), addrs[rng.IntN(len(addrs))], 1 << rng.IntN(64)}
			binary.LittleEndian.PutUint64(w, values[rng.IntN(len(values))])
		}
		d.pages[a] = page
	}
	if ranges, err := p.Plan(Options{SelfContained: true})(d); err == nil && len(ranges) == 0 {
		t.Error("a plan with nothing in it")
	}
	h, err := Read(p, d, Options{})
	if err != nil {
		return false
	}
	labels := h.Labels()
	for v := range uint32(h.Graph.Vertices()) {
		h.Vertex(v)
		for _, to := range h.Graph.Targets(v) {
			h.Label(v, to, true)
			labels.Label(v, to)
			labels.Kind(to)
		}
	}
	h.Waste(10)
	r := retain.Compute(h.Graph, retain.Options{Rank: h.Rank})
	for v := h.FirstObject; v < uint32(r.Vertices()); v += 7 {
		pathString(h.Hops(r.Path(v)))
	}
	return true
}

// TestNoMemory reads images that have nothing of the process, as after its
// end.
func TestNoMemory(t *testing.T) {
	exe := build(t, "small", "")
	p := openExe(t, exe, nil)
	for _, img := range []proc.Image{
		proc.NewImage(proc.Info{}, nil, nil, nil),
		proc.NewImage(proc.Info{Entry: p.entry}, []proc.Mapping{{Start: 1 << 20, End: 2 << 20}}, nil, []proc.Piece{{Addr: 1 << 20, Data: make([]byte, 1<<20)}}),
	} {
		if _, err := Read(p, img, Options{}); !errors.Is(err, ErrMemory) {
			t.Errorf("nothing there: %v", err)
		}
		if _, err := p.Plan(Options{})(img); !errors.Is(err, ErrMemory) {
			t.Errorf("plan of nothing: %v", err)
		}
	}
}

// FuzzLoadProgram loads programs that are none.
func FuzzLoadProgram(f *testing.F) {
	p := openExe(f, build(f, "small", ""), nil)
	saved, err := p.Save()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(saved[:200])
	f.Add(saved[:len(saved)/2])
	f.Fuzz(func(t *testing.T, b []byte) { LoadProgram(b) })
}

// FuzzRead does the same with damage that the fuzzer chooses.
func FuzzRead(f *testing.F) {
	p, rec := smallImage(f)
	var addrs []uint64
	for a := range rec.pages {
		addrs = append(addrs, a)
	}
	slices.Sort(addrs)
	f.Add(uint64(1), uint64(2), false)
	f.Add(uint64(3), uint64(4), true)
	f.Fuzz(func(t *testing.T, a, b uint64, holes bool) {
		damageAndRead(t, p, rec, addrs, rand.New(rand.NewPCG(a, b)), holes)
	})
}

// TestRefusals wants programs that cannot be read to be told from each other.
func TestRefusals(t *testing.T) {
	needLinux(t)
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	check := func(name, file string, want error, say string) {
		t.Helper()
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := OpenProgram(f, nil); err == nil || want != nil && !errors.Is(err, want) || !strings.Contains(err.Error(), say) {
			t.Errorf("%s: %v; want %v that says %q", name, err, want, say)
		}
	}
	check("text", text, ErrNotGo, "not a Go program")
	if sh, err := exec.LookPath("sh"); err == nil {
		check("C", sh, ErrNotGo, "not a Go program")
	}
	check("stripped", build(t, "small", "", "-ldflags=-s -w"), nil, "no DWARF")
	t.Run("old", func(t *testing.T) {
		needToolchain(t, "go1.21.13")
		check("old", build(t, "old", "go1.21.13"), ErrVersion, "go1.21.13")
	})
}

// TestMissingField wants a runtime without a field we need to be refused, and
// the field to be named.
func TestMissingField(t *testing.T) {
	p := openExe(t, build(t, "small", ""), nil)
	for name, want := range map[string]string{
		"runtime.mspan":     "runtime.mspan.allocBits",
		"runtime.g":         "runtime.g.atomicstatus",
		"internal/abi.Type": "internal/abi.Type.PtrBytes",
	} {
		dw := *p.dwarf
		dw.named = maps.Clone(dw.named)
		delete(dw.named, name)
		if _, err := resolveLayout(&dw); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), want) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// TestNoMemoryProfile wants a program without allocation stacks to be read all
// the same, and to be told.
func TestNoMemoryProfile(t *testing.T) {
	exe := leaksvc(t)
	h, err := Read(openExe(t, exe, nil), start(t, exe, "-rate", "0"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	told := slices.ContainsFunc(h.Warnings, func(err error) bool { return strings.Contains(err.Error(), "there is no memory profile") })
	if h.ProfileRate != 0 || len(h.Samples) > 1 || !told || h.Stats.Missed != 0 {
		t.Errorf("rate %d, %d samples, warnings %v, %d objects missed", h.ProfileRate, len(h.Samples), h.Warnings, h.Stats.Missed)
	}
}
