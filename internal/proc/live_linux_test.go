//go:build linux && (amd64 || arm64)

package proc

import (
	"context"
	"encoding/binary"
	"testing"
	"time"
)

// all is a plan that copies what can be copied of private memory, but for what
// the race detector reserves.
func all(img Image) ([]Range, error) {
	var out []Range
	for _, m := range img.Mappings() {
		if m.Perm&(Read|Write) == Read|Write && m.End-m.Start < 4<<30 {
			out = append(out, Range{m.Start, m.End})
		}
	}
	return out, nil
}

// words is a plan for the memory a child told of.
func (c *child) words(Image) ([]Range, error) {
	return []Range{{c.Pattern, c.Pattern + c.Len}, {c.First, c.First + 8}, {c.Second, c.Second + 8}}, nil
}

func attachTo(t testing.TB, pid int, mode Mode) *Target {
	t.Helper()
	target, err := Attach(pid, Options{Mode: mode, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { target.Close() })
	return target
}

func TestSnapshotHasTheMemoryOfTheChild(t *testing.T) {
	for _, kind := range []string{"idle", "threads", "count", "syscalls", "signals", "churn", "sleeper"} {
		for _, mode := range []Mode{Fork, Stop} {
			t.Run(kind+"/"+mode.String(), func(t *testing.T) {
				c := startChild(t, kind)
				target := attachTo(t, c.pid(), mode)
				img, how, err := target.Snapshot(context.Background(), c.words)
				if err != nil {
					t.Fatal(err)
				}
				defer img.Close()
				wantUnharmed(t, c.pid())
				if how.Mode != mode || how.Pause() <= 0 || how.Threads < 1 {
					t.Errorf("how: %+v", how)
				}
				t.Logf("%+v", how)
				checkPattern(t, img, &c.childSays)
				checkThreads(t, img)
			})
		}
	}
}

// checkPattern compares the memory of the image with what the child told.
func checkPattern(t testing.TB, img Image, c *childSays) {
	t.Helper()
	b, err := img.Bytes(c.Pattern, int(c.Len))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		if b[i] != pattern(i) {
			t.Fatalf("byte %d is %d, not %d", i, b[i], pattern(i))
		}
	}
	first, err := img.Bytes(c.First, 8)
	if err != nil {
		t.Fatal(err)
	}
	second, err := img.Bytes(c.Second, 8)
	if err != nil {
		t.Fatal(err)
	}
	if d := binary.LittleEndian.Uint64(first) - binary.LittleEndian.Uint64(second); d > 1 {
		t.Errorf("the image is not of one moment: the counters are %d apart", d)
	}
}

// checkThreads checks that registers point where they can.
func checkThreads(t testing.TB, img Image) {
	t.Helper()
	with := 0
	for _, th := range img.Threads() {
		if th.Regs.PC == 0 {
			continue
		}
		with++
		if m := mappingAt(img.Mappings(), th.Regs.PC); m == nil || m.Perm&Exec == 0 {
			t.Errorf("thread %d: pc %#x is not in code", th.ID, th.Regs.PC)
		}
		if m := mappingAt(img.Mappings(), th.Regs.SP); m == nil || m.Perm&Write == 0 {
			t.Errorf("thread %d: sp %#x is not in a stack", th.ID, th.Regs.SP)
		}
	}
	if with == 0 {
		t.Error("no thread has registers")
	}
}
