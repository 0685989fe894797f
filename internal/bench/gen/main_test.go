package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

func TestRun(t *testing.T) {
	dir := t.TempDir()
	out, truth := filepath.Join(dir, "p.pb.gz"), filepath.Join(dir, "truth.tsv")
	var stderr bytes.Buffer
	err := run([]string{"-samples=500", "-functions=100", "-locations=400", "-labels=false", "-o", out, "-truth", truth}, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(out)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := profile.Parse(f)
	if err != nil {
		t.Fatal(err)
	}
	var total int64
	for _, s := range p.Sample {
		total += s.Value[1]
		if len(s.Label) > 0 {
			t.Fatal("a sample has labels")
		}
	}
	text, err := os.ReadFile(truth)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var flat int64
	for _, line := range lines {
		n, err := strconv.ParseInt(strings.Split(line, "\t")[0], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		flat += n
	}
	if len(p.Sample) != 500 || len(lines) != 100 || flat != total {
		t.Errorf("%d samples of %d ns; %d functions of %d ns flat", len(p.Sample), total, len(lines), flat)
	}
	if !strings.Contains(stderr.String(), "500 samples") {
		t.Errorf("said %q", stderr.String())
	}
}

func TestRunErrors(t *testing.T) {
	for _, args := range [][]string{{}, {"-o", "x", "more"}, {"-nonsense"}, {"-o", "/no/such/folder/x"}} {
		var stderr bytes.Buffer
		if err := run(args, &stderr); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}
