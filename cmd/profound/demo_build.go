package main

import (
	"context"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
)

// demoProgram is the program that becomes the demo's service: this one or, if
// it has no DWARF as "go run" leaves that out, the same built once more, so
// that the demo can name fields and variables. Where that cannot be, this one
// has to do. done removes what was built.
func demoProgram(ctx context.Context, e *env) (exe string, done func()) {
	done = func() {}
	info, ok := debug.ReadBuildInfo()
	goCommand := e.lookPath("go")
	if !ok || goCommand == "" || strings.HasSuffix(info.Path, ".test") || !lacksDWARF(e.exe) {
		return e.exe, done
	}
	dir, err := os.MkdirTemp("", "profound-demo-")
	if err != nil {
		return e.exe, done
	}
	e.say("go run leaves out what names fields and variables: building the service once more with it")
	built := filepath.Join(dir, "profound")
	if exec.CommandContext(ctx, goCommand, "build", "-o", built, info.Path).Run() != nil {
		os.RemoveAll(dir) // not where the source is
		return e.exe, done
	}
	return built, func() { os.RemoveAll(dir) }
}

// lacksDWARF tells a Linux executable without debug information.
func lacksDWARF(path string) bool {
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return f.Section(".debug_info") == nil && f.Section(".zdebug_info") == nil
}
