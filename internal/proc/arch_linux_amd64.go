package proc

// sysVMRead is the number of process_vm_readv.
const sysVMRead = 310

// readRegs reads the registers of a stopped thread.
func readRegs(tid int) (regset, Regs, error) {
	raw := make(regset, regsSize("amd64"))
	if _, err := getRegset(tid, ntPrstatus, raw); err != nil {
		return nil, Regs{}, err
	}
	r, err := decodeRegs("amd64", raw)
	return raw, r, err
}

// armed prepares registers to run code at pc, whatever the thread was in.
func armed(r regset, pc uint64) regset {
	r = r.clone()
	r.set(amdIP, pc)
	r.set(amdOrigAX, ^uint64(0))
	return r
}

// forget makes a stopped thread leave the system call it was in; amd64 does it
// with the registers.
func forget(int) error { return nil }

// result is what a system call returned.
func result(r regset) int64 { return int64(r.word(amdAX)) }
