package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// manifestRow is what the test needs of manifest.json.
type manifestRow struct {
	Case       string
	Leak       bool
	Signal     string
	AllocSite  string `json:"alloc_site"`
	BlameFrame string `json:"blame_frame"`
	Mechanism  string
}

func readManifest(t *testing.T) []manifestRow {
	t.Helper()
	data, err := os.ReadFile("manifest.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []manifestRow
	if err := json.Unmarshal(data, &rows); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestManifestAgrees(t *testing.T) {
	here := map[string]bool{}
	for _, s := range services() {
		if here[s.name] {
			t.Errorf("%s is there twice", s.name)
		}
		here[s.name] = true
	}
	rows := readManifest(t)
	for _, r := range rows {
		if !here[r.Case] && runtime.GOOS == "linux" {
			t.Errorf("manifest.json lists %s, which is no service", r.Case)
		}
		delete(here, r.Case)
		if strings.HasPrefix(r.Case, "leak-") != r.Leak || strings.HasPrefix(r.Case, "ok-") == r.Leak {
			t.Errorf("%s: leak is %v", r.Case, r.Leak)
		}
		if !r.Leak {
			if r.Signal != "none" {
				t.Errorf("%s: signal %q of a decoy", r.Case, r.Signal)
			}
			continue
		}
		if !slices.Contains([]string{"heap", "goroutine", "fd", "rss"}, r.Signal) || r.Mechanism == "" {
			t.Errorf("%s: signal %q, mechanism %q", r.Case, r.Signal, r.Mechanism)
		}
		for _, rx := range []string{r.AllocSite, r.BlameFrame} {
			if _, err := regexp.Compile(rx); rx == "" || err != nil {
				t.Errorf("%s: pattern %q: %v", r.Case, rx, err)
			}
		}
	}
	for name := range here {
		t.Errorf("manifest.json lacks %s", name)
	}
}

// TestServicesServe starts each service, takes a heap profile, and ends it.
func TestServicesServe(t *testing.T) {
	for _, s := range services() {
		t.Run(s.name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			said, out := io.Pipe()
			ended := make(chan error, 1)
			go func() {
				ended <- s.serve(ctx, "127.0.0.1:0", out)
				out.Close()
			}()
			line := make([]byte, 200)
			n, err := said.Read(line)
			if err != nil {
				t.Fatal(errors.Join(err, <-ended))
			}
			_, url, ok := strings.Cut(strings.TrimSpace(string(line[:n])), " on ")
			if !ok {
				t.Fatalf("the service says %q", line[:n])
			}
			resp, err := http.Get(url + "/debug/pprof/heap")
			if err != nil {
				t.Fatal(err)
			}
			profile, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || !bytes.HasPrefix(profile, []byte{0x1f, 0x8b}) {
				t.Errorf("%d bytes that are no heap profile: %v", len(profile), err)
			}
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRunRefuses(t *testing.T) {
	for _, args := range [][]string{{"-case", "leak-nothing"}, {"-case", "leak-map", "-addr", "0.0.0.0:0"}, {"-nothing"}, {}} {
		if err := run(t.Context(), args, io.Discard); err == nil {
			t.Errorf("%q: no error", args)
		}
	}
}

func TestLoads(t *testing.T) {
	for name, l := range map[string]load{"sine": sine(20, 0.9), "bursts": bursts(5), "doubled": doubled(30)} {
		last := 0.0
		for i := range 600 {
			got := l(float64(i) / 10)
			if got < last {
				t.Fatalf("%s: load goes back at %d", name, i)
			}
			last = got
		}
	}
	if got := doubled(30)(60); got != 90 {
		t.Errorf("doubled: %v seconds of load in 60, want 90", got)
	}
	if got := sine(20, 0.9)(60); got < 59.99 || got > 60.01 {
		t.Errorf("sine: %v seconds of load in three periods of 20", got)
	}
}
