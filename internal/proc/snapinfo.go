package proc

import (
	"fmt"
	"os"
)

// SnapshotInfo reads of a snapshot file only what it is of, and when it was
// made. Errors are as those of OpenSnapshot.
func SnapshotInfo(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("snapshot %w", err)
	}
	defer f.Close()
	file, err := mapFile(f)
	if err != nil {
		return Info{}, fmt.Errorf("snapshot %s: %w", path, err)
	}
	defer file.Close()
	r, err := newSnapReader(file.data, SnapshotOptions{})
	if err != nil {
		return Info{}, fmt.Errorf("snapshot %s: %w", path, err)
	}
	info, err := r.info()
	if err != nil {
		return Info{}, fmt.Errorf("snapshot %s: %w", path, err)
	}
	return info.info(), nil
}
