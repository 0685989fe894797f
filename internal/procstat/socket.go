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

// listener is a socket that takes connections.
type listener struct {
	at    netip.AddrPort
	inode string
}

// listeners reads the tables of TCP sockets as the process id sees them.
func (r Roots) listeners(id string) []listener {
	var all []listener
	for _, name := range [...]string{"tcp", "tcp6"} {
		text, err := os.ReadFile(r.proc(id, "net", name))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			// sl local_address rem_address st tx:rx tr:tm retrnsmt uid timeout inode
			f := strings.Fields(line)
			const listen = "0A" // TCP_LISTEN
			if len(f) < 10 || f[3] != listen {
				continue
			}
			if at, ok := parseAddress(f[1]); ok {
				all = append(all, listener{at, f[9]})
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
