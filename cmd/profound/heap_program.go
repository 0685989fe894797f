package main

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/profoundhq/profound/internal/goheap"
	"github.com/profoundhq/profound/internal/proc"
)

// openProgram opens the executable of an image and hands it to src, with the
// files it stays in need of. One that is stripped is read with the layouts of
// another program that the same Go has made.
func (r *heapReader) openProgram(ctx context.Context, src *heapSource, info proc.Info) error {
	if info.Exe == "" {
		err := fmt.Errorf("the executable %s is not to be found; name it with -exe", info.Name)
		return errors.Join(append([]error{err}, info.Warnings...)...)
	}
	f, err := os.Open(info.Exe)
	if err != nil {
		return fmt.Errorf("open the executable: %w", err)
	}
	files := []io.Closer{f}
	p, err := goheap.OpenProgram(f, nil)
	if errors.Is(err, goheap.ErrStripped) {
		var layouts *goheap.Program
		var from io.Closer
		if layouts, from, err = r.layouts(ctx, f); err == nil {
			files = append(files, from)
			p, err = goheap.OpenProgram(f, layouts)
		}
	}
	if err != nil {
		for _, f := range files {
			f.Close()
		}
		return err
	}
	src.program, src.files = p, files
	return nil
}

// layouts gives a program with DWARF by the same Go as a stripped one: this
// very program, or a small one that the go command builds.
func (r *heapReader) layouts(ctx context.Context, stripped io.ReaderAt) (*goheap.Program, io.Closer, error) {
	info, err := buildinfo.Read(stripped)
	if err != nil {
		return nil, nil, err
	}
	arch := ""
	for _, s := range info.Settings {
		if s.Key == "GOARCH" {
			arch = s.Value
		}
	}
	if own, err := os.Open(r.e.exe); err == nil {
		if p, err := goheap.OpenProgram(own, nil); err == nil && p.GoVersion == info.GoVersion && arch == ownArch {
			return p, own, nil
		}
		own.Close()
	}
	m := layoutMaker{version: info.GoVersion, arch: arch, say: r.e.say, goCommand: r.e.lookPath("go")}
	if m.dir, err = os.UserCacheDir(); err != nil {
		m.dir = os.TempDir()
	}
	r.line.begin("building a small program by " + info.GoVersion)
	p, err := m.program(ctx)
	return p, io.NopCloser(nil), err
}
