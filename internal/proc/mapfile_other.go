//go:build !unix

package proc

import (
	"io"
	"os"
)

// mappedFile is a file whose contents are in memory.
type mappedFile struct {
	data     []byte
	borrowed bool // the same on all systems
}

// mapFile reads an open file, which may be closed afterwards.
func mapFile(f *os.File) (*mappedFile, error) {
	data, err := io.ReadAll(f)
	return &mappedFile{data: data}, err
}

func (m *mappedFile) Close() error {
	m.data = nil
	return nil
}
