//go:build !linux || !(amd64 || arm64)

package proc

import (
	"context"
	"fmt"
	"runtime"
)

// live is what a system without our reader has: nothing.
type live struct{ info Info }

func attach(int, Options) (*live, error) {
	return nil, fmt.Errorf("reading a live process is %w on %s/%s; make a core file or a snapshot on linux and read it here", ErrUnsupported, runtime.GOOS, runtime.GOARCH)
}

func (*live) running() Image     { return nil }
func (*live) estimate() Estimate { return Estimate{} }
func (*live) Close() error       { return nil }

func (*live) snapshot(context.Context, Plan, *How) (Image, error) { return nil, ErrUnsupported }
