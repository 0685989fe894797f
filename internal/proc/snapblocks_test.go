package proc

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestBlocksOverlap wants one block that is used many times to be refused: a
// small file could hold any amount of memory then.
func TestBlocksOverlap(t *testing.T) {
	good := writeSample(t, sample(sampleExe(t)), SnapshotContents{})
	footer := good[len(good)-snapFooterSize:]
	off, n := binary.LittleEndian.Uint64(footer), binary.LittleEndian.Uint64(footer[8:])
	with := func(change func(d *snapDirectory)) error {
		var d snapDirectory
		if err := json.Unmarshal(good[off:off+n], &d); err != nil {
			t.Fatal(err)
		}
		change(&d)
		dir, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		end := bytes.Clone(footer)
		binary.LittleEndian.PutUint64(end[8:], uint64(len(dir)))
		binary.LittleEndian.PutUint32(end[16:], checksum(dir))
		_, err = readSnapshot(slices.Concat(good[:off], dir, end), SnapshotOptions{})
		return err
	}
	if err := with(func(*snapDirectory) {}); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(d *snapDirectory){
		"a block twice":            func(d *snapDirectory) { s := &d.Sections[0]; s.Blocks = append(s.Blocks, s.Blocks[0]) },
		"that of another section":  func(d *snapDirectory) { d.Sections[1].Blocks = d.Sections[0].Blocks },
		"the directory as a block": func(d *snapDirectory) { d.Sections[0].Blocks[0][0] = off },
		"behind the end":           func(d *snapDirectory) { d.Sections[0].Blocks[0][1] = ^uint64(0) },
	} {
		if err := with(change); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), "lies in another") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
