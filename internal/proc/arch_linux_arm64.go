package proc

import (
	"encoding/binary"
	"syscall"
	"unsafe"
)

// sysVMRead is the number of process_vm_readv.
const sysVMRead = 270

// readRegs reads the registers of a stopped thread.
func readRegs(tid int) (regset, Regs, error) {
	raw := make(regset, regsSize("arm64"))
	if _, err := getRegset(tid, ntPrstatus, raw); err != nil {
		return nil, Regs{}, err
	}
	r, err := decodeRegs("arm64", raw)
	if err != nil {
		return nil, r, err
	}
	var word [8]byte
	if n, err := getRegset(tid, ntArmTLS, word[:]); err == nil && n == 8 {
		r.TLS = binary.LittleEndian.Uint64(word[:])
	}
	if n, err := getRegset(tid, ntArmSysNum, word[:4]); err == nil && n == 4 {
		r.Syscall = int64(int32(binary.LittleEndian.Uint32(word[:])))
	}
	return raw, r, nil
}

// armed prepares registers to run code at pc.
func armed(r regset, pc uint64) regset {
	r = r.clone()
	r.setPC("arm64", pc)
	return r
}

// forget makes a stopped thread leave the system call it was in, lest the
// kernel rewinds registers we have set.
func forget(tid int) error {
	none := int32(-1)
	iov := syscall.Iovec{Base: (*byte)(unsafe.Pointer(&none))}
	iov.SetLen(4)
	return ptraceInto(ptSetRegSet, tid, ntArmSysNum, unsafe.Pointer(&iov))
}

// result is what a system call returned.
func result(r regset) int64 { return int64(r.word(0)) }
