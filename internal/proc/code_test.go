package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"
)

// registers makes a register set whose words are 0x1000 and up, with the pc.
func registers(arch string, pc uint64) regset {
	r := make(regset, regsSize(arch))
	for i := range len(r) / 8 {
		r.set(i, 0x1000+uint64(i))
	}
	r.setPC(arch, pc)
	return r
}

func TestCodeOfAMD64(t *testing.T) {
	code, err := forkCode("amd64", registers("amd64", 0x123456789abc), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := `mov eax, 56; mov edi, 18176; mov esi, 0; mov edx, 0; mov r10d, 0; mov r8d, 0; syscall
mov rcx, rax; jrcxz .+5; jmp .+24
mov eax, 56; mov edi, 1536; syscall
mov rdi, rax; mov eax, 231; syscall; ud2
mov rsi, rax; mov edi, 1; mov edx, 0; mov r10d, 1073741828; mov r8d, 0
mov eax, 247; syscall; lea rcx, [rax+4]; jrcxz .-13
mov rax, 4106; mov rcx, 4107; mov rdx, 4108; mov rsi, 4109; mov rdi, 4110; mov r8, 4105; mov r10, 4103; mov r11, 4102
jmp [rip]`
	got, rest := disassemble(t, code, strings.Count(want, ";")+strings.Count(want, "\n")+1)
	if got != strings.ReplaceAll(want, "\n", "; ") {
		t.Errorf("got %s", got)
	}
	if pc := binary.LittleEndian.Uint64(rest); pc != 0x123456789abc {
		t.Errorf("jumps back to %#x", pc)
	}
	if len(code) != codeSize || !strings.HasSuffix(string(code), codeMark) {
		t.Error("no mark")
	}
	code, err = reapCode("amd64", registers("amd64", 1), 0, 77)
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := disassemble(t, code, 3); got != "mov esi, 77; mov edi, 1; mov edx, 0" {
		t.Errorf("got %s", got)
	}
}

func disassemble(t *testing.T, code []byte, n int) (string, []byte) {
	t.Helper()
	var text []string
	for range n {
		inst, err := x86asm.Decode(code, 64)
		if err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
		s := strings.ToLower(inst.String())
		s = strings.NewReplacer("rip+0x0", "rip", "+0x4]", "+4]", "r10l", "r10d", "r8l", "r8d").Replace(s)
		for i, a := range inst.Args {
			if imm, ok := a.(x86asm.Imm); ok && i > 0 {
				op, _, _ := strings.Cut(s, ",")
				s = fmt.Sprintf("%s, %d", op, int64(imm))
			}
		}
		text = append(text, s)
		code = code[inst.Len:]
	}
	return strings.Join(text, "; "), code
}

func TestCodeOfARM64(t *testing.T) {
	const at, pc = 0x400000, 0x123450
	code, err := forkCode("arm64", registers("arm64", pc), at)
	if err != nil {
		t.Fatal(err)
	}
	want := `svc #0x0; cbz x0, .+0x8; b .+0x20; svc #0x0; svc #0x0; brk #0x0; mov x1, x0; svc #0x0; add x0, x0, #0x4; cbz x0, .+0xfffffffffffffff0`
	var got []string
	loads := 0
	for off := 0; off < codeSize; off += 4 {
		inst, err := arm64asm.Decode(code[off:])
		if err != nil {
			break // the literals
		}
		s := strings.ToLower(inst.String())
		switch {
		case strings.HasPrefix(s, "mov x") && !strings.Contains(s, ", x"), strings.HasPrefix(s, "movk"):
		case strings.HasPrefix(s, "ldr"):
			reg := int(code[off] & 31)
			lit := off + int(binary.LittleEndian.Uint32(code[off:])>>5&0x7ffff)*4
			if v := binary.LittleEndian.Uint64(code[lit:]); v != 0x1000+uint64(reg) || lit%8 != 0 {
				t.Errorf("x%d is restored to %#x", reg, v)
			}
			loads++
		case loads > 0 && strings.HasPrefix(s, "b "):
			w := int32(binary.LittleEndian.Uint32(code[off:])) << 6 >> 6
			if back := int64(at) + int64(off) + int64(w)*4; back != pc {
				t.Errorf("jumps back to %#x", back)
			}
			off = codeSize
		default:
			got = append(got, s)
		}
	}
	if s := strings.Join(got, "; "); s != want || loads != 6 {
		t.Errorf("got %s, and %d loads", s, loads)
	}
	if _, err := forkCode("arm64", registers("arm64", 0x7f0000000000), at); !errors.Is(err, errTooFar) {
		t.Errorf("far: %v", err)
	}
}

func TestRestarted(t *testing.T) {
	const read, epoll = 0, 232
	tests := []struct {
		name      string
		orig, ax  int64
		quiet, ok bool
		nr        int64
	}{
		{"in user space", -1, -512, true, false, 0},
		{"finished", read, 10, true, false, 0},
		{"failed", read, -9, true, false, 0},
		{"ERESTARTSYS", read, -512, false, true, read},
		{"ERESTARTNOINTR", read, -513, false, true, read},
		{"ERESTARTNOHAND", 34, -514, false, true, 34},
		{"ERESTART_RESTARTBLOCK", 35, -516, false, true, 219},
		{"EINTR of epoll_wait", epoll, -4, true, true, epoll},
		{"EINTR by a signal", epoll, -4, false, false, 0},
		{"EINTR of connect", 42, -4, true, false, 0},
	}
	for _, tt := range tests {
		r := registers("amd64", 0x5000)
		r.set(amdOrigAX, uint64(tt.orig))
		r.set(amdAX, uint64(tt.ax))
		got, ok := restarted("amd64", r, tt.quiet)
		if ok != tt.ok {
			t.Errorf("%s: %v", tt.name, ok)
		}
		if ok && (int64(got.word(amdAX)) != tt.nr || got.pc("amd64") != 0x4ffe || int64(got.word(amdOrigAX)) != -1) {
			t.Errorf("%s: rax %d, rip %#x", tt.name, int64(got.word(amdAX)), got.pc("amd64"))
		}
		if r.pc("amd64") != 0x5000 {
			t.Errorf("%s: the registers were changed in place", tt.name)
		}
	}
}

func TestFitness(t *testing.T) {
	for _, tt := range []struct {
		name     string
		orig, ax int64
		want     int
		again    bool
	}{
		{"futex", 202, -512, 3, false},
		{"epoll_wait", 232, -4, 3, true},
		{"nanosleep", 35, -516, 3, false},
		{"read", 0, -512, 2, false},
		{"in user space", -1, 5, 1, false},
		{"at the end of a call", 1, 10, 1, false},
		{"sigsuspend", 130, -514, 0, false},
		{"select", 23, -514, 0, false},
	} {
		r := registers("amd64", 0x5000)
		r.set(amdOrigAX, uint64(tt.orig))
		r.set(amdAX, uint64(tt.ax))
		if got := fitness("amd64", r, 0); got != tt.want {
			t.Errorf("%s: fitness %d, want %d", tt.name, got, tt.want)
		}
		if got := needlessly("amd64", r); got != tt.again {
			t.Errorf("%s: needlessly %v", tt.name, got)
		}
	}
	if total([]Range{{1, 3}, {5, 10}}) != 7 {
		t.Error("total")
	}
}

func TestFitnessARM64(t *testing.T) {
	const svc, nop = 0xd4000001, 0xd503201f
	for _, tt := range []struct {
		name    string
		x8, x3  uint64
		call    uint32
		fitness int
	}{
		{"futex without a time-out", 98, 0, svc, 3},
		{"futex with a time-out", 98, 0x4000, svc, 0},
		{"nanosleep", 101, 0, svc, 0},
		{"clock_nanosleep", 115, 0x4000, svc, 0},
		{"ppoll", 73, 0, svc, 0},
		{"rt_sigsuspend", 133, 0, svc, 0},
		{"read", 63, 0, svc, 2},
		{"in user space, with a number by chance", 101, 0, nop, 1},
	} {
		r := registers("arm64", 0x5000)
		r.set(8, tt.x8)
		r.set(3, tt.x3)
		if got := fitness("arm64", r, tt.call); got != tt.fitness {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.fitness)
		}
	}
}
