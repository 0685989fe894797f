//go:build linux && (amd64 || arm64)

package proc

import (
	"bytes"
	"context"
	"os"
	"syscall"
	"testing"
)

// TestPresent has 64 MB of this process of which a few pages are touched: these
// are copied, and the rest is zero without.
func TestPresent(t *testing.T) {
	const size = 64 << 20
	page := uint64(os.Getpagesize())
	// A page that cannot be read on either side keeps the mapping alone.
	whole, err := syscall.Mmap(-1, 0, size+2*int(page), syscall.PROT_NONE, syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_NORESERVE)
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Munmap(whole)
	mem := whole[page : page+size]
	if err := syscall.Mprotect(mem, syscall.PROT_READ|syscall.PROT_WRITE); err != nil {
		t.Fatal(err)
	}
	syscall.Madvise(mem, 15) // MADV_NOHUGEPAGE: what is touched is one page
	base := addressOf(&mem[0])
	touched := []uint64{0, 3 * page, 40 << 20, size - page} // the second is near enough to the first to go with it
	for _, at := range touched {
		mem[at+17] = 'x'
	}
	maps, err := mappings(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	ranges := joined([]Range{{base, base + size/2}, {base + size/2 + page, base + size}}, maps, page)
	parts := present(os.Getpid(), ranges, maps, page)
	if n := total(parts); n > 16*page || len(parts) != 3 {
		t.Errorf("%d bytes in %d parts: %v", n, len(parts), parts)
	}
	dst := make([]byte, total(ranges))
	if bad, err := copyRanges(context.Background(), os.Getpid(), dst, ranges, parts, page, 2); err != nil || len(bad) > 0 {
		t.Fatal(bad, err)
	}
	want := append(append([]byte{}, mem[:size/2]...), mem[size/2+page:]...)
	if !bytes.Equal(dst, want) {
		t.Error("the copy differs")
	}
	// Where the kernel does not tell, nothing is left out.
	if got := present(-1, ranges, maps, page); total(got) != total(ranges) {
		t.Errorf("%d of %d bytes", total(got), total(ranges))
	}
}
