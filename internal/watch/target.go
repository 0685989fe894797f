package watch

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/profoundhq/profound/internal/procstat"
	"github.com/profoundhq/profound/internal/source"
)

// Live tells whether spec names something to connect to (a URL, host:port, a
// unix socket, the number of a process) rather than files to open. As
// everywhere, what exists as a file is a file.
func Live(spec string) bool {
	if _, err := os.Stat(spec); err == nil {
		return false
	}
	if _, ok := processNumber(spec); ok || strings.HasPrefix(spec, "unix:") {
		return true
	}
	if before, _, ok := strings.Cut(spec, "://"); ok {
		return before != "file"
	}
	host, _, _ := strings.Cut(spec, "/")
	_, port, err := net.SplitHostPort(host)
	return err == nil && port != "" && strings.Trim(port, "0123456789") == ""
}

// processNumber reads the spec of a process.
func processNumber(spec string) (int, bool) {
	n, err := strconv.ParseUint(spec, 10, 31)
	return int(n), err == nil && n > 0
}

// Target is a program that is watched. Its methods may be called at the same
// time.
type Target struct {
	name   string
	opt    Options
	server *source.Server // nil for a process without
	offers []string
	vars   bool // /debug/vars has memstats
	notes  []error
	most   time.Duration // a look may take

	mu      sync.Mutex
	proc    local
	quick   time.Duration // the fastest answer so far: the way there and back
	keep    *folder       // nil: nothing is kept
	started float64       // start of the process at the last look, ticks since the boot
	life    int           // its number then; 0
}

// local is the process behind a target, if it is one of this machine.
type local struct {
	pid int // 0: not known
	// sure is set when the program of the process is that of the profiles.
	sure      bool
	collector procstat.Collector
	known     bool // collector is
}

// Connect finds out what the target named by spec offers. spec is a URL of a
// server, of its /debug/pprof/ or of one of the profiles there, host:port,
// unix:SOCKET[:/HTTP/PATH], or the number of a process of this machine, whose
// own port is then found.
func Connect(ctx context.Context, spec string, o Options) (*Target, error) {
	if o.Now == nil {
		return nil, errors.New("watch: Options.Now is not set")
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Source.Timeout < 1 {
		o.Source.Timeout = answerSeconds
	}
	t := &Target{opt: o, quick: math.MaxInt64, most: answersALook * time.Duration(o.Source.Timeout) * time.Second}
	if pid, ok := processNumber(spec); ok {
		if err := t.connectProcess(ctx, pid); err != nil {
			return nil, err
		}
		return t, nil
	}
	var err error
	if t.server, err = source.OpenServer(spec, o.Source); err != nil {
		return nil, err
	}
	t.name = t.server.Host()
	if t.name == "" {
		t.name = "unix:" + t.server.Socket()
	}
	if err := t.probe(ctx); err != nil {
		t.server.Close()
		return nil, err
	}
	t.findProcess()
	t.noteProcess()
	return t, nil
}

// answerSeconds is how long a target may take to begin an answer if the user
// does not say; a look must not hang as long as a single fetch may.
const answerSeconds = 20

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// connectProcess finds the server of a process among the ports it listens on.
// Without one its memory and descriptors can still be watched.
func (t *Target) connectProcess(ctx context.Context, pid int) error {
	t.name = fmt.Sprintf("pid %d", pid)
	t.setProcess(pid, true)
	if _, err := t.opt.Proc.Read(pid); err != nil {
		return err
	}
	ports, err := t.opt.Proc.Listening(pid)
	if err != nil {
		t.notes = append(t.notes, err)
	}
	for _, at := range ports {
		s, err := source.OpenServer("http://"+at.String(), t.opt.Source)
		if err != nil {
			return err
		}
		t.server = s
		if t.probe(ctx) == nil {
			return nil
		}
		t.server = nil
		s.Close()
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	if err == nil {
		where := "listens on no port"
		if len(ports) > 0 {
			where = "has no net/http/pprof on " + joinPorts(ports)
		}
		t.notes = append(t.notes, fmt.Errorf("process %d %s: its memory, descriptors and threads are watched, but nothing can be said about who takes them; import net/http/pprof and serve it, or give its address if it is elsewhere", pid, where))
	}
	return nil
}

func joinPorts(ports []netip.AddrPort) string {
	var s []string
	for _, p := range ports {
		s = append(s, p.String())
	}
	return strings.Join(s, ", ")
}

// probe asks what there is. A mux with only some of the handlers has no index;
// then the heap profile is tried.
func (t *Target) probe(ctx context.Context) error {
	names, err := t.server.Profiles(ctx)
	slices.Sort(names)
	t.offers = slices.Compact(names)
	if err != nil {
		t.offers = nil
		if !source.Answered(err) || !t.tryProfiles(ctx) {
			return err
		}
	}
	if t.hasVars(ctx) {
		t.vars = true
	}
	if !t.has(heapProfile) && !t.has(goroutineProfile) {
		return fmt.Errorf("%s has neither a heap nor a goroutine profile, only %s; is this a Go program?", t.server, strings.Join(t.offers, ", "))
	}
	return nil
}

// tryProfiles asks for the profiles without which there is nothing to watch.
func (t *Target) tryProfiles(ctx context.Context) bool {
	for _, name := range [...]string{heapProfile, goroutineProfile} {
		if _, _, err := t.profile(ctx, name, nil); err == nil {
			t.offers = append(t.offers, name)
		}
	}
	return len(t.offers) > 0
}

func (t *Target) has(name string) bool { return slices.Contains(t.offers, name) }

// findProcess looks for the process behind a server of this machine: the one
// that takes connections on its port. There may be several, and it may be a
// tunnel; the profiles tell (see identify).
func (t *Target) findProcess() {
	t.setProcess(0, false)
	if pids := t.candidates(); len(pids) > 0 {
		t.setProcess(pids[0], false)
	}
}

// noteProcess says so if a server of this machine is that of somebody else.
func (t *Target) noteProcess() {
	if t.process().pid == 0 && t.opt.Proc.Check() == nil && (t.server.Socket() != "" || len(t.loopback()) > 0) {
		t.notes = append(t.notes, fmt.Errorf("%s is here, but its process is not to be seen by this user: its resident memory, descriptors and limits are not known; run this as the user of the process, or as root", t.name))
	}
}

// loopback are the addresses of this machine that the target's host means,
// none if it is elsewhere.
func (t *Target) loopback() []netip.Addr {
	host := (&url.URL{Host: t.server.Host()}).Hostname()
	if host == "localhost" {
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
	}
	if a, err := netip.ParseAddr(host); err == nil && a.IsLoopback() {
		return []netip.Addr{a}
	}
	return nil
}

// candidates are the processes that hold the target's socket.
func (t *Target) candidates() []int {
	var pids []int
	if path := t.server.Socket(); path != "" {
		pids, _ = t.opt.Proc.UnixListeners(path)
		return pids
	}
	port, err := strconv.ParseUint(t.server.Port(), 10, 16)
	if err != nil {
		return nil
	}
	for _, a := range t.loopback() {
		if pids, _ = t.opt.Proc.Listeners(netip.AddrPortFrom(a, uint16(port))); len(pids) > 0 {
			return pids
		}
	}
	return nil
}

// setProcess takes pid, 0 for none, as the process of the target.
func (t *Target) setProcess(pid int, sure bool) {
	p := local{pid: pid, sure: sure}
	if pid > 0 {
		p.collector, p.known = t.opt.Proc.Collector(pid)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.proc = p
}

func (t *Target) process() local {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.proc
}

// Name is how the target is called in looks: host:port, unix:SOCKET, "pid N".
func (t *Target) Name() string { return t.name }

// URL is where its profiles are, without password; "" for a process without.
func (t *Target) URL() string {
	if t.server == nil {
		return ""
	}
	return t.server.String()
}

// PID is the local process, 0 if it is not known to be one.
func (t *Target) PID() int { return t.process().pid }

// Offers are the names of the profiles the target has.
func (t *Target) Offers() []string { return t.offers }

// Notes are what was noticed while connecting: what the target lacks.
func (t *Target) Notes() []error { return t.notes }

// Close ends the connections.
func (t *Target) Close() {
	if t.server != nil {
		t.server.Close()
	}
}
