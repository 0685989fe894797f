package source

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// script makes a program of shell lines.
func script(t testing.TB, body string) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("no shell scripts here")
	}
	path := writeFile(t, filepath.Join(t.TempDir(), "tool"), []byte("#!/bin/sh\n"+body+"\n"))
	if err := os.Chmod(path, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPerfData(t *testing.T) {
	noLeak(t)
	dir := t.TempDir()
	data := writeFile(t, filepath.Join(dir, "perf.data"), []byte("PERFILE2 and so on"))
	converted := writeFile(t, filepath.Join(dir, "converted"), heapProfile(t))
	var said []string
	say := func(s string) { said = append(said, s) }

	wantError(t, fetch1(t, data, Options{}).Err, data+": is a perf.data file", "run: perf script -i "+data)

	tool := script(t, `[ "$1 $2 $3 $5" = "-i `+data+` -o -f" ] && cat `+converted+` > "$4"`)
	r := fetch1(t, data, Options{Messages: say, Perf: PerfTools{ToProfile: tool, TempDir: t.TempDir()}})
	wantProfile(t, r)
	if got, want := strings.Join(said, "|"), "Converting "+data+" to a profile.proto... (May take a few minutes)"; got != want {
		t.Errorf("said %q, want %q", got, want)
	}
	if r.Bytes == 0 || r.Remote {
		t.Errorf("result %+v", r)
	}
	temp := t.TempDir()
	tool = script(t, `echo first >&2; echo "no samples" >&2; exit 3`)
	wantError(t, fetch1(t, data, Options{Perf: PerfTools{ToProfile: tool, TempDir: temp}}).Err,
		"failed to convert perf.data file: exit status 3: no samples; Try github.com/google/perf_data_converter")
	if left := list(t, temp); len(left) != 0 {
		t.Errorf("files left: %v", left)
	}

	tool = script(t, `[ "$*" = "script -F +pid -i `+data+`" ] && cat `+converted)
	wantProfile(t, fetch1(t, data, Options{Perf: PerfTools{Perf: tool}}))
	tool = script(t, `cat `+converted+`; echo broken >&2; exit 1`)
	wantError(t, fetch1(t, data, Options{Perf: PerfTools{Perf: tool}}).Err, "perf script: exit status 1: broken")
	tool = script(t, `echo "# no stacks here"`)
	wantError(t, fetch1(t, data, Options{Perf: PerfTools{Perf: tool}}).Err, "output of perf script: ")
	wantError(t, fetch1(t, data, Options{Perf: PerfTools{Perf: filepath.Join(dir, "none")}}).Err, "convert perf.data: ")
}

func TestPerfDataCancel(t *testing.T) {
	noLeak(t)
	fifo := mkfifo(t)
	data := writeFile(t, filepath.Join(t.TempDir(), "perf.data"), []byte("PERFILE2"))
	for _, perf := range []PerfTools{
		{ToProfile: script(t, "echo > "+fifo+"; exec cat "+fifo), TempDir: t.TempDir()},
		{Perf: script(t, "echo > "+fifo+"; exec cat "+fifo)},
	} {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			os.ReadFile(fifo) // the tool runs
			cancel()
		}()
		if _, err := Fetch(ctx, []string{data}, Options{Perf: perf}); err != context.Canceled {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}
}
