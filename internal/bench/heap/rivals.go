package main

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
)

// rival is another program that reads a process.
type rival struct {
	name string
	// argv is its command line, writes the file it leaves.
	argv   func(pid int, out string) []string
	writes func(pid int, out string) string
}

// gorefPackage is goref's command: a profile of who refers to what, made while
// the process is stopped.
const gorefPackage = "github.com/cloudwego/goref/cmd/grf@latest"

// findRivals gives those that are to be had, and notes about the others.
func (b *bench) findRivals(ctx context.Context) (rivals []rival, notes []string) {
	bin := filepath.Join(b.dir, "bin")
	if _, err := output(ctx, []string{"GOBIN=" + bin}, "go", "install", gorefPackage); err != nil {
		notes = append(notes, fmt.Sprintf("goref could not be built (`go install %s`: %s), so it is not in the table", gorefPackage, reasonOf(err)))
	} else {
		rivals = append(rivals, rival{"goref",
			func(pid int, out string) []string {
				return []string{filepath.Join(bin, "grf"), "attach", fmt.Sprint(pid), "-o", out}
			},
			func(_ int, out string) string { return out }})
	}
	gcore, err := exec.LookPath("gcore")
	if err != nil {
		return rivals, append(notes, "gcore (of gdb) is not installed, so it is not in the table")
	}
	return append(rivals, rival{"gcore",
		func(pid int, out string) []string { return []string{gcore, "-o", out, fmt.Sprint(pid)} },
		func(pid int, out string) string { return fmt.Sprint(out, ".", pid) }}), notes
}

// reasonOf is the end of the first line of an error that gives a reason.
func reasonOf(err error) string {
	lines := strings.Split(err.Error(), "\n")
	line := lines[min(1, len(lines)-1)]
	return strings.TrimSpace(line[strings.LastIndex(line, ": ")+1:])
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}
