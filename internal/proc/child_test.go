//go:build linux && (amd64 || arm64)

package proc

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"
)

// The test binary runs itself again as the processes it looks at: childEnv
// names what to be. A child says what it holds on standard output, as one line
// of JSON, and ends when its standard input does.
const childEnv = "PROC_TEST_CHILD"

func TestMain(m *testing.M) {
	if what := os.Getenv(childEnv); what != "" {
		beChild(what)
		return
	}
	os.Exit(m.Run())
}

// childSays is what a child tells of itself.
type childSays struct {
	Pattern, Len uint64 // memory filled by pattern()
	// First and Second are words that are counted up one after the other, a
	// page and more apart: at any moment they are equal, or First is one ahead.
	First, Second uint64
	Addr          string // of the HTTP server of "service"
}

func pattern(i int) byte { return byte(i*7 + i>>8*13 + i>>16) }

func beChild(what string) {
	what, arg, _ := strings.Cut(what, " ")
	n, _ := strconv.Atoi(arg)
	if what == "analyser" {
		beAnalyser(arg)
		return
	}
	data := make([]byte, 1<<20+123)
	for i := range data {
		data[i] = pattern(i)
	}
	words := make([]uint64, 4096)
	says := childSays{Pattern: addressOf(&data[0]), Len: uint64(len(data)), First: addressOf(&words[0]), Second: addressOf(&words[4000])}
	switch what {
	case "idle":
	case "crash": // leaves a core
		check(syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{Cur: 1 << 40, Max: 1 << 40}))
	case "threads": // threads of the system, each in a different state
		for range 20 {
			go func() {
				runtime.LockOSThread()
				select {}
			}()
		}
		go func() {
			for {
				syscall.Getppid()
			}
		}()
	case "count":
		go func() {
			for {
				atomic.AddUint64(&words[0], 1)
				atomic.AddUint64(&words[4000], 1)
			}
		}()
	case "syscalls":
		fd, err := syscall.Open("/dev/null", syscall.O_WRONLY, 0)
		check(err)
		for range 4 {
			go func() {
				b := make([]byte, 1)
				for {
					if _, err := syscall.Write(fd, b); err != nil {
						panic(err)
					}
				}
			}()
		}
	case "signals": // a handler runs all the time
		c := make(chan os.Signal, 100)
		signal.Notify(c, syscall.SIGUSR1)
		go func() {
			for {
				syscall.Kill(os.Getpid(), syscall.SIGUSR1)
				<-c
			}
		}()
	case "churn": // threads come and go
		go func() {
			for {
				done := make(chan bool)
				go func() { runtime.LockOSThread(); close(done) }()
				<-done
			}
		}()
	case "heap": // n MB
		debug.SetGCPercent(-1)
		hold(n)
	case "forkless": // as a user that may have no more processes, though threads it has
		runtime.GOMAXPROCS(1)
		check(syscall.Setrlimit(rlimitNproc, &syscall.Rlimit{}))
		if os.Getuid() == 0 {
			check(syscall.Setgid(65534))
			check(syscall.Setuid(65534))
		}
	case "filtered": // has a seccomp filter: which call it answers, and how
		runtime.LockOSThread()
		filterCalls(arg)
	case "returns": // a thread's stack has an address n bytes before the end of the vDSO
		go func() {
			runtime.LockOSThread()
			var stack [64]uint64
			for i := range stack {
				stack[i] = vdsoEnd() - uint64(n)
			}
			for stack[0] != 0 {
				syscall.Syscall6(syscall.SYS_PPOLL, 0, 0, 0, 0, 0, 0)
			}
			fmt.Println(stack) // never, but for the compiler
		}()
	case "exec": // becomes another program when told to
		go func() {
			os.Stdin.Read(make([]byte, 1))
			check(syscall.Exec(arg, []string{arg, "1000"}, nil))
		}()
		check(json.NewEncoder(os.Stdout).Encode(says))
		select {}
	case "service": // with n MB
		hold(n)
		says.Addr = serve()
	case "sleeper": // sleeps to the millisecond, and says when it was woken too early
		for range 4 {
			go func() {
				runtime.LockOSThread()
				for {
					sleepExactly()
				}
			}()
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(says))
	io.Copy(io.Discard, os.Stdin)
	runtime.KeepAlive(data)
	runtime.KeepAlive(words)
}

// filterCalls sets a seccomp filter for all threads, or, with "here", for this
// one: "clone" or "waitid", and "kill", "errno" or "allow".
func filterCalls(arg string) {
	what, how, _ := strings.Cut(arg, " ")
	how, here := strings.CutSuffix(how, " here")
	c := calls(runtime.GOARCH, 0)[0]
	if what == "waitid" {
		c = calls(runtime.GOARCH, 0)[3]
	}
	answer := map[string]uint32{"kill": 0x80000000, "errno": 0x50001, "allow": 0x7fff0000}[how]
	prog := testFilter(c.nr, answer)
	arm := struct {
		n uint16
		p unsafe.Pointer
	}{uint16(len(prog) / filterSize), unsafe.Pointer(&prog[0])}
	nr, all := uintptr(317), uintptr(1)
	if runtime.GOARCH == "arm64" {
		nr = 277
	}
	if here {
		all = 0
	}
	const noNewPrivs, setFilter = 38, 1
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		panic(e)
	}
	if _, _, e := syscall.RawSyscall(nr, setFilter, all, uintptr(unsafe.Pointer(&arm))); e != 0 {
		panic(e)
	}
}

// testFilter answers a system call, but for those that make threads.
func testFilter(nr, answer uint32) []byte {
	const thread, allow = 0x10000, 0x7fff0000
	var b []byte
	for _, ins := range []struct {
		code   uint16
		jt, jf byte
		k      uint32
	}{{0x20, 0, 0, 0}, {0x15, 0, 3, nr}, {0x20, 0, 0, 16}, {0x45, 1, 0, thread}, {0x06, 0, 0, answer}, {0x06, 0, 0, allow}} {
		b = binary.LittleEndian.AppendUint16(b, ins.code)
		b = append(b, ins.jt, ins.jf)
		b = binary.LittleEndian.AppendUint32(b, ins.k)
	}
	return b
}

// vdsoEnd is where the vDSO of this process ends.
func vdsoEnd() uint64 {
	b, err := os.ReadFile("/proc/self/maps")
	check(err)
	maps, err := parseMaps(b)
	check(err)
	for _, m := range maps {
		if m.File == "[vdso]" {
			return m.End
		}
	}
	panic("no vDSO")
}

// hold keeps n MB.
func hold(n int) {
	for range n {
		b := make([]byte, 1<<20)
		for i := range len(b) / 4096 {
			b[i*4096] = 1
		}
		keepAlive = append(keepAlive, b)
	}
}

var keepAlive [][]byte

const rlimitNproc = 6

func addressOf[T any](p *T) uint64 { return uint64(uintptr(unsafe.Pointer(p))) }

// sleepExactly fails the process if a sleep ends too early, or with EINTR.
func sleepExactly() {
	start := time.Now()
	ts := syscall.NsecToTimespec(int64(5 * time.Millisecond))
	_, _, e := syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&ts)), 0, 0)
	if e != 0 && e != syscall.EINTR || e == 0 && time.Since(start) < 5*time.Millisecond {
		fmt.Fprintln(os.Stderr, "nanosleep:", e, time.Since(start))
		os.Exit(3)
	}
}

// serve answers requests with work on the heap behind them.
func serve() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	kept := make([]atomic.Pointer[[]byte], 4096)
	var at atomic.Uint64
	go http.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b := make([]byte, 8192)
		for i := range b {
			b[i] = byte(i)
		}
		slot := &kept[at.Add(1)%4096]
		slot.Store(&b)
		sum := 0
		for _, x := range *slot.Load() {
			sum += int(x)
		}
		binary.Write(w, binary.LittleEndian, uint64(sum))
	}))
	return l.Addr().String()
}

// child is a process of the test.
type child struct {
	*exec.Cmd
	childSays
	stdin io.Closer
}

func (c *child) pid() int { return c.Process.Pid }

// startChild starts one, ended with the test.
func startChild(t testing.TB, what string, change ...func(*exec.Cmd)) *child {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{Cmd: exec.Command(exe)}
	c.Env = append(os.Environ(), childEnv+"="+what)
	c.Stderr = os.Stderr
	for _, f := range change {
		f(c.Cmd)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if c.stdin, err = c.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.stdin.Close(); c.Process.Kill(); c.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err != nil {
		t.Fatalf("the child %q said nothing: %v", what, err)
	}
	if err := json.Unmarshal(line, &c.childSays); err != nil {
		t.Fatalf("the child %q said %q: %v", what, line, err)
	}
	return c
}

// wantUnharmed checks that a process runs on untraced, with no children.
func wantUnharmed(t testing.TB, pid int) {
	t.Helper()
	text, err := readProc(pid, "status")
	if err != nil {
		t.Fatalf("the process has ended: %v", err)
	}
	st := parseStatus(text)
	if st.TracerPid != 0 {
		t.Errorf("process %d is traced by %d", pid, st.TracerPid)
	}
	if st.State == 'Z' || st.State == 'T' || st.State == 't' {
		t.Errorf("process %d is in state %c", pid, st.State)
	}
	for _, id := range threadIDs(pid) {
		if _, state := threadState(pid, id); state == 't' || state == 'T' {
			t.Errorf("thread %d of %d is in state %c", id, pid, state)
		}
	}
	// A reader killed at the right moment leaves instructions that have yet to
	// run, and what they start ends by itself.
	if left := eventually(func() string { return relatives(t, pid) }); left != "" {
		t.Errorf("beside process %d there is: %s", pid, left)
	}
}
