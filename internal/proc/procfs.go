package proc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// parseMaps reads the text of /proc/PID/maps.
func parseMaps(text []byte) ([]Mapping, error) {
	var maps []Mapping
	for line := range bytes.Lines(text) {
		m, err := parseMapping(strings.TrimSuffix(string(line), "\n"))
		if err != nil {
			return nil, fmt.Errorf("line %d of maps: %w", len(maps)+1, err)
		}
		maps = append(maps, m)
	}
	return maps, nil
}

// parseMapping reads a line such as
//
//	7f0c000-7f0d000 r-xp 00001000 fe:01 1234      /usr/bin/app (deleted)
func parseMapping(line string) (Mapping, error) {
	var m Mapping
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 5 {
		return m, fmt.Errorf("%q has fewer than 5 fields", line)
	}
	start, end, _ := strings.Cut(fields[0], "-")
	major, minor, _ := strings.Cut(fields[3], ":")
	var dev [2]uint64
	for _, n := range []struct {
		text string
		base int
		to   *uint64
	}{{start, 16, &m.Start}, {end, 16, &m.End}, {fields[2], 16, &m.Offset}, {major, 16, &dev[0]}, {minor, 16, &dev[1]}, {fields[4], 10, &m.Inode}} {
		v, err := strconv.ParseUint(n.text, n.base, 64)
		if err != nil {
			return m, fmt.Errorf("%q: %w", line, err)
		}
		*n.to = v
	}
	if m.End < m.Start {
		return m, fmt.Errorf("%q ends before it starts", line)
	}
	m.Device = dev[0]<<32 | dev[1]
	for i, bit := range [...]Perm{Read, Write, Exec, Shared} {
		if i < len(fields[1]) && fields[1][i] == "rwxs"[i] {
			m.Perm |= bit
		}
	}
	if len(fields) == 6 {
		m.File = strings.ReplaceAll(strings.TrimLeft(fields[5], " "), `\012`, "\n")
		if m.Inode != 0 {
			m.File, m.Deleted = strings.CutSuffix(m.File, " (deleted)")
		}
	}
	return m, nil
}

// status is what we need of /proc/PID/status.
type status struct {
	Name         string
	State        byte
	Tgid, PPid   int
	TracerPid    int
	UID, GID     [4]int // real, effective, saved, file system
	NSpid        []int  // from our namespace inwards
	RSS          uint64 // bytes
	Threads      int
	CapPrm       uint64
	CapEff       uint64
	NoNewPrivs   bool
	Pending      uint64 // signals that wait for the thread or its process, a bit each, from 1
	Seccomp      int    // 0 off, 1 strict, 2 filter
	HasMemory    bool
	KernelThread bool
}

// parseStatus reads the text of /proc/PID/status. Lines it does not know or
// understand are passed over.
func parseStatus(text []byte) status {
	var s status
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		f := strings.Fields(value)
		if len(f) == 0 {
			continue
		}
		n, _ := strconv.Atoi(f[0])
		switch key {
		case "Name":
			s.Name = strings.TrimSpace(value)
		case "State":
			s.State = f[0][0]
		case "Tgid":
			s.Tgid = n
		case "PPid":
			s.PPid = n
		case "TracerPid":
			s.TracerPid = n
		case "Uid":
			s.UID = four(f)
		case "Gid":
			s.GID = four(f)
		case "NSpid":
			for _, t := range f {
				id, _ := strconv.Atoi(t)
				s.NSpid = append(s.NSpid, id)
			}
		case "VmSize":
			s.HasMemory = true
		case "VmRSS":
			s.RSS = uint64(max(n, 0)) << 10
		case "Threads":
			s.Threads = n
		case "CapPrm":
			s.CapPrm, _ = strconv.ParseUint(f[0], 16, 64)
		case "CapEff":
			s.CapEff, _ = strconv.ParseUint(f[0], 16, 64)
		case "NoNewPrivs":
			s.NoNewPrivs = n != 0
		case "SigPnd", "ShdPnd":
			set, _ := strconv.ParseUint(f[0], 16, 64)
			s.Pending |= set
		case "Seccomp":
			s.Seccomp = n
		case "Kthread":
			s.KernelThread = n != 0
		}
	}
	return s
}

func four(f []string) (out [4]int) {
	for i := range min(4, len(f)) {
		out[i], _ = strconv.Atoi(f[i])
	}
	return out
}

// parseStat returns the state and the start time, in clock ticks since boot, of
// the text of /proc/PID/stat. The name in it can hold anything but ends at the
// last parenthesis.
func parseStat(text []byte) (name string, state byte, start uint64) {
	open, end := bytes.IndexByte(text, '('), bytes.LastIndexByte(text, ')')
	if open < 0 || end < open {
		return "", 0, 0
	}
	name = string(text[open+1 : end])
	f := bytes.Fields(text[end+1:])
	if len(f) < 20 || len(f[0]) == 0 {
		return name, 0, 0
	}
	start, _ = strconv.ParseUint(string(f[19]), 10, 64)
	return name, f[0][0], start
}

// rights is what permission to trace depends on.
type rights struct {
	target, self status
	// yama is kernel.yama.ptrace_scope, -1 without Yama.
	yama int
	// tracer is the name of the process that traces the target, if one does.
	tracer string
}

const (
	capSysPtrace = 19
	capSysAdmin  = 21
)

func (s *status) has(capability int) bool { return s.CapEff>>capability&1 != 0 }

// inOrder tells why a process cannot be copied whoever asks; nil if it can.
func (r *rights) inOrder() error {
	t := &r.target
	switch {
	case t.State == 'Z' || t.State == 'X':
		return fmt.Errorf("it is a zombie: it has ended, and its parent, process %d, has not asked how; %w", t.PPid, ErrGone)
	case t.KernelThread || !t.HasMemory:
		return fmt.Errorf("it is a thread of the kernel and has no memory of its own: %w", ErrUnsupported)
	case t.TracerPid != 0:
		who := "a process outside this PID namespace"
		if t.TracerPid > 0 && r.tracer != "" {
			who = fmt.Sprintf("process %d (%s)", t.TracerPid, r.tracer)
		}
		return fmt.Errorf("%w by %s, and only one debugger can; detach that first", ErrTraced, who)
	case t.Seccomp == 1:
		return fmt.Errorf("it is in strict seccomp mode: %w", ErrUnsupported)
	}
	return nil
}

// refused explains why the kernel does not let us trace the process.
func (r *rights) refused(cause error) error {
	return fmt.Errorf("%w: %s (%w)", ErrPermission, r.diagnosis(), cause)
}

func (r *rights) diagnosis() string {
	t, s := &r.target, &r.self
	own := s.UID[1]
	switch {
	case r.yama == 3:
		return "kernel.yama.ptrace_scope is 3, which forbids tracing to everybody until the next boot; make a core file, or boot with another value"
	case s.has(capSysPtrace):
		return "CAP_SYS_PTRACE is there, but a security module (SELinux, AppArmor), a user namespace or a seccomp filter of this container forbids tracing; " +
			"run in the host's namespaces, or allow ptrace in the profile"
	case t.UID[0] != own || t.UID[1] != own || t.UID[2] != own:
		return fmt.Sprintf("it belongs to user %d and we are user %d without CAP_SYS_PTRACE; run with sudo, or as that user: sudo -u '#%d' ...; in a container add the capability SYS_PTRACE",
			t.UID[1], own, t.UID[1])
	case r.yama == 2:
		return "kernel.yama.ptrace_scope is 2: only CAP_SYS_PTRACE may trace; run with sudo, or sudo sysctl kernel.yama.ptrace_scope=0"
	case r.yama == 1:
		return "kernel.yama.ptrace_scope is 1: only a parent may trace its children; run with sudo, or sudo sysctl kernel.yama.ptrace_scope=0"
	case t.GID[0] != s.GID[1] || t.GID[1] != s.GID[1] || t.GID[2] != s.GID[1]:
		return fmt.Sprintf("it runs as group %d and we as group %d; run with sudo", t.GID[1], s.GID[1])
	case t.CapPrm&^s.CapPrm != 0:
		return "it has capabilities that we do not have; run with sudo"
	}
	return "the process is not dumpable (its file is not readable, or it asked for that by prctl), or a security module or seccomp filter of this container forbids tracing; " +
		"run with sudo; in a container add the capability SYS_PTRACE"
}
