// Package procstat reads what Linux tells of a process: memory, descriptors,
// threads, the limits of its cgroup, the sockets it listens on. It only reads
// files, below roots that are handed in, so it builds everywhere; where there
// is no /proc it fails with ErrNotHere. It knows nothing of Go but the names
// of two environment variables.
//
//	/proc/PID/status    resident memory, threads      /proc/stat     time of boot
//	/proc/PID/stat      state, start time             /proc/meminfo  memory of the machine
//	/proc/PID/fd        descriptors                   /proc/PID/net  listening sockets
//	/proc/PID/limits    how many there may be         /proc/PID/cgroup, /sys/fs/cgroup
//
// The files are described in proc(5) and in the kernel's cgroup-v2.rst.
package procstat

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNotHere is wrapped when there is no /proc.
var ErrNotHere = errors.New("what a process takes is read from /proc, which is not here; it is there on Linux")

// ErrGone is wrapped when there is no such process, or it has ended and only
// waits for its parent.
var ErrGone = errors.New("there is no such process")

// Roots are where the kernel's files are.
type Roots struct {
	// Proc is /proc, Cgroup is /sys/fs/cgroup; "" is that place.
	Proc, Cgroup string
}

// Reading is what is told of a process at one moment. What is not known, or
// not for this user, is NaN.
type Reading struct {
	// Start is when the process started, seconds since 1970 by the clock of
	// now; StartTicks the same in clock ticks since the boot, which never
	// changes. CPU is how many seconds of it the process used since.
	Start, StartTicks, CPU float64
	// Resident, its largest value so far and the part of it that is no file,
	// bytes.
	Resident, ResidentPeak, ResidentAnon float64
	// Descriptors are open, DescriptorLimit is how many may be.
	Descriptors, DescriptorLimit float64
	Threads                      float64
	// GroupMax and GroupHigh are the smallest memory.max and memory.high from
	// the group of the process up to the root, bytes; GroupCurrent is
	// memory.current of the group that has GroupMax, and GroupCache the part of
	// that in files, which the kernel drops when it is short of memory.
	GroupMax, GroupHigh, GroupCurrent, GroupCache float64
	// NodeMemory is the memory of the machine, NodeAvailable what of it can be
	// had without swapping, bytes.
	NodeMemory, NodeAvailable float64
}

func (r Roots) proc(elem ...string) string {
	root := r.Proc
	if root == "" {
		root = "/proc"
	}
	return filepath.Join(append([]string{root}, elem...)...)
}

// Check fails with ErrNotHere where there is no /proc.
func (r Roots) Check() error {
	if _, err := os.Stat(r.proc("self", "stat")); err != nil {
		return ErrNotHere
	}
	return nil
}

// Read reads everything of the process pid. It fails with ErrNotHere or
// ErrGone.
func (r Roots) Read(pid int) (Reading, error) {
	nan := math.NaN()
	g := Reading{nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan, nan}
	id := strconv.Itoa(pid)
	if err := r.readStat(&g, id); err != nil {
		if err := r.Check(); err != nil {
			return g, err
		}
		return g, fmt.Errorf("process %d: %w", pid, err)
	}
	status := keyValues(r.proc(id, "status"))
	g.Resident = kibibytes(status["VmRSS"])
	g.ResidentPeak = kibibytes(status["VmHWM"])
	g.ResidentAnon = kibibytes(status["RssAnon"])
	g.Threads = number(status["Threads"])
	g.Descriptors = r.countDescriptors(id)
	g.DescriptorLimit = r.descriptorLimit(id)
	memory := keyValues(r.proc("meminfo"))
	g.NodeMemory = kibibytes(memory["MemTotal"])
	g.NodeAvailable = kibibytes(memory["MemAvailable"])
	r.readGroup(&g, id)
	return g, nil
}

// ticks is how many of the clock ticks of /proc make a second: USER_HZ, which
// is 100 on every architecture Go knows.
const ticks = 100

// CPU is how many seconds of CPU time the process pid has used, to a hundredth;
// NaN if it is not there.
func (r Roots) CPU(pid int) float64 {
	g := Reading{CPU: math.NaN()}
	_ = r.readStat(&g, strconv.Itoa(pid))
	return g.CPU
}

// readStat takes the state and the times from /proc/PID/stat, whose second
// field is the name in parentheses and may hold anything.
func (r Roots) readStat(g *Reading, id string) error {
	text, err := os.ReadFile(r.proc(id, "stat"))
	if err != nil {
		return ErrGone
	}
	fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:])
	// Their numbers in proc(5), less the three up to and with the state.
	const state, user, system, start = 0, 14 - 3, 15 - 3, 22 - 3
	if len(fields) <= start {
		return fmt.Errorf("cannot read %s: it has %d fields behind the name, wanted more than %d", r.proc(id, "stat"), len(fields), start)
	}
	if s := string(fields[state]); s == "Z" || s == "X" {
		return ErrGone
	}
	g.CPU = (number(string(fields[user])) + number(string(fields[system]))) / ticks
	boot := math.NaN()
	if stat, err := os.ReadFile(r.proc("stat")); err == nil {
		for line := range strings.Lines(string(stat)) {
			if rest, ok := strings.CutPrefix(line, "btime "); ok {
				boot = number(rest)
			}
		}
	}
	g.StartTicks = number(string(fields[start]))
	g.Start = boot + g.StartTicks/ticks
	return nil
}

// Family is the process pid and those it started, directly or not, the process
// first.
func (r Roots) Family(pid int) []int {
	entries, err := os.ReadDir(r.proc())
	if err != nil {
		return []int{pid}
	}
	children := map[int][]int{}
	for _, e := range entries {
		id, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		text, err := os.ReadFile(r.proc(e.Name(), "stat"))
		if err != nil {
			continue // gone
		}
		fields := bytes.Fields(text[bytes.LastIndexByte(text, ')')+1:]) // state, parent
		if len(fields) < 2 {
			continue
		}
		if parent, err := strconv.Atoi(string(fields[1])); err == nil {
			children[parent] = append(children[parent], id)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all
}

func (r Roots) countDescriptors(id string) float64 {
	d, err := os.Open(r.proc(id, "fd"))
	if err != nil {
		return math.NaN()
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return math.NaN()
	}
	return float64(len(names))
}

// descriptorLimit is the soft limit in
//
//	Max open files            1024                 524288               files
func (r Roots) descriptorLimit(id string) float64 {
	text, err := os.ReadFile(r.proc(id, "limits"))
	if err != nil {
		return math.NaN()
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "Max open files"); ok {
			if f := strings.Fields(rest); len(f) > 0 {
				return number(f[0])
			}
		}
	}
	return math.NaN()
}

// Executable is the path of the program of the process pid, "" if it cannot
// be read. A file that was replaced since is named all the same.
func (r Roots) Executable(pid int) string {
	path, err := os.Readlink(r.proc(strconv.Itoa(pid), "exe"))
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(path, " (deleted)")
}

// keyValues reads lines of the form "Key:  value". A file that cannot be read
// has none.
func keyValues(path string) map[string]string {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	m := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok {
			m[key] = strings.TrimSpace(value)
		}
	}
	return m
}

// kibibytes reads "123 kB", which is what the kernel calls KiB, as bytes.
func kibibytes(s string) float64 {
	n, ok := strings.CutSuffix(s, " kB")
	if !ok {
		return math.NaN()
	}
	return number(n) * 1024
}

// number reads a count; anything else, such as "unlimited", is NaN.
func number(s string) float64 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return math.NaN()
	}
	return float64(n)
}
