package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/profoundhq/profound/internal/demo"
)

// expectation is a row of a manifest: what the verdict on a service should be.
type expectation struct {
	Case string `json:"case"`
	Leak bool   `json:"leak"`
	// Signal is what leaks: heap, goroutine, fd, rss, or none.
	Signal string `json:"signal"`
	// AllocSite matches functions that allocate what leaks; "-" for none.
	AllocSite string `json:"alloc_site"`
	// BlameFrame is the program's own function to blame, a regular expression;
	// "-" for none.
	BlameFrame string `json:"blame_frame"`
	Mechanism  string `json:"mechanism"`
}

// readManifest reads the expectations of a zoo.
func readManifest(path string) ([]expectation, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var rows []expectation
	if err := json.Unmarshal(data, &rows); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	for _, e := range rows {
		if _, err := regexp.Compile(e.BlameFrame); err != nil {
			return nil, fmt.Errorf("%s: %s: blame_frame: %w", path, e.Case, err)
		}
	}
	return rows, nil
}

// blames tells whether name is the function to blame.
func (e *expectation) blames(name string) bool {
	if e.BlameFrame == "" || e.BlameFrame == "-" {
		return false
	}
	ok, _ := regexp.MatchString(e.BlameFrame, name) // checked by readManifest
	return ok
}

// zooCase is a service that can be started, and what is expected of it.
type zooCase struct {
	expectation
	group string   // where it is from, for the table
	argv  []string // -addr and -for come behind
}

// The groups: the demo is one of our own services.
const (
	ownGroup   = "our services"
	otherGroup = "other zoo"
)

// ownZoo builds examples/zoo into dir.
func ownZoo(ctx context.Context, dir string) ([]zooCase, error) {
	rows, err := readManifest(filepath.Join("examples", "zoo", "manifest.json"))
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(dir, "zoo")
	if err := goBuild(ctx, ".", "-o", bin, "./examples/zoo"); err != nil {
		return nil, err
	}
	cases := make([]zooCase, len(rows))
	for i, e := range rows {
		cases[i] = zooCase{e, ownGroup, []string{bin, "-case", e.Case}}
	}
	return cases, nil
}

// extraZoo builds the commands of another zoo, in a copy, because the folder
// may be read-only.
func extraZoo(ctx context.Context, zoo, dir string) ([]zooCase, error) {
	rows, err := readManifest(filepath.Join(zoo, "manifest.json"))
	if err != nil {
		return nil, err
	}
	source, bin := filepath.Join(dir, "extra"), filepath.Join(dir, "extra-bin")
	if err := os.RemoveAll(source); err != nil {
		return nil, err
	}
	if err := os.CopyFS(source, os.DirFS(zoo)); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, err
	}
	if err := goBuild(ctx, source, "-mod=mod", "-o", bin, "./cmd/..."); err != nil {
		return nil, err
	}
	cases := make([]zooCase, len(rows))
	for i, e := range rows {
		cases[i] = zooCase{e, otherGroup, []string{filepath.Join(bin, e.Case)}}
	}
	return cases, nil
}

// goBuild runs go build in dir, with absolute paths.
func goBuild(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", append([]string{"build"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s in %s: %w\n%s", strings.Join(args, " "), dir, err, out)
	}
	return nil
}

// demoCommand makes this program play the service of the demo, at a sampling
// rate that can be chosen.
const demoCommand = "serve-demo"

// demoZoo are the variants of the acceptance story: the same two functions
// each time.
func demoZoo(self string) []zooCase {
	var cases []zooCase
	for _, name := range demo.Leaks() {
		e := expectation{
			Case: "demo-" + name, Leak: name != demo.LeakNone, Signal: "heap",
			BlameFrame: `demo\.(parseContainerMetricsResponse|parseLine|\(\*MetricsFetcher\))`,
		}
		switch name {
		case demo.LeakNone:
			e.Signal, e.BlameFrame = "none", "-"
		case demo.LeakGoroutine:
			e.Signal = "goroutine"
		}
		cases = append(cases, zooCase{e, ownGroup, []string{self, demoCommand, "-leak", name}})
	}
	return cases
}

// pick keeps the cases whose names match.
func pick(cases []zooCase, only *regexp.Regexp) []zooCase {
	return slices.DeleteFunc(cases, func(c zooCase) bool { return !only.MatchString(c.Case) })
}

// lifeOf is how long a service is to run that is watched for d: it ends by
// itself should nobody end it.
func lifeOf(d time.Duration) time.Duration { return d + 2*time.Minute }
