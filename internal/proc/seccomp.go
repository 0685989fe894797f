package proc

import "encoding/binary"

// This file works out what a seccomp filter of a process would answer to a
// system call, without making the call: the wrong one can end the process.

// filterSize is the length of one instruction of a filter (struct sock_filter).
const filterSize = 8

// call is a system call as a filter sees it (struct seccomp_data).
type call struct {
	nr   uint32
	ip   uint64
	args [6]uint64
}

// calls lists what the instructions of forkCode and reapCode call, for code at
// an address. The ids of helper and child are not known yet.
func calls(arch string, at uint64) []call {
	clone, waitid, exitGroup := uint32(56), uint32(247), uint32(231)
	if arch == "arm64" {
		clone, waitid, exitGroup = 220, 95, 94
	}
	return []call{
		{clone, at, [6]uint64{helperFlags}},
		{clone, at, [6]uint64{childFlags}},
		{exitGroup, at, [6]uint64{}},
		{waitid, at, [6]uint64{idPID, 1, 0, waitAll}},
	}
}

// name of the system calls above, for messages.
func (c *call) name() string {
	switch c.nr {
	case 56, 220:
		return "clone"
	case 247, 95:
		return "waitid"
	}
	return "exit_group"
}

// allowed tells whether a filter lets a call pass. Those that ask somebody
// else (a tracer, a supervisor) do not count as such.
func (c *call) allowed(arch string, filter []byte) bool {
	const allow, log, full = 0x7fff0000, 0x7ffc0000, 0xffff0000
	audit := uint32(0xc000003e) // AUDIT_ARCH_X86_64
	if arch == "arm64" {
		audit = 0xc00000b7
	}
	data := binary.LittleEndian.AppendUint32(nil, c.nr)
	data = binary.LittleEndian.AppendUint32(data, audit)
	data = binary.LittleEndian.AppendUint64(data, c.ip)
	for _, a := range c.args {
		data = binary.LittleEndian.AppendUint64(data, a)
	}
	answer, ok := runFilter(filter, data)
	return ok && (answer&full == allow || answer&full == log)
}

// runFilter runs the program of a filter on its input, and returns what it
// answers; not ok if the program is none the kernel would take. The
// instructions are those of linux/filter.h that seccomp(2) allows. Jumps lead
// forward only, so it ends.
func runFilter(prog, data []byte) (answer uint32, ok bool) {
	var a, x uint32
	var scratch [16]uint32
	for pc := 0; pc*filterSize+filterSize <= len(prog); pc++ {
		ins := prog[pc*filterSize:]
		code, k := binary.LittleEndian.Uint16(ins), binary.LittleEndian.Uint32(ins[4:])
		operand := k
		if code&0x08 != 0 {
			operand = x
		}
		jump := func(yes bool) {
			if yes {
				pc += int(ins[2])
			} else {
				pc += int(ins[3])
			}
		}
		switch code {
		case 0x20: // ld [k]
			if k%4 != 0 || k+4 > uint32(len(data)) || k+4 < k {
				return 0, false
			}
			a = binary.LittleEndian.Uint32(data[k:])
		case 0x80: // ld len
			a = uint32(len(data))
		case 0x81: // ldx len
			x = uint32(len(data))
		case 0x00: // ld k
			a = k
		case 0x01: // ldx k
			x = k
		case 0x60, 0x61, 0x02, 0x03: // ld, ldx, st, stx with a word of scratch memory
			if k >= uint32(len(scratch)) {
				return 0, false
			}
			switch code {
			case 0x60:
				a = scratch[k]
			case 0x61:
				x = scratch[k]
			case 0x02:
				scratch[k] = a
			default:
				scratch[k] = x
			}
		case 0x07:
			x = a
		case 0x87:
			a = x
		case 0x05:
			if k > uint32(len(prog)) {
				return 0, false
			}
			pc += int(k)
		case 0x15, 0x1d:
			jump(a == operand)
		case 0x25, 0x2d:
			jump(a > operand)
		case 0x35, 0x3d:
			jump(a >= operand)
		case 0x45, 0x4d:
			jump(a&operand != 0)
		case 0x06:
			return k, true
		case 0x16:
			return a, true
		default:
			if a, ok = compute(code, a, operand); !ok {
				return 0, false
			}
		}
	}
	return 0, false
}

// compute does the arithmetic of filters.
func compute(code uint16, a, b uint32) (uint32, bool) {
	switch code &^ 0x08 {
	case 0x04:
		return a + b, true
	case 0x14:
		return a - b, true
	case 0x24:
		return a * b, true
	case 0x34:
		if b == 0 { // the kernel ends the program, and answers 0: kill
			return 0, false
		}
		return a / b, true
	case 0x44:
		return a | b, true
	case 0x54:
		return a & b, true
	case 0x64:
		return a << (b & 31), true
	case 0x74:
		return a >> (b & 31), true
	case 0x84:
		return -a, true
	case 0xa4:
		return a ^ b, true
	}
	return 0, false
}
