package proc

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestParseMaps(t *testing.T) {
	got, err := parseMaps([]byte(`00400000-0055c000 r-xp 00001000 fe:01 1234                               /src/my app
0055c000-0055d000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r--s 00000000 00:01 9                          /memfd:x (deleted)
7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]
`))
	want := []Mapping{
		{Start: 0x400000, End: 0x55c000, Perm: Read | Exec, File: "/src/my app", Offset: 0x1000, Inode: 1234, Device: 0xfe<<32 | 1},
		{Start: 0x55c000, End: 0x55d000, Perm: Read | Write},
		{Start: 0x7f0000000000, End: 0x7f0000001000, Perm: Read | Shared, File: "/memfd:x", Inode: 9, Device: 1, Deleted: true},
		{Start: 0x7ffc00000000, End: 0x7ffc00001000, Perm: Read | Write, File: "[stack]"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if s := got[0].Perm.String(); s != "r-xp" {
		t.Errorf("permissions %s", s)
	}
	for _, bad := range []string{"x", "zz-1 r-xp 0 0:0 0", "2-1 r-xp 0 0:0 0"} {
		if _, err := parseMaps([]byte(bad)); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestParseStatus(t *testing.T) {
	got := parseStatus([]byte("Name:\tmy app\nState:\tS (sleeping)\nTgid:\t7\nPid:\t7\nPPid:\t1\nTracerPid:\t9\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t7\t1\n" +
		"Kthread:\t0\nVmSize:\t  100 kB\nVmRSS:\t   64 kB\nThreads:\t3\nCapPrm:\t0000000000000020\nCapEff:\t0000000000080000\nNoNewPrivs:\t1\nSeccomp:\t2\n"))
	want := status{Name: "my app", State: 'S', Tgid: 7, PPid: 1, TracerPid: 9, UID: [4]int{1, 2, 3, 4}, GID: [4]int{5, 6, 7, 8}, NSpid: []int{7, 1},
		RSS: 64 << 10, Threads: 3, CapPrm: 0x20, CapEff: 0x80000, NoNewPrivs: true, Seccomp: 2, HasMemory: true}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

func TestParseStat(t *testing.T) {
	name, state, start := parseStat([]byte("12 (a) b) (c) R 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"))
	if name != "a) b) (c" || state != 'R' || start != 4711 {
		t.Errorf("%q %c %d", name, state, start)
	}
	for _, bad := range []string{"", "1 (", "1 )(", "1 (x) S"} {
		if _, state, _ := parseStat([]byte(bad)); state != 0 {
			t.Errorf("%q: state %c", bad, state)
		}
	}
}

func TestMemoryGroups(t *testing.T) {
	const v2 = "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	const v1 = "30 23 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
	const inside = "30 23 0:26 /docker/abc /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"
	tests := []struct {
		groups, mounts string
		want           []string
	}{
		{"0::/a/b\n", v2, []string{"/sys/fs/cgroup/a/b", "/sys/fs/cgroup/a", "/sys/fs/cgroup"}},
		{"4:cpu:/x\n3:memory:/a\n0::/\n", v1, []string{"/sys/fs/cgroup/memory/a", "/sys/fs/cgroup/memory"}},
		{"0::/docker/abc/d\n", inside, []string{"/sys/fs/cgroup/d", "/sys/fs/cgroup"}},
		{"0::/\n", "", nil},
		{"nonsense", v2, nil},
	}
	for _, tt := range tests {
		if got := memoryGroups(tt.groups, tt.mounts); !slices.Equal(got, tt.want) {
			t.Errorf("%q: got %q", tt.groups, got)
		}
	}
}

func TestDiagnosis(t *testing.T) {
	user := func(uid int) status {
		return status{State: 'S', HasMemory: true, UID: [4]int{uid, uid, uid, uid}, GID: [4]int{uid, uid, uid, uid}}
	}
	with := func(s status, f func(*status)) status { f(&s); return s }
	root := with(user(0), func(s *status) { s.CapPrm, s.CapEff = ^uint64(0), ^uint64(0) })
	tests := []struct {
		name string
		r    rights
		want string
	}{
		{"another user", rights{user(1000), user(1001), 1, ""}, "sudo -u '#1000'"},
		{"yama 1", rights{user(1000), user(1000), 1, ""}, "sudo sysctl kernel.yama.ptrace_scope=0"},
		{"yama 2", rights{user(1000), user(1000), 2, ""}, "ptrace_scope is 2"},
		{"yama 3", rights{user(1000), root, 3, ""}, "until the next boot"},
		{"root is refused", rights{user(1000), root, -1, ""}, "security module"},
		{"another group", rights{with(user(1000), func(s *status) { s.GID[0] = 5 }), user(1000), -1, ""}, "group"},
		{"capabilities", rights{with(user(1000), func(s *status) { s.CapPrm = 1 << 10 }), user(1000), 0, ""}, "capabilities"},
		{"not dumpable", rights{user(1000), user(1000), 0, ""}, "not dumpable"},
	}
	for _, tt := range tests {
		err := tt.r.refused(syscall.EPERM)
		if !errors.Is(err, ErrPermission) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, tt := range []struct {
		name string
		s    status
		want error
		text string
	}{
		{"fine", user(1), nil, ""},
		{"zombie", with(user(1), func(s *status) { s.State, s.PPid = 'Z', 4 }), ErrGone, "process 4"},
		{"kernel thread", with(user(1), func(s *status) { s.HasMemory = false }), ErrUnsupported, "kernel"},
		{"traced", with(user(1), func(s *status) { s.TracerPid = 99 }), ErrTraced, "process 99 (gdb)"},
		{"strict seccomp", with(user(1), func(s *status) { s.Seccomp = 1 }), ErrUnsupported, "seccomp"},
	} {
		err := (&rights{tt.s, user(1), -1, "gdb"}).inOrder()
		if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
