package leak

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/profoundhq/profound/internal/format"
	"github.com/profoundhq/profound/internal/profile"
)

// shared is a folder beside the repository with series of real services.
const shared = "../../../shared"

// readRecorded makes the history of one recorded service, with every n-th of
// its looks.
func readRecorded(t *testing.T, dir string, every int) *History {
	t.Helper()
	h := NewHistory()
	heaps, err := filepath.Glob(filepath.Join(dir, "heap-*.pb.gz"))
	if err != nil || len(heaps) == 0 {
		t.Skipf("no profiles in %s", dir)
	}
	for i, name := range heaps {
		if i%every != 0 {
			continue
		}
		l := Look{Fresh: true, Gauges: NoGauges()}
		l.Heap = readProfile(t, name)
		if g := strings.Replace(name, "heap-", "goroutine-", 1); fileExists(g) {
			l.Goroutine = readProfile(t, g)
		}
		for _, w := range h.Add(l) {
			t.Log(w)
		}
	}
	return h
}

func fileExists(name string) bool { _, err := os.Stat(name); return err == nil }

func readProfile(t *testing.T, name string) *profile.Profile {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, _, err := format.Decode(f, name, format.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRecorded judges series of services with known leaks: at least 95 % of
// those that can be seen are found, at least 90 % at the right function, and
// none is seen where there is none.
func TestRecorded(t *testing.T) {
	for _, every := range []int{1, 2, 4} {
		t.Run(fmt.Sprint("every", every), func(t *testing.T) { testRecorded(t, every) })
	}
}

func testRecorded(t *testing.T, every int) {
	text, err := os.ReadFile(filepath.Join(shared, "zoo", "manifest.json"))
	if err != nil {
		t.Skip("no recorded services beside the repository")
	}
	var manifest []struct {
		Case   string
		Leak   bool
		Signal string
		Blame  string `json:"blame_frame"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	leaks, found, named, right := 0, 0, 0, 0
	for _, m := range manifest {
		h := readRecorded(t, filepath.Join(shared, "recorded", m.Case), every)
		v := Judge(h, Options{})
		var got []Finding
		for _, f := range v.Findings {
			if f.Class == Leak {
				got = append(got, f)
			}
		}
		t.Logf("%s: %s", m.Case, describe(v))
		if !m.Leak || m.Signal == "rss" {
			if len(got) > 0 {
				t.Errorf("%s is no leak of heap or goroutines, got %s", m.Case, describe(v))
			}
			continue
		}
		leaks++
		named++
		if len(got) == 0 {
			continue
		}
		found++
		if !h.names(m.Blame) {
			t.Logf("%s: no profile has %s, a clue is needed", m.Case, m.Blame)
			named--
			continue
		}
		if regexp.MustCompile(m.Blame).MatchString(blamed(&got[0])) {
			right++
		}
	}
	t.Logf("%d leaks, %d found, %d with the blamed function in a profile, %d of them blame it", leaks, found, named, right)
	if 100*found < 95*leaks || 100*right < 90*named {
		t.Errorf("%d leaks, %d found, %d with the blamed function in a profile, %d of them blame it", leaks, found, named, right)
	}
}

// names tells whether any profile has a function that matches.
func (h *History) names(pattern string) bool {
	rx := regexp.MustCompile(pattern)
	for _, e := range h.elements.all {
		if rx.MatchString(e.function) {
			return true
		}
	}
	return false
}

// blamed is the function a finding blames.
func blamed(f *Finding) string {
	switch {
	case f.Blame >= 0:
		return f.Path[f.Blame].Function
	case blame(f.Origin) >= 0:
		return f.Origin[blame(f.Origin)].Function
	}
	return ""
}

func describe(v *Verdict) string {
	var b strings.Builder
	for i, list := range [][]Finding{v.Findings, v.Totals} {
		for _, f := range list {
			at := "total"
			if i == 0 {
				at = blamed(&f)
				if n := len(f.Path); n > 0 {
					at += " > " + f.Path[n-1].Function
				}
				for _, x := range f.Below {
					at += fmt.Sprintf(" |%.0f%% %s", 100*x.Share, x.Path[len(x.Path)-1].Function)
				}
			}
			fmt.Fprintf(&b, "\n\tresource %d class %d (%s %.2f) %s: %.4g/s (%.4g..%.4g), %d samples, p %.2g, keeps %.2f, cause %d", f.Resource, f.Class, f.Reason.Code, f.Reason.Share, at, f.Slope.Value, f.Slope.Low, f.Slope.High, f.Samples, f.P, f.Keeps, f.Cause)
		}
	}
	return b.String()
}
