package proc

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// This file writes the instructions a thread of the target runs for us, see
// Target. They use no stack, change no flags and no memory, and end with a jump
// back that restores every register they used, so that they need nobody to
// watch over them. It is free of system calls, and tested on every system.

// Flags of clone(2) and waitid(2), the same on all architectures of Linux.
const (
	cloneVM    = 0x100
	cloneFS    = 0x200
	cloneFiles = 0x400
	cloneVfork = 0x4000

	helperFlags = cloneVM | cloneVfork | cloneFS | cloneFiles // exit signal 0: nobody is told
	childFlags  = cloneFS | cloneFiles

	idPID   = 1          // P_PID
	waitAll = 0x40000004 // __WALL|WEXITED
)

// errTooFar is returned when the way back is longer than a jump can be.
var errTooFar = errors.New("no place for instructions within reach of the thread")

// forkCode returns instructions that have the process fork and reap the helper,
// and go on with the registers of back. They will stand at addr.
func forkCode(arch string, back regset, addr uint64) ([]byte, error) {
	return assemble(arch, back, addr, 0)
}

// reapCode is forkCode without the fork: it reaps the child id.
func reapCode(arch string, back regset, addr uint64, id uint32) ([]byte, error) {
	return assemble(arch, back, addr, id)
}

// codeSize is the length of what the functions above return. It ends with
// codeMark, by which it is known should it be left behind.
const (
	codeSize = 320
	codeMark = "profound: proc.\n"
)

func assemble(arch string, back regset, addr uint64, reap uint32) ([]byte, error) {
	code := amd64Code(back, reap)
	if arch == "arm64" {
		var err error
		if code, err = arm64Code(back, addr, reap); err != nil {
			return nil, err
		}
	}
	out := make([]byte, codeSize)
	if n := copy(out[:codeSize-len(codeMark)], code); n < len(code) {
		panic("the instructions are longer than codeSize")
	}
	copy(out[codeSize-len(codeMark):], codeMark)
	return out, nil
}

// regset is the general register set as ptrace(2) and core files have it: words
// of 8 bytes, in the order of the architecture.
type regset []byte

func (r regset) word(i int) uint64        { return binary.LittleEndian.Uint64(r[8*i:]) }
func (r regset) set(i int, v uint64)      { binary.LittleEndian.PutUint64(r[8*i:], v) }
func (r regset) clone() regset            { return append(regset(nil), r...) }
func (r regset) setPC(a string, v uint64) { r.set(pcIndex(a), v) }
func (r regset) pc(a string) uint64       { return r.word(pcIndex(a)) }

func pcIndex(arch string) int {
	if arch == "arm64" {
		return 32
	}
	return amdIP
}

// Places in the register set of amd64.
const (
	amdR11, amdR10, amdR8             = 6, 7, 9
	amdAX, amdCX, amdDX, amdSI, amdDI = 10, 11, 12, 13, 14
	amdOrigAX, amdIP                  = 15, 16
)

// amd64Code assembles the code for amd64. With reap set it only reaps.
func amd64Code(back regset, reap uint32) []byte {
	var c []byte
	put := func(b ...byte) { c = append(c, b...) }
	imm := func(b byte, v uint32) { // mov r32, imm32; b is the opcode with the register
		put(b)
		c = binary.LittleEndian.AppendUint32(c, v)
	}
	syscall := func() { put(0x0f, 0x05) }
	const ax, dx, si, di, r8, r10 = 0xb8, 0xba, 0xbe, 0xbf, 0xb8, 0xba
	if reap == 0 {
		imm(ax, 56) // clone(helperFlags, 0, 0, 0, 0)
		imm(di, helperFlags)
		imm(si, 0)
		imm(dx, 0)
		put(0x41)
		imm(r10, 0)
		put(0x41)
		imm(r8, 0)
		syscall()
		put(0x48, 0x89, 0xc1) // mov rcx, rax
		put(0xe3, 0x05)       // jrcxz helper
		put(0xe9, 0, 0, 0, 0) // jmp parent
		jump := len(c)
		imm(ax, 56) // helper: clone(childFlags, 0, 0, 0, 0)
		imm(di, childFlags)
		syscall()
		put(0x48, 0x89, 0xc7) // both: mov rdi, rax; exit_group
		imm(ax, 231)
		syscall()
		put(0x0f, 0x0b) // ud2
		binary.LittleEndian.PutUint32(c[jump-4:], uint32(len(c)-jump))
		put(0x48, 0x89, 0xc6) // parent: mov rsi, rax. An error makes the id negative, and waitid return at once.
	} else {
		imm(si, reap)
	}
	imm(di, idPID)
	imm(dx, 0)
	put(0x41)
	imm(r10, waitAll)
	put(0x41)
	imm(r8, 0)
	again := len(c)
	imm(ax, 247) // waitid(P_PID, rsi, NULL, waitAll, NULL)
	syscall()
	put(0x48, 0x8d, 0x48, 0x04)     // lea rcx, [rax+4]: 0 for EINTR
	put(0xe3, byte(again-len(c)-2)) // jrcxz again
	for _, r := range [...]struct { // mov r64, imm64
		rex, op byte
		i       int
	}{{0x48, 0xb8, amdAX}, {0x48, 0xb9, amdCX}, {0x48, 0xba, amdDX}, {0x48, 0xbe, amdSI}, {0x48, 0xbf, amdDI},
		{0x49, 0xb8, amdR8}, {0x49, 0xba, amdR10}, {0x49, 0xbb, amdR11}} {
		put(r.rex, r.op)
		c = binary.LittleEndian.AppendUint64(c, back.word(r.i))
	}
	put(0xff, 0x25, 0, 0, 0, 0) // jmp [rip]
	return binary.LittleEndian.AppendUint64(c, back.word(amdIP))
}

// arm64Code assembles the code for arm64. Its jump back reaches 128 MB.
func arm64Code(back regset, addr uint64, reap uint32) ([]byte, error) {
	var c []uint32
	put := func(w ...uint32) { c = append(c, w...) }
	mov := func(reg, v uint32) { // movz, movk
		put(0xd2800000|v&0xffff<<5|reg, 0xf2a00000|v>>16<<5|reg)
	}
	svc := func() { put(0xd4000001) }
	const clone, waitid, exitGroup = 220, 95, 94
	if reap == 0 {
		mov(8, clone)
		mov(0, helperFlags)
		for r := uint32(1); r <= 4; r++ {
			mov(r, 0)
		}
		svc()
		put(0xb4000040) // cbz x0, helper
		jump := len(c)
		put(0) // b parent
		mov(0, childFlags)
		svc() // helper: x8 is still clone
		mov(8, exitGroup)
		svc()
		put(0xd4200000) // brk
		c[jump] = 0x14000000 | uint32(len(c)-jump)
		put(0xaa0003e1) // parent: mov x1, x0
	} else {
		mov(1, reap)
	}
	mov(2, 0)
	mov(3, waitAll)
	mov(4, 0)
	mov(8, waitid)
	again := len(c)
	mov(0, idPID)
	svc()
	put(0x91001000)                                   // add x0, x0, #4: 0 for EINTR
	put(0xb4000000 | uint32(again-len(c))&0x7ffff<<5) // cbz x0, again
	regs := [...]int{0, 1, 2, 3, 4, 8}
	literals := (len(c) + len(regs) + 2) &^ 1 // behind the jump, on 8 bytes
	for i, r := range regs {
		put(0x58000000 | uint32(literals+2*i-len(c))&0x7ffff<<5 | uint32(r)) // ldr xr, literal
	}
	far := int64(back.pc("arm64")-addr)/4 - int64(len(c))
	if far < -1<<25 || far >= 1<<25 {
		return nil, fmt.Errorf("%w: it is at %#x, the place at %#x", errTooFar, back.pc("arm64"), addr)
	}
	put(0x14000000 | uint32(far)&0x3ffffff) // b
	for len(c) < literals {
		put(0xd4200000)
	}
	var out []byte
	for _, w := range c {
		out = binary.LittleEndian.AppendUint32(out, w)
	}
	for _, r := range regs {
		out = binary.LittleEndian.AppendUint64(out, back.word(r))
	}
	return out, nil
}

// Numbers the kernel leaves in the result register of an interrupted call.
const (
	errIntr         = 4
	errRestartSys   = 512
	errRestartNoInt = 513
	errRestartNoHnd = 514
	errRestartBlock = 516
)

// restarted returns the registers with which a thread that was stopped in a
// system call does it again from user space, as the kernel would see to it, and
// whether that is needed. quiet says that no signal is waiting for the thread.
//
// On arm64 the kernel rewinds the registers before anybody sees them.
func restarted(arch string, r regset, quiet bool) (regset, bool) {
	if arch != "amd64" || int64(r.word(amdOrigAX)) < 0 {
		return r, false
	}
	nr := r.word(amdOrigAX)
	switch -int64(r.word(amdAX)) {
	case errRestartSys, errRestartNoInt, errRestartNoHnd:
	case errRestartBlock:
		nr = 219 // restart_syscall
	case errIntr:
		if !quiet || !repeatable(nr) {
			return r, false
		}
	default:
		return r, false
	}
	r = r.clone()
	r.set(amdAX, nr)
	r.set(amdIP, r.word(amdIP)-2)
	r.set(amdOrigAX, ^uint64(0))
	return r, true
}

// needlessly tells whether the stop itself ended a call with EINTR that can as
// well be done again.
func needlessly(arch string, r regset) bool {
	return arch == "amd64" && int64(r.word(amdOrigAX)) >= 0 && int64(r.word(amdAX)) == -errIntr && repeatable(r.word(amdOrigAX))
}

// repeatable lists the system calls of amd64 that the kernel never restarts
// (signal(7)) although they have done nothing when they return EINTR.
func repeatable(nr uint64) bool {
	switch nr {
	case 232, 281, 441, // epoll_wait, epoll_pwait, epoll_pwait2
		65, 220, // semop, semtimedop
		70, 128, 208: // msgrcv, rt_sigtimedwait, io_getevents
		return true
	}
	return false
}

// fitness ranks a thread as the one to run our code: in a system call that any
// program expects to be interrupted is best (3), any other call the kernel
// restarts (2), running in user space (1), and 0 is unfit. call is the
// instruction the thread is at; only that of arm64 matters.
func fitness(arch string, r regset, call uint32) int {
	if arch == "arm64" {
		return fitnessARM64(r, call)
	}
	if int64(r.word(amdOrigAX)) < 0 {
		return 1
	}
	switch -int64(r.word(amdAX)) {
	case errRestartSys, errRestartNoInt, errRestartBlock, errIntr:
		switch r.word(amdOrigAX) {
		case 202, 232, 281, 35, 230: // futex, epoll_wait, epoll_pwait, nanosleep, clock_nanosleep
			return 3
		case 34, 130: // pause, rt_sigsuspend wait for one signal
			return 0
		}
		return 2
	case errRestartNoHnd: // pause, sigsuspend, select: a signal is what they wait for
		return 0
	}
	return 1
}

// fitnessARM64 is fitness for arm64, where the kernel has rewound the registers
// of a call to its svc. It would go on with what is left of a time-out only if
// the thread were still there when it is let go, and after our instructions the
// call begins anew: those that wait for a time, or for a signal, are left out.
func fitnessARM64(r regset, call uint32) int {
	const svc = 0xd4000001
	if call != svc {
		return 1
	}
	switch r.word(8) {
	case 98: // futex, with a time-out in x3
		if r.word(3) != 0 {
			return 0
		}
		return 3
	case 72, 73, 101, 115, 133: // pselect6, ppoll, nanosleep, clock_nanosleep, rt_sigsuspend
		return 0
	}
	return 2
}
