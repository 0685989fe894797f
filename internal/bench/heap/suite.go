package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/profoundhq/profound/internal/why"
)

// suiteRow is the leaky service of internal/goheap by one toolchain.
type suiteRow struct {
	toolchain string
	heapStats
}

// toolchains are those the service is built by, where they are at hand; the
// first is the installed one.
var toolchains = [...]string{"local", "go1.25.5", "go1.24.11", "go1.23.12", "go1.22.12"}

// suiteSource is the folder of the service, which is a module of its own.
const suiteSource = "internal/goheap/testdata/leaksvc"

// readSuite reads the leaky service, which has every kind of object and was
// collected right before it says that it is ready. Nothing is downloaded.
func (b *bench) readSuite(ctx context.Context) (rows []suiteRow, err error) {
	root, err := output(ctx, nil, "go", "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	for _, v := range toolchains {
		env := []string{"GOTOOLCHAIN=" + v, "GOPROXY=off", "GOFLAGS="}
		if _, err := output(ctx, env, "go", "version"); err != nil {
			b.say("%s is not here", v)
			continue
		}
		exe := filepath.Join(b.dir, "bin", "leaksvc-"+v)
		if _, err := output(ctx, env, "go", "build", "-C", filepath.Join(root, suiteSource), "-o", exe, "."); err != nil {
			return nil, err
		}
		row, err := readSuiteRow(ctx, exe)
		if err != nil {
			return nil, fmt.Errorf("leaksvc by %s: %w", v, err)
		}
		b.say("%s: %+v", row.toolchain, row.Stats)
		rows = append(rows, row)
	}
	return rows, nil
}

// settle is how long a service has to become idle after it said that it is
// ready: the collector's goroutines have to end their work.
const settle = 500 * time.Millisecond

func readSuiteRow(ctx context.Context, exe string) (suiteRow, error) {
	t, err := startTarget(ctx, exe)
	if err != nil {
		return suiteRow{}, err
	}
	defer t.stop()
	time.Sleep(settle)
	h, _, done, err := heapOf(ctx, t.pid)
	if err != nil {
		return suiteRow{}, err
	}
	defer done()
	version, err := versionOf(exe)
	return suiteRow{version, statsOf(why.New(h))}, err
}
