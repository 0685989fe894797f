//go:build linux && (amd64 || arm64)

package proc

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// live is a process of Linux.
type live struct {
	o      Options
	pid    int
	info   Info
	exe    *os.File
	start  uint64 // when it was started, to know it from another with its id
	rights rights
	wish   choice
}

// choice is how a process will be copied, and why so.
type choice struct {
	mode   Mode
	reason string
	// headroom is in bytes; see Estimate.
	headroom uint64
}

func attach(pid int, o Options) (*live, error) {
	l := &live{o: o, pid: pid, info: Info{Source: "process", Arch: runtime.GOARCH, PID: pid, PageSize: uint64(os.Getpagesize())}}
	if pid == os.Getpid() {
		return nil, fmt.Errorf("it is this very process, which cannot stop itself: %w", ErrUnsupported)
	}
	text, err := readProc(pid, "status")
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w: there is no process %d in this PID namespace; for one in a container, run on its host or in its PID namespace", ErrGone, pid)
		}
		return nil, err
	}
	l.rights = readRights(text)
	if leader := l.rights.target.Tgid; leader != pid && leader > 0 {
		return nil, fmt.Errorf("it is a thread of process %d; name that: %w", leader, ErrUnsupported)
	}
	if err := l.rights.inOrder(); err != nil {
		return nil, err
	}
	// The kernel asks for the same rights here as for ptrace.
	if _, err := vmRead(pid, make([]byte, 1), []remoteVec{{0, 1}}); errors.Is(err, syscall.EPERM) {
		return nil, l.rights.refused(err)
	}
	if err := l.describe(); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	l.wish = l.choose()
	return l, nil
}

// readRights gathers what permission depends on; text is the target's status.
func readRights(text []byte) rights {
	r := rights{target: parseStatus(text), yama: -1}
	if self, err := os.ReadFile("/proc/self/status"); err == nil {
		r.self = parseStatus(self)
	}
	if b, err := os.ReadFile("/proc/sys/kernel/yama/ptrace_scope"); err == nil {
		if n, err := strconv.Atoi(strings.TrimSpace(string(b))); err == nil {
			r.yama = n
		}
	}
	if t := r.target.TracerPid; t > 0 {
		if b, err := readProc(t, "status"); err == nil { // of a thread
			st := parseStatus(b)
			r.target.TracerPid, r.tracer = st.Tgid, st.Name
		}
	}
	return r
}

// describe opens the executable and fills in info.
func (l *live) describe() error {
	exe, err := os.Open(fmt.Sprintf("/proc/%d/exe", l.pid))
	if err != nil {
		return l.lost(fmt.Errorf("open its executable: %w", err))
	}
	l.exe = exe
	// A path of our own: it works when the process has ended.
	l.info.Exe = fmt.Sprintf("/proc/self/fd/%d", exe.Fd())
	if l.info.Name, err = os.Readlink(fmt.Sprintf("/proc/%d/exe", l.pid)); err != nil {
		return l.lost(err)
	}
	if name, deleted := strings.CutSuffix(l.info.Name, " (deleted)"); deleted {
		l.info.Name = name
		l.info.Warnings = append(l.info.Warnings, fmt.Errorf("%s was replaced or removed since process %d was started; its own copy is used", name, l.pid))
	}
	if err := checkMachine(exe); err != nil {
		return err
	}
	if b, err := readProc(l.pid, "cmdline"); err == nil && len(b) > 0 {
		l.info.Args = strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
	}
	if b, err := readProc(l.pid, "auxv"); err == nil {
		l.info.Entry = parseAuxv(b)[auxEntry]
	} else { // it takes the same user
		l.info.Entry = l.entry()
	}
	stat, err := readProc(l.pid, "stat")
	if err != nil {
		return l.lost(err)
	}
	_, _, l.start = parseStat(stat)
	return nil
}

// entry finds the entry point from where the executable is mapped; 0 if that
// cannot be told.
func (l *live) entry() uint64 {
	maps, err := mappings(l.pid)
	if err != nil {
		return 0
	}
	f, err := elf.NewFile(l.exe)
	if err != nil {
		return 0
	}
	i := slices.IndexFunc(maps, func(m Mapping) bool { return m.File == l.info.Name })
	j := slices.IndexFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_LOAD })
	if i < 0 || j < 0 {
		return 0
	}
	p, page := f.Progs[j], l.info.PageSize
	return f.Entry + maps[i].Start - p.Vaddr&^(page-1)
}

// checkMachine refuses what our instructions would not fit: a program of 32
// bits, or of another machine run by an emulator.
func checkMachine(exe *os.File) error {
	var head [20]byte
	if _, err := exe.ReadAt(head[:], 0); err != nil || !bytes.HasPrefix(head[:], []byte(elf.ELFMAG)) {
		return fmt.Errorf("its executable is no ELF file: %w", ErrUnsupported)
	}
	if got := archOf(elf.Machine(binary.LittleEndian.Uint16(head[18:]))); got != runtime.GOARCH || elf.Class(head[4]) != elf.ELFCLASS64 {
		return fmt.Errorf("its executable is for %s, of %d bits, and this program for %s, of 64; only one for the same machine can be read while it runs: %w",
			elf.Machine(binary.LittleEndian.Uint16(head[18:])), 32*int(head[4]), runtime.GOARCH, ErrUnsupported)
	}
	return nil
}

// lost explains an error that came up although all was well a moment ago.
func (l *live) lost(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) || !l.same() {
		return fmt.Errorf("%w (%w)", ErrGone, err)
	}
	return err
}

// same tells whether the process is still the one we attached to, and alive.
func (l *live) same() bool {
	b, err := readProc(l.pid, "stat")
	if err != nil {
		return false
	}
	_, state, start := parseStat(b)
	if state == 'Z' || state == 'X' || l.start != 0 && start != l.start {
		return false
	}
	now, err := os.Stat(fmt.Sprintf("/proc/%d/exe", l.pid))
	was, err2 := l.exe.Stat()
	return err == nil && err2 == nil && os.SameFile(now, was)
}

func (l *live) Close() error {
	if l.exe == nil {
		return nil
	}
	return l.exe.Close()
}

// mappings reads the mappings of the process, or of its child.
func mappings(pid int) ([]Mapping, error) {
	b, err := readProc(pid, "maps")
	if err != nil {
		return nil, err
	}
	if len(b) == 0 {
		return nil, fmt.Errorf("%w: it has no memory any more", ErrGone)
	}
	return parseMaps(b)
}

// running is the process as it runs.
func (l *live) running() Image {
	maps, _ := mappings(l.pid)
	var threads []Thread
	for _, id := range threadIDs(l.pid) {
		t := Thread{ID: id, Regs: Regs{Syscall: -1}}
		t.Name, t.State = threadState(l.pid, id)
		threads = append(threads, t)
	}
	info := l.info
	info.Taken = l.o.Now()
	return &view{running{l.pid}, info, maps, threads}
}

// threadIDs lists the threads by ascending id.
func threadIDs(pid int) []int {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1)
	ids := make([]int, 0, len(names))
	for _, n := range names {
		if id, err := strconv.Atoi(n); err == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func threadState(pid, tid int) (name string, state byte) {
	b, err := readProc(pid, fmt.Sprintf("task/%d/stat", tid))
	if err != nil {
		return "", 0
	}
	name, state, _ = parseStat(b)
	return name, state
}

// choose decides between fork and stop.
func (l *live) choose() choice {
	st := &l.rights.target
	c := choice{mode: l.o.Mode, headroom: headroom(l.pid)}
	if b, err := os.ReadFile("/proc/sys/vm/overcommit_memory"); err == nil && c.mode == Auto && strings.TrimSpace(string(b)) == "2" {
		c.mode, c.reason = Stop, "vm.overcommit_memory is 2, and a fork would have to reserve as much memory again"
	}
	if need := st.RSS / 5; c.mode == Auto && c.headroom < need {
		c.mode, c.reason = Stop, fmt.Sprintf("only %d MB of memory are left to its cgroup, and a fork may need %d MB for a moment", c.headroom>>20, need>>20)
	}
	if st.State == 'T' && c.mode == Auto {
		c.mode, c.reason = Stop, "it is stopped by a signal, and could not run a fork"
	}
	// Who may read the filter finds out, when the time has come, whether it lets
	// a fork pass.
	if self := &l.rights.self; st.Seccomp != 0 && c.mode == Auto && !(self.has(capSysAdmin) && self.Seccomp == 0) {
		c.mode, c.reason = Stop, "it has a seccomp filter, which could answer a fork by ending it"
	}
	if c.mode == Auto {
		c.mode = Fork
	}
	return c
}

func (l *live) estimate() Estimate {
	e := Estimate{Mode: l.wish.mode, Reason: l.wish.reason, Headroom: l.wish.headroom}
	if b, err := readProc(l.pid, "status"); err == nil {
		st := parseStatus(b)
		e.Resident, e.Threads = st.RSS, st.Threads
	}
	perGB := 25 * time.Millisecond
	if e.Mode == Stop {
		perGB = 200 * time.Millisecond
	}
	e.Pause = 2*time.Millisecond + time.Duration(e.Threads)*20*time.Microsecond + time.Duration(float64(perGB)*float64(e.Resident)/(1<<30))
	switch s := &l.rights.self; {
	case s.has(capSysPtrace):
		e.Rights = "ptrace, by CAP_SYS_PTRACE"
	default:
		e.Rights = fmt.Sprintf("ptrace, as the same user (%d)", s.UID[1])
	}
	return e
}

// headroom is how far the memory of the process can grow: what the machine has
// available, and what the limits of its cgroups leave.
func headroom(pid int) uint64 {
	room := ^uint64(0)
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		if n, ok := field(b, "MemAvailable:"); ok {
			room = n << 10
		}
	}
	groups, err := readProc(pid, "cgroup")
	if err != nil {
		return room
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return room
	}
	for _, dir := range memoryGroups(string(groups), string(mounts)) {
		read := func(names ...string) (uint64, bool) {
			for _, n := range names {
				if b, err := os.ReadFile(filepath.Join(dir, n)); err == nil {
					v, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64)
					return v, err == nil // "max" is no number: no limit
				}
			}
			return 0, false
		}
		limit, ok := read("memory.max", "memory.limit_in_bytes")
		used, ok2 := read("memory.current", "memory.usage_in_bytes")
		if !ok || !ok2 {
			continue
		}
		if b, err := os.ReadFile(filepath.Join(dir, "memory.stat")); err == nil {
			for _, name := range [...]string{"total_inactive_file ", "inactive_file "} {
				if cache, ok := field(b, name); ok { // given back when memory is short
					used -= min(used, cache)
					break
				}
			}
		}
		room = min(room, limit-min(limit, used))
	}
	return room
}

// field is the number behind a key at the start of a line.
func field(text []byte, key string) (uint64, bool) {
	for line := range bytes.Lines(text) {
		if rest, ok := bytes.CutPrefix(line, []byte(key)); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				n, err := strconv.ParseUint(string(f[0]), 10, 64)
				return n, err == nil
			}
		}
	}
	return 0, false
}
