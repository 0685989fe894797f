//go:build linux && (amd64 || arm64)

package proc

import "os"

// Available is how many bytes this process can still use: what the machine has
// left, and what the limits of its cgroups leave. The largest number if it is
// not known.
func Available() uint64 { return headroom(os.Getpid()) }
