package procstat

import (
	"errors"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// tree writes files and links below a new folder: a name ending in "@" is a
// symbolic link to its text.
func tree(t *testing.T, files map[string]string) Roots {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		link := strings.HasSuffix(name, "@")
		path := filepath.Join(root, filepath.FromSlash(strings.TrimSuffix(name, "@")))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if link {
			if err := os.Symlink(text, path); err != nil {
				t.Skip("no symbolic links here: ", err)
			}
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return Roots{Proc: filepath.Join(root, "proc"), Cgroup: filepath.Join(root, "cgroup")}
}

const (
	// A name may hold blanks and parentheses.
	statLine = "42 (a) b) S 1 42 42 0 -1 4194304 138 0 0 0 150 50 0 0 20 0 9 0 20050 2990080 445 18446744073709551615 0 0\n"
	status   = "Name:\tapp\nVmHWM:\t    3000 kB\nVmRSS:\t    2000 kB\nRssAnon:\t    1500 kB\nThreads:\t9\n"
	limits   = "Limit                     Soft Limit           Hard Limit           Units\nMax open files            1024                 524288               files\n"
	meminfo  = "MemTotal:        8000 kB\nMemFree:         1000 kB\nMemAvailable:    4000 kB\n"
)

// process are the files of process 42.
func process(more map[string]string) map[string]string {
	files := map[string]string{
		"proc/stat": "cpu  1 2 3\nbtime 1700000000\nprocesses 99\n", "proc/meminfo": meminfo, "proc/self/stat": "1 (x) S",
		"proc/42/stat": statLine, "proc/42/status": status, "proc/42/limits": limits,
		"proc/42/fd/0": "", "proc/42/fd/1": "", "proc/42/fd/2": "",
	}
	for name, text := range more {
		files[name] = text
	}
	return files
}

// same compares readings, NaN being equal to NaN.
func same(a, b Reading) bool {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range x.NumField() {
		f, g := x.Field(i).Float(), y.Field(i).Float()
		if f != g && !(math.IsNaN(f) && math.IsNaN(g)) {
			return false
		}
	}
	return true
}

func TestRead(t *testing.T) {
	nan := math.NaN()
	base := Reading{
		Start: 1700000200.5, StartTicks: 20050, CPU: 2, Resident: 2000 << 10, ResidentPeak: 3000 << 10, ResidentAnon: 1500 << 10,
		Descriptors: 3, DescriptorLimit: 1024, Threads: 9, GroupMax: nan, GroupHigh: nan, GroupCurrent: nan, GroupCache: nan,
		NodeMemory: 8000 << 10, NodeAvailable: 4000 << 10,
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		want  func(*Reading)
	}{
		{"no group", nil, func(*Reading) {}},
		{
			"version 2, the smallest on the way up",
			map[string]string{
				"proc/42/cgroup":                    "0::/kube/pod/app\n",
				"cgroup/kube/pod/app/memory.max":    "max\n",
				"cgroup/kube/pod/app/memory.high":   "5000\n",
				"cgroup/kube/pod/memory.max":        "4000\n",
				"cgroup/kube/pod/memory.high":       "max\n",
				"cgroup/kube/pod/memory.current":    "123\n",
				"cgroup/kube/pod/memory.stat":       "anon 7\nfile 50\nshmem 8\n",
				"cgroup/kube/memory.max":            "9000\n",
				"cgroup/kube/memory.current":        "456\n",
				"cgroup/kube/pod/app/memory.events": "",
			},
			func(r *Reading) { r.GroupMax, r.GroupHigh, r.GroupCurrent, r.GroupCache = 4000, 5000, 123, 42 },
		},
		{
			"version 2, the path is that outside of the container",
			map[string]string{"proc/42/cgroup": "0::/../../system/app\n", "cgroup/memory.max": "7000", "cgroup/memory.current": "70"},
			func(r *Reading) { r.GroupMax, r.GroupCurrent = 7000, 70 },
		},
		{
			"version 1",
			map[string]string{
				"proc/42/cgroup": "9:name=systemd:/\n4:memory,hugetlb:/a/b\n0::/\n",
				"cgroup/memory/a/b/memory.limit_in_bytes": "9223372036854771712\n",
				"cgroup/memory/a/memory.limit_in_bytes":   "6000\n",
				"cgroup/memory/a/memory.usage_in_bytes":   "60\n",
				"cgroup/memory/a/memory.stat":             "cache 1\ntotal_cache 9\n",
			},
			func(r *Reading) { r.GroupMax, r.GroupCurrent, r.GroupCache = 6000, 60, 9 },
		},
		{
			"both, the tree of version 2 beside",
			map[string]string{"proc/42/cgroup": "0::/a\n", "cgroup/unified/a/memory.max": "100", "cgroup/unified/a/memory.current": "1"},
			func(r *Reading) { r.GroupMax, r.GroupCurrent = 100, 1 },
		},
		{
			"unlimited descriptors, a kernel without RssAnon",
			map[string]string{
				"proc/42/limits": "Max open files            unlimited            unlimited            files\n",
				"proc/42/status": "VmHWM:\t    3000 kB\nVmRSS:\t    2000 kB\nThreads:\t9\n",
			},
			func(r *Reading) { r.DescriptorLimit, r.ResidentAnon = nan, nan },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := base
			tt.want(&want)
			got, err := tree(t, process(tt.files)).Read(42)
			if err != nil || !same(got, want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	r := tree(t, process(map[string]string{
		"proc/43/stat": strings.Replace(statLine, ") S", ") Z", 1),
		"proc/44/stat": "44 (x) S 1 2",
	}))
	if _, err := r.Read(7); !errors.Is(err, ErrGone) {
		t.Errorf("no such process: %v", err)
	}
	if _, err := r.Read(43); !errors.Is(err, ErrGone) {
		t.Errorf("waits for its parent: %v", err)
	}
	if _, err := r.Read(44); err == nil || errors.Is(err, ErrGone) {
		t.Errorf("short stat: %v", err)
	}
	if _, err := (Roots{Proc: t.TempDir()}).Read(7); !errors.Is(err, ErrNotHere) {
		t.Errorf("no /proc: %v", err)
	}
	if _, err := (Roots{Proc: t.TempDir()}).Listening(7); !errors.Is(err, ErrNotHere) {
		t.Errorf("no /proc: %v", err)
	}
	if got := r.CPU(42); got != 2 {
		t.Errorf("CPU %v", got)
	}
	if got := r.CPU(7); !math.IsNaN(got) {
		t.Errorf("CPU of nobody: %v", got)
	}
}

func TestCollector(t *testing.T) {
	for _, tt := range []struct {
		environ string
		want    Collector
	}{
		{"PATH=/bin\x00HOME=/\x00", Collector{100, math.MaxInt64}},
		{"GOGC=50\x00GOMEMLIMIT=512MiB\x00", Collector{50, 512 << 20}},
		{"GOGC=off\x00GOMEMLIMIT=off\x00", Collector{-1, math.MaxInt64}},
		{"GOGC=x\x00GOMEMLIMIT=1000\x00", Collector{100, 1000}},
		{"GOMEMLIMIT=1000B\x00", Collector{100, 1000}},
		{"GOMEMLIMIT=3GiB", Collector{100, 3 << 30}},
		{"GOMEMLIMIT=2TiB", Collector{100, 2 << 40}},
		{"GOMEMLIMIT=5KiB", Collector{100, 5 << 10}},
	} {
		r := tree(t, map[string]string{"proc/42/environ": tt.environ})
		if got, ok := r.Collector(42); !ok || got != tt.want {
			t.Errorf("%q: %+v %v, want %+v", tt.environ, got, ok, tt.want)
		}
	}
	for _, bad := range []string{"12 MiB", "x", "-1", "9999999TiB", "KiB", "1kb"} {
		if got := ParseMemoryLimit(bad); !math.IsNaN(got) {
			t.Errorf("ParseMemoryLimit(%q) = %v", bad, got)
		}
	}
	if _, ok := (Roots{Proc: t.TempDir()}).Collector(42); ok {
		t.Error("an environment that cannot be read")
	}
}

const tcpHeader = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"

func TestSockets(t *testing.T) {
	tcp := tcpHeader +
		"   0: 0100007F:17AC 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1001 1 0 100 0 0 10 0\n" +
		"   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1002 1 0 100 0 0 10 0\n" +
		"   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 1003 1 0 100 0 0 10 0\n" +
		"   5: 0100007F:9999 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 1007 1 0 100 0 0 10 0\n" +
		"   6: 0100007F:9998 0100007F:1F90 05 00000000:00000000 00:00000000 00000000     0        0 0 1 0 100 0 0 10 0\n" +
		"   3: bad line\n   4: 01:17 x 0A 1 2 3 4 5 1005\n"
	tcp6 := tcpHeader +
		"   0: 00000000000000000000000000000000:1F91 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1004 1 0 100 0 0 10 0\n" +
		"   1: 00000000000000000000000001000000:1F92 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1006 1 0 100 0 0 10 0\n"
	unix := "Num       RefCount Protocol Flags    Type St Inode Path\n" +
		"0000: 00000002 00000000 00010000 0001 01 2001 /run/a b.sock\n" +
		"0000: 00000003 00000000 00000000 0001 03 2002 /run/a b.sock\n"
	files := process(map[string]string{
		"proc/self/net/tcp": tcp, "proc/self/net/tcp6": tcp6, "proc/self/net/unix": unix, "proc/self/ns/net@": "net:[1]",
		"proc/42/net/tcp": tcp, "proc/42/net/tcp6": tcp6, "proc/42/ns/net@": "net:[1]",
		"proc/42/fd/5@": "socket:[1001]", "proc/42/fd/6@": "socket:[1004]", "proc/42/fd/7@": "/dev/null", "proc/42/fd/8@": "socket:[1003]",
		"proc/42/fd/9@": "socket:[2001]", "proc/42/exe@": "/srv/app (deleted)",
		"proc/7/fd/3@": "socket:[1001]", "proc/7/ns/net@": "net:[2]", "proc/7/net/tcp": tcp,
		"proc/8/fd/3@": "socket:[1006]", "proc/8/net/tcp6": tcp6,
	})
	r := tree(t, files)
	for from, want := range map[string]int{"127.0.0.1:39321": 1000, "[::ffff:127.0.0.1]:39321": 1000, "127.0.0.1:39320": -1, "127.0.0.1:1": -1} {
		uid, err := r.Owner(netip.MustParseAddrPort(from), netip.MustParseAddrPort("127.0.0.1:8080"))
		if (err != nil) != (want < 0) || want >= 0 && uid != want || errors.Is(err, ErrNotHere) {
			t.Errorf("Owner of %s: %d, %v", from, uid, err)
		}
	}
	if _, err := (Roots{Proc: t.TempDir()}).Owner(netip.AddrPort{}, netip.AddrPort{}); !errors.Is(err, ErrNotHere) {
		t.Errorf("Owner without /proc: %v", err)
	}
	got, err := r.Listening(42)
	want := []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:6060"), netip.MustParseAddrPort("127.0.0.1:8081")}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Listening: %v, %v; want %v", got, err, want)
	}
	if got, err := r.Listening(8); err != nil || len(got) != 1 || got[0].String() != "[::1]:8082" {
		t.Errorf("Listening on ::1: %v, %v", got, err)
	}
	if _, err := r.Listening(7); err == nil || !strings.Contains(err.Error(), "container") {
		t.Errorf("another network: %v", err)
	}
	if _, err := r.Listening(99); !errors.Is(err, ErrGone) {
		t.Errorf("nobody: %v", err)
	}
	for at, want := range map[string][]int{
		"127.0.0.1:6060": {7, 42}, "127.0.0.1:8081": {42}, "[::1]:8081": {42}, "127.0.0.2:6060": nil, "127.0.0.1:8080": nil,
		"[::1]:8082": {8}, "127.0.0.1:8082": nil,
	} {
		if got, err := r.Listeners(netip.MustParseAddrPort(at)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("Listeners(%s): %v, %v; want %v", at, got, err, want)
		}
	}
	if got, err := r.UnixListeners("/run/a b.sock"); err != nil || !reflect.DeepEqual(got, []int{42}) {
		t.Errorf("UnixListeners: %v, %v", got, err)
	}
	if got := r.Executable(42); got != "/srv/app" {
		t.Errorf("Executable: %q", got)
	}
}

// TestOwnProcess reads this very process where there is a /proc.
func TestOwnProcess(t *testing.T) {
	var r Roots
	if r.Check() != nil {
		if runtime.GOOS == "linux" {
			t.Error("Linux without /proc")
		}
		t.Skip(ErrNotHere)
	}
	got, err := r.Read(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if !(got.Resident > 1<<20 && got.ResidentPeak >= got.Resident*0.5 && got.Threads > 1 && got.Descriptors > 2 && got.NodeMemory > got.NodeAvailable) {
		t.Errorf("%+v", got)
	}
	if exe, _ := os.Executable(); r.Executable(os.Getpid()) != exe {
		t.Errorf("Executable: %q, want %q", r.Executable(os.Getpid()), exe)
	}
}

// TestFamily: children and theirs, whatever their names hold.
func TestFamily(t *testing.T) {
	r := tree(t, map[string]string{
		"proc/1/stat": "1 (init) S 0 1", "proc/7/stat": "7 (a) b) S 1 7", "proc/9/stat": "9 (x y) R 7 7",
		"proc/11/stat": "11 (z) S 9 7", "proc/12/stat": "12 (other) S 1 7", "proc/13/stat": "broken", "proc/self/stat": "7 (a) S 1",
	})
	if got, want := r.Family(7), []int{7, 9, 11}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	if got := (Roots{Proc: t.TempDir() + "/none"}).Family(3); !slices.Equal(got, []int{3}) {
		t.Errorf("without /proc: %v", got)
	}
}
