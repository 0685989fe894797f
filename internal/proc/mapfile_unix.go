//go:build unix

package proc

import (
	"fmt"
	"os"
	"syscall"
)

// mappedFile is a file whose contents are at hand without being read as a
// whole. The contents must not be changed on disk meanwhile.
type mappedFile struct {
	data []byte
	// borrowed data is not given back.
	borrowed bool
}

// mapFile maps an open file, which may be closed afterwards.
func mapFile(f *os.File) (*mappedFile, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", f.Name())
	}
	size := info.Size()
	if size == 0 {
		return &mappedFile{}, nil
	}
	if size != int64(int(size)) {
		return nil, fmt.Errorf("%s has %d bytes, too many for this system", f.Name(), size)
	}
	data, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return &mappedFile{data: data}, nil
}

func (m *mappedFile) Close() error {
	if m.data == nil || m.borrowed {
		return nil
	}
	data := m.data
	m.data = nil
	return os.NewSyscallError("munmap", syscall.Munmap(data))
}
