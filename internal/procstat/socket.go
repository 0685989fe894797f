package procstat

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Listening are the TCP addresses on which the process pid takes connections
// and which can be reached from here, loopback in the place of "any address",
// the lowest port first.
func (r Roots) Listening(pid int) ([]netip.AddrPort, error) {
	id := strconv.Itoa(pid)
	if _, err := os.Stat(r.proc(id)); err != nil {
		if err := r.Check(); err != nil {
			return nil, err
		}
		return nil, fmt.Errorf("process %d: %w", pid, ErrGone)
	}
	own, err := r.inodes(id)
	if err != nil {
		return nil, fmt.Errorf("process %d: this user may not see its descriptors; give the address of its pprof server, or ask as its user or as root", pid)
	}
	var found []netip.AddrPort
	for _, l := range r.listeners(id) {
		if own[l.inode] {
			found = append(found, reachable(l.at))
		}
	}
	slices.SortFunc(found, func(a, b netip.AddrPort) int {
		if a.Port() != b.Port() {
			return int(a.Port()) - int(b.Port())
		}
		return a.Addr().Compare(b.Addr())
	})
	found = slices.Compact(found)
	if len(found) > 0 && r.elsewhere(id) {
		return nil, fmt.Errorf("process %d listens on %s, but in a network of its own, such as that of a container; give an address that leads there", pid, found[0])
	}
	return found, nil
}

// Listeners are the processes that hold the socket which takes connections to
// the local address at, lowest number first. A socket may have several: a
// parent hands it to its children.
func (r Roots) Listeners(at netip.AddrPort) ([]int, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	want := map[string]bool{}
	for _, l := range r.listeners("self") {
		if l.at.Port() == at.Port() && (l.at.Addr().IsUnspecified() || l.at.Addr().Unmap() == at.Addr().Unmap()) {
			want[l.inode] = true
		}
	}
	return r.holders(want), nil
}

// UnixListeners are the processes that hold the unix socket path.
func (r Roots) UnixListeners(path string) ([]int, error) {
	if err := r.Check(); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(r.proc("self", "net", "unix"))
	if err != nil {
		return nil, err
	}
	want := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		// Num RefCount Protocol Flags Type St Inode Path
		f := strings.SplitN(strings.Join(strings.Fields(line), " "), " ", 8)
		const accepts = "00010000" // __SO_ACCEPTCON
		if len(f) == 8 && f[3] == accepts && f[7] == path {
			want[f[6]] = true
		}
	}
	return r.holders(want), nil
}

// holders are the processes with a descriptor for one of the sockets.
func (r Roots) holders(sockets map[string]bool) []int {
	if len(sockets) == 0 {
		return nil
	}
	entries, _ := os.ReadDir(r.proc())
	var pids []int
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		own, _ := r.inodes(e.Name())
		for inode := range own {
			if sockets[inode] {
				pids = append(pids, pid)
				break
			}
		}
	}
	slices.Sort(pids)
	return pids
}

// inodes are the sockets among the descriptors of a process, by the number
// in "socket:[12345]".
func (r Roots) inodes(id string) (map[string]bool, error) {
	dir := r.proc(id, "fd")
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for _, e := range entries {
		link, err := os.Readlink(filepath.Join(dir, e.Name()))
		if err != nil {
			continue
		}
		if rest, ok := strings.CutPrefix(link, "socket:["); ok {
			own[strings.TrimSuffix(rest, "]")] = true
		}
	}
	return own, nil
}

// elsewhere tells that a process is in another network namespace than we.
func (r Roots) elsewhere(id string) bool {
	theirs, err1 := os.Readlink(r.proc(id, "ns", "net"))
	ours, err2 := os.Readlink(r.proc("self", "ns", "net"))
	return err1 == nil && err2 == nil && theirs != ours
}

// Owner is the user whose socket at from has a connection to the socket at to,
// both on this machine. It fails with ErrNotHere, and where there is no such
// connection: what was closed on that side has no owner any more.
func (r Roots) Owner(from, to netip.AddrPort) (uid int, err error) {
	all := r.sockets("self")
	if len(all) == 0 {
		return 0, ErrNotHere
	}
	for _, s := range all {
		if s.state == established && sameAddress(s.at, from) && sameAddress(s.to, to) {
			return strconv.Atoi(s.uid)
		}
	}
	return 0, fmt.Errorf("there is no connection from %s to %s", from, to)
}

func sameAddress(a, b netip.AddrPort) bool {
	return a.Port() == b.Port() && a.Addr().Unmap() == b.Addr().Unmap()
}

// States of a TCP socket, as the kernel numbers them.
const (
	established = "01"
	listens     = "0A"
)

// tcpSocket is a row of the tables: where it is, and where it leads.
type tcpSocket struct {
	at, to            netip.AddrPort
	state, uid, inode string
}

// listeners are the sockets that take connections.
func (r Roots) listeners(id string) []tcpSocket {
	return slices.DeleteFunc(r.sockets(id), func(s tcpSocket) bool { return s.state != listens })
}

// sockets reads the tables of TCP sockets as the process id sees them.
func (r Roots) sockets(id string) []tcpSocket {
	var all []tcpSocket
	for _, name := range [...]string{"tcp", "tcp6"} {
		text, err := os.ReadFile(r.proc(id, "net", name))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
			f := strings.Fields(line)
			if len(f) < 10 {
				continue
			}
			at, ok := parseAddress(f[1])
			to, ok2 := parseAddress(f[2])
			if ok && ok2 {
				all = append(all, tcpSocket{at, to, f[3], f[7], f[9]})
			}
		}
	}
	return all
}

// parseAddress reads "0100007F:17AC": the words of the address are in the
// byte order of the machine, which is little-endian wherever Go runs on Linux
// but for s390x and old MIPS and PowerPC, the port is not.
func parseAddress(s string) (netip.AddrPort, bool) {
	address, port, _ := strings.Cut(s, ":")
	raw, err := hex.DecodeString(address)
	if err != nil || len(raw)%4 != 0 {
		return netip.AddrPort{}, false
	}
	n, err := strconv.ParseUint(port, 16, 16)
	if err != nil {
		return netip.AddrPort{}, false
	}
	for i := 0; i < len(raw); i += 4 {
		slices.Reverse(raw[i : i+4])
	}
	a, ok := netip.AddrFromSlice(raw)
	return netip.AddrPortFrom(a, uint16(n)), ok
}

// reachable is an address to connect to for one that was bound.
func reachable(at netip.AddrPort) netip.AddrPort {
	a := at.Addr().Unmap()
	if a.IsUnspecified() {
		// A socket bound to :: takes IPv4 too unless it was told not to, which
		// Go does not.
		a = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.AddrPortFrom(a, at.Port())
}
