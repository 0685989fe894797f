package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// pageRow is one figure of the page, as web/test/bench.mjs prints it. Nil is
// unknown: pprof has no such thing, or did not finish.
type pageRow struct {
	Name, What, Unit string
	Budget           float64 // 0 for none
	Ours             float64
	Theirs           *float64
}

// pageCase is what -cases picks the page by.
const pageCase = "page"

// measurePage runs the page of both programs in a browser. Where node or a
// browser is missing the page is left out, and the note says so.
func (b *bench) measurePage(ctx context.Context, quick bool) (rows []pageRow, note string, err error) {
	for _, name := range []string{"node", "chromium"} {
		if _, err := exec.LookPath(name); err != nil && os.Getenv(strings.ToUpper(name)) == "" {
			return nil, fmt.Sprintf("the page was not measured: there is no %s (apt-get install nodejs npm chromium)", name), nil
		}
	}
	if _, err := os.Stat(filepath.Join("web", "node_modules")); err != nil {
		if _, err := output(ctx, "npm", "--prefix", "web", "ci", "--no-audit", "--no-fund"); err != nil {
			return nil, "", err
		}
	}
	in := input{samples: million}
	if quick {
		in.samples = million / 10
	}
	big, err := b.prepare(ctx, in)
	if err != nil {
		return nil, "", err
	}
	pgo, err := b.prepare(ctx, input{pgo: true})
	if err != nil {
		return nil, "", err
	}
	fmt.Fprintln(b.progress, "the page, in a browser")
	cmd := exec.CommandContext(ctx, "node", filepath.Join("web", "test", "bench.mjs"))
	cmd.Env = append(b.environ(), "PROFOUND="+b.profound, "PPROF="+b.pprof, "PGO="+pgo[0], "BIG="+big[0])
	if quick {
		cmd.Env = append(cmd.Env, "QUICK=1", "RUNS=3")
	}
	cmd.Stderr = b.progress
	out, err := cmd.Output()
	if err != nil {
		return nil, "", fmt.Errorf("bench.mjs: %w", err)
	}
	if err := json.Unmarshal(out, &rows); err != nil {
		return nil, "", fmt.Errorf("bench.mjs: %w", err)
	}
	if len(rows) == 0 {
		return nil, "", errors.New("bench.mjs measured nothing")
	}
	return rows, "", nil
}

func (r pageRow) verdict() verdict {
	switch {
	case r.Budget == 0:
		return verdict{word: verdictNone}
	case r.Ours <= r.Budget:
		return verdict{word: verdictPass}
	}
	return verdict{verdictMissed, fmt.Sprintf("%s of %s", amount(r.Ours, r.Unit), amount(r.Budget, r.Unit))}
}

func (r pageRow) cells() []string {
	budget, theirs := "-", "-"
	if r.Budget > 0 {
		budget = amount(r.Budget, r.Unit)
	}
	if r.Theirs != nil {
		theirs = amount(*r.Theirs, r.Unit)
	}
	return []string{r.Name, r.What, amount(r.Ours, r.Unit), theirs, budget, r.verdict().String()}
}

// amount writes milliseconds and bytes.
func amount(v float64, unit string) string {
	switch {
	case unit == "bytes" && v >= 1e6:
		return fmt.Sprintf("%.1f MB", v/1e6)
	case unit == "bytes":
		return fmt.Sprintf("%.0f kB", v/1e3)
	case v >= 10_000:
		return fmt.Sprintf("%.1f s", v/1e3)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	}
	return fmt.Sprintf("%.1f ms", v)
}

// pageHeading begins the part of the document about the page.
const pageHeading = "\n## The page\n"

// pageMarkdown is that part.
func pageMarkdown(h host, started time.Time, rows []pageRow) string {
	var w strings.Builder
	w.WriteString(pageHeading + `
profound -http beside go tool pprof -http, in one run, in headless Chromium without a graphics card, on one machine with
the programs. Figures are medians. What has a budget must stay below it. Written by make bench (web/test/bench.mjs).

How long a frame takes, with what the browser does for it, is measured in a browser that begins the next as soon as one is
done. One that shows 60 a second waits for the screen: its intervals are never below 16.7 ms, and more than 16.8 ms would mean
frames that are left out. A drawing is what the page itself does in a frame. Clicks are asked of the server, each about
functions that were not asked about before; all that is kept is what the page shows first.

`)
	fmt.Fprintf(&w, "| input | what | profound | pprof | budget | verdict |\n|---|---|---|---|---|---|\n")
	for _, r := range rows {
		fmt.Fprintf(&w, "| %s |\n", strings.Join(r.cells(), " | "))
	}
	fmt.Fprintf(&w, "\n- date: %s\n", started.UTC().Format("2006-01-02 15:04 MST"))
	for _, line := range h.lines() {
		fmt.Fprintf(&w, "- %s\n", line)
	}
	return w.String()
}

// writeParts puts what was measured into the document; a part that was not
// measured in this run stays as it is there.
func writeParts(file, programs, page string) error {
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parts := strings.Split(string(old), "\n## ")
	if programs == "" {
		programs = parts[0]
	}
	var others strings.Builder // written by other programs
	for _, p := range parts[1:] {
		switch p = "\n## " + p; {
		case !strings.HasPrefix(p, pageHeading):
			others.WriteString(p)
		case page == "":
			page = p
		}
	}
	return os.WriteFile(file, []byte(strings.TrimRight(programs, "\n")+"\n"+page+others.String()), 0o644)
}
