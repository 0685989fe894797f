package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/profoundhq/profound/internal/bench/synth"
)

// mergePackages is what the compiler is made to compile for the merge case:
// enough packages that 100 of them give a profile of some size.
func mergePackages() []string { return []string{"cmd/compile", "cmd/go"} }

// prepare returns the files of an input, making those that are missing. A file
// appears under its name only when it is complete, so an interrupted run
// leaves nothing to trip over.
func (b *bench) prepare(ctx context.Context, in input) ([]string, error) {
	switch {
	case in.samples > 0:
		file, err := b.prepareSynthetic(ctx, in)
		return []string{file}, err
	case in.merge > 0:
		return b.prepareMerge(ctx, in.merge)
	case in.pgo:
		root, err := output(ctx, "go", "env", "GOROOT")
		return []string{filepath.Join(root, "src", "cmd", "compile", "default.pgo")}, err
	}
	return nil, nil
}

// prepareSynthetic runs the generator as a process of its own: see
// smallestPeak for why this program must stay small.
func (b *bench) prepareSynthetic(ctx context.Context, in input) (string, error) {
	opt := in.synth()
	name := fmt.Sprintf("synth%d-s%d-f%d-l%d-d%d-labels%t-seed%d.pb.gz",
		synth.Version, opt.Samples, opt.Functions, opt.Locations, opt.Depth, opt.Labels, opt.Seed)
	file := filepath.Join(b.dir, "in", name)
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return "", err
	}
	fmt.Fprintf(b.progress, "generating %s\n", name)
	_, err := output(ctx, b.gen,
		fmt.Sprintf("-samples=%d", opt.Samples), fmt.Sprintf("-functions=%d", opt.Functions),
		fmt.Sprintf("-locations=%d", opt.Locations), fmt.Sprintf("-depth=%d", opt.Depth),
		fmt.Sprintf("-labels=%t", opt.Labels), fmt.Sprintf("-seed=%d", opt.Seed), "-o", file+".part")
	if err != nil {
		return "", err
	}
	return file, os.Rename(file+".part", file)
}

// prepareMerge makes the Go compiler profile itself, one profile a compiled
// package, and returns the n largest, largest first.
func (b *bench) prepareMerge(ctx context.Context, n int) ([]string, error) {
	dir := filepath.Join(b.dir, "in", "compile-cpu")
	if _, err := os.Stat(dir); err != nil {
		if err := b.profileCompiler(ctx, dir); err != nil {
			return nil, err
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type sized struct {
		name string
		size int64
	}
	var files []sized
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return nil, err
		}
		files = append(files, sized{filepath.Join(dir, e.Name()), info.Size()})
	}
	if len(files) < n {
		return nil, fmt.Errorf("%s holds %d profiles, need %d", dir, len(files), n)
	}
	slices.SortFunc(files, func(a, b sized) int {
		return cmp.Or(cmp.Compare(b.size, a.size), strings.Compare(a.name, b.name))
	})
	names := make([]string, n)
	for i, f := range files[:n] {
		names[i] = f.name
	}
	return names, nil
}

func (b *bench) profileCompiler(ctx context.Context, dir string) error {
	fmt.Fprintf(b.progress, "profiling the Go compiler on %s\n", strings.Join(mergePackages(), ", "))
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return err
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return err
	}
	// A build cache of its own, thrown away: these packages are compiled with
	// flags nobody else uses.
	cache, err := os.MkdirTemp(b.dir, "gocache-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(cache)
	// The separator at the end makes the compiler write one file a package.
	// Without -pgo=off a package is compiled once more for each command that has
	// a default.pgo, and two compilers write the same profile file at once.
	args := append([]string{"build", "-a", "-pgo=off", "-o", filepath.Join(cache, "discard") + string(filepath.Separator),
		"-gcflags=all=-cpuprofile=" + part + string(filepath.Separator)}, mergePackages()...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "GOCACHE="+cache)
	if msg, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, msg)
	}
	return os.Rename(part, dir)
}

// output runs a helper command and returns its trimmed stdout.
func output(ctx context.Context, name string, args ...string) (string, error) {
	var stderr strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out)), nil
}
