package proc

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSpaceAgainstBytes compares the memory of random pieces with a plain map
// from address to byte.
func TestSpaceAgainstBytes(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for round := range 2000 {
		want := map[uint64]byte{}
		layers := make([][]Piece, 1+rnd.IntN(3))
		for i := range layers {
			for range rnd.IntN(6) {
				p := Piece{rnd.Uint64N(60), make([]byte, rnd.IntN(20))}
				for j := range p.Data {
					p.Data[j] = byte(rnd.Uint32())
				}
				layers[i] = append(layers[i], p)
			}
			sorted := slices.Clone(layers[i])
			slices.SortStableFunc(sorted, func(a, b Piece) int { return int(a.Addr) - int(b.Addr) })
			for _, p := range sorted {
				for j, x := range p.Data {
					if _, ok := want[p.Addr+uint64(j)]; !ok {
						want[p.Addr+uint64(j)] = x
					}
				}
			}
		}
		s := newSpace(nil, layers...)
		for i := 1; i < len(s.pieces); i++ {
			if s.pieces[i-1].End() > s.pieces[i].Addr || len(s.pieces[i].Data) == 0 {
				t.Fatalf("round %d: pieces %v", round, s.pieces)
			}
		}
		for range 50 {
			addr, n := rnd.Uint64N(80), rnd.IntN(30)
			checkRead(t, s, want, addr, n)
		}
	}
}

func checkRead(t *testing.T, s *space, want map[uint64]byte, addr uint64, n int) {
	t.Helper()
	var expect []byte
	for i := range n {
		x, ok := want[addr+uint64(i)]
		if !ok {
			break
		}
		expect = append(expect, x)
	}
	whole := len(expect) == n
	b := make([]byte, n)
	got, err := s.ReadAt(b, addr)
	if got != len(expect) || !bytes.Equal(b[:got], expect) || (err == nil) != whole {
		t.Fatalf("ReadAt(%d, %#x) = %d %x, %v; want %x", n, addr, got, b[:got], err, expect)
	}
	view, err2 := s.Bytes(addr, n)
	if (err2 == nil) != whole || whole && !bytes.Equal(view, expect) {
		t.Fatalf("Bytes(%#x, %d) = %x, %v; want %x", addr, n, view, err2, expect)
	}
	if !whole {
		var m *MissingError
		if !errors.As(err, &m) || m.Addr != addr+uint64(got) || m.N != n {
			t.Fatalf("ReadAt: %+v", m)
		}
	}
}

func TestBytesIsAView(t *testing.T) {
	data := make([]byte, 100)
	img := NewImage(Info{}, nil, nil, []Piece{{1000, data}})
	b, err := img.Bytes(1010, 5)
	if err != nil || &b[0] != &data[10] || cap(b) != 5 {
		t.Errorf("%v, cap %d", err, cap(b))
	}
}

func TestHugeLengths(t *testing.T) {
	img := NewImage(Info{}, nil, nil, []Piece{{1000, make([]byte, 10)}, {1010, make([]byte, 10)}})
	for _, n := range []int{-1, 21, 1 << 60} {
		if _, err := img.Bytes(1000, n); err == nil {
			t.Errorf("%d bytes came", n)
		}
	}
	if b, err := img.Bytes(1, 0); err != nil || len(b) != 0 {
		t.Errorf("no bytes: %v, %v", b, err)
	}
}

func TestJoinedAgainstPages(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	const page = 16
	for round := range 3000 {
		var maps []Mapping
		readable := map[uint64]bool{}
		at := uint64(0)
		for range 1 + rnd.IntN(5) {
			m := Mapping{Start: at + page*rnd.Uint64N(3), Perm: Perm(rnd.UintN(4))}
			m.End = m.Start + page*(1+rnd.Uint64N(4))
			at = m.End
			maps = append(maps, m)
			for a := m.Start; a < m.End; a += page {
				readable[a] = m.Perm&Read != 0
			}
		}
		var ranges []Range
		want := map[uint64]bool{}
		for range rnd.IntN(6) {
			r := Range{rnd.Uint64N(300), rnd.Uint64N(300)}
			ranges = append(ranges, r)
			for a := r.Start &^ (page - 1); a < r.End && r.Start < r.End; a += page {
				if readable[a] {
					want[a] = true
				}
			}
		}
		got := joined(ranges, maps, page)
		n := 0
		for i, r := range got {
			if i > 0 && got[i-1].End >= r.Start {
				t.Fatalf("round %d: %v touch", round, got)
			}
			for a := r.Start; a < r.End; a += page {
				if n++; !want[a] {
					t.Fatalf("round %d: %v of %v: page %d is too many", round, got, ranges, a)
				}
			}
		}
		if n != len(want) {
			t.Fatalf("round %d: %v of %v has %d pages, want %d", round, got, ranges, n, len(want))
		}
	}
	joined([]Range{{^uint64(0) - 5, ^uint64(0)}}, []Mapping{{Start: 0, End: ^uint64(0), Perm: Read}}, 4096)
}

func TestDecodeRegsAMD64(t *testing.T) {
	raw := make([]byte, 27*8)
	for i := range 27 {
		binary.LittleEndian.PutUint64(raw[8*i:], uint64(100+i))
	}
	r, err := decodeRegs("amd64", raw)
	if err != nil {
		t.Fatal(err)
	}
	// rax rdx rcx rbx rsi rdi rbp rsp r8 ... r15 at their places in user_regs_struct
	want := []uint64{110, 112, 111, 105, 113, 114, 104, 119, 109, 108, 107, 106, 103, 102, 101, 100}
	if !slices.Equal(r.General[:16], want) || r.PC != 116 || r.SP != 119 || r.FP != 104 || r.TLS != 121 || r.Syscall != 115 {
		t.Errorf("%+v", r)
	}
	if _, err := decodeRegs("amd64", raw[:100]); err == nil {
		t.Error("100 bytes were enough")
	}
}

// check is for what cannot fail.
func check(err error) {
	if err != nil {
		panic(err)
	}
}
