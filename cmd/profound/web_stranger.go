package main

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"os"

	"github.com/profoundhq/profound/internal/procstat"
)

// isStranger tells that a request comes over the loopback from another user
// than the one this program runs as. Root is none, and where the system does
// not tell, nobody is. What cannot be found in tables that are there was closed
// before it was answered, so that nobody should know.
func isStranger(r *http.Request) bool {
	local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok {
		return false
	}
	from, err1 := netip.ParseAddrPort(r.RemoteAddr)
	to, err2 := netip.ParseAddrPort(local.String())
	if err1 != nil || err2 != nil {
		return false
	}
	uid, err := procstat.Roots{}.Owner(from, to)
	if errors.Is(err, procstat.ErrNotHere) {
		return false
	}
	return err != nil || uid != 0 && uid != os.Getuid()
}
